"""What the writers write: the per-process values of each metric of each case, under safe names.

These are the values by which a run is judged, in CPU time where that is what a case is judged by.
Names that come from elsewhere are made visible first: the tools that read what is written show
them in terminals and pages.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from veperf.core.case import TIME, Case, Clock, Metric
from veperf.core.errors import UsageError
from veperf.core.escape import visible
from veperf.core.run import Machine, Run
from veperf.core.units import convert
from veperf.stats.hodges_lehmann import Estimate, median
from veperf.stats.process_values import series_of


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one case, with at least one value."""

    case: Case
    metric: Metric
    clock: Clock
    name: str
    """Of the case, safe, and unlike that of any other case."""
    values: tuple[float, ...]
    """The finite ones, one a process, in the metric's unit."""
    processes: tuple[int, ...]
    """Which process each value is of, counted from 0 among those that measured the case."""
    loops: int
    operations: int

    @property
    def is_time(self) -> bool:
        """Whether it is the time of an operation, in ns."""
        return (self.metric.name, self.metric.unit) == (TIME.name, TIME.unit)

    @property
    def full_name(self) -> str:
        """The case, and the metric unless that is time."""
        return self.name if self.is_time else f"{self.name}/{self.metric_name}"

    @property
    def metric_name(self) -> str:
        """Of the metric, safe."""
        return safe(self.metric.name)

    @property
    def unit(self) -> str:
        """Of the metric, safe."""
        return safe(self.metric.unit)

    @property
    def estimate(self) -> Estimate:
        """Median and interval of the values."""
        return median(self.values)


def values_by_case(run: Run) -> tuple[Figure, ...]:
    """Everything that ``run`` measured, in its order; what has no finite value is left out."""
    series = series_of(run)
    names = unique([safe(case.id) for case in run.cases])
    found: list[Figure] = []
    for case, name in zip(run.cases, names, strict=True):
        for metric in case.metrics:
            one = series[case.id, metric.name]
            kept = [(i, v) for i, v in enumerate(one.values.tolist()) if math.isfinite(v)]
            if kept:
                processes, values = zip(*kept, strict=True)
                found.append(
                    Figure(
                        case, metric, one.clock, name, values, processes, one.loops, one.operations
                    )
                )
    return tuple(found)


def seconds(figure: Figure) -> tuple[float, ...] | None:
    """Its values in seconds, or None where it is no time that a number can hold."""
    try:
        found = tuple(convert(value, figure.metric.unit, "s") for value in figure.values)
    except UsageError:
        return None
    return found if all(map(math.isfinite, found)) else None


def safe(text: str) -> str:
    """``text`` on one line, with nothing in it that controls instead of showing."""
    return visible(text, keep="")


def unique(names: Sequence[str], numbered: str = "{} ({})") -> list[str]:
    """``names``, those that have come before with a number, written as ``numbered`` shows."""
    taken = set(names)
    seen: set[str] = set()
    found: list[str] = []
    for name in names:
        free, number = name, 1
        while free in seen or (number > 1 and free in taken):
            number += 1
            free = numbered.format(name, number)
        seen.add(free)
        found.append(free)
    return found


def left_out(names: Iterable[str], why: str) -> tuple[str, ...]:
    """A note that names what a format can't hold; none where that is nothing."""
    gone = list(dict.fromkeys(names))
    if not gone:
        return ()
    shown = ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else "")
    return (f"left out, {why}: {shown}",)


def refuse_nothing(found: Sequence[object], run: Run, what: str) -> None:
    """Raise where there is nothing to write.

    Raises:
        UsageError: ``found`` is empty.
    """
    if not found:
        raise UsageError(f"run {safe(run.id)} has nothing that can be written as {what}")


def moment(iso: str) -> datetime | None:
    """An ISO 8601 time in UTC; None for what is none, as in a run from elsewhere."""
    try:
        when = datetime.fromisoformat(iso)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def python(machine: Machine) -> tuple[str, str]:
    """Implementation and version: ``CPython 3.11.7`` is CPython, 3.11.7; either may be empty."""
    implementation, _, version = safe(machine.python).rpartition(" ")
    return implementation, version


@dataclass(frozen=True, slots=True)
class Written:
    """A file's content: text, or bytes where the format is no text."""

    data: str | bytes
    notes: tuple[str, ...] = ()
    """What whoever writes it should know, such as what the format can't hold."""

    @property
    def encoded(self) -> bytes:
        """The content as a file has it: text in UTF-8."""
        return self.data.encode() if isinstance(self.data, str) else self.data


def json_text(document: object) -> str:
    """``document`` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"
