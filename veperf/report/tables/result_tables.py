"""The tables of targets, changes, measured values and memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from veperf.core.case import MEMORY_METRICS
from veperf.core.run import Failure
from veperf.core.text import (
    MISSING,
    as_sentence,
    format_change_interval,
    format_exact,
    format_interval,
    format_metric_effect,
    format_number,
    format_p_value,
    format_percent,
    format_quantity,
    join_words,
    plural,
)
from veperf.core.verdict import UNDECIDED, Change, ChangeStatus, TargetVerdict
from veperf.report.case_summary import MeasuredMetric, estimate_text, measured_name
from veperf.report.charts import strip
from veperf.report.charts.scaling import ScalingCurve, format_exponent
from veperf.report.tables.status import (
    Mark,
    change_mark,
    describe_failure,
    failure_mark,
    target_mark,
)
from veperf.report.tables.table import Cell, Table, columns

T = TypeVar("T")

NOTHING_IN_COMMON = "Nothing to compare: the two have no benchmark in common."


def targets_table(verdicts: Iterable[TargetVerdict], caption: str) -> Table:
    """Return a table with a row for each target, the most urgent first."""
    ordered = sorted(verdicts, key=lambda v: (target_mark(v).urgency, -(v.over or 0)))
    return Table(
        caption,
        columns("Status", "Target", ">Measured", ">Limit", "Why"),
        tuple(_target_row(v) for v in ordered),
    )


def failures_table(failures: Mapping[str, Failure]) -> Table:
    """Return a table with a row for each case that failed."""
    return Table(
        "",
        columns("Status", "Benchmark", "Why"),
        tuple(
            (
                Cell("", mark=failure_mark(failure)),
                Cell(case),
                Cell(f"{describe_failure(failure)}: {failure.message}"),
            )
            for case, failure in failures.items()
        ),
    )


def changes_table(changes: Sequence[Change], caption: str) -> Table:
    """Return a table with a row for each change, the most urgent first.

    The intervals are drawn on a common axis.
    """
    ordered = sorted(changes, key=lambda c: (change_mark(c).urgency, -(c.ratio or 0)))
    reach = _reach(changes)
    return Table(
        caption,
        columns("Status", "Benchmark", ">Before", ">Now", "Change", ">p", ">Processes", "Why"),
        tuple(_change_row(c, reach) for c in ordered),
    )


def summary_table(measured: Iterable[MeasuredMetric], caption: str) -> Table:
    """Return a table with a row for each metric of a case, in the run's order."""
    return Table(
        caption,
        columns("Level", "Benchmark", ">Value", ">Interval", ">Typical", ">p99", ">Processes"),
        tuple(_summary_row(m) for m in measured),
    )


def curve_table(content: ScalingCurve) -> Table:
    """Return a table with a row for each point of a scaling curve."""
    return Table(
        content.name,
        ((content.parameter, "left"), (content.metric, "right"), ("Interval", "right")),
        tuple(
            (
                Cell(format_exact(p.x)),
                Cell(format_quantity(p.y.value, content.unit)),
                Cell(format_interval(p.y.low, p.y.high, content.unit)),
            )
            for p in content.points
        ),
        row_header=0,
    )


def growth_table(curves: Iterable[ScalingCurve], caption: str) -> Table:
    """Return a table with a row for each curve whose exponent can be told."""
    return Table(
        caption,
        columns("Benchmark", "By", ">Exponent", ">Interval", ">Cost at 10 times the size"),
        tuple(
            (
                Cell(measured_name(curve.benchmark, curve.metric)),
                Cell(curve.parameter),
                *map(Cell, format_exponent(curve.exponent)),
                Cell(f"{format_number(curve.law.ratio_at(10).value)} times"),
            )
            for curve in curves
            if curve.exponent is not None and curve.law is not None
        ),
    )


def split_by_urgency(
    items: Iterable[T], mark: Callable[[T], Mark]
) -> tuple[list[T], list[T], list[T]]:
    """Split ``items`` into those that need attention, those that pass and those not judged."""
    urgent: list[T] = []
    well: list[T] = []
    unjudged: list[T] = []
    groups = {"fail": urgent, "warn": urgent, "pass": well, "quiet": unjudged}
    for item in items:
        groups[mark(item).tone].append(item)
    return urgent, well, unjudged


def group_changes(
    changes: Iterable[Change],
) -> tuple[list[Change], list[Change], list[Change], list[Change]]:
    """Split changes into possible slowdowns, undecided, those that pass, and not judged."""
    urgent, well, unjudged = split_by_urgency(displayed_changes(changes), change_mark)
    alarms = [change for change in urgent if change.status not in UNDECIDED]
    undecided = [change for change in urgent if change.status in UNDECIDED]
    return alarms, undecided, well, unjudged


def passed_title(calm: Sequence[Change]) -> str:
    """Return a title with the number of comparisons that pass."""
    return plural(len(calm), "comparison that passes", "comparisons that pass")


