"""Go benchmark results: the output of ``go test -bench``, as text and as ``-json`` events.

The format is that of golang.org/design/14313-benchmark-format: result lines, ``key: value`` lines
that apply to the results below them, and ``Unit`` lines about units. A benchmark that logs splits
its line: first the name, then the log, then the figures. The reader joins both parts again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

import msgspec

from veperf.core.case import TIME, Better, Case, Metric, Params
from veperf.core.json_text import check_nesting
from veperf.core.run import Run
from veperf.formats.exported import (
    ExportedFile,
    ExportedMetric,
    exported_metrics,
    require_values,
    safe_text,
    unique_names,
)
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
_OUTCOME = re.compile(r"\s*--- (FAIL|SKIP): (Benchmark\S*)")
_PACKAGE_FAILED = re.compile(r"FAIL\t(\S+)\s*(.*)")
_PACKAGE_DONE = ("PASS", "ok ", "ok\t")
_ALIASES: Mapping[str, str] = MappingProxyType({"sec/op": "ns/op", "B/s": "MB/s"})
_MOST_VALUES = 50


class GoTestEvent(msgspec.Struct, frozen=True):
    """An event: a line of ``go test -json``."""

    Action: str
    Package: str = ""
    Output: str = ""


def is_go_text(source: SourceFile) -> bool:
    """Return whether any line is a benchmark result or a ``Unit`` line."""
    return any(
        _NAME.match(line) and (_measured(line.split()) or len(line.split()) == 1)
        for line in source.lines
    ) or any(line.startswith("Unit ") and "=" in line for line in source.lines)


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
    for package, pieces in incomplete.items():
        parser.take(number, "".join(pieces), package)
    return parser.finish()


class _Parser:
    """Parser of output lines, which collects results, settings, failures and notes."""

    def __init__(self, file: str, by: str) -> None:
        self._file = file
        self._by = by
        self._config: dict[str, dict[str, str]] = {}
        self._pending: dict[str, str] = {}
        self._units: dict[tuple[str, str], str] = {}
        self._results: list[tuple[str, str, str, int, dict[str, float]]] = []
        self._failures: dict[tuple[str, str, str], str] = {}
        self._seen: dict[str, dict[str, None]] = {}
        self._notes: dict[str, None] = {}

    def take(self, number: int, line: str, package: str = "") -> None:
        """Parse a line, of the stream of ``package`` if there are several."""
        line = line.removesuffix("\r")
        if _NAME.match(line):
            self._result(number, line, package)
        elif line.startswith("Unit") and line[4:5].isspace():
            self._unit(number, line)
        elif outcome := _OUTCOME.match(line):
            self._pending.pop(package, None)
            if outcome[1] == "FAIL":
                config = self._config_of(package)
                key = self._side(config), config.get("pkg", package), outcome[2]
                self._failures[key] = f"it failed, see line {number}"
        elif failed := _PACKAGE_FAILED.match(line):
            self._package_failed(number, package, clean_name(failed[1]), clean_name(failed[2]))
        elif setting := _KEY_VALUE.match(line):
            self._configure(package, setting[1], (setting[2] or "").rstrip())
        elif line.startswith(_PACKAGE_DONE):
            self._pending.pop(package, None)
        elif package in self._pending and (measured := _measured(["", *line.split()])):
            self._keep(package, self._pending.pop(package), *measured)

    def finish(self) -> list[ParsedRun]:
        """Return the runs, in the order of their first results."""
        packages = list(dict.fromkeys(package for _, package, *_ in self._results))
        packages += [p for _, p, _ in self._failures if p not in packages]
        suites = _suites(packages)
        runs: dict[str, ParsedRun] = {}
        for side, package, name, loops, figures in self._results:
            run = runs.setdefault(side, ParsedRun(TOOL))
            values = {self._metric(run, unit): value for unit, value in figures.items()}
            _benchmark(run, suites[package], package, name).add(values, loops)
        for (side, package, name), failure in self._failures.items():
            run = runs.setdefault(side, ParsedRun(TOOL))
            _benchmark(run, suites[package], package, name).failure = failure
        for side, run in runs.items():
            run.label = side
            run.provenance = self._provenance()
            for text in (*self._notes, *self._varying()):
                run.note(text)
        return list(runs.values()) or [ParsedRun(TOOL)]

    def _result(self, number: int, line: str, package: str) -> None:
        fields = line.split()
        self._pending.pop(package, None)
        measured = _measured(fields)
        if measured is not None:
            self._keep(package, fields[0], *measured)
            return
        self._pending[package] = fields[0]
        if len(fields) > 2 and _COUNT.fullmatch(fields[1]) and _NUMBER.match(fields[2]):
            self._notes[f"{self._file}:{number}: incomplete result: {shorten(line)}"] = None

    def _package_failed(self, number: int, stream: str, package: str, reason: str) -> None:
        """Mark the running benchmark as failed, or the whole package if none was running."""
        name = self._pending.pop(stream, WHOLE_PACKAGE)
        if name != WHOLE_PACKAGE or not any(p == package for _, p, _ in self._failures):
            side = self._side(self._config_of(stream))
            self._failures[side, package, name] = f"its package failed, see line {number}: {reason}"
        self._notes[f"{self._file}:{number}: package {package} failed {reason}"] = None

    def _keep(self, package: str, name: str, loops: int, figures: dict[str, float]) -> None:
        config = self._config_of(package)
        for key, value in config.items():
            values = self._seen.setdefault(key, {})
            if len(values) < _MOST_VALUES:
                values[value] = None
        self._results.append((self._side(config), config.get("pkg", package), name, loops, figures))

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
            self._notes[f"{self._file}:{number}: a Unit line without settings"] = None
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
            self._notes[f"{self._file}:{number}: {problem}"] = None

    def _metric(self, run: ParsedRun, unit: str) -> Metric:
        exact = self._units.get((_ALIASES.get(unit, unit), "assume")) == "exact"
        direction = self._units.get((_ALIASES.get(unit, unit), "better"))
        better: Better | None = (
            "higher" if direction == "higher" else "lower" if direction else None
        )
        if unit == "ns/op" and better != "higher":
            return msgspec.structs.replace(TIME, exact=exact)
        metric, is_guess = metric_of(unit, unit, better)
        if is_guess:
            run.note_guess(metric)
        return msgspec.structs.replace(metric, exact=exact)

    def _provenance(self) -> Provenance:
        single = {k: next(iter(v)) for k, v in self._seen.items() if len(v) == 1}
        system = "/".join(filter(None, (single.get("goos", ""), single.get("goarch", ""))))
        return Provenance(cpu_model=single.get("cpu", ""), system=system)

    def _varying(self) -> Iterable[str]:
        for key, values in self._seen.items():
            if len(values) > 1 and key not in ("pkg", self._by):
                listing = shorten(", ".join(values))
                name = shorten(key)
                yield f"{name} varies ({listing}): merged; --by {name} keeps them apart"


def _measured(fields: list[str]) -> tuple[int, dict[str, float]] | None:
    """Return iterations and values by unit at the end of a line, or None if there are none."""
    start, figures = len(fields), []
    while start > 3 and _is_number(fields[start - 2]) and not _is_number(fields[start - 1]):
        start -= 2
        figures.append((fields[start + 1], float(fields[start])))
    if not figures or not _COUNT.fullmatch(fields[start - 1]):
        return None
    return int(fields[start - 1]), dict(reversed(figures))


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


_SAFE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_GO_NAME = re.compile(r"Benchmark(?![a-z])")
_PROCS = re.compile(r"-(?=\d+$)")


def write_go_text(run: Run) -> ExportedFile:
    """Write a run as Go benchmark text.

    Raises:
        UsageError: the run has no values.
    """
    metrics = exported_metrics(run)
    require_values(metrics, run, "Go benchmark text")
    by_case: dict[str, list[ExportedMetric]] = {}
    for figure in metrics:
        by_case.setdefault(figure.case.id, []).append(figure)
    cases = [of_case[0].case for of_case in by_case.values()]
    names = unique_names([_go_name(case) for case in cases], "{}({})")
    lines = [f"# run {safe_text(run.id)}, commit {safe_text(run.revision.commit) or 'unknown'}"]
    lines += dict.fromkeys(_unit_line(figure) for figure in metrics if not figure.is_time)
    lines += _config_lines(run)
    suite = None
    for case, name in zip(cases, names, strict=True):
        if case.suite != suite:
            suite = case.suite
            lines += ["", f"pkg: {_word(suite) or 'go'}"]
        lines += _result_lines(name, by_case[case.id])
    return ExportedFile("\n".join(lines) + "\n")


def _config_lines(run: Run) -> Iterator[str]:
    system = safe_text(run.machine.system).split(" ")[0].lower()
    for key, value in (("goos", system), ("cpu", safe_text(run.machine.cpu_model).strip())):
        if value:
            yield f"{key}: {value}"


def _result_lines(name: str, of_case: Sequence[ExportedMetric]) -> Iterator[str]:
    lines: dict[int, list[str]] = {}
    for figure in of_case:
        for process, value in zip(figure.processes, figure.values, strict=True):
            lines.setdefault(process, []).append(f"{value!r} {_go_unit(figure)}")
    count = max(1, of_case[0].loops * of_case[0].operations)
    for process in sorted(lines):
        yield "\t".join([name, str(count), *lines[process]])


def _unit_line(figure: ExportedMetric) -> str:
    exact = " assume=exact" if figure.metric.exact else ""
    return f"Unit {_go_unit(figure)} better={figure.metric.better}{exact}"


def _go_unit(figure: ExportedMetric) -> str:
    """Return ``ns/op`` for times, else name and unit in one word, as Go has them."""
    if figure.is_time:
        return "ns/op"
    name, unit = figure.metric.name, figure.metric.unit
    word = _word(name if unit in ("", name) else f"{name}-{unit}")
    return f"value-{word}" if not word or _is_numeric_suffix(word) else word


def _go_name(case: Case) -> str:
    """Return ``BenchmarkState_write/a=1`` for the case ``transaction/state_write[a=1]``."""
    local = case.id.removeprefix(f"{case.suite}/")
    if _GO_NAME.match(local):
        return _word(local)
    parameters = case.id.removeprefix(case.benchmark)
    if parameters.startswith("[") and parameters.endswith("]"):
        local = local.removesuffix(parameters) + "/" + parameters[1:-1].replace(",", "/")
    # A dash and a number at the end would be taken for the number of processors.
    word = _PROCS.sub("%2D", _word(local))
    return f"Benchmark{word[:1].upper()}{word[1:]}"


def _word(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=_SAFE)


def _is_numeric_suffix(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
