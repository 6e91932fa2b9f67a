"""Fee allowances of all kinds end, renew and refuse as the SDK's x/feegrant tests say."""

from collections.abc import Sequence

import pytest

from veperf.workloads.transaction.codec import Coin, Coins, read_coins
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.example_data import example_address
from veperf.workloads.transaction.modules.fee_grants import (
    Period,
    allowance_key,
    grant_allowance,
    use_allowance,
)

GRANTER, GRANTEE = example_address(0), example_address(1)
NOW, MINUTE = 1_000_000, 60
HOUR = 60 * MINUTE
SEND, VOTE = "/cosmos.bank.v1beta1.MsgSend", "/cosmos.gov.v1.MsgVote"


def atom(amount: int) -> Coins:
    return (Coin("atom", amount),)


# TestPeriodicFeeValidAllow of x/feegrant/periodic_fee_test.go: limit in all, its end, limit of a
# period, its end, fee, time of the block; then what is left in all and of the period, and its end.
PERIODIC = [
    (atom(555), 2 * HOUR, atom(512), 0, atom(512), HOUR, atom(43), (), HOUR + 10 * MINUTE),
    (atom(43), 2 * HOUR, atom(555), 0, atom(1), HOUR, atom(42), atom(42), HOUR + 10 * MINUTE),
    ((), None, atom(555), 0, atom(555), HOUR, (), (), HOUR + 10 * MINUTE),
    (atom(555), 2 * HOUR, atom(43), HOUR, atom(43), 0, atom(512), (), HOUR),
    ((), None, atom(43), 30 * MINUTE, (), 0, (), atom(43), 30 * MINUTE),
    # Within the next period it is a step from the last end.
    ((), None, atom(9), 0, atom(1), 5 * MINUTE, (), atom(8), 10 * MINUTE),
]


@pytest.mark.parametrize(
    ("limit", "expires", "period", "resets", "fee", "time", "left", "left_now", "next_reset"),
    PERIODIC,
)
def test_periods_are_those_of_the_sdk(
    limit: Coins,
    expires: int | None,
    period: Coins,
    resets: int,
    fee: Coins,
    time: int,
    left: Coins,
    left_now: Coins,
    next_reset: int,
) -> None:
    """A period of ten minutes."""
    store = Tree()
    until = None if expires is None else NOW + expires
    grant_allowance(
        store, GRANTER, GRANTEE, limit, until, period=Period(10 * MINUTE, period, NOW + resets)
    )
    use_allowance(store, GRANTER, GRANTEE, fee, NOW + time, [SEND])
    record = store.get(allowance_key(GRANTER, GRANTEE))
    assert record is not None
    allowance = wire.PeriodicAllowance.FromString(wire.Grant.FromString(record).allowance.value)

    assert left == read_coins(allowance.basic.spend_limit)
    assert left_now == read_coins(allowance.period_can_spend)
    assert NOW + next_reset == allowance.period_reset.seconds


def refusal(store: Tree, fee: Coins, time: int, messages: Sequence[str] = (SEND,)) -> Code:
    with pytest.raises(TransactionRefused) as caught:
        use_allowance(store, GRANTER, GRANTEE, fee, time, messages)
    return caught.value.code


def test_a_period_and_the_whole_each_have_a_limit() -> None:
    """Over either is refused; used up, the allowance is gone."""
    store = Tree()
    period = Period(HOUR, atom(5), NOW + HOUR)
    grant_allowance(store, GRANTER, GRANTEE, atom(8), NOW + 3 * HOUR, period=period)

    assert Code.FEE_ALLOWANCE_EXCEEDED is refusal(store, atom(6), NOW)
    use_allowance(store, GRANTER, GRANTEE, atom(5), NOW, [SEND])
    assert Code.FEE_ALLOWANCE_EXCEEDED is refusal(store, atom(1), NOW + HOUR - 1)
    assert Code.FEE_ALLOWANCE_EXPIRED is refusal(store, atom(1), NOW + 3 * HOUR + 1)
    use_allowance(store, GRANTER, GRANTEE, atom(3), NOW + HOUR, [SEND])
    assert Code.NO_FEE_ALLOWANCE is refusal(store, atom(1), NOW + HOUR)


@pytest.mark.parametrize("period", [None, Period(HOUR, atom(5), NOW + HOUR)])
def test_an_allowance_for_some_messages_pays_for_these_alone(period: Period | None) -> None:
    """Around either of the others, whose limits hold, too."""
    store = Tree()
    grant_allowance(store, GRANTER, GRANTEE, atom(5), period=period, messages=[SEND])

    assert Code.MESSAGE_NOT_ALLOWED is refusal(store, atom(1), NOW, [SEND, VOTE])
    assert 7 == Code.MESSAGE_NOT_ALLOWED.abci
    use_allowance(store, GRANTER, GRANTEE, atom(4), NOW, [SEND, SEND])
    assert Code.FEE_ALLOWANCE_EXCEEDED is refusal(store, atom(2), NOW)
    use_allowance(store, GRANTER, GRANTEE, atom(1), NOW, [SEND])
    assert Code.NO_FEE_ALLOWANCE is refusal(store, atom(1), NOW)
