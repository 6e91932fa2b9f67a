"""Blocks of all messages: what they do, what is rolled back, what never changes."""

import os
import subprocess
import sys

import pytest

from tests.support.module_chain import (
    ACCOUNTS,
    DENOM,
    FEE,
    TIME,
    account,
    balance,
    codes,
    coins,
    contents,
    deliver,
)
from veperf.workloads.transaction import example_data as transfers
from veperf.workloads.transaction.address import PREFIX, Address
from veperf.workloads.transaction.codec import Send
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import BALANCE, CHAIN
from veperf.workloads.transaction.execution import FEE_COLLECTOR, process_block
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import staking, wire
from veperf.workloads.transaction.modules.context import (
    BONDED_POOL,
    COMMUNITY_POOL,
    ESCROW,
    NOT_BONDED_POOL,
)
from veperf.workloads.transaction.modules.messages import (
    Message,
    MultiSend,
    Output,
    pack_message,
    unpack_message,
)
from veperf.workloads.transaction.modules.transactions import (
    Fee,
)
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.state import get_account, get_balance

AMINO = wire.SIGN_MODE_LEGACY_AMINO_JSON


@pytest.fixture
def stores() -> MultiStore:
    return chain.genesis(ACCOUNTS)


def test_plain_transfers_are_what_they_are_in_the_pipeline() -> None:
    """The same bytes as in the fast path: same codes, same balances, same accounts."""
    work = transfers.workload(accounts=6, transactions=6)
    raws = [*work.transactions, work.transactions[0], b"", work.transactions[1][:-1]]
    stores = chain.genesis(6)
    expected = process_block(work.tree, raws, CHAIN)

    assert [result.code for result in expected.results] == codes(stores, *raws)
    for index in range(6):
        address = chain.example_address(index).data
        assert get_account(work.tree, address) == get_account(stores.trees["acc"], address)
        assert get_balance(work.tree, address, DENOM) == balance(stores, index)


HASHES = """
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules.blocks import deliver_block
from veperf.workloads.transaction.modules.example_work import KINDS

for kind, make in KINDS.items():
    stores = chain.genesis(110)
    for raws in make():
        block = deliver_block(stores, raws[:10], CHAIN, 1_000_000)
        print(kind, block.app_hash.hex(), [(r.code.name, r.log, r.gas_used) for r in block.results])
"""


