"""``veperf compare``."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import click
import msgspec

from veperf.archive.cli_hints import command_hint
from veperf.cli.completion import complete_runs_and_files
from veperf.cli.gate import chosen_policy, print_explanation
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    by_option,
    directions_option,
    format_option,
    options_of,
    print_failures,
    print_notes,
    report_url_option,
)
from veperf.cli.output import echo
from veperf.core.direction import (
    parse_directions,
    reader_notes,
    require_units,
    with_directions,
)
from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.core.option_fields import Options, about, select_options, values_of
from veperf.core.options import CompareOptions, DecisionOptions
from veperf.core.run import Run
from veperf.core.text import join_words
from veperf.core.verdict import ChangeStatus
from veperf.formats.source import is_existing_folder, is_readable_file

if TYPE_CHECKING:
    from veperf.api.results import Comparison
    from veperf.core.gate import GateDecision
    from veperf.core.policy import GatePolicy
    from veperf.report.report_links import ReportLinks
    from veperf.verdicts.benchstat import Layout, UnitTable


@dataclass(frozen=True, kw_only=True)
class ProjectionOptions(Options):
    """Arrangement of results by keys, in the syntax of benchstat."""

    table: Annotated[str, about("Keys that tell tables apart.", metavar="KEYS")] = ""
    row: Annotated[str, about("Keys that tell rows apart.", metavar="KEYS")] = ""
    column: Annotated[str, about("Keys that tell columns apart.", flag="--col", metavar="KEYS")] = (
        ""
    )
    ignore: Annotated[str, about("Keys that results of a row may differ in.", metavar="KEYS")] = ""
    filter: Annotated[
        str, about("Results to use: `/size:(1k OR 4k) -goos:linux`.", metavar="EXPRESSION")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class CompareCommandOptions(CompareOptions, DecisionOptions, ProjectionOptions):
    """Options of ``veperf compare``."""

    sort: Annotated[
        Literal["file", "name", "change"],
        about("Order of rows: that of the file, by name, or the largest change first."),
    ] = "file"


@click.command(
    "compare",
    cls=ExampleCommand,
    examples=[
        "veperf compare 20261120-101500 last",
        "veperf compare old.txt new.txt              files of go test and other tools",
        "veperf compare both.txt --by note           two configurations in one Go file",
        "veperf compare new.txt --row .name --col /format   values of a parameter",
        "veperf compare old.txt new.txt --markdown >comment.md",
    ],
)
@click.argument(
    "names",
    nargs=-1,
    required=True,
    metavar="BASE [NEW]...",
    shell_complete=complete_runs_and_files,
)
@options_of(CompareCommandOptions)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print markdown.")
@report_url_option
@format_option
@by_option
@directions_option
@archive_option
@click.pass_context
def compare_command(
    context: click.Context,
    names: tuple[str, ...],
    options: CompareCommandOptions,
    as_markdown: bool,
    report_url: str | None,
    format: str,
    by: str,
    directions: tuple[str, ...],
    archive: str | None,
) -> None:
    """Compare runs, or files of other tools, with the first of them.

    NEW is the last run when not given.

    Each is a run in the archive or another tool's file. Medians with their 95 % intervals, the
    change (`~` where the samples don't differ by the Mann-Whitney test at 0.05), p, n and geometric
    means are benchstat's; the last column is veperf's verdict, which also asks for the size of the
    effect, corrects for the number of comparisons and refuses to compare machines.

    Two runs made at different times differ by what happened to the machine in between, too:
    `suspect` is a reason to look closer; `slower` is beyond what such drift explains, and ends
    with exit code 1. Of other tools' results the machine is not known: a slowdown is `slower` from
    20 % on, and from 5 % on with --same-machine. Counts, such as allocations, are compared exactly;
    a file without single values is judged by the statistics that it has. A metric whose better
    direction neither file nor unit says has `changed`, and is never slower or faster; --better says
    it. What failed in any repetition is an error, as is nothing in common: both end with 3. See
    --explain, and docs/verdicts.md for what decides.

    --table, --row, --col, --ignore and --filter arrange and select results by keys, in the syntax
    of benchstat: .name, .fullname, .file, .config, /parameter, .unit, and the settings in a Go file
    such as goos. With any of them the others are as benchstat has them: tables by .config, rows by
    .fullname, columns by .file. Each column is compared with the first. See docs/formats.md.
    """
    from veperf.report import rendering
    from veperf.report.report_links import find_report_links

    policy = chosen_policy(context, options)
    known = parse_directions(directions)
    if by and len(names) > 1:
        raise click.UsageError("--by tells two runs in one file apart: no NEW")
    projections = select_options(ProjectionOptions, values_of(options))
    is_arranged = projections != ProjectionOptions()
    if by and is_arranged:
        raise click.UsageError("--by is --col with two values: not both")
    with _paused_collection():
        if is_arranged:
            sides = _arranged(names, format, archive, projections)
        elif by:
            sides = _Sides(_read_both(names[0], format, by))
        else:
            sides = _Sides(_named_sides(names, format, archive))
        require_units([run for _, run in sides.runs], known)
        sides.runs = [(name, with_directions(run, known)) for name, run in sides.runs]
        rules = select_options(CompareOptions, values_of(options))
        compared = _compare(sides, rules, policy, options.sort)
        notes = _notes(compared, same_machine=options.same_machine)
        if as_markdown:
            links = find_report_links(report_url or "")
            text = _markdown(compared, notes, links, explain=options.explain)
            click.echo(text, nl=False)
            context.exit(compared.decision.exit_code)
        _print_tables(compared)
        for note, about in notes.items():
            print_notes(join_words(about), [note])
        echo(f"\n{rendering.decision_text(compared.decision)}")
        if options.explain:
            print_explanation(compared.decision)
        context.exit(compared.decision.exit_code)


@contextmanager
def _paused_collection() -> Iterator[None]:
    """Don't look for cycles meanwhile: there are none in what is read, and all of it stays.

    Nor at the end of the process, which takes longer than the tests of ten thousand benchmarks.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()


@dataclass
class _Sides:
    """The runs to compare, by name, the base first."""

    runs: list[tuple[str, Run]]
    layout: "Layout | None" = None
    accounts: list[tuple[str, str]] = field(default_factory=list)
    """How much was taken of each file, by its name."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Notes on reading by name, besides those of the runs."""

    @property
    def readings(self) -> list[str]:
        """A line a file: how much of it was taken."""
        of_runs = ((name, run.reading) for name, run in self.runs if run.reading)
        return [f"{name}: {account}" for name, account in (*self.accounts, *of_runs)]


@dataclass(frozen=True)
class _Compared:
    """The runs with their comparisons, and the decision about all."""

    sides: _Sides
    comparisons: list["Comparison"]
    tables: tuple["UnitTable", ...]
    decision: "GateDecision"

    @property
    def names(self) -> list[str]:
        """Names of the runs."""
        return [name for name, _ in self.sides.runs]


def _compare(
    sides: _Sides,
    rules: CompareOptions,
    policy: "GatePolicy",
    sort: Literal["file", "name", "change"],
) -> _Compared:
    from veperf.api.runs import compare
    from veperf.verdicts.benchstat import Layout, benchstat_tables, sort_rows
    from veperf.verdicts.gate import decide

    (name, base), *others = sides.runs
    comparisons = [
        replace(compare(base, run, options=rules, policy=policy), name=name) for _, run in others
    ]
    tables = benchstat_tables(*(run for _, run in sides.runs), layout=sides.layout or Layout())
    if len(comparisons) == 1:
        decision = comparisons[0].decision
    else:
        decisions = [comparison.decision for comparison in comparisons]
        decision = decide(
            [
                msgspec.structs.replace(item, place=other)
                for (other, _), decided in zip(others, decisions, strict=True)
                for item in decided.items
            ],
            strict=policy.strict,
            nothing="nothing was compared: there is one column",
            notes=[*dict.fromkeys(note for decided in decisions for note in decided.notes)],
        )
    return _Compared(sides, comparisons, tuple(sort_rows(t, sort) for t in tables), decision)


def _print_tables(compared: _Compared) -> None:
    from veperf.report.tables.benchstat_table import benchstat_texts

    changes = [comparison.changes for comparison in compared.comparisons]
    texts = benchstat_texts(compared.tables, changes, compared.names)
    for number, text in enumerate(texts):
        echo(f"\n{text}" if number else text)
    for line in compared.sides.readings:
        echo(one_line(line))
    for name, run in compared.sides.runs:
        print_failures(run, name)


def _markdown(
    compared: _Compared,
    notes: Mapping[str, Sequence[str]],
    links: "ReportLinks",
    *,
    explain: bool,
) -> str:
    """Return a comparison as Markdown that fits a comment."""
    from veperf.report.markdown_writer import (
        MOST_COMMENT_BYTES,
        NOTES,
        MarkdownPart,
        write_decision,
    )
    from veperf.report.rendering import presence_parts
    from veperf.report.tables.benchstat_table import benchstat_parts
    from veperf.report.tables.gate_table import gate_table

    decision = compared.decision
    changes = [comparison.changes for comparison in compared.comparisons]
    parts = benchstat_parts(compared.tables, changes, compared.names)
    parts += presence_parts(decision)
    lines = [f"{join_words(names)}: {note}" for note, names in notes.items()]
    if lines := [*compared.sides.readings, *lines]:
        parts.append(MarkdownPart("Notes", tuple(lines), NOTES))
    if explain:
        parts.append(MarkdownPart("Every question", (gate_table(decision, ""),)))
    whole = "the output of `veperf compare` without --markdown"
    return write_decision(decision, parts, links=links, most=MOST_COMMENT_BYTES, whole=whole)


def _notes(compared: _Compared, *, same_machine: bool) -> dict[str, list[str]]:
    """Return the notes on reading and on the comparisons, with the sides that each is about."""
    from veperf.verdicts.renamed import renamed_benchmarks

    names: dict[str, list[str]] = {}
    for name, note in compared.sides.notes:
        names.setdefault(note, []).append(name)
    for name, run in compared.sides.runs:
        for note in reader_notes(run):
            names.setdefault(note, []).append(name)
    base = compared.names[0]
    for comparison, other in zip(compared.comparisons, compared.names[1:], strict=True):
        hints = [*renamed_benchmarks(comparison.base, comparison.new)]
        hints += _setting_notes(comparison.base, comparison.new)
        hints.append(_machine_note(comparison, same_machine=same_machine))
        for hint in filter(None, hints):
            names.setdefault(hint, [base]).append(other)
    return names


def _setting_notes(base: Run, new: Run) -> Iterator[str]:
    """Yield a note on each setting of both files in which they differ as a whole."""
    for key, before in base.settings.items():
        after = new.settings.get(key, before)
        if after != before:
            how = "is compared all the same: --table .config keeps the two apart"
            if key == "pkg":
                how = "tells benchmarks apart: --ignore pkg compares them"
            yield f"{key} differs ({before}, now {after}) and {how}"


def _machine_note(comparison: "Comparison", *, same_machine: bool) -> str:
    """Return why figures were not compared that both sides have; empty where all were."""
    from veperf.verdicts.baseline import machine_differences

    if all(c.status is not ChangeStatus.OTHER_MACHINE for c in comparison.changes):
        return ""
    different = machine_differences(comparison.new.machine, comparison.base.machine)
    if not different:
        first = next(c for c in comparison.changes if c.status is ChangeStatus.OTHER_MACHINE)
        return f"{first.case}: {first.reason}"
    overruled = ", whatever --same-machine says" if same_machine else ""
    return f"the machines differ, so that times are not compared{overruled}: {'; '.join(different)}"


def _named_sides(names: Sequence[str], format: str, archive: str | None) -> list[tuple[str, Run]]:
    """Return the runs of these ``names``, or of one and the last, under names that differ."""
    every = names if len(names) > 1 else (*names, "last")
    pairs = [_label_and_target(name) for name in every]
    sides = [(label, *_side(target, format, archive)) for label, target in pairs]
    named = [(label or name, run) for label, name, run in sides]
    if len(names) == 1 and sides[0][1] == sides[1][1]:
        hint = command_hint("list", "--runs", archive=archive)
        raise UsageError(f"{names[0]} is the last run: name another beside it; {hint} lists them")
    if len({name for name, _ in named}) < len(named):
        return [(name, run) for name, (*_, run) in zip(every, sides, strict=True)]
    return named


def _side(name: str, format: str, archive: str | None) -> tuple[str, Run]:
    """The name of a side, and its run."""
    from veperf.api.runs import read, resolve_run

    path = Path(name)
    if is_readable_file(path):
        return path.name, read(path, format=format).run
    run = resolve_run(name, archive)
    return (path.name if is_existing_folder(path) else run.id), run


def _read_both(file: str, format: str, by: str) -> list[tuple[str, Run]]:
    from veperf.formats.projection import Field, parse_projection
    from veperf.formats.readers import read_runs_from

    fields = parse_projection("--by", by) if "@" in by else (Field(by),)
    if len(fields) != 1:
        raise UsageError(f"--by {by}: a single key tells the runs in a file apart")
    key, chosen = fields[0].key, fields[0].fixed
    runs = read_runs_from(Path(file), format=format, by=key)
    values = join_words([imported.label or "none" for imported in runs[:10]])
    by_label = {imported.label: imported for imported in runs}
    if missing := [label for label in chosen if label not in by_label]:
        raise UsageError(f"{file} has no {key} {join_words(missing)}, but {values}")
    if chosen:
        runs = tuple(by_label[label] for label in chosen)
    if len(runs) < 2 or (not chosen and len(runs) > 2):
        raise UsageError(
            f"{file} has {len(runs)} values of {key}, where two are compared: {values}; "
            f"choose, the base first: --by '{key}@(BASE NEW)'"
        )
    return [(imported.label or f"no {key}", imported.run) for imported in runs]


_NO_PAIRS = (
    "results take turns in the file, but are not compared as pairs: for that the columns are the "
    "two values of one setting (--col note), and each row is one benchmark of one file"
)


def _arranged(
    names: Sequence[str], format: str, archive: str | None, projections: ProjectionOptions
) -> _Sides:
    """Return the columns that ``projections`` make of runs and files, be they named LABEL=FILE."""
    from veperf.formats.criterion import BASELINE
    from veperf.formats.projected import parse_projections, project_runs, read_configurations

    parsed = parse_projections(**values_of(projections))
    is_used = BASELINE in parsed.own_keys or f"{BASELINE}:" in projections.filter
    by = BASELINE if is_used else ""
    files, accounts, notes = [], [], []
    turns: dict[str, str] = {}
    took_turns = False
    for label, name in _labelled(names):
        path = Path(name)
        is_path = is_readable_file(path) or (is_used and is_existing_folder(path))
        source = path if is_path else _side(name, format, archive)[1]
        setting = parsed.column_setting
        configurations = read_configurations(source, format, by, setting=setting)
        turns |= configurations.turns
        took_turns |= bool(configurations.turns) or any(r.alternation for r in configurations.runs)
        files.append((label, configurations.runs))
        accounts.append((label, configurations.account))
        notes += [(label, note) for note in configurations.notes]
    projected = project_runs(files, parsed, turns if len(files) == 1 else {})
    about = join_words(label for label, _ in files)
    if projected.is_paired:
        note = f"the values of {parsed.column_setting} take turns in the file: compared as pairs"
        notes.append((about, note))
    elif took_turns:
        notes.append((about, _NO_PAIRS))
    if projected.left_out:
        note = f"{projected.left_out} benchmarks left out by --filter or a fixed order"
        notes.append((about, note))
    runs = list(zip(projected.names, projected.runs, strict=True))
    return _Sides(runs, projected.layout, [a for a in accounts if a[1]], notes)


def _labelled(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return a label, and the file or run, of each of ``names``."""
    files = [Path(name).name for name in names]
    labelled = []
    for number, (name, file) in enumerate(zip(names, files, strict=True)):
        label, target = _label_and_target(name)
        own = file if files.count(file) == 1 else f"{file}#{number}"
        labelled.append((label or own, target))
    return labelled


def _label_and_target(name: str) -> tuple[str, str]:
    """Return the label of LABEL=FILE, and the file or run; no label where there is none."""
    label, _, target = name.partition("=")
    path = Path(name)
    if label and target and not (is_readable_file(path) or is_existing_folder(path)):
        return label, target
    return "", name
