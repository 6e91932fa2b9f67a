"""The sections on a verdict: banner, failures, targets and changes, as HTML.

Headings begin at h3: the h1 and h2 around the pieces are the notebook's own.
"""

from collections.abc import Sequence
from dataclasses import replace

from veperf.core.escape import as_html
from veperf.core.gate import GateDecision
from veperf.core.run import Failure
from veperf.core.text import THIN, as_sentence, plural
from veperf.core.verdict import Change, TargetVerdict, Verdict
from veperf.report.html import markup
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables import result_tables, status
from veperf.report.tables.status import target_mark
from veperf.report.tables.table import drop_columns

_NO_BASELINE = (
    "<p>There is nothing to compare with yet. <code>veperf baseline record</code> makes this run "
    "the baseline of later runs on the same machine.</p>"
)
_FEW = 8


def verdict_banner(verdict: Verdict) -> str:
    """Return the outcome, the summary sentence, the counts, and the notes."""
    counts = "".join(f"<li>{group}</li>" for group in _counts(verdict))
    notes = "".join(f"<li>{as_html(as_sentence(note))}</li>" for note in verdict.notes)
    counted = f'<ul class="vp-counts">{counts}</ul>' if counts else ""
    return outcome_banner(verdict.decision, counted) + (
        f'<ul class="vp-notes" aria-label="Notes">{notes}</ul>' if notes else ""
    )


def outcome_banner(decision: GateDecision, counts: str = "") -> str:
    """Return the outcome and the headline as HTML; ``counts``, trusted HTML, follows them."""
    mark = status.outcome_mark(decision.outcome)
    return (
        f'<div class="vp-banner vp-{mark.tone}"><p class="vp-outcome">'
        f'<span aria-hidden="true">{mark.symbol}</span> {as_html(mark.word)}</p>'
        f'<p class="vp-sentence">{as_html(as_sentence(decision.headline))}</p>{counts}</div>'
    )


def failures_section(failures: dict[str, Failure], links: Links = NO_LINKS) -> str:
    """Return the cases that could not be measured, with folded tracebacks; empty without any."""
    if not failures:
        return ""
    items = "".join(_failure(case, failure, links) for case, failure in failures.items())
    return f"<h3>Could not be measured</h3>{items}"


def headroom_picture(overview: str) -> str:
    """Return the picture of the targets under a heading of its own."""
    return f"<h3>Headroom</h3>{overview}" if overview else ""


def targets_section(
    verdicts: Sequence[TargetVerdict], overview: str, links: Links = NO_LINKS
) -> str:
    """Return the targets: those not met in a table, a picture of all, the others folded."""
    parts = [target_alerts(verdicts, overview, links)]
    _, met, quiet = result_tables.split_by_urgency(verdicts, target_mark)
    for group, what in ((met, "met"), (quiet, "not measured")):
        if group:
            title = plural(len(group), f"target {what}", f"targets {what}")
            body = markup.html_table(result_tables.targets_table(group, f"Targets {what}"), links)
            parts.append(markup.folded(title, body))
    return "".join(parts)


def target_alerts(verdicts: Sequence[TargetVerdict], overview: str, links: Links = NO_LINKS) -> str:
    """Return only the targets that are not met, and a picture of all."""
    urgent, met, _ = result_tables.split_by_urgency(verdicts, target_mark)
    if urgent:
        content = markup.html_table(
            result_tables.targets_table(urgent, "Targets that need attention"), links
        )
    else:
        sentence = "Every target that was measured is met." if met else "No target was measured."
        content = markup.paragraph(sentence)
    return f"<h3>Targets: is it fast enough?</h3>{content}{overview}"


def changes_section(changes: Sequence[Change], against: str, links: Links = NO_LINKS) -> str:
    """Return the changes: possible slowdowns in a table, the others folded."""
    parts = [change_alerts(changes, against, links)]
    if not result_tables.has_common_benchmarks(changes):
        return "".join(parts)
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
    parts = ["<h3>Changes: is it slower than it was?</h3>"]
    if not result_tables.has_common_benchmarks(changes):
        return "".join([*parts, _NO_BASELINE])
    if against:
        parts.append(markup.paragraph(f"Compared with {against}."))
    alarms, undecided, calm, unjudged = result_tables.group_changes(changes)
    if alarms:
        # The reason contains p and the numbers of processes.
        content = result_tables.changes_table(alarms, "Changes that need attention")
        parts.append(markup.html_table(drop_columns(content, "p", "Processes"), links))
    elif undecided:
        doubtful = plural(len(undecided), "comparison is", "comparisons are")
        parts.append(markup.paragraph(f"No slowdown is certain, but {doubtful} undecided."))
    elif calm:
        parts.append(markup.paragraph("Every comparison passes."))
    elif unjudged:
        parts.append(markup.paragraph("Nothing was judged."))
    return "".join(parts)


def _short_table(changes: Sequence[Change], caption: str, links: Links) -> str:
    content = result_tables.changes_table(changes, caption)
    return markup.html_table(drop_columns(content, "p", "Processes", "Why"), links)


def _counts(verdict: Verdict) -> list[str]:
    """Return the counts of each status for benchmarks, targets and changes, worst first."""
    groups = {
        "Benchmarks": [status.failure_mark(f) for f in verdict.failures.values()],
        "Targets": [target_mark(v) for v in verdict.targets],
        "Changes": [status.change_mark(c) for c in verdict.changes if c.base is not None],
    }
    return [
        f"<b>{name}</b> "
        + " ".join(
            markup.badge(replace(mark, word=f"{marks.count(mark)}{THIN}{mark.word}"))
            for mark in sorted(set(marks), key=lambda m: m.urgency)
        )
        for name, marks in groups.items()
        if marks
    ]


def _failure(case: str, failure: Failure, links: Links) -> str:
    message = f"{failure.kind}: {failure.message}" if failure.message else failure.kind
    trace = ""
    if failure.traceback:
        trace = markup.folded("Traceback", f"<pre>{as_html(failure.traceback)}</pre>")
    badge = markup.badge(status.failure_mark(failure))
    return (
        f'<div class="vp-failure"><p>{badge} <b>{markup.hyperlink(case, links.of(case))}</b></p>'
        f"<p>{as_html(message)}</p>{trace}</div>"
    )
