"""Process values: one number per process and metric, robust against a busy machine.

Disturbances (other processes, interrupts, migrations) only ever add time, so low values are the
clean ones; and CPU time leaves out the waiting for a CPU. Low values are blind to changes of the
tail alone, which is why the median and the 99th percentile are kept beside them.

The only module of the statistics that reads a run: it makes the arrays for the others.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from veperf.core.case import TIME, Case, Clock, Direction, Metric
from veperf.core.columns import ColumnPasses
from veperf.core.run import CaseResult, Run, Sample, Summary

CPU_BOUND_RATIO = 0.95
# Above this several threads worked at once: CPU time is what that costs, not how long it takes.
ONE_THREAD_RATIO = 1.05
# Waits count where at least this share of the samples has them, and they take at least that share
# of the wall time: a lock or a page that is waited for now and then is neither.
_WAITING_SAMPLES = 0.1
_WAITING_TIME = 0.01
_WAITING_SAMPLES_DISTURBED = 0.15
_CLEAN_SAMPLES = 2


def pick_clock(samples: Iterable[Sample]) -> Clock:
    """Return ``cpu`` where the work is CPU-bound on one thread, else ``wall``.

    Decided by the waits, voluntary context switches: work that hardly ever yields the CPU by itself
    is CPU-bound, however often a busy machine takes it away. Where waits are unknown, decided by
    the median CPU/wall of the clean samples, those with the fewest involuntary switches. ``wall``
    too where a sample has no CPU time, and where there is no sample.
    """
    timed = [s for s in samples if s.wall_ns > 0]
    if not timed or any(s.cpu_ns is None for s in timed):
        return "wall"
    fewest = min(s.switches or 0 for s in timed)
    clean = [s for s in timed if (s.switches or 0) == fewest]
    ratio = np.median([(s.cpu_ns or 0) / s.undelayed_ns for s in clean])
    if ratio > ONE_THREAD_RATIO:
        return "wall"
    if all(s.waits is not None for s in timed):
        return "wall" if _is_waiting(timed) else "cpu"
    return "cpu" if ratio > CPU_BOUND_RATIO else "wall"


def _is_waiting(samples: Sequence[Sample]) -> bool:
    """Return True where waits are frequent and take a good part of the wall time.

    A sample with waits is off the CPU for a larger share of its time than one without, and only the
    difference is the work's doing: the rest is the machine's. Samples that the scheduler never
    interrupted show it. On a machine so busy that it interrupts all, frequency alone decides.
    """
    waiting = [s for s in samples if s.waits]
    frequency = len(waiting) / len(samples)
    if frequency < _WAITING_SAMPLES:
        return False
    clean = [s for s in waiting if s.switches == 0]
    if len(clean) < _CLEAN_SAMPLES:
        return frequency >= _WAITING_SAMPLES_DISTURBED
    others = [s for s in samples if not s.waits and s.switches == 0]
    share = _off_cpu(clean) - (_off_cpu(others) if others else 0.0)
    return frequency * share >= _WAITING_TIME


def _off_cpu(samples: Sequence[Sample]) -> float:
    """Return the median share of wall time that ``samples`` spent off the CPU."""
    return float(np.median([1 - (s.cpu_ns or 0) / s.undelayed_ns for s in samples]))


def process_value(times: ArrayLike) -> float:
    """Return the mean of the lowest quarter of ``times``, at least two of them (or the only one).

    NaN where there is none, or where one is not a positive finite number: the other samples of a
    process with such a clock can't be trusted either.
    """
    ordered = np.sort(np.asarray(times, dtype=np.float64).ravel())
    if ordered.size == 0 or not np.all(np.isfinite(ordered)) or ordered[0] <= 0:
        return math.nan
    return float(ordered[: max(2, ordered.size // 4)].mean())


Floats: TypeAlias = NDArray[np.float64]
SeriesKey: TypeAlias = tuple[str, str]


class Series(Struct, frozen=True, eq=False):
    """Process values of one metric of one case, in order of pass."""

    case: str
    metric: str
    unit: str
    better: Direction
    clock: Clock
    """Clock that the case is judged by, decided once over all its passes."""
    loops: int
    operations: int
    cpu: Floats
    """Robust CPU time an operation, shape (n,); empty where a sample lacks it."""
    wall: Floats
    """Robust wall time an operation, or the figure itself for other metrics, shape (n,)."""
    wall_median: float | None
    """Median wall time an operation over all samples of all processes; None but for time."""
    wall_p99: float | None
    """99th percentile of the same."""
    failed: int
    """Passes in which the case failed; they contribute nothing."""
    exact: bool = False
    """True for values that can't vary."""
    summary: Summary | None = None
    """Statistics of the values of which the only value is the center; None where all are there."""
    definition: str = ""
    """That of the metric."""

    @property
    def values(self) -> Floats:
        """Values to judge by, shape (n,)."""
        return self.by_clock(self.clock)

    @property
    def n(self) -> int:
        """Processes that contributed a value."""
        return self.wall.size

    def by_clock(self, clock: Clock) -> Floats:
        """Return the values by ``clock``, shape (n,)."""
        return self.cpu if clock == "cpu" else self.wall


