"""The sections on a verdict: banner, failures, targets and changes, as HTML.

Headings begin at h3: the h1 and h2 around the pieces are the notebook's own.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from veperf.core.escape import as_html
from veperf.core.gate import GateDecision
from veperf.core.run import Failure
from veperf.core.text import as_sentence, plural
from veperf.core.verdict import Change, TargetVerdict, Verdict
from veperf.report.html import markup
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.sections.next_steps import next_steps, next_steps_html
from veperf.report.tables import result_tables, status
from veperf.report.tables.gate_table import gate_table
from veperf.report.tables.status import target_mark
from veperf.report.tables.table import Table, drop_columns
from veperf.verdicts.gate import SIDE_BY_SIDE

NO_BASELINE_BANNER = (
    '<div class="vp-banner vp-quiet"><p class="vp-outcome"><span aria-hidden="true">○</span> '
    'No baseline</p><p class="vp-sentence">There is nothing to compare with yet. '
    "<code>veperf baseline record</code> makes this run the baseline of later runs on the same "
    "machine.</p></div>"
)
"""HTML."""
CHANGES_HEADING = "<h3>Changes: is it slower than it was?</h3>"
_FEW = 8


def verdict_banner(verdict: Verdict, links: Links = NO_LINKS) -> str:
    """Return the outcome, the summary sentence, and what to do next."""
    return outcome_banner(verdict.decision) + next_steps_html(next_steps(verdict), links)


def notes_list(notes: Sequence[str], label: str = "Notes") -> str:
    """Return reservations as a list under ``label``; empty without any."""
    items = "".join(f"<li>{as_html(as_sentence(note))}</li>" for note in notes)
    return f'<ul class="vp-notes" aria-label="{as_html(label)}">{items}</ul>' if items else ""


def outcome_banner(decision: GateDecision) -> str:
    """Return the outcome and the headline as HTML, and the notes on the policy."""
    mark = status.outcome_mark(decision.outcome)
    return (
        f'<div class="vp-banner vp-{mark.tone}"><p class="vp-outcome">'
        f'<span aria-hidden="true">{mark.symbol}</span> {as_html(mark.word)}</p>'
        f'<p class="vp-sentence">{as_html(as_sentence(decision.headline))}</p></div>'
        + notes_list(decision.notes, "Rules of the policy")
    )


def pairs_section(decision: GateDecision, links: Links = NO_LINKS) -> str:
    """Return what was compared side by side, as it decides; empty where nothing was."""
    pairs = tuple(item for item in decision.items if item.source.endswith(SIDE_BY_SIDE))
    if not pairs:
        return ""
    table = gate_table(msgspec.structs.replace(decision, items=pairs), "Compared side by side")
    return f"<h3>Side by side</h3>{markup.html_table(table, links)}"


def untold_failures(verdict: Verdict) -> dict[str, Failure]:
    """Return the failures of ``verdict``, but for void loads that are why a target has no answer.

    That the first lines of a page say already.
    """
    explained = {step.case for step in next_steps(verdict)}
    return {
        case: failure
        for case, failure in verdict.failures.items()
        if not (failure.is_void and case in explained)
    }


def failures_section(failures: dict[str, Failure], links: Links = NO_LINKS) -> str:
    """Return the cases that could not be measured, with folded tracebacks; empty without any."""
    if not failures:
        return ""
    items = "".join(_failure(case, failure, links) for case, failure in failures.items())
    return f"<h3>Could not be measured</h3>{items}"


def targets_section(
    verdicts: Sequence[TargetVerdict], overview: str, links: Links = NO_LINKS
) -> str:
    """Return the targets: those not met in a table, a picture of all, the others folded.

    Empty where there are none.
    """
    if not verdicts:
        return ""
    urgent, met, quiet = result_tables.split_by_urgency(verdicts, target_mark)
    if urgent:
        table = result_tables.targets_table(urgent, "Targets that need attention")
        # Why stands beside what to do next, at the top of the page.
        content = markup.html_table(drop_columns(table, "Why"), links)
    else:
        sentence = "Every target that was measured is met." if met else "No target was measured."
        content = markup.paragraph(sentence)
    parts = [f"<h3>Targets: is it fast enough?</h3>{content}{overview}"]
    for group, what in ((met, "met"), (quiet, "not measured")):
        if group:
            title = plural(len(group), f"target {what}", f"targets {what}")
            table = result_tables.targets_table(group, f"Targets {what}")
            table = drop_columns(table, "Why") if group is met else table
            parts.append(markup.folded(title, markup.html_table(table, links)))
    return "".join(parts)


def changes_section(changes: Sequence[Change], against: str, links: Links = NO_LINKS) -> str:
    """Return the changes: possible slowdowns in a table, the others folded."""
    parts = [change_alerts(changes, against, links)]
    _, undecided, calm, unjudged = result_tables.group_changes(changes)
    if undecided:
        title = plural(len(undecided), "comparison undecided", "comparisons undecided")
        body = _short_table(undecided, "Neither a slowdown nor its absence is certain", links)
        parts.append(markup.folded(title, body, is_open=len(undecided) <= _FEW))
    if calm:
        parts.append(
            markup.folded(
                result_tables.passed_title(calm), _short_table(calm, "Comparisons that pass", links)
            )
        )
    if unjudged:
        title = plural(len(unjudged), "comparison not judged", "comparisons not judged")
        content = drop_columns(
            result_tables.changes_table(unjudged, "Not judged"), "p", "Processes"
        )
        parts.append(markup.folded(title, markup.html_table(content, links)))
    if new := result_tables.unrecorded_sentence(changes):
        parts.append(markup.paragraph(new))
    return "".join(parts)


def change_alerts(changes: Sequence[Change], against: str, links: Links = NO_LINKS) -> str:
    """Return only the possible slowdowns, or a sentence where there are none."""
    parts = [markup.paragraph(f"Compared with {against}.")] if against else []
    alarms, undecided, calm, unjudged = result_tables.group_changes(changes)
    if alarms:
        content = _without_repetition(
            result_tables.changes_table(alarms, "Changes that need attention")
        )
        parts.append(markup.html_table(content, links))
    elif undecided:
        doubtful = plural(len(undecided), "comparison is", "comparisons are")
        parts.append(markup.paragraph(f"No slowdown is certain, but {doubtful} undecided."))
    elif calm:
        parts.append(markup.paragraph("Every comparison passes."))
    elif unjudged:
        parts.append(markup.paragraph("Nothing was judged."))
    return "".join(parts)


def _without_repetition(content: Table) -> Table:
    """Return a table of changes whose reasons don't say what other cells have said.

    A reason begins with the change and has its interval, p and the numbers of processes.
    """
    content = drop_columns(content, "p", "Processes")
    names = [name for name, _ in content.columns]
    change, why = names.index("Change"), names.index("Why")
    rows = []
    for row in content.rows:
        cells = [*row]
        rest = row[why].text.removeprefix(f"{row[change].text} (")
        if rest != row[why].text and ")" in rest:
            cells[why] = replace(row[why], text=as_sentence(rest.replace(")", "", 1)))
            cells[change] = replace(row[change], note="")
        rows.append(tuple(cells))
    return replace(content, rows=tuple(rows))


def _short_table(changes: Sequence[Change], caption: str, links: Links) -> str:
    content = result_tables.changes_table(changes, caption)
    return markup.html_table(drop_columns(content, "p", "Processes", "Why"), links)


def _failure(case: str, failure: Failure, links: Links) -> str:
    kind = "" if failure.is_void else failure.kind  # the badge says that it is void
    message = ": ".join(filter(None, [kind, failure.message]))
    trace = ""
    if failure.traceback:
        trace = markup.folded("Traceback", f"<pre>{as_html(failure.traceback)}</pre>")
    badge = markup.badge(status.failure_mark(failure))
    return (
        f'<div class="vp-failure"><p>{badge} <b>{markup.hyperlink(case, links.of(case))}</b></p>'
        f"<p>{as_html(message)}</p>{trace}</div>"
    )
