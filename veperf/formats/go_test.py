"""Go benchmark results: what ``go test -bench`` prints, as text and as ``-json`` events.

The format is that of golang.org/design/14313-benchmark-format: result lines, ``key: value`` lines
that hold for the results below them, and ``Unit`` lines about units. A benchmark that logs tears
its line apart: the name comes first, then the log, then the figures. Both are found again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

import msgspec

from veperf.core.case import TIME, Better, Case, Metric, Params
from veperf.core.json_text import refuse_depth
from veperf.core.run import Run
from veperf.formats.collector import Collector, Facts, Gathered, clean, metric_of, slug
from veperf.formats.exported_values import (
    Figure,
    Written,
    refuse_nothing,
    safe,
    unique,
    values_by_case,
)
from veperf.formats.source import Source, brief

TOOL = "go test"
WHOLE_PACKAGE = "(the package)"
"""Stands for the benchmarks of a package that failed before any of them ran."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[Ii]nf|NaN", re.ASCII)
_LONGEST_NUMBER = 400
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_NAME = re.compile(r"Benchmark(?![^\W\dA-Z_])")
_KEY_VALUE = re.compile(r"([^\W\dA-Z_][^\sA-Z:]*):(?:[ \t]+(.*)|)$")
_OUTCOME = re.compile(r"\s*--- (FAIL|SKIP): (Benchmark\S*)")
_PACKAGE_FAILED = re.compile(r"FAIL\t(\S+)\s*(.*)")
_PACKAGE_DONE = ("PASS", "ok ", "ok\t")
_ALIASES: Mapping[str, str] = MappingProxyType({"sec/op": "ns/op", "B/s": "MB/s"})
_PLACES = ("goos", "goarch", "cpu")
_MOST_VALUES = 50


class Event(msgspec.Struct, frozen=True):
    """A line of ``go test -json``."""

    Action: str
    Package: str = ""
    Output: str = ""


def is_text(source: Source) -> bool:
    """Whether some line is a result."""
    return any(
        _NAME.match(line) and (_measured(line.split()) or len(line.split()) == 1)
        for line in source.lines
    ) or any(line.startswith("Unit ") and "=" in line for line in source.lines)


def is_events(source: Source) -> bool:
    """Whether the first JSON line is an event, whatever a build printed before it."""
    first = next((line for line in source.lines if line.startswith("{")), "")
    return '"Action"' in first and _event(first) is not None


def read_text(source: Source, by: str = "") -> list[Collector]:
    """The run in a text; or one for each value of the configuration key ``by``."""
    parser = _Parser(source.name, by)
    for number, line in enumerate(source.lines, 1):
        parser.take(number, line)
    return parser.finish()


def read_events(source: Source, by: str = "") -> list[Collector]:
    """The same for ``-json``, whose events hold pieces of lines, packages taking turns."""
    parser = _Parser(source.name, by)
    torn: dict[str, list[str]] = {}
    number = 0
    for number, line in enumerate(source.lines, 1):
        event = _event(line)
        if event is None:
            parser.take(number, line)
        elif event.Action == "output":
            *whole, rest = event.Output.split("\n")
            for piece in whole:
                parser.take(number, "".join(torn.pop(event.Package, [])) + piece, event.Package)
            if rest:
                torn.setdefault(event.Package, []).append(rest)
    for package, pieces in torn.items():
        parser.take(number, "".join(pieces), package)
    return parser.finish()


