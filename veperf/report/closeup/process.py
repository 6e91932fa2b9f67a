"""What each process found of a metric, and what the machine did meanwhile."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from veperf.judge.robust import process_value
from veperf.judge.series import Series
from veperf.model import CaseResult, Failure, Pass, Run, Sample


@dataclass(frozen=True, slots=True)
class Process:
    """One process that measured a case."""

    index: int
    """Of its pass, from 0, as in a run's ``samples()``."""
    value: float | None
    """What it contributes, in the unit of the metric; None where it failed."""
    wall_median: float | None
    """Of its samples, in ns of one operation; None for metrics other than time."""
    samples: int
    waited_ratio: float | None
    """The share of the wall time of its samples that it was not on a CPU."""
    switches: float | None
    """How often a sample lost its CPU, on average."""
    load: float
    """The higher of the load averages before and after the whole pass."""
    steal_ratio: float | None
    frequency_mhz: float | None
    yardstick_ns: float | None
    started: str
    seconds: float
    """Of the whole pass, all cases together."""
    failure: Failure | None

    @property
    def counts(self) -> bool:
        """Whether it has a value that can be drawn."""
        return self.value is not None and math.isfinite(self.value)


def processes(run: Run, series: Series) -> tuple[Process, ...]:
    """The processes that measured the case of ``series``, in the order in which they ran."""
    return tuple(
        _process(made, result, series)
        for made in sorted(run.passes, key=lambda made: made.index)
        for result in made.results
        if result.case == series.case and _has_to_do_with(result, series)
    )


def _has_to_do_with(result: CaseResult, series: Series) -> bool:
    """Passes that measure memory say nothing of time, and the other way round."""
    timed = bool(result.samples) and series.metric == "time"
    return timed or series.metric in result.figures or result.failure is not None


def _process(made: Pass, result: CaseResult, series: Series) -> Process:
    samples = result.samples if result.failure is None else ()
    each = max(1, result.loops * result.operations)
    walls = [s.wall_ns / each for s in samples]
    return Process(
        index=made.index,
        value=_value(result, series),
        wall_median=median(walls) if walls and series.metric == "time" else None,
        samples=len(samples),
        waited_ratio=_waited(samples),
        switches=_switches(samples),
        load=max(made.load_before, made.load_after),
        steal_ratio=made.steal_ratio,
        frequency_mhz=made.frequency_mhz,
        yardstick_ns=made.yardstick_ns,
        started=made.started,
        seconds=made.seconds,
        failure=result.failure,
    )


def _value(result: CaseResult, series: Series) -> float | None:
    if result.failure is not None:
        return None
    if series.metric in result.figures:
        return result.figures[series.metric]
    each = max(1, result.loops * result.operations)
    times = [s.wall_ns if series.clock == "wall" else s.cpu_ns for s in result.samples]
    return process_value(np.array(times, dtype=np.float64) / each)


def _waited(samples: Sequence[Sample]) -> float | None:
    wall = sum(s.wall_ns for s in samples)
    if wall <= 0 or any(s.cpu_ns is None for s in samples):
        return None
    return max(0.0, 1 - sum(s.cpu_ns or 0 for s in samples) / wall)


def _switches(samples: Sequence[Sample]) -> float | None:
    counts = [s.switches for s in samples if s.switches is not None]
    return sum(counts) / len(counts) if counts else None
