"""Shares and tokens are divided as in the Cosmos SDK, whose tests the figures are from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules import staking, wire
from veperf.workloads.transaction.modules.context import BONDED_POOL, NOT_BONDED_POOL
from veperf.workloads.transaction.modules.example_data import VALIDATOR, example_address
from veperf.workloads.transaction.modules.messages import Delegate, Undelegate
from veperf.workloads.transaction.state import balance_key, get_balance

ONE = 10**18
DELEGATOR: Address = example_address(0)
VALIDATOR_KEY = b"\x21\x14" + VALIDATOR.data
DELEGATION_KEY = b"\x31\x14" + DELEGATOR.data + b"\x14" + VALIDATOR.data


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"),
    # TestArithmetic (its quotients) and TestBankerRoundChop of math/legacy_dec_test.go.
    [
        (3 * ONE, 7 * ONE, 428571428571428571),
        (2 * ONE, 4 * ONE, 5 * 10**17),
        (15 * 10**17, 15 * 10**17, ONE),
        (3333 * 10**14, 333 * 10**14, 10009009009009009009),
        (0, ONE, 0),
        # Half of the last digit: to the even one.
        (1, 2 * ONE, 0),
        (3, 2 * ONE, 2),
        (5, 2 * ONE, 2),
        (7, 2 * ONE, 4),
    ],
)
def test_decimals_are_divided_as_legacy_decimals(
    dividend: int, divisor: int, expected: int
) -> None:
    """To 18 places, the even one of two that are as near."""
    assert expected == staking.divide(dividend, divisor)


@given(st.integers(0, 10**60), st.integers(1, 10**40))
def test_a_quotient_is_the_nearest_decimal(dividend: int, divisor: int) -> None:
    """No more than half a unit of the last place away."""
    quotient = staking.divide(dividend, divisor)

    assert abs(2 * quotient * divisor - 2 * dividend * ONE) <= divisor + 1


def stores(tokens: int, shares: int, delegated: int) -> tuple[Tree, Tree]:
    """Return stores of a validator that was slashed, with a delegation of some of the shares."""
    store, bank = Tree(), Tree()
    validator = wire.Validator(operator_address=VALIDATOR.text, status=3, tokens=str(tokens))
    validator.delegator_shares = str(shares * ONE)
    store.set(VALIDATOR_KEY, validator.SerializeToString())
    delegation = wire.Delegation(delegator_address=DELEGATOR.text, shares=str(delegated * ONE))
    delegation.validator_address = VALIDATOR.text
    store.set(DELEGATION_KEY, delegation.SerializeToString())
    bank.set(balance_key(BONDED_POOL.data, CHAIN.fee_denom), b"%d" % tokens)
    bank.set(balance_key(DELEGATOR.data, CHAIN.fee_denom), b"1000")
    return store, bank


def validator(store: Tree) -> Any:
    return wire.Validator.FromString(store.get(VALIDATOR_KEY) or b"")


def test_removed_shares_are_tokens_rounded_down() -> None:
    """TestRemoveDelShares of x/staking/types/validator_test.go: 29 of 115 shares of 5,102."""
    store, bank = stores(5_102, 115, 29)
    # 1,286 tokens are 28.98... shares: of these, 1,285 tokens come back, as shares are rounded.
    message = Undelegate(DELEGATOR, VALIDATOR, Coin(CHAIN.fee_denom, 1_286))
    staking.undelegate(store, bank, message, CHAIN.fee_denom, 1, 0)
    removed = 115 * ONE - int(validator(store).delegator_shares)
    back = get_balance(bank, NOT_BONDED_POOL.data, CHAIN.fee_denom)

    assert 115 * ONE * 1_286 // 5_102 == removed
    assert 1_286 == staking.divide(29 * ONE * 5_102, 115 * ONE) // ONE
    assert back == 5_102 - int(validator(store).tokens)
    assert back in (1_285, 1_286)


def test_new_shares_have_the_price_of_the_old_ones() -> None:
    """TestShareTokens there: half of the tokens slashed, 50 buy 100 shares."""
    store, bank = stores(50, 100, 100)
    message = Delegate(DELEGATOR, VALIDATOR, Coin(CHAIN.fee_denom, 50))
    staking.delegate(store, bank, message, CHAIN.fee_denom)

    assert (200 * ONE, "100") == (
        int(validator(store).delegator_shares), validator(store).tokens
    )  # fmt: skip
    assert 200 * ONE == staking.get_shares(store, DELEGATOR, VALIDATOR)
