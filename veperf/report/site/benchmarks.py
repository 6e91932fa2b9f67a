"""The site's pages on benchmarks over time: all in a table, and a page for each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from veperf.archive.trend import Trend
from veperf.core.escape import as_html
from veperf.core.text import as_sentence, format_quantity
from veperf.report.case_summary import measured_name
from veperf.report.charts.sparkline import sparkline
from veperf.report.charts.trend_chart import trend_chart
from veperf.report.html import markup
from veperf.report.site.links import SiteLinks, trend_anchor
from veperf.report.tables import trend_tables as tables
from veperf.report.tables.table import Cell, Table, columns, without_empty_columns

_SPARK = 20
_RUNS = 20
# So many runs of a page can be zoomed; each takes about 120 bytes, with the link to its report.
_MOST_RUNS = 1_000
_KEY = "A dot is a run, or a group of runs; a line is the level between two change points."


def benchmarks_overview(trends: Sequence[Trend], links: SiteLinks) -> str:
    """Return a table for each suite of each machine class."""
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
                tuple(_row(trend, links) for trend in of_suite),
                row_header=0,
            )
            parts.append(f"<h3>{as_html(suite)}</h3>")
            parts.append(markup.html_table(without_empty_columns(content)))
    return "".join(parts)


def benchmark_details(trends: Sequence[Trend], links: SiteLinks) -> str:
    """Return each trend of a benchmark: its picture, its change points, its latest runs."""
    # Of one case and metric the page has the name, and its sections are machine classes.
    is_one = len({(trend.case, trend.metric) for trend in trends}) == 1
    parts: list[str] = []
    total = 0
    addresses = links.runs()
    for trend in trends:
        total += len(trend.runs)
        title = trend.machine if is_one else measured_name(trend.case, trend.metric)
        parts.append(_details(trend, title, links, addresses, all_runs=total <= _MOST_RUNS))
    return "".join(parts)


def _details(
    trend: Trend, title: str, links: SiteLinks, addresses: Mapping[str, str], *, all_runs: bool
) -> str:
    points = markup.html_table(_change_points(trend, links)) if trend.change_points else ""
    chart = trend_chart(trend, height=130, reports=addresses, all_runs=all_runs)
    return (
        f'<h2 id="{as_html(trend_anchor(trend))}">'
        f"{as_html(title)}</h2>"
        f"{markup.paragraph(as_sentence(tables.trend_facts(trend)))}"
        f"{markup.figure(chart, _KEY)}{points}"
        f"{markup.folded(tables.latest_runs_title(trend, _RUNS), _runs(trend, links))}"
    )


def _row(trend: Trend, links: SiteLinks) -> tuple[Cell, ...]:
    *earlier, now = trend.values[-_SPARK - 1 :].tolist()
    change = trend.last_change
    notes = [f"since {tables.run_date(change.bad)}", change.acknowledged] if change else []
    notes.append(trend.drift_acknowledged)
    return (
        Cell(measured_name(trend.case, trend.metric), address=links.trend(trend)),
        Cell(format_quantity(now, trend.unit)),
        Cell("", picture=sparkline(earlier, now, trend.unit)),
        Cell(tables.latest_change(trend), note="; ".join(filter(None, notes))),
        Cell(f"{len(trend.runs):,}"),
    )


def _change_points(trend: Trend, links: SiteLinks) -> Table:
    """Return the table of change points, with the commits and runs linked."""
    content = tables.change_points_table(trend)
    names = [name for name, _ in content.columns]
    rows = []
    for row, change in zip(content.rows, reversed(trend.change_points), strict=True):
        cells = dict(zip(names, row, strict=True))
        cells[names[0]] = replace(row[0], address=links.run(change.bad.id))
        if tables.BLAMED in cells:
            cells[tables.BLAMED] = links.blamed(change)
        rows.append(tuple(cells.values()))
    return replace(content, rows=tuple(rows))


def _runs(trend: Trend, links: SiteLinks) -> str:
    """Return the table of the latest runs, with their reports and commits linked."""
    content = tables.trend_runs_table(trend, _RUNS)
    rows = tuple(
        (Cell(run.id, address=links.run(run.id)), row[1], links.commit(run), *row[3:])
        for row, run in zip(content.rows, reversed(trend.runs), strict=False)
    )
    return markup.html_table(replace(content, rows=rows))