class _Parser:
    """Takes lines in and gathers what they say."""

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
        """One line, of the stream of ``package`` where there are several."""
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
                self._failures[key] = f"it failed, says line {number}"
        elif failed := _PACKAGE_FAILED.match(line):
            self._package_failed(number, package, clean(failed[1]), clean(failed[2]))
        elif found := _KEY_VALUE.match(line):
            self._configure(package, found[1], (found[2] or "").rstrip())
        elif line.startswith(_PACKAGE_DONE):
            self._pending.pop(package, None)
        elif package in self._pending and (measured := _measured(["", *line.split()])):
            self._keep(package, self._pending.pop(package), *measured)

    def finish(self) -> list[Collector]:
        """The runs, in the order in which their first results came."""
        packages = list(dict.fromkeys(package for _, package, *_ in self._results))
        packages += [p for _, p, _ in self._failures if p not in packages]
        suites = _suites(packages)
        runs: dict[str, Collector] = {}
        for side, package, name, loops, figures in self._results:
            run = runs.setdefault(side, Collector(TOOL))
            values = {self._metric(run, unit): value for unit, value in figures.items()}
            _gathered(run, suites[package], package, name).add(values, loops)
        for (side, package, name), why in self._failures.items():
            run = runs.setdefault(side, Collector(TOOL))
            _gathered(run, suites[package], package, name).failure = why
        for side, run in runs.items():
            run.label = side
            run.facts = self._facts()
            for text in (*self._notes, *self._varying()):
                run.note(text)
        return list(runs.values()) or [Collector(TOOL)]

    def _result(self, number: int, line: str, package: str) -> None:
        fields = line.split()
        self._pending.pop(package, None)
        measured = _measured(fields)
        if measured is not None:
            self._keep(package, fields[0], *measured)
            return
        self._pending[package] = fields[0]
        if len(fields) > 2 and _COUNT.fullmatch(fields[1]) and _NUMBER.match(fields[2]):
            what = f"{self._file}:{number}: no whole result: {brief(line)}"
            self._notes[what] = None

    def _package_failed(self, number: int, stream: str, package: str, why: str) -> None:
        """What was running is what failed; where nothing was, no benchmark of it was measured."""
        name = self._pending.pop(stream, WHOLE_PACKAGE)
        if name != WHOLE_PACKAGE or not any(p == package for _, p, _ in self._failures):
            side = self._side(self._config_of(stream))
            self._failures[side, package, name] = f"its package failed, says line {number}: {why}"
        self._notes[f"{self._file}:{number}: package {package} failed {why}"] = None

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
            config[key] = clean(value)
        else:
            config.pop(key, None)

    def _config_of(self, package: str) -> dict[str, str]:
        return self._config.setdefault(package, {})

    def _side(self, config: Mapping[str, str]) -> str:
        return config.get(self._by, "") if self._by else ""

    def _unit(self, number: int, line: str) -> None:
        _, *fields = line.split()
        if len(fields) < 2:
            self._notes[f"{self._file}:{number}: a Unit line that says nothing"] = None
        for item in fields[1:]:
            key, _, value = item.partition("=")
            place = _ALIASES.get(fields[0], fields[0]), key
            if not key or not value:
                what = f"key=value is wanted, not {brief(item)}"
            elif self._units.setdefault(place, value) != value:
                what = f"{brief(key)} of {brief(fields[0])} is {brief(self._units[place])} already"
            else:
                continue
            self._notes[f"{self._file}:{number}: {what}"] = None

    def _metric(self, run: Collector, unit: str) -> Metric:
        exact = self._units.get((_ALIASES.get(unit, unit), "assume")) == "exact"
        told = self._units.get((_ALIASES.get(unit, unit), "better"))
        better: Better | None = "higher" if told == "higher" else "lower" if told else None
        if unit == "ns/op" and better != "higher":
            return msgspec.structs.replace(TIME, exact=exact)
        metric, guessed = metric_of(unit, unit, better)
        if guessed:
            run.guessed(metric)
        return msgspec.structs.replace(metric, exact=exact)

    def _facts(self) -> Facts:
        one = {k: next(iter(v)) for k, v in self._seen.items() if len(v) == 1}
        system = "/".join(filter(None, (one.get("goos", ""), one.get("goarch", ""))))
        return Facts(cpu_model=one.get("cpu", ""), system=system)

    def _varying(self) -> Iterable[str]:
        for key, values in self._seen.items():
            if len(values) > 1 and key not in ("pkg", self._by):
                shown = brief(", ".join(values))
                yield f"{brief(key)} varies ({shown}): merged; --by {brief(key)} keeps them apart"


def _measured(fields: list[str]) -> tuple[int, dict[str, float]] | None:
    """Iterations and values by unit at the end of a line, after its name and whatever follows."""
    start, figures = len(fields), []
    while start > 3 and _is_number(fields[start - 2]) and not _is_number(fields[start - 1]):
        start -= 2
        figures.append((fields[start + 1], float(fields[start])))
    if not figures or not _COUNT.fullmatch(fields[start - 1]):
        return None
    return int(fields[start - 1]), dict(reversed(figures))


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) is not None


def _event(line: str) -> Event | None:
    if not line.startswith("{"):
        return None
    try:
        refuse_depth(line)
        return msgspec.json.decode(line, type=Event)
    except (msgspec.DecodeError, ValueError):
        return None


