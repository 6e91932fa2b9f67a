"""The pipeline of mixed messages: its blocks are those of ``deliver_block``, whatever comes."""

from collections import Counter
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.simulated import MS, Clock, simulate
from veperf.core.load import Finished
from veperf.core.mix import parse_mix
from veperf.core.remote_load import SuppliedSystem
from veperf.loadtest.schedule import Schedule
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.mix_load import MixLoadFixture, MixTarget, mixed_transactions
from veperf.workloads.transaction.modules.blocks import deliver_block
from veperf.workloads.transaction.modules.example_traffic import KINDS, Traffic
from veperf.workloads.transaction.modules.transactions import decode_signed
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.pipeline import FinishedBatch, PipelineSettings
from veperf.workloads.transaction.pipeline.mixed import MixedPipeline, kind_of

ACCOUNTS, ORDERS = 24, 6
NEVER_NS = 1 << 60
GENESIS_TIME_S = 1_767_225_600


@cache
def _genesis() -> MultiStore:
    stores = Traffic(ACCOUNTS, orders=ORDERS).genesis()
    stores.commit()
    return stores


def genesis() -> MultiStore:
    return MultiStore({name: tree.branch() for name, tree in _genesis().trees.items()})


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 9)), max_size=12),
    st.integers(1, 5),
)
def test_blocks_are_those_of_sequential_delivery(calls: list[tuple[str, int]], block: int) -> None:
    """App hash and codes; some of the bytes are damaged, and what comes twice is dropped."""
    traffic, raws = Traffic(ACCOUNTS, orders=ORDERS), list[bytes]()
    for kind, fault in calls:
        raw = traffic.next(kind)
        raws.append(raw)
        if fault == 0:
            raws.append(raw)
        elif fault == 1:
            raws[-1] = raw[:-1] + bytes([raw[-1] ^ 1])
        elif fault == 2:
            raws[-1] = raw[: len(raw) // 2]
    limits = PipelineSettings(hold_ns=0, block_transactions=block, block_wait_ns=0)
    pipeline = MixedPipeline(genesis(), example_data.CHAIN, settings=limits)
    for tag, raw in enumerate(raws):
        assert pipeline.offer(tag, raw)
    batches: list[FinishedBatch] = []
    while pipeline.pending:
        batches += pipeline.step()

    stores = genesis()
    for batch in batches:
        if not batch.height:
            assert {Code.DUPLICATE} == set(batch.failed.values())
            continue
        time = GENESIS_TIME_S + batch.height
        transactions = [raws[tag] for tag in batch.tags]
        delivered = deliver_block(stores, transactions, example_data.CHAIN, time)
        assert (delivered.height, delivered.app_hash) == (batch.height, batch.root_hash)
        codes = [batch.failed.get(tag, Code.OK) for tag in batch.tags]
        assert [result.code for result in delivered.results] == codes
        assert len(batch.tags) == len(batch.kinds)
    assert list(range(len(raws))) == sorted(tag for batch in batches for tag in batch.tags)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_transaction_has_the_kind_of_its_message(kind: str) -> None:
    """By the name under which the traffic makes it."""
    assert kind == kind_of(decode_signed(Traffic(ACCOUNTS, orders=ORDERS).next(kind)))


class Timed(MixTarget):
    """A target that takes 5 ms for each transaction."""

    clock: Clock

    def step(self) -> Finished:
        done = super().step()
        self.clock.ns += max(2 * MS, 5 * MS * len(done.committed))
        return done


def test_a_mix_under_overload_breaks_no_sequence() -> None:
    """At three times what it does it commits as much, in bounded time, and nothing fails."""
    mix = parse_mix("send=60,create_bid=20,update_score=15,multi_send=5")
    limits = PipelineSettings(hold_ns=400 * MS, chunk_transactions=8, block_transactions=10)

    def system(clock: Clock) -> SuppliedSystem:
        pipeline = MixedPipeline(genesis(), example_data.CHAIN, settings=limits, clock=clock)
        target = Timed(pipeline)
        target.clock = clock
        return SuppliedSystem(target, mixed_transactions(Traffic(ACCOUNTS, orders=ORDERS), mix))

    result = simulate(system, Schedule(600, 1.5, 0.5, seed=2))

    assert (0, 0) == (result.failed, result.lost)
    assert result.offered == result.committed + result.refused
    assert result.achieved_rate == pytest.approx(200, rel=0.15)
    assert result.latency is not None
    assert result.latency.max < 700
    assert {"send", "create_bid", "update_score", "multi_send"} == set(result.latencies_by_kind)


@pytest.mark.slow
def test_a_chain_on_disk_is_the_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same mix of any length has the same outcome, and leaves no file."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mix = parse_mix("create_bid=50,create_deployment=20,delegate=30")
    outcomes = []
    for state in ("disk", "memory"):
        fixture = MixLoadFixture(mix, "disk" if state == "disk" else "memory")
        system, kinds = SuppliedSystem(*fixture.chain(300)), Counter[str]()
        assert all(system.offer(tag) for tag in range(300))
        done = 0
        while done < 300:
            finished = system.step()
            assert not finished.failed
            kinds.update(finished.kinds)
            done += len(finished.committed)
        system.close()
        fixture.close()
        outcomes.append(kinds)

    assert outcomes[0] == outcomes[1]
    assert 300 == outcomes[0].total()
    assert not list(tmp_path.iterdir())


def test_a_mix_goes_on_for_as_long_as_its_orders() -> None:
    """The fixture makes enough of them for a load of bids alone."""
    fixture = MixLoadFixture(parse_mix("create_bid=1"), "memory")
    try:
        traffic = Traffic(ACCOUNTS, orders=fixture._orders(200))
        bids = list(islice(mixed_transactions(traffic, parse_mix("create_bid=1")), 200))
    finally:
        fixture.close()

    assert 200 == len(set(bids))
