"""Runs, verdicts and changes as plain text, Markdown and HTML."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from veperf.core.escape import as_markdown, one_line
from veperf.core.gate import Effect, GateDecision, Question
from veperf.core.run import Run
from veperf.core.text import as_sentence, plural
from veperf.core.verdict import Change, Verdict
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.load_summary import load_summaries
from veperf.report.markdown_writer import (
    CONTEXT,
    NOTES,
    MarkdownPart,
    write_decision,
    write_markdown,
)
from veperf.report.sections import identity, verdict_sections
from veperf.report.sections.next_steps import next_steps, next_steps_text
from veperf.report.sections.target_grid import target_grid
from veperf.report.tables import result_tables
from veperf.report.tables.gate_table import gate_table
from veperf.report.tables.load_tables import (
    describe_shards,
    kinds_table,
    load_figures_table,
    load_mark,
    run_tables,
    shards_table,
)
from veperf.report.tables.status import (
    change_mark,
    describe_failure,
    failure_mark,
    outcome_mark,
    target_mark,
)
from veperf.report.tables.table import drop_columns, text_table
from veperf.verdicts.run_notes import stopped_load_notes

_FIRST_OUT = ("Processes", "p", "Before", "Now")
"""Of changes, what a narrow terminal does without: the change itself is what was asked for."""


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
        if load.kinds:
            parts.append(text_table(kinds_table(load)))
        if load.shards:
            parts += [describe_shards(load), text_table(shards_table(load))]
    return "\n\n".join([head, *map(one_line, stopped_load_notes(run)), *parts])


def answers_text(verdict: Verdict) -> str:
    """Return outcome and headline, what to do next, and every target, in 80 columns.

    Only the headline is longer.
    """
    parts = [decision_text(verdict.decision), next_steps_text(next_steps(verdict))]
    if verdict.targets:
        parts.append(target_grid(verdict).text)
    return "\n\n".join(filter(None, parts))


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict as text: the answers first, then failures, changes, and notes."""
    parts = [answers_text(verdict)]
    for case, failure in verdict.failures.items():
        words = f"{case} {describe_failure(failure)}: {failure.message}"
        parts.append(f"{failure_mark(failure).symbol} {one_line(words)}")
    if result_tables.has_common_benchmarks(verdict.changes):
        parts.append(changes_text(verdict.changes, verdict.against))
    return "\n\n".join([*parts, *notes_text(verdict.notes)])


def notes_text(notes: Sequence[str]) -> list[str]:
    """Return reservations, a line each."""
    return [f"▲ {one_line(as_sentence(note))}" for note in notes]


def decision_text(decision: GateDecision) -> str:
    """Return the outcome and the headline of a decision as a line of text, and its notes."""
    mark = outcome_mark(decision.outcome)
    headline = f"{mark.symbol} {mark.word}: {one_line(as_sentence(decision.headline))}"
    return "\n".join([headline, *notes_text(decision.notes)])


def changes_text(changes: Sequence[Change], against: str = "") -> str:
    """Return changes as text, the most urgent first, below a line that names the base."""
    if not result_tables.has_common_benchmarks(changes):
        return result_tables.NOTHING_IN_COMMON
    head = f"Against {one_line(against)}:" if against else "Changes:"
    content = result_tables.changes_table(result_tables.displayed_changes(changes), "")
    parts = [
        f"{head}\n{text_table(drop_columns(content, 'Why'), first_out=_FIRST_OUT)}",
        one_line(result_tables.unrecorded_sentence(changes)),
    ]
    return "\n\n".join(filter(None, parts))


def run_markdown(run: Run) -> str:
    """Return a run as Markdown: its code, machine and time, and the value of each case."""
    sentence = as_markdown(identity.run_sentence(run))
    return write_markdown([sentence], [MarkdownPart("", tuple(run_tables(run, "")))])


def verdict_markdown(verdict: Verdict) -> str:
    """Return a verdict as Markdown: heading, sentence, the worst three, everything else folded."""
    return write_decision(verdict.decision, verdict_parts(verdict))


