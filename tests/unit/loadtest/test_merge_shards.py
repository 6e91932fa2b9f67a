"""Results of shards put together: as one generator would have found them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import decode, encode
from msgspec.structs import replace

from tests.support.simulated import MS, Server, simulate
from veperf.core.errors import MeasureError
from veperf.core.load import Finished
from veperf.loadtest.merge import merge_results
from veperf.loadtest.recorder import Recorder
from veperf.loadtest.result import LoadResult
from veperf.loadtest.schedule import Nanoseconds, Schedule, SchedulePart, arrival_times

PLAN = Schedule(1_000, 2, 0.5, seed=3)


def part_of(shard: int, shards: int) -> Schedule:
    return replace(PLAN, part=SchedulePart(shard, shards))


def recorded(schedule: Schedule, latency_ns: Nanoseconds, fate: Nanoseconds) -> LoadResult:
    """What is on record where the items of ``schedule`` take ``latency_ns``, in their order.

    ``fate`` is 0 for an item that is committed, 1 for one that is refused, 2 failed, 3 rejected,
    and 4 for one of which nothing is heard any more.
    """
    recorder = Recorder(schedule)
    times = np.concatenate(list(arrival_times(schedule)))
    for first in range(0, times.size, 4_096):
        recorder.expect(times[first : first + 4_096])
    tags = np.arange(times.size)
    refused = tags[fate == 1].tolist()
    recorder.accepted(times.size - len(refused), refused)
    late = latency_ns // 10
    bursts = np.array([(1, t, 0) for t in times + late], dtype=np.int64)
    recorder.handed_over(times, times + late, bursts)
    for tag in sorted(tags[fate == 0], key=lambda tag: times[tag] + latency_ns[tag]):
        recorder.finished(int(times[tag] + latency_ns[tag]), Finished([int(tag)]))
    failed = {int(tag): f"code {tag % 3}" for tag in tags[fate == 2]}
    recorder.finished(0, Finished(failed=failed, rejected=tags[fate == 3].tolist()))
    return recorder.result()


def in_parts(shards: int, latency_ns: Nanoseconds, fate: Nanoseconds) -> list[LoadResult]:
    return [
        recorded(part_of(k, shards), latency_ns[k::shards], fate[k::shards]) for k in range(shards)
    ]


@settings(max_examples=12)  # each runs thousands of items through the books, one by one
@given(st.integers(0, 2**32), st.integers(1, 6), st.data())
def test_merged_is_what_one_generator_finds(seed: int, shards: int, data: st.DataObject) -> None:
    """Every count, rate and percentile, whatever became of the items and in whatever order."""
    chance = np.random.default_rng(seed)
    items = sum(times.size for times in arrival_times(PLAN))
    latency_ns = chance.lognormal(np.log(5 * MS), 1.5, items).astype(np.int64)
    fate = chance.choice(5, items, p=[0.8, 0.05, 0.05, 0.05, 0.05])
    whole = recorded(PLAN, latency_ns, fate)
    parts = in_parts(shards, latency_ns, fate)
    merged = merge_results(data.draw(st.permutations(parts)))

    for name in ("offered", "committed", "refused", "failed", "lost", "rejected", "schedule",
                 "latency", "lag", "latencies", "lags", "stopped", "error_percent"):  # fmt: skip
        assert getattr(whole, name) == getattr(merged, name), name
    assert sum(whole.reasons.values()) == sum(merged.reasons.values())
    assert whole.achieved_rate == pytest.approx(merged.achieved_rate)
    assert [(s.offered, s.committed) for s in whole.timeline] == [
        (s.offered, s.committed) for s in merged.timeline
    ]
    measured = np.concatenate(list(arrival_times(PLAN))) >= PLAN.warmup_ns
    raw = np.sort(latency_ns[(fate == 0) & measured])
    ranks = [max(int(percent * raw.size / 100 + 0.5), 1) for percent in (50, 95, 99)]
    assert merged.latency is not None
    own = np.array([merged.latency.p50, merged.latency.p95, merged.latency.p99])
    np.testing.assert_allclose(own, raw[np.array(ranks) - 1] / 1e6, rtol=1e-3)


def test_percentiles_are_not_averaged() -> None:
    """One slow shard of four: the whole's p99 is the slow shard's, not a quarter of it."""
    items = sum(times.size for times in arrival_times(PLAN))
    latency_ns = np.full(items, MS)
    latency_ns[3::4] = 100 * MS
    merged = merge_results(in_parts(4, latency_ns, np.zeros(items, dtype=int)))

    assert merged.latency is not None
    assert 1 == pytest.approx(merged.latency.p50, rel=1e-3)
    assert 100 == pytest.approx(merged.latency.p99, rel=1e-3)


def drives(shards: int) -> list[LoadResult]:
    return [
        simulate(lambda clock: Server(clock, MS // 10), part_of(k, shards)) for k in range(shards)
    ]


def test_shards_of_simulated_runs() -> None:
    """Rates are those of the whole; costs are the target's, once; p99 a second is not known."""
    merged = merge_results(drives(2))

    assert PLAN.rate == pytest.approx(merged.offered_rate, rel=0.05)
    assert PLAN.rate == pytest.approx(merged.achieved_rate, rel=0.05)
    assert {"generator": 0, "serve": 1500} == merged.costs
    assert "" == merged.invalid
    assert all(s.latency_p99_ms is None for s in merged.timeline)
    assert PLAN == merged.schedule


