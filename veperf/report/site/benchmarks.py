"""Benchmarks over time: all of them in a table, and a page for each."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from veperf.archive.trend import Shift, Trend
from veperf.core import number_format
from veperf.core.escape import as_html
from veperf.report.case_summary import measured_name
from veperf.report.charts.sparkline import sparkline
from veperf.report.charts.trend_chart import picture
from veperf.report.html import markup
from veperf.report.html.links import anchor
from veperf.report.tables import trend_tables as tables
from veperf.report.tables.result_tables import Cell, Table

NOTHING = "No complete run in the archive has a figure."
NO_SHIFT = (
    "No benchmark has moved to another level yet. That takes ten runs on one machine or more."
)
_SPARK = 20
_RUNS = 20


def benchmark_of(case: str) -> str:
    """The benchmark that ``case`` is of: its id less the parameters."""
    return case.partition("[")[0]


def overview(found: Sequence[Trend], pages: Mapping[str, str]) -> str:
    """A table for each suite of each machine; ``pages`` has the address of each benchmark."""
    if not found:
        return markup.paragraph(NOTHING)
    parts: list[str] = []
    by_machine = sorted(found, key=lambda one: (one.machine, one.case, one.metric))
    for machine, here in groupby(by_machine, key=lambda one: one.machine):
        parts.append(f"<h2>{as_html(machine)}</h2>")
        for suite, own in groupby(here, key=lambda one: one.case.partition("/")[0]):
            content = Table(
                f"Benchmarks of {suite}",
                (
                    ("Benchmark", "left"),
                    ("Last", "right"),
                    ("Trend", "left"),
                    ("Latest change", "left"),
                    ("Runs", "right"),
                ),
                tuple(_row(one, pages) for one in own),
                heads=0,
            )
            parts.append(f"<h3>{as_html(suite)}</h3>{markup.table(content)}")
    return "".join(parts)


def details(found: Iterable[Trend], reports: Mapping[str, str]) -> str:
    """Each trend of a benchmark: its picture, its change points, its latest runs.

    ``reports`` has the address of each run's report, where it has one.
    """
    return "".join(
        f'<h2 id="{as_html(anchor(f"{one.machine}/{one.case}/{one.metric}"))}">'
        f"{as_html(measured_name(one.case, one.metric))}</h2>"
        f"{markup.paragraph(tables.headline(one))}"
        f"{markup.figure(picture(one, height=130), _KEY)}"
        f"{markup.table(tables.shifts(one)) if one.shifts else ''}"
        f"{markup.folded(_last_runs(one), markup.table(_runs(one, reports)))}"
        for one in found
    )


def regressions(found: Iterable[Trend], pages: Mapping[str, str]) -> str:
    """Every change point that made something worse, then those that made it better."""
    pairs = [(one, shift) for one in found for shift in one.shifts]
    if not pairs:
        return markup.paragraph(NO_SHIFT)
    pairs.sort(key=lambda pair: (pair[1].bad.created, pair[1].worse), reverse=True)
    worse = [pair for pair in pairs if pair[1].worse > 1]
    better = [pair for pair in pairs if pair[1].worse <= 1]
    return "".join(
        f"<h2>{title}</h2>"
        + (markup.table(_shifts(group, title, pages)) if group else markup.paragraph("None."))
        for title, group in (("Slower or worse", worse), ("Faster or better", better))
    )


_KEY = "A dot is a run, or a stretch of runs; a line the level between two change points."


def _row(found: Trend, pages: Mapping[str, str]) -> tuple[Cell, ...]:
    *earlier, now = found.values[-_SPARK - 1 :].tolist()
    shift = found.last_shift
    changed = Cell("none")
    if shift is not None:
        changed = Cell(tables.effect(found, shift), note=f"since {tables.day(shift.bad)}")
    return (
        Cell(measured_name(found.case, found.metric), address=_address(found, pages)),
        Cell(number_format.quantity(now, found.unit)),
        Cell("", picture=sparkline(earlier, now)),
        changed,
        Cell(f"{len(found.runs):,}"),
    )


def _shifts(found: Sequence[tuple[Trend, Shift]], caption: str, pages: Mapping[str, str]) -> Table:
    return Table(
        caption,
        (
            ("Since", "left"),
            ("Benchmark", "left"),
            ("Change", "left"),
            ("Before", "right"),
            ("After", "right"),
            ("Commits to blame", "left"),
            ("Machine", "left"),
        ),
        tuple(
            (
                Cell(tables.day(shift.bad)),
                Cell(measured_name(one.case, one.metric), address=_address(one, pages)),
                Cell(
                    tables.effect(one, shift),
                    note=number_format.change_interval(shift.point.low, shift.point.high),
                ),
                Cell(number_format.quantity(shift.point.before, one.unit)),
                Cell(number_format.quantity(shift.point.after, one.unit)),
                Cell(tables.blame(shift), note="; ".join(shift.surroundings)),
                Cell(one.machine),
            )
            for one, shift in found
        ),
    )


def _runs(found: Trend, reports: Mapping[str, str]) -> Table:
    content = tables.runs(found, _RUNS)
    linked = tuple(
        (Cell(row[0].text, address=reports.get(row[0].text, "")), *row[1:]) for row in content.rows
    )
    return Table(content.caption, content.columns, linked, heads=content.heads)


def _last_runs(found: Trend) -> str:
    n = len(found.runs)
    return f"The last {_RUNS} of {n:,} runs" if n > _RUNS else number_format.count(n, "run")


def _address(found: Trend, pages: Mapping[str, str]) -> str:
    page = pages.get(benchmark_of(found.case), "")
    return page and f"{page}#{anchor(f'{found.machine}/{found.case}/{found.metric}')}"
