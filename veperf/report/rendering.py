"""Runs, verdicts and changes as plain text, Markdown and HTML."""

from collections.abc import Sequence

from veperf.core.escape import as_markdown, one_line
from veperf.core.run import Run
from veperf.core.text import as_sentence, plural
from veperf.core.verdict import Change, Verdict
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.load_summary import load_summaries
from veperf.report.sections import identity, verdict_sections
from veperf.report.tables import result_tables
from veperf.report.tables.load_tables import (
    describe_shards,
    load_figures_table,
    load_mark,
    run_tables,
    shards_table,
)
from veperf.report.tables.status import change_mark, describe_failure, outcome_mark, target_mark
from veperf.report.tables.table import Table, drop_columns, markdown_table, text_table
from veperf.verdicts.run_notes import stopped_load_notes


def run_text(run: Run) -> str:
    """Return a run as plain text: its code, machine and time, and the value of each case."""
    head = one_line(identity.run_sentence(run))
    return "\n\n".join([head, *(text_table(drop_columns(t, "Level")) for t in run_tables(run, ""))])


def load_text(run: Run) -> str:
    """Return a run of load cases as text: whether each is valid, and all its figures."""
    head = one_line(identity.run_sentence(run))
    parts: list[str] = []
    for load in load_summaries(run):
        mark = load_mark(load)
        why = [r.failure.message for _, r in load.processes if r.failure is not None]
        status_line = one_line(": ".join([f"{mark.symbol} {load.case.id}", mark.word, *why]))
        parts.append(status_line)
        if load.counted:
            parts.append(text_table(load_figures_table(load)))
        if load.shards:
            parts += [describe_shards(load), text_table(shards_table(load))]
    return "\n\n".join([head, *map(one_line, stopped_load_notes(run)), *parts])


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict as text: its sentence, then failures, targets and changes, then notes."""
    mark = outcome_mark(verdict.outcome)
    parts = [f"{mark.symbol} {mark.word}: {one_line(as_sentence(verdict.sentence))}"]
    parts += [
        f"✗ {one_line(case)} {describe_failure(failure)}: {one_line(failure.message)}"
        for case, failure in verdict.failures.items()
    ]
    if verdict.targets:
        parts.append(text_table(result_tables.targets_table(verdict.targets, "")))
    if result_tables.has_common_benchmarks(verdict.changes):
        parts.append(changes_text(verdict.changes, verdict.against))
    parts += [f"▲ {one_line(note)}" for note in verdict.notes]
    return "\n\n".join(parts)


def changes_text(changes: Sequence[Change], against: str = "") -> str:
    """Return changes as text, the most urgent first, below a line that names the base."""
    if not result_tables.has_common_benchmarks(changes):
        return result_tables.NOTHING_IN_COMMON
    head = f"Against {one_line(against)}:" if against else "Changes:"
    content = result_tables.changes_table(result_tables.displayed_changes(changes), "")
    parts = [
        f"{head}\n{text_table(drop_columns(content, 'Why'))}",
        one_line(result_tables.unrecorded_sentence(changes)),
    ]
    return "\n\n".join(filter(None, parts))


def run_markdown(run: Run) -> str:
    """Return a run as Markdown: its code, machine and time, and the value of each case."""
    return "\n\n".join(
        [as_markdown(identity.run_sentence(run)), *map(markdown_table, run_tables(run, ""))]
    )


def verdict_markdown(verdict: Verdict) -> str:
    """Return a verdict as Markdown: failures, what needs attention, the rest folded, notes."""
    parts = [
        f"### {outcome_mark(verdict.outcome).label}",
        as_markdown(as_sentence(verdict.sentence)),
    ]
    parts += [
        f"- ✗ **{as_markdown(case)}** {describe_failure(failure)}: {as_markdown(failure.message)}"
        for case, failure in verdict.failures.items()
    ]
    urgent, met, quiet = result_tables.split_by_urgency(verdict.targets, target_mark)
    if urgent:
        parts.append(
            markdown_table(result_tables.targets_table(urgent, "Targets that need attention"))
        )
    for group, what in ((met, "met"), (quiet, "not measured")):
        if group:
            title = plural(len(group), f"target {what}", f"targets {what}")
            parts.append(_folded(title, result_tables.targets_table(group, "")))
    if result_tables.has_common_benchmarks(verdict.changes):
        parts.append(changes_markdown(verdict.changes, verdict.against))
    parts += [f"> ▲ {as_markdown(note)}" for note in verdict.notes]
    return "\n\n".join(parts) + "\n"


def changes_markdown(changes: Sequence[Change], against: str = "") -> str:
    """Return changes as Markdown: those that need attention, then the rest folded."""
    if not result_tables.has_common_benchmarks(changes):
        return result_tables.NOTHING_IN_COMMON
    urgent, calm, unjudged = result_tables.split_by_urgency(
        result_tables.displayed_changes(changes), change_mark
    )
    parts = [f"Against {as_markdown(against)}:"] if against else []
    if urgent:
        parts.append(
            markdown_table(result_tables.changes_table(urgent, "Changes that need attention"))
        )
    if calm:
        parts.append(
            _folded(result_tables.no_slowdown_title(calm), result_tables.changes_table(calm, ""))
        )
    if unjudged:
        title = plural(len(unjudged), "comparison not judged", "comparisons not judged")
        parts.append(_folded(title, result_tables.changes_table(unjudged, "")))
    if new := result_tables.unrecorded_sentence(changes):
        parts.append(as_markdown(new))
    return "\n\n".join(parts)


def _folded(summary: str, content: Table) -> str:
    return f"<details><summary>{summary}</summary>\n\n{markdown_table(content)}\n\n</details>"


def run_html(run: Run) -> str:
    """Return a run as HTML: its code, machine and time, and the value of each case."""
    content = "".join(map(markup.html_table, run_tables(run, f"Run {run.id}")))
    return standalone(markup.paragraph(identity.run_sentence(run)) + content)


def verdict_html(verdict: Verdict) -> str:
    """Return a verdict as HTML: its sentence and counts, failures, targets and changes."""
    parts = [
        verdict_sections.verdict_banner(verdict),
        verdict_sections.failures_section(verdict.failures),
    ]
    if verdict.targets:
        parts.append(verdict_sections.targets_section(verdict.targets, overview=""))
    if verdict.changes:
        parts.append(verdict_sections.changes_section(verdict.changes, verdict.against))
    return standalone("".join(parts))


def changes_html(changes: Sequence[Change]) -> str:
    """Return changes as HTML, those that need attention first."""
    if not result_tables.has_common_benchmarks(changes):
        return standalone(markup.paragraph(result_tables.NOTHING_IN_COMMON))
    return standalone(verdict_sections.changes_section(changes, against=""))
