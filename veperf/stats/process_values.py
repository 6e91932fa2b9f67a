"""The one value that a process contributes, robust against a busy machine.

What disturbs a measurement (other processes, interrupts, migrations) only ever adds time, so low
values are the clean ones; and CPU time leaves out the waiting for a CPU. The price is blindness to
changes in the tail alone, which is why the median and the p99 are kept beside this value.
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
# Above this several threads worked at once: CPU time says what that costs, not how long it takes.
ONE_THREAD_RATIO = 1.05


def pick_clock(samples: Iterable[Sample]) -> Clock:
    """``cpu`` where the work is CPU-bound on one thread, else ``wall``.

    Judged by the median CPU/wall of the clean samples, those with the fewest involuntary context
    switches: where the scheduler took the CPU away, the ratio says nothing about the work. On a
    machine so busy that no sample is clean, work that never gave the CPU up by itself is CPU-bound
    all the same. ``wall`` as well where a sample has no CPU time, and where there is no sample.
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
    """Whether at least half of the samples, of all of which that is known, waited for nothing."""
    waits = [s.waits for s in samples if s.waits is not None]
    return len(waits) == len(samples) and float(np.median(waits)) == 0


def process_value(times: ArrayLike) -> float:
    """Mean of the lowest quarter of ``times``, at least two of them (or the only one).

    NaN where there is none, or where one is not a positive finite number: a process whose clock
    said so can't be believed in its other samples either.
    """
    ordered = np.sort(np.asarray(times, dtype=np.float64).ravel())
    if ordered.size == 0 or not np.all(np.isfinite(ordered)) or ordered[0] <= 0:
        return math.nan
    return float(ordered[: max(2, ordered.size // 4)].mean())


Floats: TypeAlias = NDArray[np.float64]
Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One metric of one case: a value for each process that measured it, in order of pass."""

    case: str
    metric: str
    unit: str
    better: Better
    clock: Clock
    """Which of the two the case is judged by, decided once over all its passes."""
    loops: int
    operations: int
    cpu: Floats
    """Robust CPU time an operation, shape (n,); empty where a sample lacks it."""
    wall: Floats
    """Robust wall time an operation, or the figure itself for other metrics, shape (n,)."""
    wall_median: float | None
    """Of the wall time an operation over all samples of all processes; None but for time."""
    wall_p99: float | None
    failed: int
    """Passes in which the case failed; they contribute nothing."""

    @property
    def values(self) -> Floats:
        """The values to judge by, shape (n,)."""
        return self.on(self.clock)

    @property
    def n(self) -> int:
        """Processes that contributed a value."""
        return self.wall.size

    def on(self, clock: Clock) -> Floats:
        """The values by ``clock``, shape (n,)."""
        return self.cpu if clock == "cpu" else self.wall


def series_of(run: Run) -> dict[Key, Series]:
    """Every declared metric of every case of ``run``, by case id and metric name.

    A case that failed throughout is there too, with no values.
    """
    results: dict[str, list[CaseResult]] = {case.id: [] for case in run.cases}
    for made in run.passes:
        for result in made.results:
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
    # Other tools give a time as a figure, of which rounded samples would lose the ties.
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
    """Operations in a sample; NaN, which no verdict passes, where the counts make no sense."""
    done = result.loops * result.operations
    return done if done > 0 else np.nan


def _frozen(values: Sequence[float]) -> Floats:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array
