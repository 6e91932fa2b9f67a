"""Runs imported from other tools: what a reader parses, and the run that is built from it."""

import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType

from veperf.core.case import TIME, Better, Case, Level, Metric, Params
from veperf.core.errors import DataError
from veperf.core.run import CaseResult, Config, Failure, Machine, Pass, Revision, Run, Sample

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


@dataclass(frozen=True, slots=True)
class Provenance:
    """Machine, time and revision of a measurement; fields that the file lacks are empty."""

    cpu_model: str = ""
    cores: int = 0
    memory_bytes: int | None = None
    system: str = ""
    python: str = ""
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
    dropped: int = 0
    """Number of values that are not finite."""

    def add(self, values: Mapping[Metric, float], loops: int = 1) -> None:
        """Add a repetition; values that are not finite are left out and counted."""
        finite = {metric: v for metric, v in values.items() if math.isfinite(v)}
        self.dropped += len(values) - len(finite)
        if finite:
            self.metrics |= {metric.name: metric for metric in finite}
            figures = {metric.name: float(v) for metric, v in finite.items()}
            self.repetitions.append(Repetition(figures, loops))


class ParsedRun:
    """The results of one run, as a reader parses them from a file."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.provenance = Provenance()
        self.label = ""
        """Label that distinguishes it from other runs in the same file."""
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

    def note_guess(self, metric: Metric) -> None:
        """Note that the better direction of ``metric`` is a guess."""
        self.note(f"assuming that {metric.better} {metric.name} is better: the file doesn't say")


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

_LOWER_UNITS = frozenset({"ns/op", "sec/op", "B/op", "allocs/op", "B", "bytes", "byte"})
_RATES = ("/s", "/sec", "/second", "tps", "qps", "rps")


def metric_of(name: str, unit: str, better: Better | None = None) -> tuple[Metric, bool]:
    """Return the metric, and whether its better direction is a guess.

    Higher is better for rates, lower for times, sizes and allocations; lower is the guess for
    everything else.
    """
    name, unit = clean_name(name), clean_name(unit)
    if better is not None:
        return Metric(name, unit, better), False
    if unit in ("B/s", "MB/s"):
        return Metric(name, unit, "higher"), False
    if unit in NS_PER_UNIT or unit in _LOWER_UNITS:
        return Metric(name, unit, "lower"), False
    return Metric(name, unit, "higher" if unit.endswith(_RATES) else "lower"), True


def time_or_metric(
    name: str, unit: str, better: Better | None = None
) -> tuple[Metric, float, bool]:
    """Return the metric, the factor to its unit, and whether its better direction is a guess.

    A metric ``time`` in a unit of time becomes veperf's own ``time``, in ns.
    """
    if name == TIME.name and unit in NS_PER_UNIT and better != "higher":
        return TIME, NS_PER_UNIT[unit], False
    metric, is_guess = metric_of(name, unit, better)
    return metric, 1.0, is_guess


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
    """A run of another tool, with the notes of its reader."""

    run: Run
    notes: tuple[str, ...]
    label: str = ""
    """Label that distinguishes it from other runs of its file."""

    @property
    def values(self) -> int:
        """The number of values that were read."""
        return sum(len(result.figures) for pass_ in self.run.passes for result in pass_.results)


def build_run(parsed: ParsedRun, file: str, title: str = "") -> ImportedRun:
    """Build a run with a pass per repetition; ``title`` becomes part of its id.

    Raises:
        DataError: it has no benchmark.
    """
    benchmarks = [b for b in parsed.benchmarks if b.repetitions or b.failure]
    if not benchmarks:
        raise DataError(f"{file}: no benchmark results found in it as a file of {parsed.tool}")
    for benchmark in benchmarks:
        if benchmark.dropped:
            parsed.note(f"left out {benchmark.dropped} values of {benchmark.name}: not finite")
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
    )
    return ImportedRun(run, parsed.notes, parsed.label)


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
        for index, repetition in enumerate(repetitions):
            results[index].append(_result(case, repetition))
        if benchmark.failure:
            if len(repetitions) == len(results):
                results.append([])
            failure = Failure("raised", clean_name(benchmark.failure))
            results[len(repetitions)].append(CaseResult(case, failure=failure))
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


def _result(case: str, repetition: Repetition) -> CaseResult:
    loops = min(max(1, repetition.loops), 1 << 53)
    wall_ns = repetition.figures.get(TIME.name, 0.0) * loops
    samples: tuple[Sample, ...] = ()
    if math.isfinite(wall_ns) and 1 <= wall_ns < 1 << 62:
        samples = (Sample(round(wall_ns), None, None),)
    return CaseResult(case, loops=loops, samples=samples, figures=repetition.figures)
