"""The processes that measured a case, and anomalies of the machine meanwhile."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from veperf.core.run import CaseResult, Failure, Machine, Pass, Run, Sample
from veperf.core.text import format_change, format_number, format_percent, plural
from veperf.report.tables import status
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import Series, process_value


@dataclass(frozen=True, slots=True)
class MeasuringProcess:
    """A process that measured a case."""

    index: int
    """The index of its pass, from 0, as in a run's ``samples()``."""
    value: float | None
    """The process value, in the unit of the metric; None where it failed."""
    wall_median: float | None
    """The median of its samples, in ns an operation; None for metrics other than time."""
    samples: int
    waited_ratio: float | None
    """The share of the wall time of its samples during which it was not on a CPU."""
    switches: float | None
    """The mean number of context switches in a sample."""
    load: float
    """The higher of the load averages before and after the whole pass."""
    steal_ratio: float | None
    frequency_mhz: float | None
    yardstick_ns: float | None
    started: str
    seconds: float
    """The duration of the whole pass, all cases together."""
    failure: Failure | None

    @property
    def counts(self) -> bool:
        """Return whether the process has a finite value."""
        return self.value is not None and math.isfinite(self.value)


def measuring_processes(run: Run, series: Series) -> tuple[MeasuringProcess, ...]:
    """Return the processes that measured the case of ``series``, in the order of their passes."""
    return tuple(
        _process(pass_, result, series)
        for pass_ in sorted(run.passes, key=lambda pass_: pass_.index)
        for result in pass_.results
        if result.case == series.case and _is_relevant(result, series)
    )


def _is_relevant(result: CaseResult, series: Series) -> bool:
    """Return whether a result is about the metric: memory passes don't measure time."""
    timed = bool(result.samples) and series.metric == "time"
    return timed or series.metric in result.figures or result.failure is not None


def _process(pass_: Pass, result: CaseResult, series: Series) -> MeasuringProcess:
    samples = result.samples if result.failure is None else ()
    each = max(1, result.loops * result.operations)
    walls = [s.wall_ns / each for s in samples]
    return MeasuringProcess(
        index=pass_.index,
        value=_value(result, series),
        wall_median=median(walls) if walls and series.metric == "time" else None,
        samples=len(samples),
        waited_ratio=_waited(samples),
        switches=_switches(samples),
        load=max(pass_.load_before, pass_.load_after),
        steal_ratio=pass_.steal_ratio,
        frequency_mhz=pass_.frequency_mhz,
        yardstick_ns=pass_.yardstick_ns,
        started=pass_.started,
        seconds=pass_.seconds,
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


# Thresholds of anomalies. They decide nothing: verdicts have their own limits.
_STEAL = 0.02
_WAITED = 0.05
_SLOWED = 0.05
_LEAST_DEVIATION = 0.02
_DEVIATIONS = 4.0
# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An anomaly, and the processes in which it occurred."""

    processes: tuple[int, ...]
    what: str
    """A description, for the process in which it was worst."""


def find_anomalies(processes: Sequence[MeasuringProcess], machine: Machine) -> tuple[Anomaly, ...]:
    """Return all anomalies, those of the same kind in several processes together.

    That is: a failure; a value far from the others'; CPU time given to other machines; more work
    than cores; time not spent on a CPU; a slower clock or calibration run than in the others.
    """
    usual = _Usual.of(processes)
    kinds: dict[str, list[tuple[float, int, str]]] = {}
    for process in processes:
        for kind, size, what in _anomalies_of(process, usual, machine):
            kinds.setdefault(kind, []).append((size, process.index, what))
    return tuple(
        Anomaly(tuple(index for _, index, _ in group), max(group)[2]) for group in kinds.values()
    )


def no_anomalies_sentence(processes: Sequence[MeasuringProcess]) -> str:
    """Return the sentence for processes without anomalies."""
    count = plural(len(processes), "process", "processes")
    return f"No anomaly in {count}: no lost CPU time, no slower clock, no outlier."


@dataclass(frozen=True, slots=True)
class _Usual:
    """The medians over the processes; None where no process has the figure."""

    value: float | None
    deviation: float
    waited_ratio: float | None
    frequency_mhz: float | None
    yardstick_ns: float | None

    @classmethod
    def of(cls, processes: Sequence[MeasuringProcess]) -> "_Usual":
        values = np.array(
            [process.value for process in processes if process.counts], dtype=np.float64
        )
        middle = estimate_median(values).value if values.size else None
        spread = _MAD * float(np.median(np.abs(values - middle))) if middle is not None else 0.0
        return cls(
            middle,
            spread,
            _median([process.waited_ratio for process in processes]),
            _median([process.frequency_mhz for process in processes]),
            _median([process.yardstick_ns for process in processes]),
        )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _anomalies_of(
    process: MeasuringProcess, usual: _Usual, machine: Machine
) -> Iterator[tuple[str, float, str]]:
    """Yield the anomalies of a process: kind, size and description."""
    if process.failure is not None:
        yield (
            "failed",
            0.0,
            f"{status.describe_failure(process.failure)}: {process.failure.message}",
        )
    if process.value is not None and usual.value:
        deviation = abs(process.value - usual.value)
        if deviation > max(_DEVIATIONS * usual.deviation, _LEAST_DEVIATION * abs(usual.value)):
            text = f"its value is {format_change(process.value / usual.value)} from the median"
            yield "value", deviation, text
    if process.steal_ratio is not None and process.steal_ratio > _STEAL:
        stolen = (
            f"the hypervisor gave {format_percent(process.steal_ratio)} of the CPU time to others"
        )
        yield "steal", process.steal_ratio, stolen
    if machine.cores and process.load > machine.cores:
        cores = plural(machine.cores, "core")
        yield (
            "load",
            process.load,
            f"the machine was busy: load {format_number(process.load, 2)} on {cores}",
        )
    if (
        process.waited_ratio is not None
        and process.waited_ratio > (usual.waited_ratio or 0.0) + _WAITED
    ):
        waited = f"{format_percent(process.waited_ratio)} of its time was not spent on a CPU"
        yield "waited", process.waited_ratio, waited
    if usual.frequency_mhz and process.frequency_mhz:
        slowed = 1 - process.frequency_mhz / usual.frequency_mhz
        if slowed > _SLOWED:
            clock = f"the clock was {format_percent(slowed)} slower than in the other processes"
            yield "clock", slowed, clock
    if usual.yardstick_ns and process.yardstick_ns:
        slowed = process.yardstick_ns / usual.yardstick_ns - 1
        if slowed > _SLOWED:
            percent = format_percent(slowed)
            longer = f"the calibration run took {percent} longer than in the other processes"
            yield "calibration", slowed, longer