def displayed_changes(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that get a row of their own.

    Left out are cases that are in no baseline, and all but one metric of a case without values.
    """
    by_row: dict[tuple[str, str], Change] = {}
    for change in changes:
        if change.status is not ChangeStatus.NO_BASELINE:
            lost = change.base is None and not change.n_new
            by_row.setdefault((change.case, "" if lost else change.metric), change)
    return list(by_row.values())


def unrecorded_sentence(changes: Iterable[Change]) -> str:
    """Return a sentence that lists the cases in no baseline; empty where there is none."""
    new = dict.fromkeys(c.case for c in changes if c.status is ChangeStatus.NO_BASELINE)
    return f"Not in the baseline: {join_words(new)}." if new else ""


def has_common_benchmarks(changes: Iterable[Change]) -> bool:
    """Return whether base and new have any benchmark in common."""
    return any(change.base is not None for change in changes)


def _target_row(v: TargetVerdict) -> tuple[Cell, ...]:
    unit = v.target.unit
    sure = f", {format_percent(v.confidence)} sure" if v.confidence is not None else ""
    interval = format_interval(v.low, v.high, unit)
    at = "at most" if v.target.better == "lower" else "at least"
    return (
        Cell("", mark=target_mark(v)),
        Cell(v.target.id, note=_target_note(v), case=v.case or ""),
        Cell(format_quantity(v.value, unit), note="" if v.low is None else interval + sure),
        Cell(f"{at} {format_exact(v.target.limit, unit)}"),
        Cell(as_sentence(v.reason)),
    )


def _target_note(v: TargetVerdict) -> str:
    """Return what a target asks for, by which protocol, and how VirtEngine does it today."""
    note, later = v.target.what, v.target.successor
    if v.target.protocol:
        note = f"{note}: {v.target.protocol}"
    if later is None:
        return note
    value, unit = v.successor_value, v.target.unit
    measured = "" if value is None else f" takes {format_quantity(value, unit)}"
    return f"{note}; since {later.revision[:8]} {later.protocol}: {later.benchmark}{measured}"


def _change_row(c: Change, reach: float) -> tuple[Cell, ...]:
    picture = ""
    interval = format_change_interval(c.low, c.high)
    if c.ratio is not None and c.low is not None and c.high is not None:
        picture = strip.forest_plot(c.low - 1, c.ratio - 1, c.high - 1, reach=reach)
    p = format_p_value(c.p if c.p_adjusted is None else c.p_adjusted)
    return (
        Cell("", mark=change_mark(c)),
        Cell(measured_name(c.case, c.metric), case=c.case),
        Cell(format_quantity(c.base, c.unit)),
        Cell(format_quantity(c.new, c.unit)),
        Cell(
            format_metric_effect(c.ratio, c.metric, c.better),
            note="" if c.low is None else interval,
            picture=picture,
        ),
        Cell(p),
        Cell(f"{c.n_base} → {c.n_new}"),
        Cell(as_sentence(c.reason)),
    )


def _summary_row(m: MeasuredMetric) -> tuple[Cell, ...]:
    estimate, unit = m.estimate, m.series.unit
    return (
        Cell(m.case.level.value),
        Cell(m.name, note=m.case.what),
        Cell(estimate_text(estimate, unit)),
        Cell(format_interval(estimate.low, estimate.high, unit) if estimate else MISSING),
        Cell(format_quantity(m.series.wall_median, unit)),
        Cell(format_quantity(m.series.wall_p99, unit)),
        Cell(str(m.series.n), note=f"{m.series.failed} failed" if m.series.failed else ""),
    )


def _reach(changes: Iterable[Change]) -> float:
    """Return the length of the common axis to either side: 5 % at least, 50 % at most."""
    ends = [abs(end - 1) for c in changes for end in (c.low, c.high) if end is not None]
    return min(0.5, max(0.05, *ends, 0.0))


def memory_table(measured: Iterable[MeasuredMetric], caption: str) -> Table:
    """Return a table with a row for each case that has memory figures, in the run's order."""
    by_case: dict[str, dict[str, MeasuredMetric]] = {}
    for metric in measured:
        if metric.is_memory:
            by_case.setdefault(metric.case.id, {})[metric.series.metric] = metric
    return Table(
        caption,
        columns("Memory", ">Held", ">Allocated", ">Allocations", ">Processes"),
        tuple(
            _memory_row(case, [metrics.get(m.name) for m in MEMORY_METRICS])
            for case, metrics in by_case.items()
        ),
        row_header=0,
    )


def _memory_row(case: str, figures: Sequence[MeasuredMetric | None]) -> tuple[Cell, ...]:
    held, allocated, allocations = (figure.estimate if figure else None for figure in figures)
    series = [figure.series for figure in figures if figure]
    failed = max(entry.failed for entry in series)
    return (
        Cell(case, case=case),
        Cell(estimate_text(held, "B")),
        Cell(estimate_text(allocated, "B")),
        Cell(format_number(allocations.value if allocations else None)),
        Cell(str(max(entry.n for entry in series)), note=f"{failed} failed" if failed else ""),
    )
