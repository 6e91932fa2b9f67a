"""What happened to the machine while a case was measured, process by process, in words."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from veperf.core import number_format
from veperf.core.run import CaseResult, Failure, Machine, Pass, Run, Sample
from veperf.report.tables import status
from veperf.stats.hodges_lehmann import median as middle_of
from veperf.stats.process_values import Series, process_value


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


# Beyond these something is worth a word. They judge nothing: a verdict has its own limits.
_STEAL = 0.02
_WAITED = 0.05
_SLOWED = 0.05
_APART = 0.02
_DEVIATIONS = 4.0
# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Event:
    """Something out of the ordinary, and the processes in which it was."""

    processes: tuple[int, ...]
    what: str
    """Of the process in which it was worst."""


def events(found: Sequence[Process], machine: Machine) -> tuple[Event, ...]:
    """Everything out of the ordinary, the same in several processes once.

    That is: a failure; a value far from the others'; CPU time given to other machines; more work
    than cores; time not spent on a CPU; a slower clock or yardstick than in the other processes.
    """
    usual = _Usual.of(found)
    kinds: dict[str, list[tuple[float, int, str]]] = {}
    for one in found:
        for kind, size, what in _of(one, usual, machine):
            kinds.setdefault(kind, []).append((size, one.index, what))
    return tuple(
        Event(tuple(index for _, index, _ in group), max(group)[2]) for group in kinds.values()
    )


def nothing_in(found: Sequence[Process]) -> str:
    """What to say where there are no events."""
    ran = number_format.count(len(found), "process", "processes")
    return f"Nothing out of the ordinary in {ran}: no lost CPU, no slower clock, no odd value."


@dataclass(frozen=True, slots=True)
class _Usual:
    """The medians over the processes; None where none of them says."""

    value: float | None
    deviation: float
    waited_ratio: float | None
    frequency_mhz: float | None
    yardstick_ns: float | None

    @classmethod
    def of(cls, found: Sequence[Process]) -> "_Usual":
        values = np.array([one.value for one in found if one.counts], dtype=np.float64)
        middle = middle_of(values).value if values.size else None
        spread = _MAD * float(np.median(np.abs(values - middle))) if middle is not None else 0.0
        return cls(
            middle,
            spread,
            _median([one.waited_ratio for one in found]),
            _median([one.frequency_mhz for one in found]),
            _median([one.yardstick_ns for one in found]),
        )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _of(one: Process, usual: _Usual, machine: Machine) -> Iterator[tuple[str, float, str]]:
    """What was odd about a process: its kind, how large it was, and in words."""
    if one.failure is not None:
        yield "failed", 0.0, f"{status.failed(one.failure)}: {one.failure.message}"
    if one.value is not None and usual.value:
        apart = abs(one.value - usual.value)
        if apart > max(_DEVIATIONS * usual.deviation, _APART * abs(usual.value)):
            odd = f"its value is {number_format.change(one.value / usual.value)} from the median"
            yield "value", apart, odd
    if one.steal_ratio is not None and one.steal_ratio > _STEAL:
        stolen = (
            f"the hypervisor gave {number_format.share(one.steal_ratio)} of the CPU time to others"
        )
        yield "steal", one.steal_ratio, stolen
    if machine.cores and one.load > machine.cores:
        cores = number_format.count(machine.cores, "core")
        yield (
            "load",
            one.load,
            f"the machine was busy: load {number_format.number(one.load, 2)} on {cores}",
        )
    if one.waited_ratio is not None and one.waited_ratio > (usual.waited_ratio or 0.0) + _WAITED:
        waited = f"{number_format.share(one.waited_ratio)} of its time it was not on a CPU"
        yield "waited", one.waited_ratio, waited
    if usual.frequency_mhz and one.frequency_mhz:
        slowed = 1 - one.frequency_mhz / usual.frequency_mhz
        if slowed > _SLOWED:
            clock = (
                f"the clock was {number_format.share(slowed)} slower than in the other processes"
            )
            yield "clock", slowed, clock
    if usual.yardstick_ns and one.yardstick_ns:
        slowed = one.yardstick_ns / usual.yardstick_ns - 1
        if slowed > _SLOWED:
            longer = f"the yardstick took {number_format.share(slowed)} longer than in the other processes"
            yield "yardstick", slowed, longer
