"""The sections of a report, each a pure function from model to a piece of HTML.

Headings begin at h3: the h1 and h2 around the pieces are the notebook's own.
"""

from collections.abc import Sequence
from dataclasses import replace

from veperf.core import number_format
from veperf.core.escape import as_html
from veperf.core.run import Failure
from veperf.core.verdict import Change, TargetVerdict, Verdict
from veperf.report.html import markup
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables import result_tables, status

_NO_BASELINE = (
    "<p>There is nothing to compare with yet. <code>veperf baseline record</code> makes this run "
    "what later ones on the same machine are compared with.</p>"
)
_FEW = 8


def banner(verdict: Verdict) -> str:
    """The outcome in a word, the sentence that sums up, the counts, and what to know first."""
    mark = status.of_outcome(verdict.outcome)
    counts = "".join(f"<li>{group}</li>" for group in _counts(verdict))
    notes = "".join(f"<li>{as_html(number_format.sentence(note))}</li>" for note in verdict.notes)
    return (
        f'<div class="vp-banner vp-{mark.tone}"><p class="vp-outcome">'
        f'<span aria-hidden="true">{mark.symbol}</span> {as_html(mark.word)}</p>'
        f'<p class="vp-sentence">{as_html(number_format.sentence(verdict.sentence))}</p>'
        + (f'<ul class="vp-counts">{counts}</ul>' if counts else "")
        + "</div>"
        + (
            f'<ul class="vp-notes" aria-label="Know before you read on">{notes}</ul>'
            if notes
            else ""
        )
    )


def failures(found: dict[str, Failure], links: Links = NO_LINKS) -> str:
    """What could not be measured, each with its traceback folded away; empty when all could."""
    if not found:
        return ""
    items = "".join(_failure(case, failure, links) for case, failure in found.items())
    return f"<h3>Could not be measured</h3>{items}"


def room(overview: str) -> str:
    """The picture of what each target uses of its limit, where it stands by itself."""
    return f"<h3>How much room there is</h3>{overview}" if overview else ""


def targets(verdicts: Sequence[TargetVerdict], overview: str, links: Links = NO_LINKS) -> str:
    """Is it fast enough: those not met in a table, a picture of all, the rest folded."""
    parts = [target_alarms(verdicts, overview, links)]
    _, met, quiet = result_tables.split(verdicts, result_tables.target_mark)
    for group, what in ((met, "met"), (quiet, "not measured")):
        if group:
            title = number_format.count(len(group), f"target {what}", f"targets {what}")
            body = markup.table(result_tables.targets(group, f"Targets {what}"), links)
            parts.append(markup.folded(title, body))
    return "".join(parts)


def target_alarms(verdicts: Sequence[TargetVerdict], overview: str, links: Links = NO_LINKS) -> str:
    """Only the targets that are not met, and a picture of all."""
    urgent, met, _ = result_tables.split(verdicts, result_tables.target_mark)
    if urgent:
        shown = markup.table(result_tables.targets(urgent, "Targets that need attention"), links)
    else:
        said = "Every target that was measured is met." if met else "No target was measured."
        shown = markup.paragraph(said)
    return f"<h3>Targets: is it fast enough?</h3>{shown}{overview}"


def changes(found: Sequence[Change], against: str, links: Links = NO_LINKS) -> str:
    """Is it slower than it was: what may be, in a table; the rest folded."""
    parts = [change_alarms(found, against, links)]
    if not result_tables.in_common(found):
        return "".join(parts)
    _, undecided, calm, unjudged = result_tables.groups(found)
    if undecided:
        title = number_format.count(len(undecided), "comparison undecided", "comparisons undecided")
        body = _briefly(undecided, "Neither a slowdown nor none is certain", links)
        parts.append(markup.folded(title, body, is_open=len(undecided) <= _FEW))
    if calm:
        parts.append(
            markup.folded(result_tables.calm_title(calm), _briefly(calm, "No slowdown", links))
        )
    if unjudged:
        title = number_format.count(
            len(unjudged), "comparison not judged", "comparisons not judged"
        )
        content = result_tables.without(
            result_tables.changes(unjudged, "Not judged"), "p", "Processes"
        )
        parts.append(markup.folded(title, markup.table(content, links)))
    if new := result_tables.unrecorded(found):
        parts.append(markup.paragraph(new))
    return "".join(parts)


def change_alarms(found: Sequence[Change], against: str, links: Links = NO_LINKS) -> str:
    """Only the changes that may be slowdowns, and in a sentence what became of the others."""
    parts = ["<h3>Changes: is it slower than it was?</h3>"]
    if not result_tables.in_common(found):
        return "".join([*parts, _NO_BASELINE])
    if against:
        parts.append(markup.paragraph(f"Compared with {against}."))
    alarms, undecided, calm, unjudged = result_tables.groups(found)
    if alarms:
        # The reason gives p and the numbers of processes in its sentence.
        content = result_tables.changes(alarms, "Changes that need attention")
        parts.append(markup.table(result_tables.without(content, "p", "Processes"), links))
    elif undecided:
        doubtful = number_format.count(len(undecided), "comparison is", "comparisons are")
        parts.append(markup.paragraph(f"No slowdown is certain, but {doubtful} undecided."))
    elif calm:
        parts.append(markup.paragraph("Nothing got noticeably slower."))
    elif unjudged:
        parts.append(markup.paragraph("Nothing was judged."))
    return "".join(parts)


def _briefly(found: Sequence[Change], caption: str, links: Links) -> str:
    content = result_tables.changes(found, caption)
    return markup.table(result_tables.without(content, "p", "Processes", "Why"), links)


def _counts(verdict: Verdict) -> list[str]:
    """For targets and changes apart how many there are of each status, the most urgent first."""
    groups = {
        "Benchmarks": [status.of_failure(f) for f in verdict.failures.values()],
        "Targets": [result_tables.target_mark(v) for v in verdict.targets],
        "Changes": [status.of_change(c.status) for c in verdict.changes if c.base is not None],
    }
    return [
        f"<b>{name}</b> "
        + " ".join(
            markup.badge(replace(mark, word=f"{marks.count(mark)}{number_format.THIN}{mark.word}"))
            for mark in sorted(set(marks), key=lambda m: m.urgency)
        )
        for name, marks in groups.items()
        if marks
    ]


def _failure(case: str, failure: Failure, links: Links) -> str:
    said = f"{failure.kind}: {failure.message}" if failure.message else failure.kind
    trace = ""
    if failure.traceback:
        trace = markup.folded("Traceback", f"<pre>{as_html(failure.traceback)}</pre>")
    badge = markup.badge(status.of_failure(failure))
    return (
        f'<div class="vp-failure"><p>{badge} <b>{markup.link(case, links.of(case))}</b></p>'
        f"<p>{as_html(said)}</p>{trace}</div>"
    )
