"""Runs imported from other tools: what a reader parses, and the run that is built from it."""

import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType

from msgspec.structs import asdict

from veperf.core.case import TIME, Case, Direction, Level, Metric, Params
from veperf.core.direction import reader_notes
from veperf.core.errors import DataError
from veperf.core.run import (
    CaseResult,
    Config,
    Failure,
    Machine,
    Pass,
    Revision,
    Run,
    Sample,
    Summary,
)
from veperf.core.units import better_of, is_count, is_time

_MAX_NAME = 1000
_MAX_SLUG = 48


def clean_name(text: str) -> str:
    """Return ``text`` without lone surrogates, which no file can hold, and at most 1,000 long.

    Nothing else is changed: names are escaped where they are shown.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
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
class Repetition:
    """A measured repetition: a value of each metric."""

    figures: dict[str, float]
    loops: int = 1
    """Number of calls over which its time is the mean."""
    summaries: dict[str, Summary] = field(default_factory=dict)
    """By metric, the statistics of the values of which its value is the center."""


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
    repetitions: list[Repetition] = field(default_factory=list)
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
            self.repetitions.append(Repetition(figures, loops, checked))

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


class ParsedRun:
    """The results of one run, as a reader parses them from a file."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.provenance = Provenance()
        self.label = ""
        """Label that distinguishes it from other runs in the same file."""
        self.alternation = ""
        """The same of two runs of the file whose repetitions were made in turn."""
        self._benchmarks: dict[tuple[str, str], ParsedBenchmark] = {}
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
        """Return the benchmark ``name`` of ``suite``; it is created if need be."""
        key = suite, clean_name(name)
        if key not in self._benchmarks:
            self._benchmarks[key] = ParsedBenchmark(
                suite, key[1], clean_name(benchmark or name), clean_name(what), dict(params or {})
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
        """The benchmarks, in the order of the file."""
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
    }
)
"""Units of time as tools write them, in ns."""

_PLAIN_UNITS: Mapping[float, str] = MappingProxyType({1.0: "ns", 1e3: "us", 1e6: "ms", 1e9: "s"})


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
UNKNOWN_MACHINE = "unknown"


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """A run of another tool."""

    run: Run
    label: str = ""
    """Label that distinguishes it from other runs of its file."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of its reader."""
        return reader_notes(self.run)

    @property
    def values(self) -> int:
        """The number of values that were read."""
        return sum(len(result.figures) for pass_ in self.run.passes for result in pass_.results)


def build_run(parsed: ParsedRun, file: str, title: str = "") -> ImportedRun:
    """Build a run with a pass per repetition; ``title`` becomes part of its id.

    Failure beats values: of a benchmark that failed every result has the failure, and its figures
    are for information only.

    Raises:
        DataError: it has no benchmark.
    """
    benchmarks = [b for b in parsed.benchmarks if b.repetitions or b.why_failed]
    if not benchmarks:
        raise DataError(f"{file}: no benchmark results found in it as a file of {parsed.tool}")
    for benchmark in benchmarks:
        if benchmark.faults:
            parsed.note(f"left out of {benchmark.name}: {', '.join(benchmark.faults)}")
        for metric in _zero_times(benchmark):
            parsed.note(f"{metric} of {benchmark.name} is 0 or less: a time that may be none")
        if len(benchmark.repetitions) > MAX_REPETITIONS:
            parsed.note(
                f"of {len(benchmark.repetitions)} repetitions of {benchmark.name}, "
                f"{MAX_REPETITIONS} evenly spread ones are kept"
            )
    now = datetime.now(UTC)
    created = (parse_utc(parsed.provenance.created) or now).isoformat(timespec="seconds")
    passes = _passes(benchmarks, created)
    suffix = slug(title) or slug(parsed.label) or slug(parsed.tool)
    run = Run(
        # To the microsecond, so that `last` is the last of several files in one call.
        id=f"{now:%Y%m%d-%H%M%S-%f}-{suffix}-{secrets.token_hex(2)}",
        created=created,
        config=Config("imported", len(passes), 1, 0, 0, 0, 0.0),
        machine=_machine(parsed.provenance),
        revision=_revision(parsed.provenance),
        cases=tuple(_case(benchmark) for benchmark in benchmarks),
        passes=passes,
        source=parsed.tool,
        notes=tuple(map(clean_name, parsed.notes)),
        alternation=parsed.alternation,
    )
    return ImportedRun(run, parsed.label)


