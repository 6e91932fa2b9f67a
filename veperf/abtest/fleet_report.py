"""Report of a fleet comparison as text, HTML and Markdown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from veperf.abtest.comparison_report import (
    axis_reach,
    comparison_body,
    describe_side,
    footnotes,
    group_by_urgency,
    pair_change_mark,
)
from veperf.abtest.fleet_verdict import Fleet, JudgedPlace
from veperf.core.ab_records import ABChange
from veperf.core.escape import as_html, one_line
from veperf.core.text import (
    as_sentence,
    format_change,
    format_change_interval,
    format_duration,
    plural,
)
from veperf.core.verdict import ChangeStatus
from veperf.report.case_summary import measured_name
from veperf.report.charts import strip
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.html.page import html_page
from veperf.report.markdown_writer import CONTEXT, MarkdownPart, write_decision
from veperf.report.rendering import decision_text
from veperf.report.sections import identity, verdict_sections
from veperf.report.tables import status
from veperf.report.tables.table import Cell, Table, drop_columns, text_table

_ABSENT = "not there"
_MISSING = "not measured"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """Row of the matrix: one benchmark, on each place that has it."""

    name: str
    changes: dict[str, ABChange]
    """Changes by name of the place."""

    @property
    def worst(self) -> ABChange:
        """Most urgent change."""
        return min(self.changes.values(), key=_urgency)


def fleet_rows(fleet: Fleet) -> list[CaseRow]:
    """Return the benchmarks by urgency, and among equals the worst first."""
    changes_by_name: dict[str, dict[str, ABChange]] = {}
    for judged in fleet.places:
        for change in judged.place.comparison.changes if judged.place.comparison else ():
            name = measured_name(change.case, change.metric.name)
            changes_by_name.setdefault(name, {})[judged.place.name] = change
    rows = [CaseRow(name, changes) for name, changes in changes_by_name.items()]
    return sorted(rows, key=lambda row: _urgency(row.worst))


def fleet_matrix(
    rows: Sequence[CaseRow],
    places: Sequence[JudgedPlace],
    caption: str,
    escape: Callable[[str], str],
) -> Table:
    """Return verdict, change and interval of ``rows`` on each of ``places``, a column each."""
    axis = axis_reach([change for row in rows for change in row.changes.values()])
    return Table(
        caption,
        (("Benchmark", "left"), *((escape(judged.place.name), "left") for judged in places)),
        tuple((Cell(row.name), *(_cell(row, judged, axis) for judged in places)) for row in rows),
        row_header=0,
    )


def inline_notes(content: Table) -> Table:
    """Return ``content`` with the note of each cell in brackets behind its text."""
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


def places_table(fleet: Fleet, caption: str) -> Table:
    """Return a table of the places: outcome, comparison, pairs and machine of each."""
    return Table(
        caption,
        (
            ("Where", "left"),
            ("Verdict", "left"),
            ("Comparison", "left"),
            ("Pairs", "right"),
            ("Machine", "left"),
        ),
        tuple(map(_place_row, fleet.places)),
        row_header=0,
    )


def _place_row(judged: JudgedPlace) -> tuple[Cell, ...]:
    run = judged.place.comparison
    if run is None:
        mark = replace(status.outcome_mark(judged.decision.outcome), word="Not measured")
        reason = Cell(judged.place.missing)
        return (Cell(judged.place.name), Cell("", mark=mark), reason, Cell(""), Cell(""))
    seconds = format_duration(sum(round_.seconds for round_ in run.rounds))
    return (
        Cell(judged.place.name),
        Cell("", mark=status.outcome_mark(judged.decision.outcome)),
        Cell(run.id),
        Cell(f"{len(run.rounds)} in {seconds}"),
        Cell(identity.machine_text(run.machine)),
    )


def _cell(row: CaseRow, judged: JudgedPlace, axis: float) -> Cell:
    change = row.changes.get(judged.place.name)
    if change is None:
        return Cell(_MISSING if judged.place.comparison is None else _ABSENT)
    if change.ratio is None or change.low is None or change.high is None:
        return Cell("", mark=pair_change_mark(change))
    return Cell(
        format_change(change.ratio),
        note=format_change_interval(change.low, change.high),
        mark=pair_change_mark(change),
        picture=strip.forest_plot(change.low - 1, change.ratio - 1, change.high - 1, reach=axis),
    )


def _urgency(change: ABChange) -> tuple[bool, int, float]:
    """Return the sort key of a change; unjudged ones come last, whatever their ratio."""
    mark = pair_change_mark(change)
    return mark.tone == "quiet", mark.urgency, -(change.ratio or 0)


_PLACES_SIDE_BY_SIDE = 3
"""Columns that fit the width of a terminal."""
_URGENT = "Benchmarks that need attention"
_URGENT_STATUSES = {ChangeStatus.ERROR, ChangeStatus.SLOWER}


def fleet_text(fleet: Fleet) -> str:
    """Return a fleet comparison as text: sentence, places, benchmarks, reasons of the urgent."""
    parts = [
        decision_text(fleet.decision),
        one_line(_describe_fleet(fleet)),
        text_table(drop_columns(places_table(fleet, ""), "Machine")),
    ]
    if rows := fleet_rows(fleet):
        compared = [judged for judged in fleet.places if judged.place.comparison is not None]
        for first in range(0, len(compared), _PLACES_SIDE_BY_SIDE):
            group = compared[first : first + _PLACES_SIDE_BY_SIDE]
            parts.append(text_table(inline_notes(fleet_matrix(rows, group, "", one_line))))
    parts += [f"▲ {one_line(as_sentence(note))}" for note in fleet.notes]
    for place, change in _urgent_changes(fleet):
        symbol, reason = pair_change_mark(change).symbol, as_sentence(change.reason)
        parts.append(one_line(f"{symbol} {change.case} on {place}: {reason}"))
    return "\n\n".join([*parts, *_footnotes(fleet)])


def fleet_fragment(fleet: Fleet) -> str:
    """Return a fleet comparison as HTML with its style, for a notebook's cell."""
    return standalone(_fragment(fleet))


