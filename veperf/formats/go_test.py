"""Go benchmark results: the output of ``go test -bench``, as text and as ``-json`` events.

The format is that of golang.org/design/14313-benchmark-format: result lines, ``key: value`` lines
that apply to the results below them, and ``Unit`` lines about units. A benchmark that logs splits
its line: first the name, then the log, then the figures. The reader joins both parts again.
"""

import math
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType

import msgspec

from veperf.core.case import TIME, Better, Metric, Params
from veperf.core.json_text import check_nesting
from veperf.core.run import SEVERAL_CPUS
from veperf.formats.imported import (
    ParsedBenchmark,
    ParsedRun,
    Provenance,
    clean_name,
    metric_of,
    slug,
)
from veperf.formats.source import SourceFile, shorten

TOOL = "go test"
WHOLE_PACKAGE = "(the package)"
"""Name for the benchmarks of a package that failed before any of them ran."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[Ii]nf|NaN", re.ASCII)
_LONGEST_NUMBER = 400
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_NAME = re.compile(r"Benchmark(?![^\W\dA-Z_])")
_KEY_VALUE = re.compile(r"([^\W\dA-Z_][^\sA-Z:]*):(?:[ \t]+(.*)|)$")
# A benchmark that fails late has its name before it on the line.
_OUTCOME = re.compile(r"(?:^|\s)--- (FAIL|SKIP): (Benchmark\S*)")
_PACKAGE_FAILED = re.compile(r"FAIL\t(\S+)\s*(.*)")
_NO_TESTS = re.compile(r"\?\s+(\S+)\s+\[no test files\]")
_PANIC = re.compile(r"(?:^|\s)((?:panic|fatal error): .*)")
_PROCESSORS = re.compile(r"-\d{1,18}$", re.ASCII)
_PACKAGE_DONE = ("PASS", "ok ", "ok\t")
# What fails beside the benchmarks, and the last line of a test binary in which anything did.
_TEST_FAILED = re.compile(r"--- FAIL: (\S+)|FAIL$")
_TIME_UNIT = "ns/op"
_PER = ("/op", "/s")
_ALIASES: Mapping[str, str] = MappingProxyType({"sec/op": _TIME_UNIT, "B/s": "MB/s"})
_MOST_VALUES = 50


_ENDS = ("pass", "fail", "skip")


class GoTestEvent(msgspec.Struct, frozen=True):
    """An event: a line of ``go test -json``."""

    Action: str
    Package: str = ""
    Test: str = ""
    Output: str = ""


def is_go_text(source: SourceFile) -> bool:
    """Return whether any line is a benchmark result, its failure, or a ``Unit`` line."""
    return any(
        _is_result(line, line.split())
        or (_NAME.match(line) and len(line.split()) == 1)
        or (line.startswith("Unit ") and "=" in line)
        or _OUTCOME.search(line)
        or _PACKAGE_FAILED.match(line)
        for line in source.lines
    )


def is_go_json(source: SourceFile) -> bool:
    """Return whether the first JSON line is an event; the build may print lines before it."""
    first = next((line for line in source.lines if line.startswith("{")), "")
    return '"Action"' in first and _event(first) is not None


def read_go_text(source: SourceFile, by: str = "") -> list[ParsedRun]:
    """Read the run in a text, or a run for each value of the configuration key ``by``."""
    parser = _Parser(source.name, by)
    for number, line in enumerate(source.lines, 1):
        parser.take(number, line)
    return parser.finish()


def read_go_json(source: SourceFile, by: str = "") -> list[ParsedRun]:
    """Read ``-json`` output, whose events hold pieces of lines of interleaved packages."""
    parser = _Parser(source.name, by)
    incomplete: dict[str, list[str]] = {}
    has_ended: dict[str, bool] = {}
    number = 0
    for number, line in enumerate(source.lines, 1):
        event = _event(line)
        if event is None:
            parser.take(number, line)
        elif event.Action == "output":
            *complete, remainder = event.Output.split("\n")
            for piece in complete:
                start = "".join(incomplete.pop(event.Package, []))
                parser.take(number, start + piece, event.Package)
            if remainder:
                incomplete.setdefault(event.Package, []).append(remainder)
        elif event.Action == "fail":
            parser.fail(number, event.Package, event.Test)
        if event is not None and not event.Test and event.Action in ("start", *_ENDS):
            has_ended[event.Package] = event.Action != "start"
    for package, pieces in incomplete.items():
        parser.take(number, "".join(pieces), package)
    for package, has in has_ended.items():
        parser.end(package, is_cut_off=not has)
    return parser.finish()


class _Parser:
    """Parser of output lines, which collects results, settings, failures and notes."""

    def __init__(self, file: str, by: str) -> None:
        self._file = file
        self._by = by
        self._config: dict[str, dict[str, str]] = {}
        self._pending: dict[str, str] = {}
        self._alone: dict[str, str] = {}
        self._torn: dict[str, str] = {}
        self._units: dict[tuple[str, str], str] = {}
        self._results: list[tuple[str, str, str, int, dict[str, float]]] = []
        self._failures: dict[tuple[str, str, str], str] = {}
        self._panics: dict[str, str] = {}
        self._failed_runs: dict[tuple[str, str], str] = {}
        self._unplaced: dict[str, str] = {}
        self._summed_up: dict[str, bool] = {}
        self._unended: dict[str, None] = {}
        self._without_tests: dict[str, None] = {}
        self._seen: dict[str, dict[str, None]] = {}
        self._cpus: dict[str, dict[str, None]] = {}
        self._notes: dict[str, None] = {}

    def take(self, number: int, line: str, package: str = "") -> None:
        """Parse a line, of the stream of ``package`` if there are several."""
        line = line.removesuffix("\r")
        if panic := _PANIC.search(line):
            self._panics.setdefault(package, shorten(clean_name(panic[1])))
        if outcome := _OUTCOME.search(line):
            self._end_pending(package)
            if outcome[1] == "FAIL":
                self._fail(package, outcome[2], f"it failed, see line {number}")
            else:
                self._notes[f"{outcome[2]} was skipped"] = None
        elif _NAME.match(line) or _is_result(line, line.split()):
            self._result(number, line, package)
        elif failed := _TEST_FAILED.match(line):
            self._run_failed(number, package, clean_name(failed[1] or ""))
        elif line.startswith("Unit") and line[4:5].isspace():
            self._unit(number, line)
        elif without_tests := _NO_TESTS.match(line):
            self._without_tests[clean_name(without_tests[1])] = None
        elif failed := _PACKAGE_FAILED.match(line):
            self._package_failed(number, package, clean_name(failed[1]), clean_name(failed[2]))
            self._summed_up[package] = True
            self._unended.pop(package, None)
        elif setting := _KEY_VALUE.match(line):
            self._configure(package, setting[1], (setting[2] or "").rstrip())
        elif line.startswith(_PACKAGE_DONE):
            self._end_pending(package)
            self._summed_up[package] = self._summed_up.get(package, False) or line[:2] == "ok"
            self._unended.pop(package, None)
        elif measured := _measured(["", *line.split()]):
            self._torn.pop(package, None)
            if package in self._pending:
                self._keep(package, self._pending.pop(package), *measured)
            else:
                self._notes[f"line {number}: a result without a name, left out"] = None
        elif package in self._pending and _is_torn(["", *line.split()]):
            self._torn[package] = f"line {number}: incomplete result: {shorten(line)}"

    def fail(self, number: int, package: str, test: str) -> None:
        """Record that an event says that ``test``, or all of ``package``, failed."""
        if test and not test.startswith("Benchmark"):
            return
        names = [name for _, p, name in self._failures if p == package]
        if test and test not in map(_without_processors, names):
            self._fail(package, test, f"it failed, see line {number}")
        elif not test and not names:
            self._package_failed(number, package, package, "")

    def end(self, package: str, *, is_cut_off: bool) -> None:
        """Record that the events of ``package`` say that it ended, or only that it began."""
        self._unended.pop(package, None)
        if is_cut_off:
            reason = "the output ends before the package does"
            self._failed_runs.setdefault(self._place(package), reason)

    def finish(self) -> list[ParsedRun]:
        """Return the runs, in the order of their first results."""
        for package, name in list(self._pending.items()):
            self._end_pending(package)
            # Other text may begin with the word as well, but a running benchmark's name is alone.
            if package in self._panics or name == self._alone.get(package):
                ends = "the output ends before its result"
                self._fail(package, name, self._panics.get(package, ends))
        for stream in list(self._unplaced):
            self._place_failure(stream)
        failed = {(side, package) for side, package, _ in self._failures}
        for place, reason in self._failed_runs.items():
            if place not in failed:
                self._failures[*place, WHOLE_PACKAGE] = reason
        if self._unended:
            self._notes["it ends without PASS, ok or FAIL: whether it is whole can't be seen"] = (
                None
            )
        packages = list(dict.fromkeys(package for _, package, *_ in self._results))
        packages += [p for _, p, _ in self._failures if p not in packages]
        suites = _suites(packages)
        runs: dict[str, ParsedRun] = {}
        timed = {result[:3] for result in self._results if _TIME_UNIT in result[4]}
        for side, package, name, loops, figures in self._results:
            run = runs.setdefault(side, ParsedRun(TOOL))
            values = {self._metric(unit): value for unit, value in figures.items()}
            if _TIME_UNIT not in figures and (side, package, name) in timed:
                values[self._metric(_TIME_UNIT)] = math.nan
            _benchmark(run, suites[package], package, name).add(values, loops)
        for key, failure in self._failures.items():
            run = runs.setdefault(key[0], ParsedRun(TOOL))
            for name in self._names_of(*key):
                _benchmark(run, suites[key[1]], key[1], name).failure = failure
        alternation = self._alternation()
        for side, run in runs.items():
            run.label = side
            run.alternation = alternation
            run.provenance = self._provenance(side)
            for text in (*self._notes, *self._varying()):
                run.note(text)
        return list(runs.values()) or [ParsedRun(TOOL)]

    def _alternation(self) -> str:
        """Return a name for these results where two sides took turns in all; else nothing.

        A benchmark's results alternate, as of a loop that runs it once with each side, in any
        order, twice or more often. It is the same for the same results alone.
        """
        sides: dict[tuple[str, str], list[str]] = {}
        for side, package, name, *_ in self._results:
            sides.setdefault((package, name), []).append(side)
        both = {side for side, *_ in self._results}
        for turns in sides.values():
            pairs = list(zip(turns[::2], turns[1::2], strict=False))
            if len(turns) % 2 or len(pairs) < 2 or any(set(pair) != both for pair in pairs):
                return ""
        if len(both) != 2:
            return ""
        self._notes[f"the values of {self._by} take turns in the file: compared as pairs"] = None
        return sha256(repr(self._results).encode()).hexdigest()[:16]

    def _fail(self, package: str, name: str, reason: str) -> None:
        self._failures.setdefault((*self._place(package), name), reason)

    def _place(self, stream: str) -> tuple[str, str]:
        """Return the side and the package that lines of ``stream`` are about now."""
        config = self._config_of(stream)
        return self._side(config), config.get("pkg", stream)

    def _run_failed(self, number: int, stream: str, test: str) -> None:
        """Record that anything failed: it counts where no benchmark of the package did.

        Tests come before benchmarks, and so before the line that names their package. The last line
        of ``go test`` says it once more, of all packages.
        """
        if test or not self._summed_up.get(stream, False):
            self._unplaced.setdefault(stream, f"{test or 'the run'} failed, see line {number}")
        if stream in self._unended:
            self._place_failure(stream)
        if not test:
            self._unended.pop(stream, None)

    def _place_failure(self, stream: str) -> None:
        """Say which package a failure is of that was read before."""
        if reason := self._unplaced.pop(stream, ""):
            self._failed_runs.setdefault(self._place(stream), reason)

    def _names_of(self, side: str, package: str, name: str) -> list[str]:
        """Return the names with results that the failure of ``name`` is about, else itself.

        A benchmark that fails at its first call is named without its number of processors.
        """
        names = dict.fromkeys(n for s, p, n, *_ in self._results if (s, p) == (side, package))
        if name in names:
            return [name]
        return [n for n in names if _without_processors(n) == name] or [name]

    def _result(self, number: int, line: str, package: str) -> None:
        fields = line.split()
        self._end_pending(package)
        measured = _measured(fields)
        if measured is not None:
            self._keep(package, fields[0], *measured)
            return
        self._pending[package] = fields[0]
        if len(fields) == 1 or (len(fields) == 2 and _COUNT.fullmatch(fields[1])):
            self._alone[package] = fields[0]
        if _is_torn(fields):
            self._torn[package] = f"line {number}: incomplete result: {shorten(line)}"

    def _end_pending(self, package: str) -> None:
        """Forget the name that waits for its figures; fail it if they are there but unreadable."""
        name = self._pending.pop(package, "")
        if torn := self._torn.pop(package, ""):
            self._fail(package, name, torn)

    def _package_failed(self, number: int, stream: str, package: str, reason: str) -> None:
        """Mark the running benchmark as failed, or the whole package if none was running."""
        name = self._pending.pop(stream, "")
        self._torn.pop(stream, None)
        self._unplaced.pop(stream, None)
        why = ", ".join(filter(None, (self._panics.pop(stream, ""), reason)))
        failure = f"its package failed, see line {number}" + (f": {why}" if why else "")
        if name:
            self._fail(stream, name, failure)
        elif not any(p == package for _, p, _ in self._failures):
            side = self._side(self._config_of(stream))
            self._failures[side, package, WHOLE_PACKAGE] = failure
        self._notes[f"line {number}: package {package} failed {reason}"] = None

    def _keep(self, package: str, name: str, loops: int, figures: dict[str, float]) -> None:
        config = self._config_of(package)
        for key, value in config.items():
            values = self._seen.setdefault(key, {})
            if len(values) < _MOST_VALUES:
                values[value] = None
        if cpu := config.get("cpu"):
            self._cpus.setdefault(self._side(config), {})[cpu] = None
        self._results.append((*self._place(package), name, loops, figures))
        self._summed_up[package] = False
        self._unended[package] = None
        self._place_failure(package)

    def _configure(self, package: str, key: str, value: str) -> None:
        config = self._config_of(package)
        if value:
            config[key] = clean_name(value)
        else:
            config.pop(key, None)

    def _config_of(self, package: str) -> dict[str, str]:
        return self._config.setdefault(package, {})

    def _side(self, config: Mapping[str, str]) -> str:
        return config.get(self._by, "") if self._by else ""

    def _unit(self, number: int, line: str) -> None:
        _, *fields = line.split()
        if len(fields) < 2:
            self._notes[f"line {number}: a Unit line without settings"] = None
        for item in fields[1:]:
            key, _, value = item.partition("=")
            place = _ALIASES.get(fields[0], fields[0]), key
            if not key or not value:
                problem = f"expected key=value, not {shorten(item)}"
            elif self._units.setdefault(place, value) != value:
                current = shorten(self._units[place])
                problem = f"{shorten(key)} of {shorten(fields[0])} is {current} already"
            else:
                continue
            self._notes[f"line {number}: {problem}"] = None

    def _metric(self, unit: str) -> Metric:
        exact = self._units.get((_ALIASES.get(unit, unit), "assume")) == "exact"
        direction = self._units.get((_ALIASES.get(unit, unit), "better"))
        better: Better | None = (
            "higher" if direction == "higher" else "lower" if direction == "lower" else None
        )
        if unit == _TIME_UNIT:
            return msgspec.structs.replace(TIME, exact=exact, better=better or TIME.better)
        return msgspec.structs.replace(metric_of(unit, unit, better), exact=exact)

    def _provenance(self, side: str) -> Provenance:
        single = {k: next(iter(v)) for k, v in self._seen.items() if len(v) == 1}
        system = "/".join(filter(None, (single.get("goos", ""), single.get("goarch", ""))))
        cpus = self._cpus.get(side, {})
        cpu = (SEVERAL_CPUS if len(cpus) > 1 else "") + ", ".join(cpus)
        return Provenance(cpu_model=cpu, system=system)

    def _varying(self) -> Iterable[str]:
        if self._without_tests:
            yield f"no test files in {shorten(', '.join(self._without_tests))}"
        for key, values in self._seen.items():
            is_apart = key == "cpu" and all(len(cpus) == 1 for cpus in self._cpus.values())
            if len(values) > 1 and key not in ("pkg", self._by) and not is_apart:
                listing = shorten(", ".join(values))
                name = shorten(key)
                done = "times are not judged" if key == "cpu" else "merged"
                yield f"{name} varies ({listing}): {done}; --by {name} keeps them apart"


def _measured(fields: list[str]) -> tuple[int, dict[str, float]] | None:
    """Return iterations and values by unit at the end of a line, or None if there are none."""
    start, figures = len(fields), []
    while start > 3 and _is_number(fields[start - 2]) and not _is_number(fields[start - 1]):
        start -= 2
        figures.append((fields[start + 1], float(fields[start])))
    if not figures or not _COUNT.fullmatch(fields[start - 1]):
        return None
    return int(fields[start - 1]), dict(reversed(figures))


def _is_torn(fields: list[str]) -> bool:
    """Return whether a line that is no result was to be one: cut off, or with other numbers."""
    if len(fields) < 3 or not _COUNT.fullmatch(fields[1]):
        return False
    has_unit = any(field.endswith(_PER) for field in fields[3:])
    return has_unit or bool(fields[0] and _NUMBER.match(fields[2]))


def _is_result(line: str, fields: list[str]) -> bool:
    """Return whether a line is a whole result, whatever letter follows the word Benchmark."""
    return line.startswith("Benchmark") and _measured(fields) is not None


def _without_processors(name: str) -> str:
    return _PROCESSORS.sub("", name)


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def _event(line: str) -> GoTestEvent | None:
    if not line.startswith("{"):
        return None
    try:
        check_nesting(line)
        return msgspec.json.decode(line, type=GoTestEvent)
    except (msgspec.DecodeError, ValueError):
        return None


def _benchmark(run: ParsedRun, suite: str, package: str, name: str) -> ParsedBenchmark:
    base, params = _parameters(name)
    return run.benchmark(suite, name, benchmark=base, what=package, params=params)


def _parameters(name: str) -> tuple[str, Params]:
    """Split a full name, as into ``BenchmarkEncode`` and ``{format: json, gomaxprocs: 48}``."""
    base_name, dash, procs = name.rpartition("-")
    if not dash or not _COUNT.fullmatch(procs):
        base_name, procs = name, ""
    base, params = [], Params()
    for part in base_name.split("/")[:50]:
        key, equals, value = part.partition("=")
        if equals and key and len(part) < 100:
            params[clean_name(key)] = int(value) if _COUNT.fullmatch(value) else clean_name(value)
        else:
            base.append(part)
    if procs:
        params["gomaxprocs"] = int(procs)
    return "/".join(base), params


def _suites(packages: list[str]) -> dict[str, str]:
    """Name each package by its last two parts, or more, or with a number, to be unique."""
    names: dict[str, str] = {}
    used: set[str] = set()
    numbers: dict[str, int] = {}
    for package in packages:
        parts = package.split("/")
        tails = [slug("-".join(parts[-depth:])) for depth in range(2, min(len(parts), 10) + 1)]
        candidates = [tail for tail in tails or [slug(package)] if tail] or ["go"]
        name = next((tail for tail in candidates if tail not in used), "")
        while not name or name in used:
            numbers[candidates[0]] = numbers.get(candidates[0], 1) + 1
            name = f"{candidates[0]}.{numbers[candidates[0]]}"
        used.add(name)
        names[package] = name
    return names