def _zero_times(benchmark: ParsedBenchmark) -> list[str]:
    """Return the metrics in a unit of time that have values of 0 or less."""
    return [
        metric.name
        for metric in benchmark.metrics.values()
        if is_time(metric.unit)
        and any(r.figures.get(metric.name, 1) <= 0 for r in benchmark.repetitions)
    ]


def parse_utc(iso: str) -> datetime | None:
    """Parse an ISO 8601 time into UTC, which is also the default offset; None if it is invalid."""
    try:
        time = datetime.fromisoformat(iso.strip()[:40])
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _machine(provenance: Provenance) -> Machine:
    # The CPU is enough; the system often names its kernel, which changes from day to day.
    parts = [
        slug(provenance.cpu_model) or slug(provenance.system),
        f"{provenance.cores}c" if provenance.cores else "",
    ]
    return Machine(
        name="-".join(filter(None, parts)).lower() or UNKNOWN_MACHINE,
        cpu_model=clean_name(provenance.cpu_model),
        cores=provenance.cores,
        memory_bytes=provenance.memory_bytes,
        system=clean_name(provenance.system),
        python=clean_name(provenance.python),
        host=clean_name(provenance.host),
    )


def _revision(provenance: Provenance) -> Revision:
    revision = provenance.revision
    return Revision(clean_name(revision.commit), clean_name(revision.branch), revision.dirty)


def _case(benchmark: ParsedBenchmark) -> Case:
    return Case(
        id=f"{benchmark.suite}/{benchmark.name}",
        benchmark=f"{benchmark.suite}/{benchmark.benchmark}",
        suite=benchmark.suite,
        level=Level.MICRO,
        what=benchmark.what,
        params=benchmark.params,
        metrics=tuple(benchmark.metrics.values()) or (TIME,),
    )


def _passes(benchmarks: Sequence[ParsedBenchmark], created: str) -> tuple[Pass, ...]:
    selected = [(benchmark, _evenly_spread(benchmark.repetitions)) for benchmark in benchmarks]
    results: list[list[CaseResult]] = [[] for _ in range(max(1, *(len(r) for _, r in selected)))]
    for benchmark, repetitions in selected:
        case = f"{benchmark.suite}/{benchmark.name}"
        reason = benchmark.why_failed
        failure = Failure("raised", clean_name(reason)) if reason else None
        for index, repetition in enumerate(repetitions):
            results[index].append(_result(case, repetition, failure))
        if failure and not repetitions:
            results[0].append(CaseResult(case, failure=failure))
    return tuple(
        Pass(
            index=index,
            started=created,
            seconds=0.0,
            load_before=0.0,
            load_after=0.0,
            frequency_mhz=None,
            steal_ratio=None,
            yardstick_ns=None,
            results=tuple(pass_results),
        )
        for index, pass_results in enumerate(results)
    )


def _evenly_spread(repetitions: list[Repetition]) -> list[Repetition]:
    size = len(repetitions)
    if size <= MAX_REPETITIONS:
        return repetitions
    return [repetitions[i * size // MAX_REPETITIONS] for i in range(MAX_REPETITIONS)]


def _result(case: str, repetition: Repetition, failure: Failure | None) -> CaseResult:
    loops = min(max(1, repetition.loops), 1 << 53)
    wall_ns = repetition.figures.get(TIME.name, 0.0) * loops
    samples: tuple[Sample, ...] = ()
    if failure is None and math.isfinite(wall_ns) and 1 <= wall_ns < 1 << 62:
        samples = (Sample(round(wall_ns), None, None),)
    return CaseResult(
        case,
        loops=loops,
        samples=samples,
        figures=repetition.figures,
        failure=failure,
        summaries=repetition.summaries,
    )
