"""Go benchmark results of any number of files, arranged in tables, rows and columns by their keys.

The columns become runs, which are compared as any others; the rows become their cases, and the
tables their suites.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from veperf.core.case import TIME
from veperf.core.errors import UsageError
from veperf.core.run import SEVERAL_CPUS, Run
from veperf.formats.account import account_notes, summarise_accounts
from veperf.formats.go_lines import parameters_of, suites_of
from veperf.formats.go_test import TOOL, WHOLE_PACKAGE, read_go_text
from veperf.formats.go_writer import go_names, go_package, setting_lines, write_go_text
from veperf.formats.imported import (
    ParsedBenchmark,
    ParsedRun,
    Provenance,
    slug,
)
from veperf.formats.imported_run import build_run
from veperf.formats.projection import (
    CONFIG,
    FILE,
    FULL_NAME,
    Field,
    Keeps,
    ResultKeys,
    parse_filter,
    parse_projection,
    sort_values,
)
from veperf.formats.readers import INPUT_FORMATS, detect_format, read_runs_from
from veperf.formats.source import SourceFile, is_existing_folder, load_source
from veperf.stats.process_values import series_of
from veperf.verdicts.benchstat import Layout

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Keys with their values."""
_PREFIX = "Benchmark"
_TIME_UNIT = "ns/op"


@dataclass(frozen=True, slots=True)
class Projections:
    """Keys by which results are arranged, and the filter that selects them."""

    table: tuple[Field, ...]
    row: tuple[Field, ...]
    column: tuple[Field, ...]
    ignore: tuple[Field, ...]
    keeps: Keeps

    @property
    def column_setting(self) -> str:
        """The setting of a file whose values are the columns; empty where something else is."""
        keys = [item.key for item in self.column]
        return keys[0] if len(keys) == 1 and keys[0][:1] not in ("", ".", "/") else ""

    @property
    def own_keys(self) -> frozenset[str]:
        """Keys that stand for a part of ``.config`` or ``.fullname``, which lack it then."""
        keys = {f.key for f in (*self.table, *self.row, *self.column, *self.ignore)}
        return frozenset(keys - {CONFIG, FULL_NAME, FILE})

    def pairs(self, fields: Iterable[Field], keys: ResultKeys) -> Pairs:
        """Return the values of ``fields``, those of ``.config`` one by one."""
        own, pairs = self.own_keys, list[tuple[str, str]]()
        for item in fields:
            if item.key == CONFIG:
                pairs += [(key, value) for key, value in keys.config.items() if key not in own]
            elif item.key == FULL_NAME:
                pairs.append((FULL_NAME, keys.name_without(own)))
            else:
                pairs.append((item.key, keys.value(item.key)))
        return tuple(pairs)

    def residue(self, keys: ResultKeys) -> Pairs:
        """Return what no projection has."""
        projected = {f.key for f in (*self.table, *self.row, *self.column, *self.ignore)}
        return self.pairs((Field(k) for k in (CONFIG, FULL_NAME) if k not in projected), keys)

    def keeps_value(self, keys: ResultKeys) -> bool:
        """Return whether the fixed orders have the values of a result."""
        every = (*self.table, *self.row, *self.column, *self.ignore)
        return all(keys.value(f.key) in f.fixed for f in every if f.fixed)


def parse_projections(
    *, table: str = "", row: str = "", column: str = "", ignore: str = "", filter: str = ""
) -> Projections:
    """Parse the options of a comparison; where one is empty, it is as benchstat has it.

    Raises:
        UsageError: one of them is no projection, or no filter.
    """
    return Projections(
        parse_projection("--table", table or CONFIG),
        parse_projection("--row", row or FULL_NAME),
        parse_projection("--col", column or FILE),
        parse_projection("--ignore", ignore),
        parse_filter("--filter", filter),
    )


@dataclass(frozen=True, slots=True)
class Configurations:
    """The results of a file or run, those of each configuration by itself."""

    runs: list[ParsedRun]
    account: str
    """How much of the file was taken, in one line."""
    notes: tuple[str, ...]
    turns: dict[str, str] = field(default_factory=dict)
    """The ``alternation`` of the results with each value of a setting, where two took turns."""


