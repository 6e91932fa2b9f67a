"""Tables of a comparison on several places: a benchmark a row, a place a column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from veperf.model import ABChange
from veperf.report import identity, status, strips, words
from veperf.report.ab.places import At, Fleet
from veperf.report.ab.table import mark_of, reach
from veperf.report.summary import measured_name
from veperf.report.tables import Cell, Table

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
    seconds = words.seconds(sum(one.seconds for one in found.rounds))
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
        words.change(change.ratio),
        note=words.change_interval(change.low, change.high),
        mark=mark_of(change),
        picture=strips.forest(change.low - 1, change.ratio - 1, change.high - 1, reach=axis),
    )


def _urgency(change: ABChange) -> tuple[bool, int, float]:
    """What was not judged on one place says nothing about the others."""
    mark = mark_of(change)
    return mark.tone == "quiet", mark.urgency, -(change.ratio or 0)