class _Measured:
    """Cases and passes of a run, which are the same where they are the same objects."""

    def __init__(self, run: Run) -> None:
        self.cases, self.passes = run.cases, run.passes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Measured):
            return NotImplemented
        return self.cases is other.cases and self.passes is other.passes

    def __hash__(self) -> int:
        return hash((id(self.cases), id(self.passes)))


def series_of(run: Run) -> Mapping[SeriesKey, Series]:
    """Return the series of every declared metric of every case, by case id and metric name.

    A case that failed throughout is included, without values.
    """
    return _series_of(_Measured(run))


@lru_cache(maxsize=2)  # a command asks again and again for those of one or two runs
def _series_of(measured: _Measured) -> Mapping[SeriesKey, Series]:
    passes = measured.passes
    if isinstance(passes, ColumnPasses):
        return MappingProxyType(
            {
                (case.id, metric.name): _column_series(case.id, metric, passes)
                for case in measured.cases
                for metric in case.metrics
            }
        )
    results: dict[str, list[CaseResult]] = {case.id: [] for case in measured.cases}
    for pass_ in passes:
        for result in pass_.results:
            results.setdefault(result.case, []).append(result)
    series = {
        (case.id, metric.name): _series(case, metric, results[case.id])
        for case in measured.cases
        for metric in case.metrics
    }
    return MappingProxyType(series)


def _column_series(case: str, metric: Metric, passes: ColumnPasses) -> Series:
    failed, repetitions = passes.count_failed(case), passes.cases[case]
    column = None if failed else repetitions.columns.get(metric.name)
    if column is None:
        return _figure_series(case, metric, [], failed=failed)
    is_single = len(column.values) == 1
    return _figure_series(
        case,
        metric,
        column.values,
        loops=repetitions.loops[column.first],
        failed=failed,
        summary=repetitions.summary(metric.name, column.first) if is_single else None,
    )


def _series(case: Case, metric: Metric, results: Sequence[CaseResult]) -> Series:
    good = [r for r in results if r.failure is None]
    failed = len(results) - len(good)
    figures = [r for r in good if metric.name in r.figures]
    # Imported runs have times as figures: samples, in whole ns, would lose their ties.
    if metric.name == TIME.name and not figures:
        return _time_series(case, metric, [r for r in good if r.samples], failed)
    first = figures[0] if figures else CaseResult(case.id)
    return _figure_series(
        case.id,
        metric,
        [r.figures[metric.name] for r in figures],
        loops=first.loops,
        operations=first.operations,
        failed=failed,
        summary=first.summaries.get(metric.name) if len(figures) == 1 else None,
    )


def _figure_series(
    case: str,
    metric: Metric,
    values: Sequence[float],
    *,
    failed: int,
    loops: int = 1,
    operations: int = 1,
    summary: Summary | None = None,
) -> Series:
    return Series(
        case=case,
        metric=metric.name,
        unit=metric.unit,
        better=metric.better,
        clock="wall",
        loops=loops,
        operations=operations,
        cpu=_NONE,
        wall=_frozen(values),
        wall_median=None,
        wall_p99=None,
        failed=failed,
        exact=metric.exact,
        definition=metric.definition,
        summary=summary,
    )


def _time_series(case: Case, metric: Metric, results: Sequence[CaseResult], failed: int) -> Series:
    samples = [s for r in results for s in r.samples]
    walls = [[s.wall_ns / _divisor(r) for s in r.samples] for r in results]
    cpus = [[s.cpu_ns / _divisor(r) for s in r.samples if s.cpu_ns is not None] for r in results]
    has_cpu = all(s.cpu_ns is not None for s in samples)
    every_wall = [wall for process in walls for wall in process]
    first = results[0] if results else CaseResult(case.id)
    return Series(
        case=case.id,
        metric=metric.name,
        unit=metric.unit,
        better=metric.better,
        clock=pick_clock(samples),
        loops=first.loops,
        operations=first.operations,
        cpu=_frozen([process_value(c) for c in cpus] if has_cpu else []),
        wall=_frozen([process_value(w) for w in walls]),
        wall_median=float(np.median(every_wall)) if every_wall else None,
        wall_p99=float(np.quantile(every_wall, 0.99)) if every_wall else None,
        failed=failed,
    )


def _divisor(result: CaseResult) -> float:
    """Return the operations in a sample; NaN, which no verdict passes, where there are none."""
    operations = result.loops * result.operations
    return operations if operations > 0 else np.nan


def _frozen(values: Sequence[float]) -> Floats:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


_NONE = _frozen([])