def read_configurations(
    source: Path | Run, format: str = "", by: str = "", *, setting: str = ""
) -> Configurations:
    """Read the results of a Go file; those of other tools, and of a run, are taken as Go text.

    Of a folder each run has its value of the key ``by``, such as a baseline, as a setting. Whether
    the values of ``setting`` took turns in a Go file is found out if it is given.

    Raises:
        UsageError, DataError, CorruptFileError: as ``read_runs_from``.
    """
    if isinstance(source, Path) and is_existing_folder(source):
        imported = read_runs_from(source, format=format, by=by)
        parts = [_as_go_text(item.run, f"{by}: {item.label}\n" if by else "") for item in imported]
        return Configurations(
            [run for part in parts for run in part.runs],
            summarise_accounts(account for item in imported for account in item.accounts),
            tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )
    if isinstance(source, Path):
        file = load_source(source)
        known = {item.name: item for item in INPUT_FORMATS}.get(format) or detect_format(file)
        if known is not None and known.read_by is not None:
            runs = known.runs(file, CONFIG)
            notes = [*account_notes([file.account]), *(note for run in runs for note in run.notes)]
            account = summarise_accounts([file.account])
            # Whose turn it was is known only of results that are told apart by that alone.
            sides = known.runs(load_source(source), setting) if setting else []
            turns = {side.label: side.alternation for side in sides if side.alternation}
            return Configurations(runs, account, tuple(dict.fromkeys(notes)), turns)
        source = read_runs_from(source, format=format)[0].run
    return _as_go_text(source)


def _as_go_text(run: Run, settings: str = "") -> Configurations:
    """Return the results of a run as those of its Go text, with ``settings`` before it."""
    failures = run.first_failures
    runs: list[ParsedRun] = []
    notes = [*run.notes]
    if not failures or any(series.n for series in series_of(run).values()):
        text = write_go_text(run)
        header, _, results = text.encoded.partition(b"\n")
        lines = header + b"\n" + settings.encode() + results
        runs = read_go_text(SourceFile(lines, run.id), CONFIG)
        notes += text.notes
    names = go_names(run)
    for case in run.cases:
        if failure := failures.get(case.id):
            package = go_package(case, run)
            keys = [*settings.splitlines(), *setting_lines(run)]
            label = "\n".join([*keys, f"pkg: {package}"] if package else keys)
            _add_failure(runs, label, package, names[case.id], failure.message)
    return Configurations(runs, run.reading, tuple(notes))


def _add_failure(runs: list[ParsedRun], label: str, package: str, name: str, message: str) -> None:
    """Fail a benchmark of the run with the settings in ``label``, which is made if need be."""
    parsed = next((run for run in runs if run.label == label), None)
    if parsed is None:
        parsed = ParsedRun(TOOL)
        parsed.label = label
        if runs:
            parsed.provenance = runs[0].provenance
        runs.append(parsed)
    known = next((b for b in parsed.benchmarks if (b.what, b.name) == (package, name)), None)
    if known is None:
        base, params = parameters_of(name)
        known = parsed.benchmark(
            slug(package) or TOOL, name, benchmark=base, what=package, params=params
        )
    known.failure = message


@dataclass(slots=True)
class _Entry:
    """A benchmark with its place."""

    table: Pairs
    row: Pairs
    column: Pairs
    benchmark: ParsedBenchmark
    parsed: ParsedRun
    residues: list[Pairs] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ProjectedRuns:
    """The columns of a comparison as runs, with their names and layout."""

    names: tuple[str, ...]
    runs: tuple[Run, ...]
    layout: Layout
    left_out: int
    """Number of benchmarks that the filter left out."""
    is_paired: bool
    """True where the columns took turns, and are compared as pairs."""


