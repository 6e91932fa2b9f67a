"""What happened to the machine while a case was measured, process by process, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from veperf.judge.shift import median as middle_of
from veperf.model import Machine
from veperf.report import status, words
from veperf.report.closeup.process import Process

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
    ran = words.count(len(found), "process", "processes")
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
            odd = f"its value is {words.change(one.value / usual.value)} from the median"
            yield "value", apart, odd
    if one.steal_ratio is not None and one.steal_ratio > _STEAL:
        stolen = f"the hypervisor gave {words.share(one.steal_ratio)} of the CPU time to others"
        yield "steal", one.steal_ratio, stolen
    if machine.cores and one.load > machine.cores:
        cores = words.count(machine.cores, "core")
        yield "load", one.load, f"the machine was busy: load {words.number(one.load, 2)} on {cores}"
    if one.waited_ratio is not None and one.waited_ratio > (usual.waited_ratio or 0.0) + _WAITED:
        waited = f"{words.share(one.waited_ratio)} of its time it was not on a CPU"
        yield "waited", one.waited_ratio, waited
    if usual.frequency_mhz and one.frequency_mhz:
        slowed = 1 - one.frequency_mhz / usual.frequency_mhz
        if slowed > _SLOWED:
            clock = f"the clock was {words.share(slowed)} slower than in the other processes"
            yield "clock", slowed, clock
    if usual.yardstick_ns and one.yardstick_ns:
        slowed = one.yardstick_ns / usual.yardstick_ns - 1
        if slowed > _SLOWED:
            longer = f"the yardstick took {words.share(slowed)} longer than in the other processes"
            yield "yardstick", slowed, longer
