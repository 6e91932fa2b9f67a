"""The site's pages on benchmarks over time: all in a table, a page for each, regressions."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from veperf.archive.trend import Trend, TrendChange
from veperf.core.escape import as_html
from veperf.core.text import format_change_interval, format_quantity
from veperf.report.case_summary import measured_name
from veperf.report.charts.sparkline import sparkline
from veperf.report.charts.trend_chart import trend_chart
from veperf.report.html import markup
from veperf.report.html.links import anchor
from veperf.report.tables import trend_tables as tables
from veperf.report.tables.table import Cell, Table, columns

NO_CHANGE_POINT = "No benchmark has a change point yet. That takes ten runs on one machine or more."
_SPARK = 20
_RUNS = 20


def benchmark_of(case: str) -> str:
    """Return the benchmark of ``case``: its id without the parameters."""
    return case.partition("[")[0]


def benchmarks_overview(trends: Sequence[Trend], pages: Mapping[str, str]) -> str:
    """Return a table for each suite of each machine.

    ``pages`` has the address of each benchmark.
    """
    if not trends:
        return markup.paragraph(tables.NO_TRENDS)
    parts: list[str] = []
    by_machine = sorted(trends, key=lambda trend: (trend.machine, trend.case, trend.metric))
    for machine, of_machine in groupby(by_machine, key=lambda trend: trend.machine):
        parts.append(f"<h2>{as_html(machine)}</h2>")
        for suite, of_suite in groupby(of_machine, key=lambda trend: trend.case.partition("/")[0]):
            content = Table(
                f"Benchmarks of {suite}",
                columns("Benchmark", ">Last", "Trend", "Latest change", ">Runs"),
                tuple(_row(trend, pages) for trend in of_suite),
                row_header=0,
            )
            parts.append(f"<h3>{as_html(suite)}</h3>{markup.html_table(content)}")
    return "".join(parts)


def benchmark_details(trends: Iterable[Trend], reports: Mapping[str, str]) -> str:
    """Return each trend of a benchmark: its picture, its change points, its latest runs.

    ``reports`` has the address of each run's report, where it has one.
    """
    return "".join(_details(trend, reports) for trend in trends)


def _details(trend: Trend, reports: Mapping[str, str]) -> str:
    points = markup.html_table(tables.change_points_table(trend)) if trend.change_points else ""
    runs = markup.html_table(_runs(trend, reports))
    return (
        f'<h2 id="{as_html(_anchor(trend))}">'
        f"{as_html(measured_name(trend.case, trend.metric))}</h2>"
        f"{markup.paragraph(tables.trend_headline(trend))}"
        f"{markup.figure(trend_chart(trend, height=130, reports=reports), _KEY)}{points}"
        f"{markup.folded(tables.latest_runs_title(trend, _RUNS), runs)}"
    )


def regressions_html(trends: Iterable[Trend], pages: Mapping[str, str]) -> str:
    """Return every change point for the worse, then those for the better, then all others."""
    pairs = [(trend, change) for trend in trends for change in trend.change_points]
    if not pairs:
        return markup.paragraph(NO_CHANGE_POINT)
    pairs.sort(key=lambda pair: (pair[1].bad.created, pair[1].worse), reverse=True)
    known = [pair for pair in pairs if pair[0].better != "unknown"]
    worse = [pair for pair in known if pair[1].worse > 1]
    better = [pair for pair in known if pair[1].worse <= 1]
    others = [pair for pair in pairs if pair[0].better == "unknown"]
    groups = [("Slower or worse", worse), ("Faster or better", better)]
    groups += [("Changed, for better or worse", others)] if others else []
    return "".join(
        f"<h2>{title}</h2>"
        + (
            markup.html_table(_change_points(group, title, pages))
            if group
            else markup.paragraph("None.")
        )
        for title, group in groups
    )


_KEY = "A dot is a run, or a group of runs; a line is the level between two change points."


def _row(trend: Trend, pages: Mapping[str, str]) -> tuple[Cell, ...]:
    *earlier, now = trend.values[-_SPARK - 1 :].tolist()
    change = trend.last_change
    since = f"since {tables.run_date(change.bad)}" if change else ""
    return (
        Cell(measured_name(trend.case, trend.metric), address=_address(trend, pages)),
        Cell(format_quantity(now, trend.unit)),
        Cell("", picture=sparkline(earlier, now)),
        Cell(tables.latest_change(trend), note=since),
        Cell(f"{len(trend.runs):,}"),
    )


def _change_points(
    pairs: Sequence[tuple[Trend, TrendChange]], caption: str, pages: Mapping[str, str]
) -> Table:
    return Table(
        caption,
        columns("Since", "Benchmark", "Change", ">Before", ">After", "Commits to blame", "Machine"),
        tuple(
            (
                Cell(tables.run_date(change.bad)),
                Cell(measured_name(trend.case, trend.metric), address=_address(trend, pages)),
                Cell(
                    tables.trend_effect(trend, change),
                    note=format_change_interval(change.point.low, change.point.high),
                ),
                Cell(format_quantity(change.point.before, trend.unit)),
                Cell(format_quantity(change.point.after, trend.unit)),
                Cell(tables.commit_range(change), note="; ".join(change.other_changes)),
                Cell(trend.machine),
            )
            for trend, change in pairs
        ),
    )


def _runs(trend: Trend, reports: Mapping[str, str]) -> Table:
    content = tables.trend_runs_table(trend, _RUNS)
    linked = tuple(
        (Cell(row[0].text, address=reports.get(row[0].text, "")), *row[1:]) for row in content.rows
    )
    return Table(content.caption, content.columns, linked, row_header=content.row_header)


def _address(trend: Trend, pages: Mapping[str, str]) -> str:
    page = pages.get(benchmark_of(trend.case), "")
    return page and f"{page}#{_anchor(trend)}"


def _anchor(trend: Trend) -> str:
    return anchor(f"{trend.machine}/{trend.case}/{trend.metric}")