@pytest.mark.slow
def test_every_process_comes_to_the_same_app_hash() -> None:
    """Whatever the order of its sets: codes, logs, gas and hashes by hash seed."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", HASHES],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }

    assert 1 == len(outputs)
    assert "close_deployment" in outputs.pop()


@pytest.mark.parametrize("mode", [wire.SIGN_MODE_DIRECT, AMINO])
def test_each_message_does_what_it_says(stores: MultiStore, mode: int) -> None:
    """In either sign mode, several in a transaction."""
    messages: list[Message] = [
        chain.example_send(0, 1, 5),
        chain.example_multi_send(0, [1, 2, 2], 10),
        chain.delegation(0, 1_000),
        chain.undelegation(0, 400),
    ]
    (result,) = deliver(stores, chain.signed(messages, 0, mode=mode))

    assert (Code.OK, True) == (result.code, result.paid)
    assert 0 < result.gas_used <= result.gas_wanted == chain.GAS_LIMIT
    assert BALANCE - FEE - 5 - 30 - 1_000 == balance(stores, 0)
    assert [15, 20] == [balance(stores, index) - BALANCE for index in (1, 2)]
    assert [600, 400] == [balance(stores, pool) for pool in (BONDED_POOL, NOT_BONDED_POOL)]
    shares = staking.get_shares(stores.trees["staking"], chain.example_address(0), chain.VALIDATOR)
    assert 600 * 10**18 == shares
    assert FEE == balance(stores, FEE_COLLECTOR)
    assert 1 == account(stores, 0).sequence


def test_all_messages_take_effect_or_none(stores: MultiStore) -> None:
    """The second fails, and the first is undone; the fee is gone and the sequence used."""
    messages: list[Message] = [chain.delegation(0, 10), chain.undelegation(0, 11)]
    (result,) = deliver(stores, chain.signed(messages, 0))

    assert (Code.INVALID_REQUEST, True) == (result.code, result.paid)
    assert BALANCE - FEE == balance(stores, 0)
    assert 0 == balance(stores, BONDED_POOL)
    assert 1 == account(stores, 0).sequence


def test_out_of_gas_rolls_back_and_pays(stores: MultiStore) -> None:
    """Whatever the limit: too little for the checks changes nothing, for the messages it pays."""
    raw = chain.signed([chain.example_send(0, 1, 5)], 0)
    (whole,) = deliver(chain.genesis(ACCOUNTS), raw)
    outcomes = set()
    for limit in range(1_000, whole.gas_used + 2_000, 1_000):
        stores = chain.genesis(ACCOUNTS)
        before = contents(stores)
        fee = Fee(coins(FEE), limit)
        (result,) = deliver(stores, chain.signed([chain.example_send(0, 1, 5)], 0, fee=fee))
        outcomes.add((result.code, result.paid))
        assert (result.code is Code.OUT_OF_GAS) is (result.gas_used > result.gas_wanted == limit)
        if not result.paid:
            assert before == contents(stores)
        else:
            assert FEE == balance(stores, FEE_COLLECTOR)
            assert 1 == account(stores, 0).sequence
            sent = 5 if result.code is Code.OK else 0
            assert BALANCE + sent == balance(stores, 1)

    assert {(Code.OUT_OF_GAS, False), (Code.OUT_OF_GAS, True), (Code.OK, True)} == outcomes


def test_gas_is_that_of_the_accesses_the_signatures_and_the_bytes(stores: MultiStore) -> None:
    """A second signer costs 1,000 more for its signature, and each byte costs 10."""
    (one,) = deliver(chain.genesis(ACCOUNTS), chain.signed([chain.example_send(0, 1, 5)], 0))
    (memo,) = deliver(stores, chain.signed([chain.example_send(0, 1, 5)], 0, memo="m" * 100))

    assert 10 * 102 <= memo.gas_used - one.gas_used <= 10 * 104


def output(index: int, amount: int) -> Output:
    return Output(chain.example_address(index), coins(amount))


@pytest.mark.parametrize(
    ("total", "outputs", "expected"),
    [
        (9, (output(1, 5), output(2, 5)), Code.SUMS_DIFFER),
        (5, (), Code.NO_OUTPUTS),
        (0, (output(1, 5),), Code.INVALID_COINS),
        (5, (output(1, 5), output(2, 0)), Code.INVALID_COINS),
    ],
)
def test_sums_that_differ_are_refused(
    total: int, outputs: tuple[Output, ...], expected: Code
) -> None:
    """A transfer to many sends what they get, and each gets something."""
    message = MultiSend(chain.example_address(0), coins(total), outputs)
    with pytest.raises(TransactionRefused) as caught:
        unpack_message(pack_message(message), PREFIX)

    assert expected is caught.value.code


def test_a_sender_of_many_has_all_of_it_first(stores: MultiStore) -> None:
    """Also where a part comes back to the sender."""
    total = BALANCE - FEE + 1
    message = MultiSend(
        chain.example_address(0), coins(total), (output(0, total - 1), output(1, 1))
    )

    assert [Code.INSUFFICIENT_FUNDS] == codes(stores, chain.signed([message], 0))


def test_tokens_come_back_after_21_days(stores: MultiStore) -> None:
    """Neither earlier nor twice; two entries of one time come back together."""
    messages: list[Message] = [
        chain.delegation(0, 100),
        chain.undelegation(0, 30),
        chain.undelegation(0, 20),
    ]
    due = TIME + staking.UNBONDING_SECONDS
    deliver(stores, chain.signed(messages, 0))
    before = balance(stores, 0)
    deliver(stores, time=due - 1)
    early = balance(stores, 0)
    deliver(stores, time=due)
    then = balance(stores, 0)
    deliver(stores, time=due + 1)

    assert (before, before + 50, before + 50) == (early, then, balance(stores, 0))
    assert [50, 0] == [balance(stores, pool) for pool in (BONDED_POOL, NOT_BONDED_POOL)]


def test_there_are_seven_entries_at_most(stores: MultiStore) -> None:
    """In the eighth block it is refused, as is a second in the seventh; else two are one entry."""
    fee = chain.example_fee(1_000_000)
    deliver(stores, chain.signed([chain.delegation(0, 100)], 0))
    two = [chain.undelegation(0, 1)] * 2
    outcomes = [codes(stores, chain.signed(two, 0, height, fee=fee))[0] for height in range(1, 8)]
    last = [codes(stores, chain.signed(two[:1], 0, sequence, fee=fee)) for sequence in (8, 9)]

    assert [Code.OK] * 6 + [Code.TOO_MANY_UNBONDINGS] == outcomes
    assert [[Code.OK], [Code.TOO_MANY_UNBONDINGS]] == last


@pytest.mark.parametrize(
    "recipient", [FEE_COLLECTOR, BONDED_POOL, NOT_BONDED_POOL, ESCROW, COMMUNITY_POOL]
)
def test_accounts_of_modules_receive_no_transfers(stores: MultiStore, recipient: Address) -> None:
    """Neither alone nor among others."""
    sender = chain.example_address(0)
    alone = Send(sender, recipient, coins(5))
    outputs = (output(1, 5), Output(recipient, coins(5)))
    messages: list[Message] = [alone, MultiSend(sender, coins(10), outputs)]
    raws = [chain.signed([message], 0, sequence) for sequence, message in enumerate(messages)]

    assert [Code.BLOCKED_RECIPIENT] * 2 == codes(stores, *raws)
    assert BALANCE == balance(stores, 1)
