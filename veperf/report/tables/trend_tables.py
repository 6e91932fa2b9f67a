"""Trends as tables and sentences."""

from collections.abc import Iterable, Sequence

from veperf.archive.run_summary import RunFacts
from veperf.archive.trend import Trend, TrendChange
from veperf.core.text import (
    MISSING,
    format_change,
    format_change_interval,
    format_interval,
    format_metric_effect,
    format_quantity,
    format_time,
    plural,
)
from veperf.report.case_summary import measured_name
from veperf.report.tables.table import Cell, Table, columns, without_empty_columns

_SHORT = 10
_DIGITS = 4
_CLOCKS = {"cpu": "CPU time", "wall": "wall time"}
BLAMED = "Commits to blame"
NO_TRENDS = "No complete run has a figure."


def trend_headline(trend: Trend) -> str:
    """Return a sentence with the metric, the range of runs and the latest value."""
    return f"{measured_name(trend.case, trend.metric)}: {trend_facts(trend)}"


def trend_facts(trend: Trend) -> str:
    """Return the runs of a trend, their days, the latest value, and what became of it."""
    clock = f"{_CLOCKS[trend.clock]} of " if trend.metric == "time" else ""
    first, last = run_date(trend.runs[0]), run_date(trend.runs[-1])
    drift = drift_effect(trend, interval=True)
    return (
        f"{clock}{plural(len(trend.runs), 'run')} on {trend.machine}, "
        f"{first if first == last else f'{first} to {last}'}; last "
        f"{format_quantity(trend.values[-1], trend.unit, _DIGITS)}, "
        f"{plural(len(trend.change_points), 'change point')}{f'; {drift}' if drift else ''}"
        f"{f': {trend.drift_acknowledged}' if drift and trend.drift_acknowledged else ''}"
    )


def trend_runs_table(trend: Trend, most: int | None = None) -> Table:
    """Return a table with a row for each run, the latest first, at most ``most`` of them."""
    n = len(trend.runs)
    first = 0 if most is None else max(0, n - most)
    stepped = {change.point.index for change in trend.change_points}
    rows = [
        (
            Cell(run.id),
            Cell(format_time(run.created)),
            Cell(short_commit(run)),
            Cell(format_quantity(trend.values[i], trend.unit, _DIGITS)),
            Cell(format_interval(trend.low[i], trend.high[i], trend.unit, _DIGITS)),
            Cell(
                format_change(_ratio(trend.values[i - 1], trend.values[i]) if i else None)
                + (" ◂ change point" if i in stepped else "")
            ),
        )
        for i in reversed(range(first, n))
        for run in [trend.runs[i]]
    ]
    return Table(
        "Runs",
        columns("Run", "Created", "Commit", ">Value", ">Interval", "From the previous run"),
        tuple(rows),
        row_header=0,
    )


def latest_runs_title(trend: Trend, most: int) -> str:
    """Return the title of a table of at most ``most`` runs."""
    n = len(trend.runs)
    return f"The last {most} of {n:,} runs" if n > most else plural(n, "run")


def change_points_table(trend: Trend) -> Table:
    """Return a table with a row for each change point, the latest first."""
    names = ("Since", "Change", ">Before", ">After", BLAMED, "Other changes", "Acknowledged")
    content = Table(
        "Change points",
        columns(*names),
        tuple(_change_point_row(trend, change) for change in reversed(trend.change_points)),
        row_header=0,
    )
    return without_empty_columns(content)


def trends_table(trends: Iterable[Trend], picture: Sequence[str]) -> Table:
    """Return a table with a row for each benchmark, in order; ``picture`` has a text for each."""
    return Table(
        "Trends",
        columns("Benchmark", ">Last", "Trend", "Latest change", "Since", BLAMED),
        tuple(_overview_row(trend, text) for trend, text in zip(trends, picture, strict=True)),
        row_header=0,
    )


def trend_effect(trend: Trend, change: TrendChange) -> str:
    """Return in words how much better or worse the benchmark became."""
    return format_metric_effect(change.worse, trend.metric, trend.better)


def drift_effect(trend: Trend, *, interval: bool = False) -> str:
    """Return in words how far the benchmark drifts, with its interval where that is asked for.

    Empty where it does not: drifts, +10.0 % over 60 runs.
    """
    drift = trend.drift
    if drift is None:
        return ""
    ends = f" ({format_change_interval(drift.low, drift.high)})" if interval else ""
    return f"drifts, {format_change(drift.ratio)}{ends} over {plural(drift.count, 'run')}"


def latest_change(trend: Trend) -> str:
    """Return the latest change point and the drift since then in words; none without either."""
    change = trend.last_change
    effects = [trend_effect(trend, change) if change else "", drift_effect(trend)]
    return "; ".join(filter(None, effects)) or "none"


def commit_range(change: TrendChange) -> str:
    """Return the range of commits that contains the change, shortened."""
    old, new = short_commit(change.good), short_commit(change.bad)
    return f"{old}..{new}" if change.commit_range else MISSING


def short_commit(run: RunFacts) -> str:
    """Return the run's commit, shortened, with a plus where there were uncommitted changes."""
    return run.commit[:_SHORT] + ("+" if run.dirty and run.commit else "")


def _change_point_row(trend: Trend, change: TrendChange) -> tuple[Cell, ...]:
    return (
        Cell(run_date(change.bad), note=f"run {change.bad.id}"),
        Cell(trend_effect(trend, change), note=_interval(change)),
        Cell(format_quantity(change.point.before, trend.unit, _DIGITS)),
        Cell(format_quantity(change.point.after, trend.unit, _DIGITS)),
        Cell(commit_range(change)),
        Cell("; ".join(change.other_changes)),
        Cell(change.acknowledged),
    )


def _overview_row(trend: Trend, picture: str) -> tuple[Cell, ...]:
    change = trend.last_change
    return (
        Cell(measured_name(trend.case, trend.metric)),
        Cell(format_quantity(trend.values[-1], trend.unit, _DIGITS)),
        Cell(picture),
        Cell(latest_change(trend)),
        Cell(run_date(change.bad) if change else ""),
        Cell(commit_range(change) if change else ""),
    )


def _interval(change: TrendChange) -> str:
    return format_change_interval(change.point.low, change.point.high)


def _ratio(before: float, after: float) -> float | None:
    return after / before if before > 0 else None


def run_date(run: RunFacts) -> str:
    """Return the date of the run."""
    return (
        f"{run.created_at:%Y-%m-%d}" if run.created_at else run.created[:_SHORT] or "an unknown day"
    )
