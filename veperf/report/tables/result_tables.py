"""The tables of a report, apart from how they are written down: text, Markdown or HTML."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from veperf.core import number_format
from veperf.core.verdict import Change, ChangeStatus, TargetVerdict
from veperf.report.case_summary import Measured, measured_name
from veperf.report.charts import strip
from veperf.report.charts.scaling import Curve
from veperf.report.tables import status
from veperf.report.tables.status import Mark

T = TypeVar("T")
Align = Literal["left", "right"]

_UNDECIDED = {ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH}
NOTHING_IN_COMMON = "Nothing to compare: the two have no benchmark in common."


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table."""

    text: str
    note: str = ""
    """In smaller print below."""
    mark: Mark | None = None
    picture: str = ""
    """SVG of our own making, for HTML only."""
    case: str = ""
    """The case that this names, for a link to it."""
    address: str = ""
    """Where it leads, if it is no such case."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; ``heads`` is the index of the column that names the row."""

    caption: str
    columns: tuple[tuple[str, Align], ...]
    rows: tuple[tuple[Cell, ...], ...]
    heads: int = 1


def targets(verdicts: Iterable[TargetVerdict], caption: str) -> Table:
    """One row a target, the most urgent first."""
    ordered = sorted(verdicts, key=lambda v: (target_mark(v).urgency, -(v.over or 0)))
    return Table(
        caption,
        (
            ("Status", "left"),
            ("Target", "left"),
            ("Measured", "right"),
            ("Limit", "right"),
            ("Why", "left"),
        ),
        tuple(_target_row(v) for v in ordered),
    )


def changes(found: Sequence[Change], caption: str) -> Table:
    """One row a comparison, the most urgent first, with an interval drawn on a common axis."""
    ordered = sorted(found, key=lambda c: (change_mark(c).urgency, -(c.ratio or 0)))
    reach = _reach(found)
    return Table(
        caption,
        (
            ("Status", "left"),
            ("Benchmark", "left"),
            ("Before", "right"),
            ("Now", "right"),
            ("Change", "left"),
            ("p", "right"),
            ("Processes", "right"),
            ("Why", "left"),
        ),
        tuple(_change_row(c, reach) for c in ordered),
    )


def summary(measured: Iterable[Measured], caption: str) -> Table:
    """One row a metric of a case, in the run's order."""
    return Table(
        caption,
        (
            ("Level", "left"),
            ("Benchmark", "left"),
            ("Value", "right"),
            ("Interval", "right"),
            ("Typical", "right"),
            ("p99", "right"),
            ("Processes", "right"),
        ),
        tuple(_summary_row(m) for m in measured),
    )


def curve(content: Curve) -> Table:
    """One row a point."""
    return Table(
        content.name,
        ((content.parameter, "left"), (content.metric, "right"), ("Interval", "right")),
        tuple(
            (
                Cell(number_format.given(p.x)),
                Cell(number_format.quantity(p.y.value, content.unit)),
                Cell(number_format.interval(p.y.low, p.y.high, content.unit)),
            )
            for p in content.points
        ),
        heads=0,
    )


def target_mark(verdict: TargetVerdict) -> Mark:
    """How a target's status is shown."""
    return status.of_target(verdict.status, known_miss=verdict.known_miss)


def change_mark(change: Change) -> Mark:
    """How a change's status is shown."""
    return status.of_change(change.status)


def split(found: Iterable[T], mark: Callable[[T], Mark]) -> tuple[list[T], list[T], list[T]]:
    """What needs attention, what is well, and what was not judged, each in its order."""
    urgent: list[T] = []
    well: list[T] = []
    unjudged: list[T] = []
    groups = {"fail": urgent, "warn": urgent, "pass": well, "quiet": unjudged}
    for one in found:
        groups[mark(one).tone].append(one)
    return urgent, well, unjudged


def groups(
    found: Iterable[Change],
) -> tuple[list[Change], list[Change], list[Change], list[Change]]:
    """What may be a slowdown, what could not be decided, what is well, and what was not judged."""
    urgent, well, unjudged = split(worth_a_row(found), change_mark)
    alarms = [change for change in urgent if change.status not in _UNDECIDED]
    undecided = [change for change in urgent if change.status in _UNDECIDED]
    return alarms, undecided, well, unjudged