def fleet_html(fleet: Fleet) -> str:
    """Return a fleet comparison as a page, with each place's comparison in full, folded."""
    bodies = "".join(
        markup.folded(
            f"{judged.place.name}: {status.outcome_mark(judged.decision.outcome).word}",
            comparison_body(run),
        )
        for judged in fleet.places
        if (run := judged.place.comparison) is not None
    )
    title = f"{fleet.new.name} against {fleet.base.name}"
    full = f"<h2>Each comparison</h2>{bodies}" if bodies else ""
    return html_page(title, _fragment(fleet) + full, (), "")


def fleet_markdown(fleet: Fleet) -> str:
    """Return a fleet comparison as GitHub-flavoured Markdown."""
    return write_decision(fleet.decision, fleet_parts(fleet))


def fleet_parts(fleet: Fleet) -> list[MarkdownPart]:
    """Return the places of a fleet comparison, its benchmarks by urgency, and notes."""
    parts = [MarkdownPart("Each place by itself", (places_table(fleet, ""),))]
    if fleet.notes:
        notes = tuple(map(as_sentence, fleet.notes))
        parts.insert(0, MarkdownPart("Where they differ", notes))
    parts += [
        MarkdownPart(title, (fleet_matrix(group, fleet.places, "", str),))
        for title, group in _groups(fleet)
    ]
    return [*parts, MarkdownPart("Notes", (_describe_fleet(fleet), *_footnotes(fleet)), CONTEXT)]


def _fragment(fleet: Fleet) -> str:
    notes = "".join(f"<li>{as_html(as_sentence(note))}</li>" for note in fleet.notes)
    parts = [
        verdict_sections.outcome_banner(fleet.decision),
        f'<ul class="vp-notes" aria-label="Where they differ">{notes}</ul>' if notes else "",
        markup.paragraph(_describe_fleet(fleet)),
        markup.html_table(places_table(fleet, "Each place by itself")),
    ]
    for title, group in _groups(fleet):
        body = markup.html_table(fleet_matrix(group, fleet.places, title, str))
        parts.append(body if title == _URGENT else markup.folded(title, body))
    return "".join([*parts, *map(markup.paragraph, _footnotes(fleet))])


def _footnotes(fleet: Fleet) -> list[str]:
    return footnotes(change for row in fleet_rows(fleet) for change in row.changes.values())


def _groups(fleet: Fleet) -> Iterator[tuple[str, Sequence[CaseRow]]]:
    return group_by_urgency(fleet_rows(fleet), lambda row: pair_change_mark(row.worst), _URGENT)


def _describe_fleet(fleet: Fleet) -> str:
    compared = f"{describe_side(fleet.new)}, against {describe_side(fleet.base)}"
    return f"{compared}; {plural(len(fleet.places), 'comparison')}, sweep {fleet.sweep}."


def _urgent_changes(fleet: Fleet) -> Iterator[tuple[str, ABChange]]:
    for judged in fleet.places:
        for change in judged.place.comparison.changes if judged.place.comparison else ():
            if change.status in _URGENT_STATUSES:
                yield judged.place.name, change
