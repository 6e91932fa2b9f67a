"""What makes a shard's result unbelievable, and how the shards' progress is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode, encode
from msgspec.structs import replace

from tests.support.simulated import MS, Server, simulate
from veperf.core.case import Case, Level
from veperf.core.load import LoadSoFar, Shard
from veperf.core.run import CaseResult
from veperf.loadtest.custom_case import sharded_case
from veperf.loadtest.remote.clock_offset import ClockOffset
from veperf.loadtest.schedule import Schedule, SchedulePart
from veperf.loadtest.sharded.coordinator import ProgressAggregator, merge_progress
from veperf.loadtest.sharded.messages import LoadEvent, ShardEnded
from veperf.loadtest.sharded.shard import ShardReport, to_shard_record

CLOCK = ClockOffset(offset_ns=5_000, wall_offset_ns=-7_000, uncertainty_ns=400, measured_ns=1)
GOOD = ShardReport(
    host="first",
    result=simulate(
        lambda clock: Server(clock, MS // 10), Schedule(400, 2, 0.5, part=SchedulePart(1, 2))
    ),
    late_ns=0,
    clock=CLOCK,
    clock_after=replace(CLOCK, offset_ns=5_300),
)


def test_what_is_kept_of_a_shard() -> None:
    """Its own figures and clock; the drift is what the offset has changed by."""
    record = to_shard_record(GOOD)

    assert GOOD.result.own_lag is not None
    assert (
        Shard(
            number=2,
            host="first",
            offered=GOOD.result.offered_rate,
            achieved=GOOD.result.achieved_rate,
            own_lag_p99_ms=GOOD.result.own_lag.p99,
            clock_offset_ns=5_000,
            clock_uncertainty_ns=400,
            clock_drift_ns=300,
            wall_offset_ns=-7_000,
        )
        == record
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"late_ns": 11 * MS}, "started 11 ms after the agreed instant"),
        ({"clock": replace(CLOCK, uncertainty_ns=30 * MS)}, "known to ±30 ms"),
        (
            {
                "result": simulate(
                    lambda clock: Server(clock), GOOD.result.schedule, oversleeps_ns=20 * MS
                )
            },
            "fell behind",
        ),
    ],
)
def test_a_shard_that_is_not_believed(change: dict[str, object], message: str) -> None:
    """Says why; within the limits nothing is said."""
    assert message in to_shard_record(replace(GOOD, **change)).invalid
    assert "" == to_shard_record(replace(GOOD, late_ns=9 * MS)).invalid


def test_an_unknown_drift() -> None:
    """Where the target was gone at the end, nothing is said of it."""
    assert to_shard_record(replace(GOOD, clock_after=None)).clock_drift_ns is None


def test_reports_travel() -> None:
    """As JSON, without loss."""
    assert ShardEnded(GOOD) == decode(encode(ShardEnded(GOOD)), type=LoadEvent)


def test_older_results_have_no_shards() -> None:
    """A file from before there were any is read as it was meant."""
    assert () == decode(b'{"case": "a/x"}', type=CaseResult).shards


@pytest.mark.parametrize(
    ("before", "after"), [("a/x", "a/x[shards=3]"), ("a/x[rate=5]", "a/x[rate=5,shards=3]")]
)
def test_a_case_says_how_many_shards(before: str, after: str) -> None:
    """In its id; and it answers no target of a load without."""
    case = Case(before, "a/x", "a", Level.LOAD, "", targets={"achieved": "a/throughput"})

    assert after == sharded_case(case, 3).id
    assert {} == sharded_case(case, 3).targets


SO_FAR = st.builds(
    LoadSoFar,
    elapsed_s=st.floats(0, 100),
    planned_s=st.just(100.0),
    achieved=st.none() | st.floats(0, 1e6),
    latency_p95_ms=st.none() | st.floats(0, 1e3),
    lag_ms=st.floats(0, 1e3),
    errors=st.integers(0, 1000),
    in_flight=st.integers(0, 1000),
)


@given(st.lists(SO_FAR, min_size=1, max_size=5))
def test_progress_together(parts: list[LoadSoFar]) -> None:
    """Rates and errors are added; of what can't be added, the worst is shown."""
    record = merge_progress(parts)
    known = [p.achieved for p in parts if p.achieved is not None]

    assert (sum(known) if known else None) == record.achieved
    assert sum(p.errors for p in parts) == record.errors
    assert sum(p.in_flight for p in parts) == record.in_flight
    assert max(p.lag_ms for p in parts) == record.lag_ms
    latencies = [p.latency_p95_ms for p in parts if p.latency_p95_ms is not None]
    assert max(latencies, default=None) == record.latency_p95_ms


def test_progress_is_shown_once_all_have_said_something() -> None:
    """Not once a shard; and a shard that is gone is not waited for."""
    text: list[LoadSoFar] = []

    def watch(so_far: LoadSoFar) -> bool:
        text.append(so_far)
        return len(text) < 2

    aggregator = ProgressAggregator(watch, 2)
    message = LoadSoFar(1, 9, 100, 2, 0, 0)

    assert aggregator.poll()
    aggregator.update(0, message)
    assert aggregator.poll()
    assert [] == text
    aggregator.update(1, message)
    assert aggregator.poll()
    assert [200] == [item.achieved for item in text]
    aggregator.remove(1)
    aggregator.update(0, replace(message, achieved=150))
    assert not aggregator.poll()
    assert [200, 250] == [item.achieved for item in text]
