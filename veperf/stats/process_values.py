"""Process values: one number per process and metric, robust against a busy machine.

Disturbances (other processes, interrupts, migrations) only ever add time, so low values are the
clean ones; and CPU time leaves out the waiting for a CPU. Low values are blind to changes of the
tail alone, which is why the median and the 99th percentile are kept beside them.

The only module of the statistics that reads a run: it makes the arrays for the others.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.case import TIME, Better, Case, Clock, Metric
from veperf.core.run import CaseResult, Run, Sample

CPU_BOUND_RATIO = 0.95
# Above this several threads worked at once: CPU time is what that costs, not how long it takes.
ONE_THREAD_RATIO = 1.05


def pick_clock(samples: Iterable[Sample]) -> Clock:
    """Return ``cpu`` where the work is CPU-bound on one thread, else ``wall``.

    Decided by the median CPU/wall of the clean samples, those with the fewest involuntary context
    switches: where the scheduler took the CPU away, the ratio says nothing about the work. On a
    machine so busy that no sample is clean, work that never yielded the CPU by itself still counts
    as CPU-bound. ``wall`` too where a sample has no CPU time, and where there is no sample.
    """
    timed = [s for s in samples if s.wall_ns > 0]
    if not timed or any(s.cpu_ns is None for s in timed):
        return "wall"
    fewest = min(s.switches or 0 for s in timed)
    ratio = np.median([(s.cpu_ns or 0) / s.wall_ns for s in timed if (s.switches or 0) == fewest])
    if ratio > ONE_THREAD_RATIO:
        return "wall"
    return "cpu" if ratio > CPU_BOUND_RATIO or _never_waits(timed) else "wall"


def _never_waits(samples: Sequence[Sample]) -> bool:
    """Return True where all samples' waits are known, and half of the samples had none."""
    waits = [s.waits for s in samples if s.waits is not None]
    return len(waits) == len(samples) and float(np.median(waits)) == 0


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


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Process values of one metric of one case, in order of pass."""

    case: str
    metric: str
    unit: str
    better: Better
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


def series_of(run: Run) -> dict[SeriesKey, Series]:
    """Return the series of every declared metric of every case, by case id and metric name.

    A case that failed throughout is included, without values.
    """
    results: dict[str, list[CaseResult]] = {case.id: [] for case in run.cases}
    for pass_ in run.passes:
        for result in pass_.results:
            results.setdefault(result.case, []).append(result)
    return {
        (case.id, metric.name): _series(case, metric, results[case.id])
        for case in run.cases
        for metric in case.metrics
    }


def _series(case: Case, metric: Metric, results: Sequence[CaseResult]) -> Series:
    good = [r for r in results if r.failure is None]
    failed = len(results) - len(good)
    figures = [r for r in good if metric.name in r.figures]
    # Imported runs have times as figures: samples, in whole ns, would lose their ties.
    if metric.name == TIME.name and not figures:
        return _time_series(case, metric, [r for r in good if r.samples], failed)
    first = figures[0] if figures else CaseResult(case.id)
    return Series(
        case=case.id,
        metric=metric.name,
        unit=metric.unit,
        better=metric.better,
        clock="wall",
        loops=first.loops,
        operations=first.operations,
        cpu=_frozen([]),
        wall=_frozen([r.figures[metric.name] for r in figures]),
        wall_median=None,
        wall_p99=None,
        failed=failed,
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
