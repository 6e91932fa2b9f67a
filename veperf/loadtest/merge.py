"""Merge the results of a load's shards into the result of the whole load."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from msgspec.structs import replace

from veperf.core.errors import MeasureError
from veperf.core.load import CpuContention
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.result import LoadResult, Second
from veperf.loadtest.schedule import WHOLE_SCHEDULE, Schedule

_NOTHING = Second(0, 0, None)


def merge_results(
    results: Sequence[LoadResult], *, fault: str = "", contention: CpuContention | None = None
) -> LoadResult:
    """Return the result of a whole load from ``results``, one for each shard that finished.

    Counts and rates are added, and so are the counters of the histograms: no percentile is made of
    other percentiles. As there is no histogram for each second, the 99th percentiles of the seconds
    are unknown where there is more than one shard. Costs are the target's, which tells every shard
    the same. Where a shard was stopped early, its rates are over its own time.

    Args:
        results: of different shards of one load, in any order.
        fault: the reason why the whole is invalid, if it is.
        contention: of the remote system.

    Raises:
        MeasureError: they are not shards of one load, or one comes twice.
    """
    _check_same_load(results)
    first = results[0]
    latencies = Latencies.merged(r.latencies for r in results)
    lags = Latencies.merged(r.lags for r in results)
    own_lags = Latencies.merged(r.own_lags for r in results)
    seconds = min(r.schedule.seconds for r in results)
    return LoadResult(
        schedule=replace(first.schedule, seconds=seconds, part=WHOLE_SCHEDULE),
        offered=sum(r.offered for r in results),
        committed=sum(r.committed for r in results),
        refused=sum(r.refused for r in results),
        failed=sum(r.failed for r in results),
        lost=sum(r.lost for r in results),
        rejected=sum(r.rejected for r in results),
        shed=dict(sum((Counter(r.shed) for r in results), Counter[str]())),
        reasons=dict(sum((Counter(r.reasons) for r in results), Counter[str]())),
        offering_s=max(r.offering_s for r in results),
        achieved_rate=sum(r.achieved_rate for r in results),
        behind_s=max(r.behind_s for r in results),
        drain_s=max(r.drain_s for r in results),
        latency=latencies.percentiles(),
        lag=lags.percentiles(),
        own_lag=own_lags.percentiles(),
        latencies=latencies.encode(),
        lags=lags.encode(),
        own_lags=own_lags.encode(),
        timeline=first.timeline if len(results) == 1 else _add_up(r.timeline for r in results),
        stopped=any(r.stopped for r in results),
        costs=next((r.costs for r in results if r.costs), {}),
        fault=fault,
        contention=contention,
    )


def _check_same_load(results: Sequence[LoadResult]) -> None:
    if not results:
        raise MeasureError("no shard of the load finished")
    common = {_common_settings(r.schedule) for r in results}
    lengths = {r.schedule.seconds for r in results if not r.stopped}
    parts = [r.schedule.part for r in results]
    if len(common) > 1 or len(lengths) > 1:
        raise MeasureError("these are shards of different loads, which have no common result")
    repeated = [part.shard + 1 for part, times in Counter(parts).items() if times > 1]
    if repeated:
        raise MeasureError(f"there are two results of shard {repeated[0]}")


def _common_settings(schedule: Schedule) -> tuple[object, ...]:
    """Return the settings that all shards share, whether they were stopped early or not."""
    shards = schedule.part.shards
    shape = schedule.shape
    return schedule.rate, schedule.warmup_s, schedule.arrivals, shape, schedule.seed, shards


def _add_up(timelines: Iterable[Sequence[Second]]) -> tuple[Second, ...]:
    return tuple(
        Second(sum(s.offered for s in same), sum(s.committed for s in same), None)
        for same in zip_longest(*timelines, fillvalue=_NOTHING)
    )
