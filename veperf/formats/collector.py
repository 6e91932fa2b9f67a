"""What a reader finds in a file, gathered benchmark by benchmark."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType

from veperf.core.case import TIME, Better, Metric, Params
from veperf.core.run import Revision

_LONGEST = 1000
_LONGEST_SLUG = 48


def clean(text: str) -> str:
    """``text`` without lone surrogates, which no file can hold, and at most 1,000 long.

    Nothing else is changed: whoever shows a name escapes it.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= _LONGEST:
        return text
    digest = sha256(text.encode()).hexdigest()[:8]
    return f"{text[: _LONGEST - 9]}…{digest}"


def slug(text: str) -> str:
    """``text`` as a harmless part of a file name; empty where nothing of it is fit for one."""
    found = re.sub(r"[^A-Za-z0-9_.+]+", "-", text[:_LONGEST]).strip("-.")
    return found[:_LONGEST_SLUG].rstrip("-.")


_MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class Repetition:
    """One measured repetition: a value of each metric."""

    figures: dict[str, float]
    loops: int = 1
    """Calls that its time is the mean of."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of where and when it was measured; empty where it says nothing."""

    cpu_model: str = ""
    cores: int = 0
    memory_bytes: int | None = None
    system: str = ""
    python: str = ""
    created: str = ""
    revision: Revision = field(default_factory=Revision)


@dataclass(slots=True)
class Gathered:
    """One benchmark, as far as the file has been read."""

    suite: str
    name: str
    benchmark: str
    what: str
    params: Params
    metrics: dict[str, Metric] = field(default_factory=dict)
    repetitions: list[Repetition] = field(default_factory=list)
    failure: str = ""
    dropped: int = 0
    """Values that are no finite number."""

    def add(self, values: Mapping[Metric, float], loops: int = 1) -> None:
        """Take in one repetition. Values that are no finite number are left out and counted."""
        finite = {metric: v for metric, v in values.items() if math.isfinite(v)}
        self.dropped += len(values) - len(finite)
        if finite:
            self.metrics |= {metric.name: metric for metric in finite}
            figures = {metric.name: float(v) for metric, v in finite.items()}
            self.repetitions.append(Repetition(figures, loops))


class Collector:
    """Everything that a file says."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.facts = Facts()
        self.label = ""
        """What tells this from other runs in the same file."""
        self._found: dict[tuple[str, str], Gathered] = {}
        self._notes: dict[str, None] = {}
        self._unsaid = 0

    def benchmark(
        self,
        suite: str,
        name: str,
        *,
        benchmark: str = "",
        what: str = "",
        params: Params | None = None,
    ) -> Gathered:
        """The benchmark ``name`` of ``suite``, a new one where there is none yet."""
        key = suite, clean(name)
        if key not in self._found:
            self._found[key] = Gathered(
                suite, key[1], clean(benchmark or name), clean(what), dict(params or {})
            )
        return self._found[key]

    def note(self, text: str) -> None:
        """Something that whoever imports the file should know; said once."""
        if text in self._notes:
            return
        if len(self._notes) < _MOST_NOTES:
            self._notes[text] = None
        else:
            self._unsaid += 1

    @property
    def benchmarks(self) -> list[Gathered]:
        """In the order of the file."""
        return list(self._found.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noted, at most 20 and a count of the rest."""
        more = (f"and {self._unsaid} more remarks",) if self._unsaid else ()
        return (*self._notes, *more)

    def guessed(self, metric: Metric) -> None:
        """Say that the direction of ``metric`` is a guess."""
        self.note(f"{metric.better} {metric.name} is taken as better: the file doesn't say")


NS: Mapping[str, float] = MappingProxyType(
    {
        "ns": 1.0,
        "us": 1e3,
        "µs": 1e3,
        "\u03bcs": 1e3,
        "ms": 1e6,
        "s": 1e9,
        "sec": 1e9,
        "second": 1e9,
        "seconds": 1e9,
        "nanosecond": 1.0,
        "nanoseconds": 1.0,
        "microseconds": 1e3,
        "milliseconds": 1e6,
    }
)
"""Units of time as tools write them, in ns."""

LOWER = frozenset({"ns/op", "sec/op", "B/op", "allocs/op", "B", "bytes", "byte"})
_RATES = ("/s", "/sec", "/second", "tps", "qps", "rps")


def metric_of(name: str, unit: str, better: Better | None = None) -> tuple[Metric, bool]:
    """The metric, and whether its good direction is a guess.

    Rates are better higher; times, sizes and allocations lower; so is, for want of anything to
    go by, everything else.
    """
    name, unit = clean(name), clean(unit)
    if better is not None:
        return Metric(name, unit, better), False
    if unit in ("B/s", "MB/s"):
        return Metric(name, unit, "higher"), False
    if unit in NS or unit in LOWER:
        return Metric(name, unit, "lower"), False
    return Metric(name, unit, "higher" if unit.endswith(_RATES) else "lower"), True


def time_or(name: str, unit: str, better: Better | None = None) -> tuple[Metric, float, bool]:
    """The metric, the factor to its unit, and whether its direction is a guess.

    What is called ``time`` and given in a unit of time is veperf's own ``time``, in ns.
    """
    if name == TIME.name and unit in NS and better != "higher":
        return TIME, NS[unit], False
    metric, guessed = metric_of(name, unit, better)
    return metric, 1.0, guessed


_MOST = 50


def plain(given: Mapping[str, object] | None) -> Params:
    """``given`` with whatever is neither number nor text as text."""
    return {clean(name): _plain(value) for name, value in list((given or {}).items())[:_MOST]}


def _plain(value: object) -> int | float | str:
    match value:
        case bool() | None:
            return str(value)
        case int() if abs(value) < 1 << 53:
            return value
        case float() if math.isfinite(value):
            return value
        case str():
            return clean(value)
    return clean(str(value)) if isinstance(value, float) else type(value).__name__