def project_runs(
    files: Sequence[tuple[str, Sequence[ParsedRun]]],
    projections: Projections,
    turns: Mapping[str, str] = MappingProxyType({}),
) -> ProjectedRuns:
    """Arrange the results of ``files``, each with its name and a run for each configuration.

    Args:
        files: their names and runs.
        projections: where results stand.
        turns: the ``alternation`` of each column by its text, where they took turns.

    Raises:
        UsageError: nothing is left of them.
    """
    entries, left_out = list[_Entry](), 0
    for file, runs in files:
        for parsed in runs:
            for benchmark in parsed.benchmarks:
                entry = _entry(benchmark, parsed, file, projections)
                if entry is None:
                    left_out += 1
                else:
                    entries.append(entry)
    if not entries:
        raise UsageError(f"nothing is left by --filter and the orders of {left_out} benchmarks")
    tables = _places([entry.table for entry in entries], projections.table)
    rows = _places([entry.row for entry in entries], projections.row)
    columns = _places([entry.column for entry in entries], projections.column)
    suites = _suites(list(tables))
    is_full_name = [item.key for item in projections.row] == [FULL_NAME]
    order: dict[str, int] = {}
    notes: dict[tuple[int, str], str] = {}
    cells: dict[tuple[int, str], set[Pairs]] = {}
    is_merged = False
    parsed_runs = {column: ParsedRun(TOOL) for column in columns}
    sources: dict[Pairs, list[Provenance]] = {column: [] for column in columns}
    for entry in sorted(entries, key=lambda e: (tables[e.table], rows[e.row])):
        name = _text(entry.row)
        if is_full_name and entry.benchmark.name != WHOLE_PACKAGE:
            name = _PREFIX + name
        suite = suites[entry.table]
        base, params = parameters_of(name) if is_full_name else (name, {})
        what = ", ".join(f"{key}: {value}" for key, value in entry.table)
        target = parsed_runs[entry.column].benchmark(
            suite, name, benchmark=base, what=what, params=params
        )
        _merge(target, entry.benchmark)
        sources[entry.column].append(entry.parsed.provenance)
        case = f"{suite}/{name}"
        is_merged |= (columns[entry.column], case) in cells
        order.setdefault(case, len(order))
        cells.setdefault((columns[entry.column], case), set()).update(entry.residues)
    for place, residues in cells.items():
        if varying := _varying(residues):
            notes[place] = f"benchmarks vary in {', '.join(varying)}"
    names, runs_ = [], []
    is_paired = not is_merged and {_text(column) for column in columns} == turns.keys()
    for column, parsed in parsed_runs.items():
        parsed.label = _text(column)
        parsed.alternation = turns[parsed.label] if is_paired else ""
        parsed.provenance = _common_provenance(sources[column])
        names.append(parsed.label or "(none)")
        runs_.append(build_run(parsed, names[-1]).run)
    titles = {suites[table]: _title(table) for table in tables}
    layout = Layout(titles, order, notes)
    return ProjectedRuns(tuple(names), tuple(runs_), layout, left_out, is_paired)


def _entry(
    benchmark: ParsedBenchmark, parsed: ParsedRun, file: str, projections: Projections
) -> _Entry | None:
    """Return where a benchmark stands, with the values that are kept; None where none is."""
    config = dict(line.split(": ", 1) for line in parsed.label.split("\n") if line)
    if benchmark.what:
        config.setdefault("pkg", benchmark.what)
    keys = ResultKeys(benchmark.name.removeprefix(_PREFIX), config, file)
    # What failed before there was a name is part of everything.
    if benchmark.name != WHOLE_PACKAGE:
        if not projections.keeps_value(keys):
            return None
        benchmark = _filtered(benchmark, keys, projections.keeps)
        if not benchmark.metrics and not benchmark.why_failed:
            return None
    return _Entry(
        projections.pairs(projections.table, keys),
        projections.pairs(projections.row, keys),
        projections.pairs(projections.column, keys),
        benchmark,
        parsed,
        [projections.residue(keys)],
    )


