"""Results of another tool's file as a reader parses them; ``imported_run`` makes a run of them."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

from msgspec.structs import asdict

from veperf.core.case import TIME, Direction, Metric, Params
from veperf.core.columns import Repetitions
from veperf.core.run import Revision, Summary
from veperf.core.units import better_of, is_count, is_time
from veperf.formats.account import FileAccount

_MAX_NAME = 1000
_MAX_SLUG = 48


def clean_name(text: str) -> str:
    """Return ``text`` with lone surrogates, which no file can hold, escaped, at most 1,000 long.

    Nothing else is changed: names are escaped where they are shown.
    """
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= _MAX_NAME:
        return text
    digest = sha256(text.encode()).hexdigest()[:8]
    return f"{text[: _MAX_NAME - 9]}…{digest}"


def slug(text: str) -> str:
    """Return ``text`` as a safe part of a file name; empty where no character is usable."""
    part = re.sub(r"[^A-Za-z0-9_.+]+", "-", text[:_MAX_NAME]).strip("-.")
    return part[:_MAX_SLUG].rstrip("-.")


_MAX_NOTES = 20


@dataclass(frozen=True, slots=True)
class Provenance:
    """Machine, time and revision of a measurement; fields that the file lacks are empty."""

    cpu_model: str = ""
    cores: int = 0
    memory_bytes: int | None = None
    system: str = ""
    python: str = ""
    host: str = ""
    created: str = ""
    revision: Revision = field(default_factory=Revision)


@dataclass(slots=True)
class ParsedBenchmark:
    """A benchmark with the repetitions that have been read so far."""

    suite: str
    name: str
    benchmark: str
    what: str
    params: Params
    metrics: dict[str, Metric] = field(default_factory=dict)
    repetitions: Repetitions = field(default_factory=Repetitions)
    failure: str = ""
    """Reason why it failed, be it in one repetition; its values are for information only then."""
    skipped: bool = False
    """True for a benchmark that was not to be measured, which is no failure."""
    added: int = 0
    """Number of repetitions, with or without values."""
    faults: dict[str, int] = field(default_factory=dict)
    """Number of repetitions with a value that is no measurement, by what is wrong with it."""

    def add(
        self,
        values: Mapping[Metric, float],
        loops: int = 1,
        summaries: Mapping[str, Summary] | None = None,
    ) -> None:
        """Add a repetition; values that are no measurements are left out, and fail it."""
        faults = {metric: fault_of(metric, v) for metric, v in values.items()}
        self.added += 1
        for fault in dict.fromkeys(filter(None, faults.values() if values else ["no number"])):
            self.faults[fault] = self.faults.get(fault, 0) + 1
        good = {metric: v for metric, v in values.items() if not faults[metric]}
        if good:
            self.metrics |= {metric.name: metric for metric in good}
            figures = {metric.name: float(v) for metric, v in good.items()}
            checked = {name: _plain_summary(s) for name, s in (summaries or {}).items()}
            self.repetitions.add(figures, loops, checked)

    def add_all(self, repetitions: Repetitions, metrics: Mapping[str, Metric]) -> None:
        """Add repetitions of these ``metrics``, by their names, as ``add`` does one by one.

        Values above zero, which are nearly all, are measurements, whatever the metric; a time is
        missed where others of the benchmark have it.
        """
        columns = repetitions.columns
        times = columns.get(TIME.name)
        is_whole = times is None or len(times.values) == len(repetitions)
        if not is_whole or not all(0 < v < math.inf for c in columns.values() for v in c.values):
            missing = {} if times is None else {TIME.name: math.nan}
            for loops, figures in repetitions.rows():
                values = figures | {n: v for n, v in missing.items() if n not in figures}
                self.add({metrics[name]: value for name, value in values.items()}, loops)
            return
        self.added += len(repetitions)
        self.metrics |= {name: metrics[name] for name in columns}
        if self.repetitions:
            self.repetitions.extend(repetitions)
        else:
            self.repetitions = repetitions

    @property
    def why_failed(self) -> str:
        """The reason why it failed, also for values that are missing; empty if it did not."""
        if self.failure:
            return self.failure
        if self.faults:
            return "; ".join(
                f"{count} of {self.added} repetitions gave {fault}"
                for fault, count in self.faults.items()
            )
        return "" if self.repetitions or self.skipped else "the file has no value of it"


def fault_of(metric: Metric, value: float) -> str:
    """Return what makes ``value`` of a repetition no measurement; empty where it is one.

    Nothing takes no time: that is a clock too coarse, or a broken file. Other metrics in a unit of
    time, such as waits, may be 0, and so may counts; no count is negative.
    """
    if not math.isfinite(value):
        return "no number" if metric.name == TIME.name else f"no number of {metric.name}"
    if value < 0 and is_count(metric.unit):
        return f"a negative count of {metric.name}"
    if value > 0 or metric.name != TIME.name or not is_time(metric.unit):
        return ""
    return "a time of 0" if value == 0 else "a time below 0"


def _plain_summary(summary: Summary) -> Summary:
    """Return ``summary`` without what is not finite or no number of values."""
    n = summary.n
    numbers = {
        name: value
        for name, value in asdict(summary).items()
        if isinstance(value, float) and math.isfinite(value)
    }
    return Summary(summary.center, n if n and 0 < n < 1 << 53 else None, **numbers)


_Identity: TypeAlias = tuple[str, str, frozenset[tuple[str, int | float | str]]]
"""Suite, name and parameters of a benchmark."""


def named_with(name: str, params: Params) -> str:
    """Return the name of a benchmark with its parameters: ``sort[n=1000,order=down]``."""
    settings = ",".join(f"{key}={value}" for key, value in params.items())
    return f"{name}[{settings}]" if settings else name


class ParsedRun:
    """The results of one run, as a reader parses them from a file."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.provenance = Provenance()
        self.label = ""
        """Label that distinguishes it from other runs in the same file."""
        self.alternation = ""
        """The same of two runs of the file whose repetitions were made in turn."""
        self.settings: dict[str, str] = {}
        """Settings that hold for all of it."""
        self.accounts: list[FileAccount] = []
        """Accounts of its own files, where it is one of several runs of a folder."""
        self._benchmarks: dict[_Identity, ParsedBenchmark] = {}
        self._notes: dict[str, None] = {}
        self._dropped_notes = 0

    def benchmark(
        self,
        suite: str,
        name: str,
        *,
        benchmark: str = "",
        what: str = "",
        params: Params | None = None,
    ) -> ParsedBenchmark:
        """Return the benchmark ``name`` of ``suite`` with ``params``; it is created if need be.

        One of the same name with other parameters is another benchmark, and is named with them.
        """
        params = dict(params or {})
        key = suite, clean_name(name), frozenset(params.items())
        if key not in self._benchmarks:
            self._benchmarks[key] = ParsedBenchmark(
                suite, key[1], clean_name(benchmark or name), clean_name(what), params
            )
        return self._benchmarks[key]

    def note(self, text: str) -> None:
        """Add a note for the person who imports the file; repeated notes are dropped."""
        if text in self._notes:
            return
        if len(self._notes) < _MAX_NOTES:
            self._notes[text] = None
        else:
            self._dropped_notes += 1

    @property
    def benchmarks(self) -> list[ParsedBenchmark]:
        """The benchmarks, in the order of the file, under names that are unique in their suite."""
        names = Counter((suite, name) for suite, name, _ in self._benchmarks)
        used: set[tuple[str, str]] = set()
        for (suite, name, _), benchmark in self._benchmarks.items():
            unique = named_with(name, benchmark.params) if names[suite, name] > 1 else name
            while (suite, unique) in used:
                unique += "'"
            used.add((suite, unique))
            benchmark.name = unique
        return list(self._benchmarks.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes, at most 20 and a count of the others."""
        more = (f"and {self._dropped_notes} more notes",) if self._dropped_notes else ()
        return (*self._notes, *more)


NS_PER_UNIT: Mapping[str, float] = MappingProxyType(
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
        "ps": 1e-3,
        "min": 60e9,
        "h": 3600e9,
    }
)
"""Units of time as tools write them, in ns."""

_PLAIN_UNITS: Mapping[float, str] = MappingProxyType(
    {1e-3: "ps", 1.0: "ns", 1e3: "us", 1e6: "ms", 1e9: "s", 60e9: "min", 3600e9: "h"}
)


def metric_of(name: str, unit: str, better: Direction | None = None) -> Metric:
    """Return the metric; its better direction follows from its unit where the file says nothing."""
    name, unit = clean_name(name), clean_name(unit)
    if unit in NS_PER_UNIT:
        unit = _PLAIN_UNITS[NS_PER_UNIT[unit]]
    return Metric(name, unit, better or better_of(unit))


def time_or_metric(name: str, unit: str, better: Direction | None = None) -> tuple[Metric, float]:
    """Return the metric, and the factor for values to its unit.

    A metric ``time`` in a unit of time becomes veperf's own ``time``, in ns.
    """
    if name == TIME.name and unit in NS_PER_UNIT and better != "higher":
        return TIME, NS_PER_UNIT[unit]
    return metric_of(name, unit, better), 1.0


VALUE = "value"
"""Name of a metric that has none in its file."""

_MAX_PARAMS = 50


def plain_params(params: Mapping[str, object] | None) -> Params:
    """Return at most 50 of ``params``, with values that are neither number nor text as text."""
    return {
        clean_name(name): _plain_value(value)
        for name, value in list((params or {}).items())[:_MAX_PARAMS]
    }


def _plain_value(value: object) -> int | float | str:
    match value:
        case bool() | None:
            return str(value)
        case int() if abs(value) < 1 << 53:
            return value
        case float() if math.isfinite(value):
            return value
        case str():
            return clean_name(value)
    return clean_name(str(value)) if isinstance(value, float) else type(value).__name__


MAX_REPETITIONS = 10_000


def parse_utc(iso: str) -> datetime | None:
    """Parse an ISO 8601 time into UTC, which is also the default offset; None if it is invalid."""
    try:
        time = datetime.fromisoformat(iso.strip()[:40])
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
