"""Every case of a run in a table: what it takes, how that stands to its target, how it changed."""

from collections.abc import Iterable, Mapping, Sequence

from veperf.core import number_format
from veperf.core.verdict import Change, ChangeStatus, TargetVerdict, Verdict
from veperf.report.case_history import History
from veperf.report.case_summary import Measured
from veperf.report.charts.sparkline import sparkline
from veperf.report.load_summary import Loaded
from veperf.report.tables import status
from veperf.report.tables.load_tables import load_mark, percentile
from veperf.report.tables.result_tables import Align, Cell, Table, target_mark

_COLUMNS: tuple[tuple[str, Align], ...] = (
    ("Benchmark", "left"),
    ("Value", "right"),
    ("Target", "left"),
    ("Change", "left"),
    ("Earlier runs", "left"),
)


def overview(
    timed: Iterable[Measured],
    loads: Iterable[Loaded],
    verdict: Verdict,
    history: History,
    caption: str,
) -> Table:
    """A row a case, in the run's order; columns that nothing fills are left out."""
    changes = {(c.case, c.metric): c for c in verdict.changes}
    answers: dict[str, list[TargetVerdict]] = {}
    for found in verdict.targets:
        answers.setdefault(found.case or "", []).append(found)
    rows = [
        _row(one, answers, changes.get((one.case.id, one.series.metric)), history) for one in timed
    ]
    rows += [_load_row(one, answers) for one in loads]
    filled = [i for i in range(len(_COLUMNS)) if i < 2 or any(_holds(row[i]) for row in rows)]
    return Table(
        caption,
        tuple(_COLUMNS[i] for i in filled),
        tuple(tuple(row[i] for i in filled) for row in rows),
        heads=0,
    )


def _holds(cell: Cell) -> bool:
    return bool(cell.text or cell.mark or cell.picture)


def _row(
    one: Measured,
    answers: Mapping[str, Sequence[TargetVerdict]],
    change: Change | None,
    history: History,
) -> tuple[Cell, ...]:
    found, unit = one.estimate, one.series.unit
    id = one.case.targets.get(one.series.metric)
    value = Cell("", mark=status.FAILED)
    trend = ""
    if found is not None:
        value = Cell(
            number_format.quantity(found.value, unit),
            number_format.interval(found.low, found.high, unit),
        )
        # Points of a curve are many, and move as their benchmark does.
        if one.case.id == one.case.benchmark:
            earlier = history.get((one.case.id, one.series.metric), ())
            trend = sparkline(earlier, found.value)
    return (
        Cell(one.name, case=one.case.id),
        value,
        _targets([v for v in answers.get(one.case.id, ()) if v.target.id == id]),
        _change(change),
        Cell("", picture=trend),
    )


def _load_row(one: Loaded, answers: Mapping[str, Sequence[TargetVerdict]]) -> tuple[Cell, ...]:
    sustained = one.figure("throughput")
    p99 = f"p99 {number_format.quantity(percentile(one, 'latency_p99'), 'ms')}"
    value = Cell(p99, one.rate_unit and f"at {_offered(one)}")
    if one.is_search:
        value = Cell(
            number_format.quantity(sustained.value if sustained else None, one.rate_unit), p99
        )
    if load_mark(one).tone != "pass":
        value = Cell(value.text, value.note, load_mark(one))
    return (
        Cell(one.case.id, case=one.case.id),
        value,
        _targets(answers.get(one.case.id, ())),
        Cell(""),
        Cell(""),
    )


def _offered(one: Loaded) -> str:
    found = one.figure("offered")
    return number_format.quantity(found.value if found else None, one.unit("offered"))


def _targets(answered: Sequence[TargetVerdict]) -> Cell:
    """The one that stands worst to its limit."""
    if not answered:
        return Cell("")
    worst = min(answered, key=lambda v: (target_mark(v).urgency, -(v.over or 0)))
    limit = number_format.given(worst.target.limit, worst.target.unit)
    stands = number_format.beyond(worst.over, worst.target.better)
    return Cell("", f"{stands} of {limit}", target_mark(worst))


def _change(change: Change | None) -> Cell:
    if change is None or change.status is ChangeStatus.NO_BASELINE:
        return Cell("")
    return Cell("", number_format.change(change.ratio), status.of_change(change.status))
