"""Results as GitHub-flavoured Markdown: for step summaries and comments."""

from collections.abc import Sequence

from veperf.core import number_format
from veperf.core.escape import as_markdown
from veperf.core.run import Run
from veperf.core.verdict import Change, Verdict
from veperf.report.sections import identity
from veperf.report.tables import result_tables, status
from veperf.report.tables.load_tables import of_run
from veperf.report.tables.result_tables import Cell, Table
from veperf.report.tables.status import Mark


def table(content: Table) -> str:
    """``content`` as a pipe table; its caption in bold above, if it has one."""
    head = "| " + " | ".join(name for name, _ in content.columns) + " |"
    rule = "|" + "|".join(" ---: " if a == "right" else " --- " for _, a in content.columns) + "|"
    rows = ["| " + " | ".join(map(_cell, row)) + " |" for row in content.rows]
    caption = [f"**{as_markdown(content.caption)}**", ""] if content.caption else []
    return "\n".join([*caption, head, rule, *rows])


def run(found: Run) -> str:
    """A run: what, where, when, and the value of each case."""
    return "\n\n".join([as_markdown(identity.sentence(found)), *map(table, of_run(found, ""))])


def verdict(found: Verdict) -> str:
    """A verdict: its sentence, failures, what needs attention, the rest folded, its notes."""
    parts = [
        f"### {_mark(status.of_outcome(found.outcome))}",
        as_markdown(number_format.sentence(found.sentence)),
    ]
    parts += [
        f"- ✗ **{as_markdown(case)}** {status.failed(failure)}: {as_markdown(failure.message)}"
        for case, failure in found.failures.items()
    ]
    urgent, met, quiet = result_tables.split(found.targets, result_tables.target_mark)
    if urgent:
        parts.append(table(result_tables.targets(urgent, "Targets that need attention")))
    for group, what in ((met, "met"), (quiet, "not measured")):
        if group:
            title = number_format.count(len(group), f"target {what}", f"targets {what}")
            parts.append(_folded(title, result_tables.targets(group, "")))
    if result_tables.in_common(found.changes):
        parts.append(changes(found.changes, found.against))
    parts += [f"> ▲ {as_markdown(note)}" for note in found.notes]
    return "\n\n".join(parts) + "\n"


def changes(found: Sequence[Change], against: str = "") -> str:
    """Changes: those that need attention, then the rest folded."""
    if not result_tables.in_common(found):
        return result_tables.NOTHING_IN_COMMON
    urgent, calm, unjudged = result_tables.split(
        result_tables.worth_a_row(found), result_tables.change_mark
    )
    parts = [f"Against {as_markdown(against)}:"] if against else []
    if urgent:
        parts.append(table(result_tables.changes(urgent, "Changes that need attention")))
    if calm:
        parts.append(_folded(result_tables.calm_title(calm), result_tables.changes(calm, "")))
    if unjudged:
        title = number_format.count(
            len(unjudged), "comparison not judged", "comparisons not judged"
        )
        parts.append(_folded(title, result_tables.changes(unjudged, "")))
    if new := result_tables.unrecorded(found):
        parts.append(as_markdown(new))
    return "\n\n".join(parts)


def _folded(summary: str, content: Table) -> str:
    return f"<details><summary>{summary}</summary>\n\n{table(content)}\n\n</details>"


def _mark(mark: Mark) -> str:
    return f"{mark.symbol} {mark.word}"


def _cell(cell: Cell) -> str:
    mark = _mark(cell.mark) if cell.mark else ""
    text = " ".join(filter(None, (mark, as_markdown(cell.text)))) or number_format.MISSING
    return f"{text}<br>{as_markdown(cell.note)}" if cell.note else text