def _gathered(run: Collector, suite: str, package: str, name: str) -> Gathered:
    base, params = _parameters(name)
    return run.benchmark(suite, name, benchmark=base, what=package, params=params)


def _parameters(name: str) -> tuple[str, Params]:
    """``BenchmarkEncode`` and ``{format: json, gomaxprocs: 48}`` of its full name."""
    whole, dash, procs = name.rpartition("-")
    if not dash or not _COUNT.fullmatch(procs):
        whole, procs = name, ""
    base, params = [], Params()
    for part in whole.split("/")[:50]:
        key, equals, value = part.partition("=")
        if equals and key and len(part) < 100:
            params[clean(key)] = int(value) if _COUNT.fullmatch(value) else clean(value)
        else:
            base.append(part)
    if procs:
        params["gomaxprocs"] = int(procs)
    return "/".join(base), params


def _suites(packages: list[str]) -> dict[str, str]:
    """A name for each package: its last two parts, more or a number where those are taken."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for package in packages:
        parts = package.split("/")
        tails = [slug("-".join(parts[-depth:])) for depth in range(2, min(len(parts), 10) + 1)]
        wanted = [tail for tail in tails or [slug(package)] if tail] or ["go"]
        name = next((tail for tail in wanted if tail not in taken), "")
        while not name or name in taken:
            numbers[wanted[0]] = numbers.get(wanted[0], 1) + 1
            name = f"{wanted[0]}.{numbers[wanted[0]]}"
        taken.add(name)
        names[package] = name
    return names


_SAFE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_GO_NAME = re.compile(r"Benchmark(?![a-z])")
_PROCS = re.compile(r"-(?=\d+$)")


def write(run: Run) -> Written:
    """The text.

    Raises:
        UsageError: the run has no values.
    """
    found = values_by_case(run)
    refuse_nothing(found, run, "Go benchmark text")
    by_case: dict[str, list[Figure]] = {}
    for figure in found:
        by_case.setdefault(figure.case.id, []).append(figure)
    cases = [of_case[0].case for of_case in by_case.values()]
    names = unique([_name(case) for case in cases], "{}({})")
    lines = [f"# run {safe(run.id)}, commit {safe(run.revision.commit) or 'unknown'}"]
    lines += dict.fromkeys(_unit_line(figure) for figure in found if not figure.is_time)
    lines += _places(run)
    suite = None
    for case, name in zip(cases, names, strict=True):
        if case.suite != suite:
            suite = case.suite
            lines += ["", f"pkg: {_word(suite) or 'go'}"]
        lines += _results(name, by_case[case.id])
    return Written("\n".join(lines) + "\n")


def _places(run: Run) -> Iterator[str]:
    system = safe(run.machine.system).split(" ")[0].lower()
    for key, value in (("goos", system), ("cpu", safe(run.machine.cpu_model).strip())):
        if value:
            yield f"{key}: {value}"


def _results(name: str, of_case: Sequence[Figure]) -> Iterator[str]:
    lines: dict[int, list[str]] = {}
    for figure in of_case:
        for process, value in zip(figure.processes, figure.values, strict=True):
            lines.setdefault(process, []).append(f"{value!r} {_unit(figure)}")
    count = max(1, of_case[0].loops * of_case[0].operations)
    for process in sorted(lines):
        yield "\t".join([name, str(count), *lines[process]])


def _unit_line(figure: Figure) -> str:
    exact = " assume=exact" if figure.metric.exact else ""
    return f"Unit {_unit(figure)} better={figure.metric.better}{exact}"


def _unit(figure: Figure) -> str:
    """``ns/op``; of other metrics the name and the unit, which Go has in one."""
    if figure.is_time:
        return "ns/op"
    name, unit = figure.metric.name, figure.metric.unit
    word = _word(name if unit in ("", name) else f"{name}-{unit}")
    return f"value-{word}" if not word or _is_numeric_suffix(word) else word


def _name(case: Case) -> str:
    """``BenchmarkState_write/accounts=1000`` of ``transaction/state_write[accounts=1000]``."""
    local = case.id.removeprefix(f"{case.suite}/")
    if _GO_NAME.match(local):
        return _word(local)
    parameters = case.id.removeprefix(case.benchmark)
    if parameters.startswith("[") and parameters.endswith("]"):
        local = local.removesuffix(parameters) + "/" + parameters[1:-1].replace(",", "/")
    # What ends in a number after a dash would be taken for a number of processors.
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
