"""A comparison on several places as text, HTML and Markdown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from veperf.abtest import page as shown
from veperf.abtest.fleet_verdict import At, Fleet
from veperf.abtest.page import mark_of, reach, side
from veperf.core import number_format
from veperf.core.ab import ABChange
from veperf.core.escape import as_html, as_markdown, one_line
from veperf.core.verdict import ChangeStatus
from veperf.report import markdown, text
from veperf.report.case_summary import measured_name
from veperf.report.charts import strip
from veperf.report.html import markup
from veperf.report.html.page import page
from veperf.report.html.style import standalone
from veperf.report.sections import identity
from veperf.report.tables import result_tables, status
from veperf.report.tables.result_tables import Cell, Table

_ABSENT = "not there"
_MISSING = "not measured"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One benchmark, on each place that has it."""

    name: str
    changes: dict[str, ABChange]
    """By name of the place."""

    @property
    def worst(self) -> ABChange:
        """The change that most needs attention."""
        return min(self.changes.values(), key=_urgency)


def rows(fleet: Fleet) -> list[CaseRow]:
    """The benchmarks, the most urgent first, among those alike the worst."""
    found: dict[str, dict[str, ABChange]] = {}
    for at in fleet.places:
        for change in at.place.found.changes if at.place.found else ():
            name = measured_name(change.case, change.metric.name)
            found.setdefault(name, {})[at.place.name] = change
    each = [CaseRow(name, changes) for name, changes in found.items()]
    return sorted(each, key=lambda row: _urgency(row.worst))


def matrix(
    chosen: Sequence[CaseRow], places: Sequence[At], caption: str, escape: Callable[[str], str]
) -> Table:
    """Verdict, change and interval of ``chosen`` on each of ``places``; names by ``escape``."""
    axis = reach([change for row in chosen for change in row.changes.values()])
    return Table(
        caption,
        (("Benchmark", "left"), *((escape(at.place.name), "left") for at in places)),
        tuple((Cell(row.name), *(_cell(row, at, axis) for at in places)) for row in chosen),
        heads=0,
    )


def in_one_line(content: Table) -> Table:
    """``content`` with the small print of each cell in brackets behind its text."""
    return replace(
        content,
        rows=tuple(
            tuple(
                replace(cell, text=f"{cell.text} ({cell.note})", note="") if cell.note else cell
                for cell in row
            )
            for row in content.rows
        ),
    )


def overview(fleet: Fleet, caption: str) -> Table:
    """What each place comes to, and which comparison that was."""
    return Table(
        caption,
        (
            ("Where", "left"),
            ("Verdict", "left"),
            ("Comparison", "left"),
            ("Pairs", "right"),
            ("Machine", "left"),
        ),
        tuple(map(_place, fleet.places)),
        heads=0,
    )


def _place(at: At) -> tuple[Cell, ...]:
    found = at.place.found
    if found is None:
        mark = replace(status.of_outcome(at.outcome), word="Not measured")
        why = Cell(at.place.missing)
        return (Cell(at.place.name), Cell("", mark=mark), why, Cell(""), Cell(""))
    seconds = number_format.seconds(sum(one.seconds for one in found.rounds))
    return (
        Cell(at.place.name),
        Cell("", mark=status.of_outcome(at.outcome)),
        Cell(found.id),
        Cell(f"{len(found.rounds)} in {seconds}"),
        Cell(identity.machine(found.machine)),
    )


def _cell(row: CaseRow, at: At, axis: float) -> Cell:
    change = row.changes.get(at.place.name)
    if change is None:
        return Cell(_MISSING if at.place.found is None else _ABSENT)
    if change.ratio is None or change.low is None or change.high is None:
        return Cell("", mark=mark_of(change))
    return Cell(
        number_format.change(change.ratio),
        note=number_format.change_interval(change.low, change.high),
        mark=mark_of(change),
        picture=strip.forest(change.low - 1, change.ratio - 1, change.high - 1, reach=axis),
    )


def _urgency(change: ABChange) -> tuple[bool, int, float]:
    """What was not judged on one place says nothing about the others."""
    mark = mark_of(change)
    return mark.tone == "quiet", mark.urgency, -(change.ratio or 0)


_AT_ONCE = 3
"""So many places side by side are about as wide as a terminal."""
_URGENT = "Benchmarks that need attention"
_LOUD = {ChangeStatus.ERROR, ChangeStatus.SLOWER}


def as_text(fleet: Fleet) -> str:
    """Its sentence, a row a place, a row a benchmark, and why for what is slower or broken."""
    mark = status.of_outcome(fleet.outcome)
    parts = [
        f"{mark.symbol} {mark.word}: {one_line(number_format.sentence(fleet.sentence))}",
        one_line(_what(fleet)),
        text.table(result_tables.without(overview(fleet, ""), "Machine")),
    ]
    if chosen := rows(fleet):
        compared = [at for at in fleet.places if at.place.found is not None]
        for first in range(0, len(compared), _AT_ONCE):
            some = compared[first : first + _AT_ONCE]
            parts.append(text.table(in_one_line(matrix(chosen, some, "", one_line))))
    parts += [f"▲ {one_line(number_format.sentence(note))}" for note in fleet.notes]
    parts += [
        one_line(
            f"{mark_of(change).symbol} {change.case} on {place}: {number_format.sentence(change.reason)}"
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
        as_markdown(number_format.sentence(fleet.sentence)),
        *(f"> ▲ {as_markdown(number_format.sentence(note))}" for note in fleet.notes),
        markdown.table(overview(fleet, "")),
    ]
    for title, group in _groups(fleet):
        content = matrix(group, fleet.places, title if title == _URGENT else "", as_markdown)
        body = markdown.table(content)
        folded = f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        parts.append(body if title == _URGENT else folded)
    return "\n\n".join([*parts, as_markdown(_what(fleet))]) + "\n"


def _part(fleet: Fleet) -> str:
    notes = "".join(f"<li>{as_html(number_format.sentence(note))}</li>" for note in fleet.notes)
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
    urgent, calm, unjudged = result_tables.split(rows(fleet), lambda row: mark_of(row.worst))
    if urgent:
        yield _URGENT, urgent
    if calm:
        yield number_format.count(len(calm), "benchmark no slower", "benchmarks no slower"), calm
    if unjudged:
        yield number_format.count(len(unjudged), "benchmark") + " in one side only", unjudged


def _what(fleet: Fleet) -> str:
    compared = f"{side(fleet.new)}, against {side(fleet.base)}"
    return (
        f"{compared}; {number_format.count(len(fleet.places), 'comparison')}, sweep {fleet.sweep}."
    )


def _loud(fleet: Fleet) -> Iterator[tuple[str, ABChange]]:
    for at in fleet.places:
        for change in at.place.found.changes if at.place.found else ():
            if change.status in _LOUD:
                yield at.place.name, change
