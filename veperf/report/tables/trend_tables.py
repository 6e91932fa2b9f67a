"""Trends as tables and sentences."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from veperf.archive.run_summary import RunFacts
from veperf.archive.trend import Shift, Trend
from veperf.core import number_format
from veperf.report.case_summary import measured_name
from veperf.report.tables.result_tables import Cell, Table

_SHORT = 10
_DIGITS = 4
_CLOCKS = {"cpu": "CPU time", "wall": "wall time"}
NOTHING = "No complete run in the archive has a figure."


def headline(found: Trend) -> str:
    """Which figure of which runs, and how it stands."""
    name = measured_name(found.case, found.metric)
    clock = f" by {_CLOCKS[found.clock]}" if found.metric == "time" else ""
    return (
        f"{name}{clock}: {number_format.count(len(found.runs), 'run')} on {found.machine}, "
        f"{day(found.runs[0])} to {day(found.runs[-1])}; last "
        f"{number_format.quantity(found.values[-1], found.unit, _DIGITS)}, "
        f"{number_format.count(len(found.shifts), 'change point')}"
    )


def runs(found: Trend, most: int | None = None) -> Table:
    """One row a run, the latest first; ``most`` of them where it is given."""
    ratios = [None, *(_ratio(a, b) for a, b in pairwise(found.values.tolist()))]
    stepped = {shift.point.index for shift in found.shifts}
    rows = [
        (
            Cell(run.id),
            Cell(number_format.moment(run.created)),
            Cell(commit(run)),
            Cell(number_format.quantity(found.values[i], found.unit, _DIGITS)),
            Cell(number_format.interval(found.low[i], found.high[i], found.unit, _DIGITS)),
            Cell(number_format.change(ratios[i]) + (" ◂ change point" if i in stepped else "")),
        )
        for i, run in enumerate(found.runs)
    ]
    return Table(
        "Runs",
        (
            ("Run", "left"),
            ("Made", "left"),
            ("Commit", "left"),
            ("Value", "right"),
            ("Interval", "right"),
            ("To the run before", "left"),
        ),
        tuple(rows[::-1][:most]),
        heads=0,
    )


def shifts(found: Trend) -> Table:
    """One row a change point, the latest first."""
    return Table(
        "Change points",
        (
            ("Since", "left"),
            ("Change", "left"),
            ("Before", "right"),
            ("After", "right"),
            ("Commits to blame", "left"),
            ("Beside them", "left"),
        ),
        tuple(_shift_row(found, shift) for shift in reversed(found.shifts)),
        heads=0,
    )


def overview(found: Iterable[Trend], picture: Sequence[str]) -> Table:
    """One row a benchmark, in the given order; ``picture`` has a text for each."""
    return Table(
        "Trends",
        (
            ("Benchmark", "left"),
            ("Last", "right"),
            ("Trend", "left"),
            ("Latest change", "left"),
            ("Since", "left"),
            ("Commits to blame", "left"),
        ),
        tuple(_overview_row(one, text) for one, text in zip(found, picture, strict=True)),
        heads=0,
    )


def effect(found: Trend, shift: Shift) -> str:
    """How much better or worse it got, in words."""
    return number_format.effect(shift.worse, found.metric)


def blame(shift: Shift) -> str:
    """The range of commits, short."""
    old, new = commit(shift.good), commit(shift.bad)
    return f"{old}..{new}" if shift.blame else number_format.MISSING


def commit(run: RunFacts) -> str:
    """The run's commit, short, with a plus where there was more than it says."""
    return run.commit[:_SHORT] + ("+" if run.dirty and run.commit else "")


def _shift_row(found: Trend, shift: Shift) -> tuple[Cell, ...]:
    return (
        Cell(day(shift.bad), note=f"run {shift.bad.id}"),
        Cell(effect(found, shift), note=_interval(shift)),
        Cell(number_format.quantity(shift.point.before, found.unit, _DIGITS)),
        Cell(number_format.quantity(shift.point.after, found.unit, _DIGITS)),
        Cell(blame(shift)),
        Cell("; ".join(shift.surroundings)),
    )


def _overview_row(found: Trend, picture: str) -> tuple[Cell, ...]:
    shift = found.last_shift
    return (
        Cell(measured_name(found.case, found.metric)),
        Cell(number_format.quantity(found.values[-1], found.unit, _DIGITS)),
        Cell(picture),
        Cell(effect(found, shift) if shift else "none"),
        Cell(day(shift.bad) if shift else ""),
        Cell(blame(shift) if shift else ""),
    )


def _interval(shift: Shift) -> str:
    return number_format.change_interval(shift.point.low, shift.point.high)


def _ratio(before: float, after: float) -> float | None:
    return after / before if before > 0 else None


def day(run: RunFacts) -> str:
    """The date of the run."""
    return f"{run.made:%Y-%m-%d}" if run.made else run.created[:_SHORT] or "an unknown day"
