"""A comparison on several places as text, HTML and Markdown."""

from collections.abc import Iterator, Sequence

from veperf.model import ABChange, ChangeStatus
from veperf.report import markdown, markup, status, tables, text, words
from veperf.report.ab import shown
from veperf.report.ab.fleet_tables import CaseRow, in_one_line, matrix, overview, rows
from veperf.report.ab.places import Fleet
from veperf.report.ab.table import mark_of, side
from veperf.report.escape import as_html, as_markdown, one_line
from veperf.report.site.frame import page
from veperf.report.style import standalone

_AT_ONCE = 3
"""So many places side by side are about as wide as a terminal."""
_URGENT = "Benchmarks that need attention"
_LOUD = {ChangeStatus.ERROR, ChangeStatus.SLOWER}


def as_text(fleet: Fleet) -> str:
    """Its sentence, a row a place, a row a benchmark, and why for what is slower or broken."""
    mark = status.of_outcome(fleet.outcome)
    parts = [
        f"{mark.symbol} {mark.word}: {one_line(words.sentence(fleet.sentence))}",
        one_line(_what(fleet)),
        text.table(tables.without(overview(fleet, ""), "Machine")),
    ]
    if chosen := rows(fleet):
        compared = [at for at in fleet.places if at.place.found is not None]
        for first in range(0, len(compared), _AT_ONCE):
            some = compared[first : first + _AT_ONCE]
            parts.append(text.table(in_one_line(matrix(chosen, some, "", one_line))))
    parts += [f"▲ {one_line(words.sentence(note))}" for note in fleet.notes]
    parts += [
        one_line(
            f"{mark_of(change).symbol} {change.case} on {place}: {words.sentence(change.reason)}"
        )
        for place, change in _loud(fleet)
    ]
    return "\n\n".join(parts)


def as_part(fleet: Fleet) -> str:
    """The same as HTML with its style, for a notebook's cell."""
    return standalone(_part(fleet))


def as_page(fleet: Fleet) -> str:
    """The same as a page, with each place's comparison in full, folded."""
    each = "".join(
        markup.folded(f"{at.place.name}: {status.of_outcome(at.outcome).word}", shown.body(found))
        for at in fleet.places
        if (found := at.place.found) is not None
    )
    title = f"{fleet.new.name} against {fleet.base.name}"
    full = f"<h2>Each comparison</h2>{each}" if each else ""
    return page(title, _part(fleet) + full, (), "")


def as_comment(fleet: Fleet) -> str:
    """The same as GitHub-flavoured Markdown."""
    mark = status.of_outcome(fleet.outcome)
    parts = [
        f"### {mark.symbol} {mark.word}",
        as_markdown(words.sentence(fleet.sentence)),
        *(f"> ▲ {as_markdown(words.sentence(note))}" for note in fleet.notes),
        markdown.table(overview(fleet, "")),
    ]
    for title, group in _groups(fleet):
        content = matrix(group, fleet.places, title if title == _URGENT else "", as_markdown)
        body = markdown.table(content)
        folded = f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        parts.append(body if title == _URGENT else folded)
    return "\n\n".join([*parts, as_markdown(_what(fleet))]) + "\n"


def _part(fleet: Fleet) -> str:
    notes = "".join(f"<li>{as_html(words.sentence(note))}</li>" for note in fleet.notes)
    parts = [
        shown.banner(fleet.outcome, fleet.sentence),
        f'<ul class="vp-notes" aria-label="Where they differ">{notes}</ul>' if notes else "",
        markup.paragraph(_what(fleet)),
        markup.table(overview(fleet, "Each place by itself")),
    ]
    for title, group in _groups(fleet):
        body = markup.table(matrix(group, fleet.places, title, str))
        parts.append(body if title == _URGENT else markup.folded(title, body))
    return "".join(parts)


def _groups(fleet: Fleet) -> Iterator[tuple[str, Sequence[CaseRow]]]:
    urgent, calm, unjudged = tables.split(rows(fleet), lambda row: mark_of(row.worst))
    if urgent:
        yield _URGENT, urgent
    if calm:
        yield words.count(len(calm), "benchmark no slower", "benchmarks no slower"), calm
    if unjudged:
        yield words.count(len(unjudged), "benchmark") + " in one side only", unjudged


def _what(fleet: Fleet) -> str:
    compared = f"{side(fleet.new)}, against {side(fleet.base)}"
    return f"{compared}; {words.count(len(fleet.places), 'comparison')}, sweep {fleet.sweep}."


def _loud(fleet: Fleet) -> Iterator[tuple[str, ABChange]]:
    for at in fleet.places:
        for change in at.place.found.changes if at.place.found else ():
            if change.status in _LOUD:
                yield at.place.name, change
