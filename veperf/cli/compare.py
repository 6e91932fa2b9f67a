"""``veperf compare``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.gate import chosen_policy, print_explanation
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    by_option,
    directions_option,
    format_option,
    options_of,
    print_notes,
    report_url_option,
    terminal_width,
)
from veperf.core.direction import (
    parse_directions,
    reader_notes,
    require_units,
    with_directions,
)
from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.core.option_fields import select_options, values_of
from veperf.core.options import CompareOptions, DecisionOptions
from veperf.core.run import Run
from veperf.core.text import join_words
from veperf.core.verdict import ChangeStatus
from veperf.formats.source import is_existing_folder, is_readable_file

if TYPE_CHECKING:
    from veperf.api.results import Comparison
    from veperf.report.report_links import ReportLinks

_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class CompareCommandOptions(CompareOptions, DecisionOptions):
    """Options of ``veperf compare``."""


@click.command(
    "compare",
    cls=ExampleCommand,
    examples=[
        "veperf compare 20261120-101500 last",
        "veperf compare old.txt new.txt              files of go test and other tools",
        "veperf compare both.txt --by note           two configurations in one Go file",
        "veperf compare old.txt new.txt --markdown >comment.md",
    ],
)
@click.argument("base")
@click.argument("new", required=False)
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
    base: str,
    new: str | None,
    options: CompareCommandOptions,
    as_markdown: bool,
    report_url: str | None,
    format: str,
    by: str,
    directions: tuple[str, ...],
    archive: str | None,
) -> None:
    """Compare two runs, or files of other tools.

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
    """
    from veperf.api.runs import compare
    from veperf.report import rendering
    from veperf.report.report_links import find_report_links
    from veperf.report.tables import benchstat_table

    policy = chosen_policy(context, options)
    known = parse_directions(directions)
    if by and new is not None:
        raise click.UsageError("--by tells two runs in one file apart: no NEW")
    if by:
        (before, a), (after, b) = _read_both(base, format, by)
    else:
        new = new or "last"
        before, a = _side(base, format, archive)
        after, b = _side(new, format, archive)
        if before == after:
            before, after = base, new
    require_units((a, b), known)
    a, b = with_directions(a, known), with_directions(b, known)
    rules = select_options(CompareOptions, values_of(options))
    comparison = replace(compare(a, b, options=rules, policy=policy), name=before)
    sides = ((before, a), (after, b))
    notes = _notes(sides)
    if note := _machine_note(comparison, same_machine=options.same_machine):
        notes[note] = [before, after]
    if as_markdown:
        links = find_report_links(report_url or "")
        text = _markdown(comparison, (before, after), notes, links, explain=options.explain)
        click.echo(text, nl=False)
        context.exit(comparison.decision.exit_code)
    width = terminal_width()
    if tables := comparison.tables():
        text = benchstat_table.benchstat_text(tables, comparison.changes, before, after, width)
        click.echo(text)
    _print_failures(sides)
    for note, names in notes.items():
        print_notes(join_words(names), [note])
    click.echo(f"\n{rendering.decision_text(comparison.decision, width)}")
    if options.explain:
        print_explanation(comparison.decision)
    context.exit(comparison.decision.exit_code)


def _markdown(
    comparison: "Comparison",
    sides: tuple[str, str],
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

    decision = comparison.decision
    parts = benchstat_parts(comparison.tables(), comparison.changes, *sides)
    parts += presence_parts(decision)
    if notes:
        lines = tuple(f"{join_words(names)}: {note}" for note, names in notes.items())
        parts.append(MarkdownPart("Notes", lines, NOTES))
    if explain:
        parts.append(MarkdownPart("Every question", (gate_table(decision, ""),)))
    whole = "the output of `veperf compare` without --markdown"
    return write_decision(decision, parts, links=links, most=MOST_COMMENT_BYTES, whole=whole)


def _print_failures(sides: Sequence[tuple[str, Run]]) -> None:
    for name, run in sides:
        failures = run.first_failures
        for case in list(failures)[:_LISTED]:
            click.echo(f"✗ {one_line(f'{name}: {case} failed: {failures[case].message}')}")
        if len(failures) > _LISTED:
            click.echo(f"{name}: {len(failures) - _LISTED} more failed")


def _notes(sides: Sequence[tuple[str, Run]]) -> dict[str, list[str]]:
    """Return the notes on reading both sides, with the names of the sides that each is about."""
    names: dict[str, list[str]] = {}
    for name, run in sides:
        for note in reader_notes(run):
            names.setdefault(note, []).append(name)
    return names


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


def _side(name: str, format: str, archive: str | None) -> tuple[str, Run]:
    """The name of a side, and its run."""
    from veperf.api.runs import read, resolve_run

    path = Path(name)
    if is_readable_file(path):
        return path.name, read(path, format=format).run
    run = resolve_run(name, archive)
    return (path.name if is_existing_folder(path) else run.id), run


def _read_both(file: str, format: str, by: str) -> list[tuple[str, Run]]:
    from veperf.formats.readers import read_runs_from

    runs = read_runs_from(Path(file), format=format, by=by)
    if len(runs) != 2:
        values = ", ".join(imported.label or "none" for imported in runs[:10])
        raise UsageError(f"{file} has {len(runs)} values of {by}, where two are compared: {values}")
    return [(imported.label or f"no {by}", imported.run) for imported in runs]