def _filtered(benchmark: ParsedBenchmark, keys: ResultKeys, keeps: Keeps) -> ParsedBenchmark:
    """Return ``benchmark`` with the metrics whose unit the filter keeps."""
    units = {name: _TIME_UNIT if name == TIME.name else name for name in benchmark.metrics}
    kept = {name for name, unit in units.items() if keeps(keys, unit)}
    failed = bool(benchmark.failure) and keeps(keys, _TIME_UNIT)
    if len(kept) == len(units) and (kept or failed):
        return benchmark
    return ParsedBenchmark(
        benchmark.suite,
        benchmark.name,
        benchmark.benchmark,
        benchmark.what,
        benchmark.params,
        {name: metric for name, metric in benchmark.metrics.items() if name in kept},
        benchmark.repetitions.of_metrics(kept),
        benchmark.failure if kept or failed else "",
        skipped=not (kept or failed),
        added=benchmark.added,
        faults=benchmark.faults if kept else {},
    )


def _merge(target: ParsedBenchmark, benchmark: ParsedBenchmark) -> None:
    target.metrics |= benchmark.metrics
    target.repetitions.extend(benchmark.repetitions)
    target.failure = target.failure or benchmark.failure
    target.added += benchmark.added
    for fault, count in benchmark.faults.items():
        target.faults[fault] = target.faults.get(fault, 0) + count


def _places(every: Sequence[Pairs], fields: Sequence[Field]) -> dict[Pairs, int]:
    """Return the places of what stands in a table's direction, in order, by one key after another.

    Settings that ``.config`` stands for are in alphabetical order, as benchstat has them.
    """
    distinct = list(dict.fromkeys(every))
    orders = {item.key: item for item in fields}
    values = [dict(pairs) for pairs in distinct]
    ranks = {}
    for key in dict.fromkeys(key for pairs in distinct for key, _ in pairs):
        of_key = [value.get(key, "") for value in values]
        ranks[key] = sort_values(of_key, orders.get(key, Field(key, "alpha")))
    in_order = sorted(
        range(len(distinct)),
        key=lambda i: tuple(rank[values[i].get(key, "")] for key, rank in ranks.items()),
    )
    return {distinct[i]: place for place, i in enumerate(in_order)}


def _suites(tables: Sequence[Pairs]) -> dict[Pairs, str]:
    """Name each table by its package, and the settings in which the tables differ."""
    varying = [key for key in _varying(tables) if key != "pkg"]
    words = []
    for table in tables:
        values = dict(table)
        settings = [slug(f"{key}-{values[key]}") for key in varying if values.get(key)]
        words.append((values.get("pkg", ""), ".".join(settings)))
    packages = suites_of(list(dict.fromkeys(package for package, _ in words)))
    names: dict[str, None] = {}
    for package, settings_text in words:
        name = ".".join(filter(None, (packages[package], settings_text)))
        unique, number = name, 1
        while unique in names:
            number += 1
            unique = f"{name}.{number}"
        names[unique] = None
    return dict(zip(tables, names, strict=True))


def _varying(every: Iterable[Pairs]) -> list[str]:
    """Return the keys in which ``every`` differ."""
    values: list[Mapping[str, str]] = [dict(pairs) for pairs in every]
    keys = dict.fromkeys(key for value in values for key in value)
    return [key for key in keys if len({value.get(key, "") for value in values}) > 1]


def _text(pairs: Pairs) -> str:
    return " ".join(value for _, value in pairs if value)


def _title(table: Pairs) -> str:
    return ", ".join(f"{key}: {value}" for key, value in table) or "all results"


def _common_provenance(sources: Sequence[Provenance]) -> Provenance:
    """Return what is known of the machines of all results of a column."""
    cpus = list(dict.fromkeys(s.cpu_model for s in sources if s.cpu_model))
    systems = {s.system for s in sources}
    cpu = cpus[0] if len(cpus) == 1 else SEVERAL_CPUS + ", ".join(cpus) if cpus else ""
    return Provenance(cpu_model=cpu, system=systems.pop() if len(systems) == 1 else "")
