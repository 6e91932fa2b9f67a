"""A chain that is offered three times what it does keeps its throughput, and sheds the rest.

A real pipeline on a simulated clock: a transaction takes it 2 ms, whatever the machine does.
"""

from collections import Counter

import pytest
from msgspec import Struct

from tests.support.simulated import MS, Clock, simulate
from veperf.core.load import Finished
from veperf.loadtest.result import LoadResult
from veperf.loadtest.schedule import Schedule
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.load import ChainTarget
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.overload import OverloadedChain, PayingClients, measure_capacity
from veperf.workloads.transaction.pipeline import Pipeline, PipelineSettings
from veperf.workloads.transaction.pipeline.eviction import rank_transaction

ACCOUNTS, SERVICE_NS = 400, 2 * MS
CAPACITY = 1_000 * MS / SERVICE_NS
HOLD_S = 0.4
SETTINGS = PipelineSettings(
    chunk_transactions=8,
    block_transactions=20,
    hold_ns=round(HOLD_S * 1e9),
    time_to_live_ns=2_000 * MS,
)


class TimedTarget(ChainTarget):
    """A chain in which time passes as it commits, and which remembers what it was offered."""

    def __init__(self, clock: Clock, settings: PipelineSettings = SETTINGS) -> None:
        tree = PayingClients(ACCOUNTS).genesis()
        tree.save_version()
        pipeline = Pipeline(tree, example_data.CHAIN, verifiers=0, settings=settings, clock=clock)
        super().__init__(pipeline, None, next(TransferSource(ACCOUNTS)))
        self._clock = clock
        self.raws: dict[int, bytes] = {}
        self.outcomes: Counter[str] = Counter()
        self.committed: list[int] = []
        self.stall_at_ns = 1 << 60

    def offer(self, tag: int, item: bytes) -> bool:
        self.raws[tag] = item
        return super().offer(tag, item)

    def step(self) -> Finished:
        done = super().step()
        self._clock.ns += max(2 * MS, SERVICE_NS * len(done.committed))
        if self._clock.ns >= self.stall_at_ns:
            self._clock.ns += 3_000 * MS
            self.stall_at_ns = 1 << 60
        self.outcomes.update(done.shed.values())
        self.committed += done.committed
        return done


class Overloaded(Struct):
    result: LoadResult
    target: TimedTarget


def overload(times: float, seconds: float, *, stall_at_ns: int = 1 << 60) -> Overloaded:
    targets: list[TimedTarget] = []

    def system(clock: Clock) -> OverloadedChain:
        targets.append(TimedTarget(clock))
        targets[0].stall_at_ns = stall_at_ns
        return OverloadedChain(targets[0], PayingClients(ACCOUNTS))

    schedule = Schedule(times * CAPACITY, seconds, 1.0, seed=3)
    return Overloaded(simulate(system, schedule), targets[0])


@pytest.fixture(scope="module")
def three_times() -> Overloaded:
    return overload(3, 3)


def test_throughput_stays_that_of_a_full_chain(three_times: Overloaded) -> None:
    """At three times its capacity a chain commits what it does with a full backlog."""
    clock = Clock()
    target = TimedTarget(clock)
    capacity = measure_capacity(
        target, PayingClients(ACCOUNTS), seconds=1.0, clock=lambda: clock.ns / 1e9
    )
    target.close()

    assert capacity == pytest.approx(CAPACITY, rel=0.1)
    assert three_times.result.achieved_rate == pytest.approx(capacity, rel=0.1)
    assert three_times.result.shed_percent == pytest.approx(100 * 2 / 3, abs=5)


def test_each_transfer_has_one_outcome(three_times: Overloaded) -> None:
    """What is offered is committed, failed, shed for a reason, or still on its way; none failed."""
    result = three_times.result
    shed = sum(result.shed.values())

    assert result.offered == result.committed + result.failed + shed + result.refused + result.lost
    assert (0, 0, 0) == (result.failed, result.refused, result.lost)
    assert {"MEMPOOL_FULL", "EVICTED"} == {why for why, count in result.shed.items() if count}
    assert 0 == result.error_percent


def test_latency_of_the_admitted_is_bounded(three_times: Overloaded) -> None:
    """By the work that is held, and a block; nobody waits for long after the end."""
    result = three_times.result

    assert result.latency is not None
    assert result.latency.max < 1_000 * HOLD_S * 1.5
    assert result.drain_s < 2


def test_the_chain_takes_what_pays_best(three_times: Overloaded) -> None:
    """What is evicted pays less than what is committed, on average."""
    target = three_times.target
    committed = {tag: rank_transaction(target.raws[tag]).priority for tag in target.committed}
    others = [rank_transaction(r).priority for t, r in target.raws.items() if t not in committed]

    assert sum(committed.values()) / len(committed) > 1.2 * sum(others) / len(others)


def test_below_its_capacity_a_chain_sheds_nothing() -> None:
    """And latency is far below the bound."""
    result = overload(0.5, 0.5).result

    assert 0 == result.shed_percent == result.error_percent
    assert result.latency is not None
    assert result.latency.p50 < 1_000 * HOLD_S / 4


def test_what_waits_through_a_stall_expires() -> None:
    """A chain that stands still for three seconds drops what is older than two, and goes on."""
    result = overload(1.5, 5, stall_at_ns=2_000 * MS).result

    assert result.shed["EXPIRED"] > 0
    assert 0 == result.failed
    assert result.drain_s < 2