def calm_title(calm: Sequence[Change]) -> str:
    """How many comparisons found no slowdown."""
    return number_format.count(
        len(calm), "comparison without a slowdown", "comparisons without a slowdown"
    )


def worth_a_row(found: Iterable[Change]) -> list[Change]:
    """Less what no baseline has, and with only one metric of a case that gave no value at all."""
    kept: dict[tuple[str, str], Change] = {}
    for change in found:
        if change.status is not ChangeStatus.NO_BASELINE:
            lost = change.base is None and not change.n_new
            kept.setdefault((change.case, "" if lost else change.metric), change)
    return list(kept.values())


def unrecorded(found: Iterable[Change]) -> str:
    """In a sentence which cases no baseline has; empty where there is none."""
    new = dict.fromkeys(c.case for c in found if c.status is ChangeStatus.NO_BASELINE)
    return f"Not in the baseline: {number_format.listed(new)}." if new else ""


def in_common(found: Iterable[Change]) -> bool:
    """Whether the two sides have anything that can be compared."""
    return any(change.base is not None for change in found)


def without(content: Table, *names: str) -> Table:
    """``content`` less the columns of these ``names``."""
    kept = [i for i, (name, _) in enumerate(content.columns) if name not in names]
    return Table(
        content.caption,
        tuple(content.columns[i] for i in kept),
        tuple(tuple(row[i] for i in kept) for row in content.rows),
        heads=kept.index(content.heads),
    )


def _target_row(v: TargetVerdict) -> tuple[Cell, ...]:
    unit = v.target.unit
    sure = f", {number_format.share(v.confidence)} sure" if v.confidence is not None else ""
    between = number_format.interval(v.low, v.high, unit)
    at = "at most" if v.target.better == "lower" else "at least"
    return (
        Cell("", mark=target_mark(v)),
        Cell(v.target.id, note=v.target.what, case=v.case or ""),
        Cell(number_format.quantity(v.value, unit), note="" if v.low is None else between + sure),
        Cell(f"{at} {number_format.given(v.target.limit, unit)}"),
        Cell(number_format.sentence(v.reason)),
    )


def _change_row(c: Change, reach: float) -> tuple[Cell, ...]:
    picture = ""
    between = number_format.change_interval(c.low, c.high)
    if c.ratio is not None and c.low is not None and c.high is not None:
        picture = strip.forest(c.low - 1, c.ratio - 1, c.high - 1, reach=reach)
    p = number_format.probability(c.p if c.p_adjusted is None else c.p_adjusted)
    return (
        Cell("", mark=change_mark(c)),
        Cell(measured_name(c.case, c.metric), case=c.case),
        Cell(number_format.quantity(c.base, c.unit)),
        Cell(number_format.quantity(c.new, c.unit)),
        Cell(
            number_format.effect(c.ratio, c.metric),
            note="" if c.low is None else between,
            picture=picture,
        ),
        Cell(p),
        Cell(f"{c.n_base} → {c.n_new}"),
        Cell(number_format.sentence(c.reason)),
    )


def _summary_row(m: Measured) -> tuple[Cell, ...]:
    found, unit = m.estimate, m.series.unit
    return (
        Cell(m.case.level.value),
        Cell(m.name, note=m.case.what),
        Cell(number_format.quantity(found.value if found else None, unit)),
        Cell(
            number_format.interval(found.low, found.high, unit) if found else number_format.MISSING
        ),
        Cell(number_format.quantity(m.series.wall_median, unit)),
        Cell(number_format.quantity(m.series.wall_p99, unit)),
        Cell(str(m.series.n), note=f"{m.series.failed} failed" if m.series.failed else ""),
    )


def _reach(found: Iterable[Change]) -> float:
    """How far the common axis goes to either side: 5 % at least, 50 % at most."""
    ends = [abs(end - 1) for c in found for end in (c.low, c.high) if end is not None]
    return min(0.5, max(0.05, *ends, 0.0))