def verdict_parts(verdict: Verdict, run: Run | None = None) -> list[MarkdownPart]:
    """Return failures, targets, changes, other questions, and notes, on ``run`` as well."""
    parts: list[MarkdownPart] = []
    if verdict.failures:
        count = plural(len(verdict.failures), "benchmark")
        content = result_tables.failures_table(verdict.failures)
        parts.append(MarkdownPart(f"{count} without a result", (content,)))
    urgent, met, quiet = result_tables.split_by_urgency(verdict.targets, target_mark)
    for group, singular, several in (
        (urgent, "target that needs attention", "targets that need attention"),
        (met, "target met", "targets met"),
        (quiet, "target not measured", "targets not measured"),
    ):
        if group:
            content = result_tables.targets_table(group, "")
            parts.append(MarkdownPart(plural(len(group), singular, several), (content,)))
    if result_tables.has_common_benchmarks(verdict.changes):
        parts += changes_parts(verdict.changes, verdict.against)
    parts += presence_parts(verdict.decision, verdict.failures)
    if verdict.notes:
        parts.append(MarkdownPart("Notes", verdict.notes, NOTES))
    if run is not None:
        parts.append(MarkdownPart("Run", (identity.run_sentence(run),), CONTEXT))
    return parts


def changes_parts(changes: Sequence[Change], against: str = "") -> list[MarkdownPart]:
    """Return changes by urgency; ``against`` describes the base."""
    if not result_tables.has_common_benchmarks(changes):
        return [MarkdownPart("", (result_tables.NOTHING_IN_COMMON,))]
    urgent, calm, unjudged = result_tables.split_by_urgency(
        result_tables.displayed_changes(changes), change_mark
    )
    titles = (
        (urgent, plural(len(urgent), "change that needs attention", "changes that need attention")),
        (calm, result_tables.passed_title(calm)),
        (unjudged, plural(len(unjudged), "comparison not judged", "comparisons not judged")),
    )
    parts = [
        MarkdownPart(title, (result_tables.changes_table(group, ""),))
        for group, title in titles
        if group
    ]
    notes = [against and f"Against {against}", result_tables.unrecorded_sentence(changes)]
    if any(notes):
        parts.append(MarkdownPart("Compared with", tuple(filter(None, notes)), NOTES))
    return parts


def presence_parts(decision: GateDecision, listed: Collection[str] = ()) -> list[MarkdownPart]:
    """Return the questions that no other table answers: what is missing, void, gone or new.

    Cases in ``listed`` are left out.
    """
    items = tuple(
        item
        for item in decision.items
        if item.question in (Question.PRESENCE, Question.LOAD)
        and item.effect is not Effect.PASS
        and item.name
        and item.case not in listed
    )
    if not items:
        return []
    title = f"{plural(len(items), 'benchmark')} missing, void, gone or new"
    return [MarkdownPart(title, (gate_table(replace(decision, items=items), ""),))]


def run_html(run: Run) -> str:
    """Return a run as HTML: its code, machine and time, and the value of each case."""
    content = "".join(map(markup.html_table, run_tables(run, f"Run {run.id}")))
    return standalone(markup.paragraph(identity.run_sentence(run)) + content)


def verdict_html(verdict: Verdict) -> str:
    """Return a verdict as HTML: its sentence and counts, failures, targets and changes."""
    parts = [
        verdict_sections.verdict_banner(verdict),
        verdict_sections.notes_list(verdict.notes),
        verdict_sections.failures_section(verdict.failures),
    ]
    if verdict.targets:
        parts.append(verdict_sections.targets_section(verdict.targets, overview=""))
    if result_tables.has_common_benchmarks(verdict.changes):
        parts.append(verdict_sections.CHANGES_HEADING)
        parts.append(verdict_sections.changes_section(verdict.changes, verdict.against))
    return standalone("".join(parts))


def decided_changes_html(
    decision: GateDecision, changes: Sequence[Change], notes: Sequence[str] = ()
) -> str:
    """Return a decision on two runs as HTML: outcome and headline, notes, then their changes."""
    return standalone(
        verdict_sections.outcome_banner(decision)
        + verdict_sections.notes_list(notes)
        + _changes_section(changes)
    )


def decided_changes_markdown(
    decision: GateDecision, changes: Sequence[Change], notes: Sequence[str] = ()
) -> str:
    """Return a decision on two runs as Markdown: outcome and headline, their changes, notes."""
    parts = [*changes_parts(changes), *presence_parts(decision)]
    if notes:
        parts.append(MarkdownPart("Notes", tuple(notes), NOTES))
    return write_decision(decision, parts)


def changes_html(changes: Sequence[Change]) -> str:
    """Return changes as HTML, those that need attention first."""
    return standalone(_changes_section(changes))


def _changes_section(changes: Sequence[Change]) -> str:
    if not result_tables.has_common_benchmarks(changes):
        return markup.paragraph(result_tables.NOTHING_IN_COMMON)
    content = verdict_sections.changes_section(changes, against="")
    return f"{verdict_sections.CHANGES_HEADING}{content}"
