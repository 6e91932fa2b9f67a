"""Go benchmark results: what ``go test -bench`` prints.

A benchmark that logs splits its line: first the name, then the log, then the figures. The reader
joins both parts again. The grammar of lines is in ``go_lines``; ``go_events`` reads ``-json``.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from types import MappingProxyType

import msgspec

from veperf.core.case import TIME, Better, Metric
from veperf.core.run import SEVERAL_CPUS
from veperf.formats import go_lines
from veperf.formats.account import FileAccount
from veperf.formats.figures import without_colours
from veperf.formats.go_results import TIME_UNIT, GoResults, Key, Place
from veperf.formats.imported import (
    ParsedBenchmark,
    ParsedRun,
    Provenance,
    clean_name,
    metric_of,
)
from veperf.formats.projection import CONFIG
from veperf.formats.source import SourceFile, shorten

TOOL = "go test"
WHOLE_PACKAGE = "(the package)"
"""Name for the benchmarks of a package that failed before any of them ran."""

_ALIASES: Mapping[str, str] = MappingProxyType({"sec/op": TIME_UNIT, "B/s": "MB/s"})
_MOST_VALUES = 50

# What lines are that are no results, in accounts.
_SETTINGS, _ENDINGS, _OTHER = "settings", "ends of packages", "lines of other text"
_NAMES, _SKIPPED, _BLANK = "names before figures", "skipped benchmarks", "blank lines"


def is_go_text(source: SourceFile) -> bool:
    """Return whether any line is a benchmark result, its failure, or a ``Unit`` line.

    A benchmark that logs has its figures in a line of their own, below its name and the log.
    """
    is_named = False
    for line in map(without_colours, source.iterate_lines()):
        fields = line.split()
        if (
            go_lines.is_result(line, fields)
            or (go_lines.is_name(line) and (len(fields) == 1 or go_lines.is_torn(fields)))
            or (line.startswith("Unit ") and "=" in line)
            or go_lines.OUTCOME.search(line)
            or go_lines.PACKAGE_FAILED.match(line)
            or (is_named and go_lines.measured(["", *fields]))
        ):
            return True
        is_named = is_named or go_lines.is_name_before_log(line)
    return False


def read_go_text(source: SourceFile, by: str = "") -> list[ParsedRun]:
    """Read the run in a text, or a run for each value of the configuration key ``by``.

    Of ``.config`` that is a run for each configuration, which is its label, a line a key.
    """
    first_line = source.text.partition("\n")[0].rstrip()
    is_encoded = first_line.startswith("# run ") and first_line.endswith(go_lines.ENCODED)
    parser = GoParser(source.account, by, is_encoded=is_encoded)
    cut_off = go_lines.cut_off_result(source.text)
    for number, lines in source.each_block():
        parser.take(number, lines.removesuffix(cut_off))
    if cut_off:
        parser.take_cut_off(source.account.seen, cut_off)
    return parser.finish()


class GoParser:
    """Parser of output lines, which collects results, settings, failures and notes."""

    def __init__(self, account: FileAccount, by: str, *, is_encoded: bool = False) -> None:
        self._account = account
        self._by = by
        self._is_encoded = is_encoded
        self._config: dict[str, dict[str, str]] = {}
        self._pending: dict[str, str] = {}
        self._alone: dict[str, str] = {}
        self._torn: dict[str, str] = {}
        self._units: dict[tuple[str, str], str] = {}
        self._results = GoResults(keeps_order=bool(by))
        self._failures: dict[Key, str] = {}
        # By package, the names of those, without processors.
        self._failed: dict[str, dict[str, None]] = {}
        self._panics: dict[str, str] = {}
        self._failed_runs: dict[tuple[str, str], str] = {}
        self._unplaced: dict[str, str] = {}
        self._summed_up: dict[str, bool] = {}
        self._unended: dict[str, None] = {}
        self._without_tests: dict[str, None] = {}
        self._seen: dict[str, dict[str, None]] = {}
        self._cpus: dict[str, dict[str, None]] = {}
        self._notes: dict[str, None] = {}
        self._places: dict[str, tuple[str, str]] = {}

    def take(self, number: int, lines: str, package: str = "") -> None:
        """Parse lines from ``number`` on, of the stream of ``package`` if there are several."""
        lines = without_colours(lines)
        rows = go_lines.plain_rows(lines)
        texts: list[str] = []
        index = 0
        while index < len(rows):
            if package not in self._pending and go_lines.is_plain(rows[index]):
                end = self._results.add_rows(self._begin_results(package), rows, index)
                self._account.take_each(range(number + index, number + end))
                index = end
                continue
            texts = texts or lines.split("\n")
            self._take_line(number + index, texts[index], package)
            index += 1

    def _take_line(self, number: int, line: str, package: str) -> None:
        """Parse a line that is no plain result."""
        if not package and not line.strip():
            self._account.skip(number, _BLANK)
            return
        *unended, last = go_lines.joined_lines(line.removesuffix("\r"))
        for piece in unended:
            self._unended_line(number, piece, package)
        self._line(number, last, package)

    def take_cut_off(self, number: int, line: str) -> None:
        """Parse the last line of a text, which is a result that is cut off."""
        self._unended_line(number, without_colours(line), "")

    def _unended_line(self, number: int, line: str, package: str) -> None:
        """Parse a line that lacks its end: whole only where a unit is that can't be cut off."""
        fields = line.split()
        if fields and fields[-1] in go_lines.STANDARD_UNITS:
            self._line(number, line, package)
            return
        if go_lines.is_name(line):
            self._end_pending(package)
            self._pending[package] = fields[0]
        if package in self._pending:
            self._torn[package] = f"line {number}: incomplete result: {shorten(line)}"
        self._account.refuse(number, "an incomplete result")

    def _line(self, number: int, line: str, package: str) -> None:
        account = self._account
        line = go_lines.without_text_before(line)
        if panic := go_lines.PANIC.search(line):
            self._panics.setdefault(package, shorten(clean_name(panic[1])))
        if outcome := go_lines.OUTCOME.search(line):
            self._end_pending(package)
            if outcome[1] == "FAIL":
                self._fail(package, outcome[2], f"it failed, see line {number}")
                account.take(number)
            else:
                self._notes[f"{outcome[2]} was skipped"] = None
                account.skip(number, _SKIPPED)
        elif go_lines.is_name(line) or go_lines.is_result(line, line.split()):
            self._result(number, line, package)
        elif failed := go_lines.TEST_FAILED.match(line):
            self._run_failed(number, package, clean_name(failed[1] or ""))
            account.skip(number, _ENDINGS)
        elif line.startswith("Unit") and line[4:5].isspace():
            account.skip(number, _SETTINGS)
            self._unit(number, line)
        elif without_tests := go_lines.NO_TESTS.match(line):
            self._without_tests[clean_name(without_tests[1])] = None
            account.skip(number, _ENDINGS)
        elif failed := go_lines.PACKAGE_FAILED.match(line):
            self._package_failed(number, package, clean_name(failed[1]), clean_name(failed[2]))
            self._summed_up[package] = True
            self._unended.pop(package, None)
            account.skip(number, _ENDINGS)
        elif setting := go_lines.KEY_VALUE.match(line):
            self._configure(package, setting[1], (setting[2] or "").rstrip())
            account.skip(number, _SETTINGS)
        elif line.startswith(go_lines.PACKAGE_DONE):
            self._end_pending(package)
            self._summed_up[package] = self._summed_up.get(package, False) or line[:2] == "ok"
            self._unended.pop(package, None)
            account.skip(number, _ENDINGS)
        else:
            self._other_line(number, line, package)

    def _other_line(self, number: int, line: str, package: str) -> None:
        """Parse a line that may be the figures of the name before, or a log."""
        fields = ["", *line.split()]
        if measured := go_lines.measured(fields):
            self._torn.pop(package, None)
            if package in self._pending and "Benchmark" not in line:
                self._keep(package, self._pending.pop(package), *measured)
                self._account.take(number)
            else:
                self._account.refuse(number, "a result without a name of its own")
        elif package in self._pending and go_lines.is_torn(fields):
            self._torn[package] = f"line {number}: incomplete result: {shorten(line)}"
            self._account.refuse(number, "an incomplete result")
        else:
            self._account.skip(number, _OTHER)

    def fail(self, number: int, package: str, test: str) -> None:
        """Record that an event says that ``test``, or all of ``package``, failed."""
        if test and not test.startswith("Benchmark"):
            return
        failed = self._failed.get(package, {})
        if test and test not in failed:
            self._fail(package, test, f"it failed, see line {number}")
        elif not test and not failed:
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
        by_key = self._results.by_key
        packages = dict.fromkeys(package for _, package, _ in by_key)
        packages |= dict.fromkeys(package for _, package, _ in self._failures)
        suites = go_lines.suites_of(list(packages))
        runs: dict[str, ParsedRun] = {}
        metrics = {name: self._metric(unit) for unit, name in self._results.names.items()}
        for (side, package, name), repetitions in by_key.items():
            run = runs.setdefault(side, ParsedRun(TOOL))
            self._benchmark(run, suites, package, name).add_all(repetitions, metrics)
        full_names = self._names_by_bare_one() if self._failures else {}
        for key, failure in self._failures.items():
            run = runs.setdefault(key[0], ParsedRun(TOOL))
            for name in [key[2]] if key in by_key else full_names.get(key, [key[2]]):
                self._benchmark(run, suites, key[1], name).failure = failure
        alternation = self._alternation()
        for side, run in runs.items():
            run.label = side
            run.alternation = alternation
            run.provenance = self._provenance(side)
            run.settings = {k: next(iter(v)) for k, v in self._seen.items() if len(v) == 1}
            for text in (*self._notes, *self._varying()):
                run.note(text)
        return list(runs.values()) or [ParsedRun(TOOL)]

    def _benchmark(
        self, run: ParsedRun, suites: Mapping[str, str], package: str, name: str
    ) -> ParsedBenchmark:
        base, params = go_lines.parameters_of(name, is_encoded=self._is_encoded)
        full = go_lines.decode_name(name) if self._is_encoded else name
        return run.benchmark(suites[package], full, benchmark=base, what=package, params=params)

    def _alternation(self) -> str:
        """Return a name for these results where two sides took turns in all; else nothing.

        A benchmark's results alternate, as of a loop that runs it once with each side, in any
        order, twice or more often. It is the same for the same results alone.
        """
        both = {side for side, *_ in self._results.by_key}
        if len(both) != 2:
            return ""
        in_order = self._results.in_order()
        sides: dict[tuple[str, str], list[str]] = {}
        for _, (side, package, name), _, _ in in_order:
            sides.setdefault((package, name), []).append(side)
        for turns in sides.values():
            pairs = list(zip(turns[::2], turns[1::2], strict=False))
            if len(turns) % 2 or len(pairs) < 2 or any(set(pair) != both for pair in pairs):
                return ""
        if self._by != CONFIG:
            note = f"the values of {self._by} take turns in the file: compared as pairs"
            self._notes[note] = None
        return sha256(repr(in_order).encode()).hexdigest()[:16]

    def _fail(self, package: str, name: str, reason: str) -> None:
        self._add_failure((*self._place(package), name), reason)

    def _add_failure(self, key: Key, reason: str) -> None:
        self._failures.setdefault(key, reason)
        self._failed.setdefault(key[1], {})[go_lines.without_processors(key[2])] = None

    def _place(self, stream: str) -> tuple[str, str]:
        """Return the side and the package that lines of ``stream`` are about now."""
        config = self._config.get(stream, {})
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

    def _names_by_bare_one(self) -> dict[Key, list[str]]:
        """Return the names with results by side, package and name without processors.

        A benchmark that fails at its first call is named so.
        """
        names: dict[Key, list[str]] = {}
        for side, package, name in self._results.by_key:
            bare = go_lines.without_processors(name)
            names.setdefault((side, package, bare), []).append(name)
        return names

    def _result(self, number: int, line: str, package: str) -> None:
        fields = line.split()
        self._end_pending(package)
        measured = go_lines.measured(fields)
        if measured is not None:
            self._keep(package, fields[0], *measured)
            self._account.take(number)
            return
        self._pending[package] = fields[0]
        if len(fields) == 1 or (len(fields) == 2 and go_lines.COUNT.fullmatch(fields[1])):
            self._alone[package] = fields[0]
        if go_lines.is_torn(fields):
            self._torn[package] = f"line {number}: incomplete result: {shorten(line)}"
            self._account.refuse(number, "an incomplete result")
        elif len(fields) > 2 and go_lines.has_unit(fields[-1:]):
            self._account.refuse(number, "figures without a number of iterations before them")
        else:
            self._account.skip(number, _NAMES)

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
        elif package not in self._failed:
            side = self._side(self._config.get(stream, {}))
            self._add_failure((side, package, WHOLE_PACKAGE), failure)
        self._notes[f"line {number}: package {package} failed {reason}"] = None

    def _keep(self, package: str, name: str, loops: int, figures: dict[str, float]) -> None:
        self._results.add(self._begin_results(package), name, loops, figures)

    def _begin_results(self, package: str) -> Place:
        """Return the place of the results that follow in a stream, which is not whole yet."""
        place = self._places.get(package)
        if place is None:
            place = self._places[package] = self._see(package)
        self._summed_up[package] = False
        self._unended[package] = None
        if self._unplaced:
            self._place_failure(package)
        return place

    def _see(self, package: str) -> tuple[str, str]:
        """Note the settings of the results that follow, and return their place."""
        config = self._config.get(package, {})
        for key, value in config.items():
            values = self._seen.setdefault(key, {})
            if len(values) < _MOST_VALUES:
                values[value] = None
        if cpu := config.get("cpu"):
            self._cpus.setdefault(self._side(config), {})[cpu] = None
        return self._place(package)

    def _configure(self, package: str, key: str, value: str) -> None:
        config = self._config.setdefault(package, {})
        self._places.pop(package, None)
        if value:
            config[key] = clean_name(value)
        else:
            config.pop(key, None)

    def _side(self, config: Mapping[str, str]) -> str:
        if self._by == CONFIG:
            return "\n".join(f"{key}: {value}" for key, value in config.items())
        return config.get(self._by, "") if self._by else ""

    def _unit(self, number: int, line: str) -> None:
        _, *fields = line.split()
        if len(fields) < 2:
            self._account.refuse(number, "a Unit line without settings")
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
            self._account.refuse(number, problem)

    def _metric(self, unit: str) -> Metric:
        exact = self._units.get((_ALIASES.get(unit, unit), "assume")) == "exact"
        direction = self._units.get((_ALIASES.get(unit, unit), "better"))
        better: Better | None = (
            "higher" if direction == "higher" else "lower" if direction == "lower" else None
        )
        if unit == TIME_UNIT:
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
            is_apart = is_apart or self._by in (CONFIG, key)
            if len(values) > 1 and key != "pkg" and not is_apart:
                listing = shorten(", ".join(values))
                name = shorten(key)
                done = "times are not judged" if key == "cpu" else "merged"
                yield f"{name} varies ({listing}): {done}; --by {name} keeps them apart"
