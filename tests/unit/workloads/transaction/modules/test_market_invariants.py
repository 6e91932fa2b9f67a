"""Whatever tenants and providers do and however long they wait, escrow has what it owes."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.market.example_data import spec
from veperf.workloads.market.records import BidId, Price
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.example_data import BALANCE, CHAIN
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import example_virtengine as virtengine
from veperf.workloads.transaction.modules import virtengine_wire as wire
from veperf.workloads.transaction.modules.ante import all_or_nothing
from veperf.workloads.transaction.modules.blocks import open_caches, run_message
from veperf.workloads.transaction.modules.context import ESCROW, BlockContext
from veperf.workloads.transaction.modules.gas import GasMeter
from veperf.workloads.transaction.modules.market_messages import (
    UNSTABLE,
    CloseBid,
    CloseLease,
    CreateLease,
)
from veperf.workloads.transaction.state import get_balance

ACCOUNTS, TENANT = 3, 0
OPEN = 1
DEPOSIT = virtengine.DEPOSIT.amount
RATES = (1, 10**17 + 1, 333_333_333_333_333_333, 10**18, 2 * 10**18)
STEP = st.tuples(
    st.sampled_from(["order", "bid", "accept", "end lease", "take back", "end deployment"]),
    st.integers(1, ACCOUNTS - 1),  # provider
    st.integers(1, 2),  # group
    st.integers(1, 2),  # order of the group
    st.sampled_from(RATES),
    st.sampled_from([0, 0, 1, 7, DEPOSIT // 2, DEPOSIT, 10 * DEPOSIT]),  # blocks from the last
)


def make(kind: str, provider: int, group: int, order: int, atto: int) -> Any:
    address = chain.example_address
    id = BidId(address(TENANT).text, 1, group, order, address(provider).text)
    if kind == "order":
        groups = tuple([replace(spec(0), name=name) for name in ("first", "second")])
        return replace(virtengine.example_deployment(TENANT), groups=groups)
    if kind == "bid":
        bid = virtengine.example_bid(TENANT, provider)
        return replace(bid, id=id, price=Price(CHAIN.fee_denom, atto))
    if kind == "accept":
        return CreateLease(address(TENANT), id)
    if kind == "end lease":
        return CloseLease(address(TENANT), id)
    if kind == "take back":
        return CloseBid(address(provider), id, UNSTABLE)
    return virtengine.end_of_deployment(TENANT)


def records(store: Cache, table: bytes) -> dict[bytes, bytes]:
    return {key: value for key, value in store.iterate() if key[:2] == table}


def check(caches: dict[str, Cache]) -> None:
    """The sums, and the states of what belongs together."""
    bank, escrow, market = caches["bank"], caches["escrow"], caches["market"]
    accounts = {
        key: wire.AccountState.FromString(value)
        for key, value in records(escrow, b"\x11\0").items()
    }
    payments = [
        wire.PaymentState.FromString(value) for value in records(escrow, b"\x12\0").values()
    ]
    for key, state in accounts.items():
        funds = int(state.funds[0].amount)
        assert key[2] == state.state
        assert funds == sum(int(deposit.balance.amount) for deposit in state.deposits)
        assert funds >= 0
        assert state.state == OPEN or not funds
    assert all(int(payment.balance.amount) >= 0 for payment in payments)
    held = [int(state.funds[0].amount) for state in accounts.values()]
    held += [int(payment.balance.amount) for payment in payments]
    assert sum(held) == get_balance(bank, ESCROW.data, CHAIN.fee_denom) * 10**18
    assert (ACCOUNTS + 1) * BALANCE == sum(int(value) for _, value in bank.iterate())
    leases = [key for key in records(market, b"\x13\0") if key[2] == 1]
    assert len(leases) == sum(payment.state == OPEN for payment in payments)
    bids = [key for key in records(market, b"\x12\0") if key[2] in (1, 2)]  # open, active
    assert len(bids) == sum(key[:4] == b"\x11\0\1/" and key[4:8] == b"bid/" for key in accounts)


@given(st.lists(STEP, max_size=25))
@settings(max_examples=25, deadline=None)
def test_escrow_has_what_its_records_say(steps: Sequence[Any]) -> None:
    """Nothing under zero, the supply as before, payments by lease, deposits by bid."""
    caches = open_caches(chain.genesis(ACCOUNTS))
    height = 1
    start = [("order", 1, 1, 1, 1, 0), ("bid", 1, 1, 1, RATES[2], 0), ("accept", 1, 1, 1, 1, 0)]
    for place, (*step, blocks) in enumerate([*start, *steps]):
        height += blocks
        context = BlockContext(CHAIN, height, height)
        message = make(*step)
        before = {name: dict(cache.iterate()) for name, cache in caches.items()}
        work = partial(run_message, message=message, block=context)
        code, _ = all_or_nothing(caches, GasMeter(10**12), work)
        if code is Code.OK:
            check(caches)
        else:
            assert place >= len(start)
            assert code is not Code.INSUFFICIENT_FUNDS  # escrow can always pay
            assert before == {name: dict(cache.iterate()) for name, cache in caches.items()}