def test_a_shard_alone_falls_behind_by_its_own_rate() -> None:
    """What was scheduled is the shard's share, and so are the words."""
    slow = simulate(lambda clock: Server(clock, offer_ns=4 * MS), part_of(0, 2))

    assert "where 500 were scheduled" in slow.invalid
    assert slow.offered_rate < 300


@pytest.mark.slow
def test_a_shard_without_items() -> None:
    """Is none the worse for it, as long as the whole has some; a whole without is invalid."""

    def shards_of(whole: Schedule) -> list[LoadResult]:
        return [simulate(Server, replace(whole, part=SchedulePart(k, 5))) for k in range(5)]

    results = shards_of(Schedule(1, 3, arrivals="constant"))

    assert [""] * 5 == [result.invalid for result in results]
    assert 3 == merge_results(results).committed
    assert "" == merge_results(results).invalid
    none = shards_of(Schedule(0.1, 0.5, 1.0, arrivals="constant"))
    assert "too short" in merge_results(none).invalid


def test_one_shard_is_its_own_result() -> None:
    """Merging one changes nothing."""
    (alone,) = drives(1)

    assert alone == merge_results([alone])


def test_results_travel() -> None:
    """As JSON, without loss."""
    results = drives(2)

    assert results == decode(encode(results), type=list[LoadResult])


def test_a_fault_makes_the_whole_invalid() -> None:
    """Whatever the figures are."""
    assert "shard 2 was lost" == merge_results(drives(2), fault="shard 2 was lost").invalid


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 1.0}, "different loads"),
        ({"seed": 4}, "different loads"),
        ({"seconds": 1.0}, "different loads"),
        ({"part": SchedulePart(0, 3)}, "different loads"),
        ({"part": SchedulePart(1, 2)}, "two results of shard 2"),
    ],
)
def test_what_does_not_belong_together(change: dict[str, object], message: str) -> None:
    """Is refused: it would be counted wrongly."""
    first, second = drives(2)
    other = replace(first, schedule=replace(first.schedule, **change))
    mixed: Sequence[LoadResult] = [other, second]

    with pytest.raises(MeasureError, match=message):
        merge_results(mixed)


def test_nothing_to_merge() -> None:
    """Is no result."""
    with pytest.raises(MeasureError, match="no shard"):
        merge_results([])
