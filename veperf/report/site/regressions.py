"""The site's page of change points, and those that are still to be looked at."""

from collections.abc import Iterable, Sequence

from veperf.archive.trend import Trend, TrendChange
from veperf.core.text import format_change_interval, format_quantity, plural
from veperf.report.case_summary import measured_name
from veperf.report.html import markup
from veperf.report.site.links import SiteLinks
from veperf.report.tables import trend_tables as tables
from veperf.report.tables.table import Cell, Table, columns, drop_columns, without_empty_columns

NO_CHANGE_POINT = "No benchmark has a change point yet. That takes ten runs on one machine or more."
ACKNOWLEDGE = (
    '<p>To say why one is accepted: <code>veperf archive acknowledge RUN BENCHMARK --reason "..."'
    "</code> with the run below its date. No gate turns green by that.</p>"
)
"""HTML."""
_ACKNOWLEDGE_DRIFT = (
    "<p>To say why one is accepted: <code>veperf archive acknowledge last BENCHMARK --drift "
    '--reason "..."</code>.</p>'
)
MACHINE = "Machine class"
DRIFTS = "Slowly getting worse"


def regressions_html(trends: Sequence[Trend], links: SiteLinks) -> str:
    """Return the change points and the drifts for the worse: open ones first, for the better last.

    Groups of which there is none are left out.
    """
    parts: list[tuple[str, str, Table]] = []
    pairs = [(trend, change) for trend in trends for change in trend.change_points]
    pairs.sort(key=lambda pair: (pair[1].bad.created, pair[1].worse), reverse=True)
    opened = open_regressions(trends)
    known = [pair for pair in pairs if pair[0].better != "unknown"]
    is_open = {(id(trend), change.point.index) for trend, change in opened}
    worse = [pair for pair in known if pair[1].worse > 1]
    groups = [
        ("Slower or worse", opened),
        (
            "Acknowledged, or made good since",
            [pair for pair in worse if (id(pair[0]), pair[1].point.index) not in is_open],
        ),
        ("Faster or better", [pair for pair in known if pair[1].worse <= 1]),
        ("Changed, for better or worse", [pair for pair in pairs if pair[0].better == "unknown"]),
    ]
    for title, group in groups:
        if group:
            hint = ACKNOWLEDGE if group is opened else ""
            caption = plural(len(group), "change")
            parts.append((title, hint, regressions_table(group, caption, links)))
        drifts = drifts_for_the_worse(trends) if group is opened else []
        if drifts:
            hint = "" if all(trend.drift_acknowledged for trend in drifts) else _ACKNOWLEDGE_DRIFT
            parts.append((DRIFTS, hint, drifts_table(drifts, links)))
    if not parts:
        return markup.paragraph(NO_CHANGE_POINT)
    is_one = len({trend.machine for trend in trends}) == 1
    return "".join(
        f"<h2>{title}</h2>{hint}{markup.html_table(without_machines(t) if is_one else t)}"
        for title, hint, t in parts
    )


def open_regressions(trends: Iterable[Trend]) -> list[tuple[Trend, TrendChange]]:
    """Return the changes for the worse that nobody acknowledged and that still hold, newest first.

    One holds where the level of today is still worse than the one before it.
    """
    pairs = [
        (trend, change)
        for trend in trends
        if trend.better != "unknown"
        for change in trend.change_points
        if change.worse > 1 and not change.acknowledged and _holds(trend, change)
    ]
    return sorted(pairs, key=lambda pair: (pair[1].bad.stamp_ns, pair[1].worse), reverse=True)


def _holds(trend: Trend, change: TrendChange) -> bool:
    now = trend.change_points[-1].point.after
    return now < change.point.before if trend.better == "higher" else now > change.point.before


def regressions_table(
    pairs: Sequence[tuple[Trend, TrendChange]], caption: str, links: SiteLinks
) -> Table:
    """Return a table of change points, with their reasons where any was acknowledged."""
    names = ("Benchmark", "Change", ">Before", ">After", "Since", "Commits")
    content = Table(
        caption,
        columns(*names, "Acknowledged", MACHINE),
        tuple(
            (
                Cell(measured_name(trend.case, trend.metric), address=links.trend(trend)),
                Cell(
                    tables.trend_effect(trend, change),
                    note=format_change_interval(change.point.low, change.point.high),
                ),
                Cell(format_quantity(change.point.before, trend.unit)),
                Cell(format_quantity(change.point.after, trend.unit)),
                Cell(
                    tables.run_date(change.bad),
                    note=f"run {change.bad.id}",
                    address=links.run(change.bad.id),
                ),
                links.blamed(change, "; ".join(change.other_changes)),
                Cell(change.acknowledged),
                Cell(trend.machine),
            )
            for trend, change in pairs
        ),
        row_header=0,
    )
    return without_empty_columns(content)


def drifts_for_the_worse(trends: Iterable[Trend]) -> list[Trend]:
    """Return the trends that move slowly for the worse, the farthest first, acknowledged last."""
    worse = [trend for trend in trends if _drift_ratio(trend) > 1]
    return sorted(worse, key=lambda trend: (trend.drift_acknowledged != "", -_drift_ratio(trend)))


def _drift_ratio(trend: Trend) -> float:
    """Return how much worse a trend became by drifting; 1 where it does not, or nobody knows."""
    if trend.drift is None or trend.better == "unknown":
        return 1.0
    return 1 / trend.drift.ratio if trend.better == "higher" else trend.drift.ratio


def drifts_table(drifts: Sequence[Trend], links: SiteLinks) -> Table:
    """Return a table of trends that drift, with their reasons where any was acknowledged."""
    content = Table(
        f"{plural(len(drifts), 'benchmark')} without a commit to blame",
        columns("Benchmark", "Drift", ">Last", "Acknowledged", MACHINE),
        tuple(
            (
                Cell(measured_name(trend.case, trend.metric), address=links.trend(trend)),
                Cell(tables.drift_effect(trend, interval=True)),
                Cell(format_quantity(trend.values[-1], trend.unit)),
                Cell(trend.drift_acknowledged),
                Cell(trend.machine),
            )
            for trend in drifts
        ),
        row_header=0,
    )
    return without_empty_columns(content)


def without_machines(content: Table) -> Table:
    """Return a table without its column of machine classes."""
    return drop_columns(content, MACHINE)
