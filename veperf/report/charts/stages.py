"""CPU time of an operation by stage, as a waterfall chart."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from veperf.core.case import Case, Level
from veperf.core.escape import as_html
from veperf.core.run import Run
from veperf.core.stages import UNIT, stage_times
from veperf.core.text import MISSING, format_exact, format_percent, format_quantity, join_words
from veperf.report.charts import axes
from veperf.report.charts.axes import Chart
from veperf.report.charts.labels import text_width
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.tables.table import Align, Cell, Table

NOTHING = "No benchmark of this run was measured stage by stage."
STAGES_KEY = "Each stage begins where the previous one ends."


@dataclass(frozen=True, slots=True)
class StagedCase:
    """A case that was measured stage by stage."""

    case: Case
    times_us: Mapping[str, float]
    """CPU time of one operation by stage, in the order of the work."""


def staged_cases(run: Run) -> tuple[StagedCase, ...]:
    """Return the benchmarks of ``run`` with stages, without load: the first case of each."""
    by_benchmark: dict[str, StagedCase] = {}
    for staged in _all_staged_cases(run):
        by_benchmark.setdefault(staged.case.benchmark, staged)
    return tuple(by_benchmark.values())


def _all_staged_cases(run: Run) -> Iterator[StagedCase]:
    for case in run.cases:
        results = [r for p in run.passes for r in p.results if r.case == case.id]
        times = stage_times((r for r in results if r.failure is None), lambda _: UNIT)
        if times and case.level is not Level.LOAD:
            yield StagedCase(case, times)


def stage_tables(run: Run) -> tuple[Table, ...]:
    """Return a table for each benchmark that has stages in several cases: a row for each case."""
    by_benchmark: defaultdict[str, list[StagedCase]] = defaultdict(list)
    for staged in _all_staged_cases(run):
        by_benchmark[staged.case.benchmark].append(staged)
    return tuple(_stage_table(cases) for cases in by_benchmark.values() if len(cases) > 1)


def _stage_table(cases: Sequence[StagedCase]) -> Table:
    stages = tuple(dict.fromkeys(stage for case in cases for stage in case.times_us))
    rows = []
    for case in cases:
        times = [case.times_us.get(stage) for stage in stages]
        texts = [MISSING if time is None else format_quantity(time, UNIT) for time in times]
        total = format_quantity(sum(case.times_us.values()), UNIT)
        name = Cell(case.case.id, case=case.case.id)
        rows.append((name, *map(Cell, texts), Cell(total)))
    columns: list[tuple[str, Align]] = [("Case", "left")]
    columns += [(stage, "right") for stage in (*stages, "total")]
    caption = "CPU time of one operation by stage"
    return Table(caption, tuple(columns), tuple(rows), row_header=0)


def stages_section(staged: Sequence[StagedCase]) -> Fragment:
    """Return a waterfall chart for each of ``staged``, side by side."""
    if not staged:
        return markup.nothing_fragment(NOTHING)
    cards = "".join(
        f'<article class="vp-card"><h3>{as_html(case.case.id)}</h3>'
        + f'<p class="vp-what">{as_html(case.case.what)}</p>'
        + markup.figure(
            waterfall_chart(case.times_us, _alt(case)), f"{_sentence(case)} {STAGES_KEY}"
        )
        + "</article>"
        for case in staged
    )
    plain = "\n".join(f"{case.case.id}: {_sentence(case)}" for case in staged)
    return Fragment(f'<div class="vp-cards">{cards}</div>', plain)


def describe_shares(times_us: Mapping[str, float]) -> str:
    """Return each stage's share of the total, in words."""
    total = sum(times_us.values())
    return join_words(f"{stage} {format_percent(time / total)}" for stage, time in times_us.items())


def waterfall_chart(times_us: Mapping[str, float], alt: str) -> str:
    """Return a chart with a bar for each stage, and one for the total."""
    total = sum(times_us.values())
    x = axes.linear_axis(total, lambda time: format_exact(time, UNIT) if time else "0")
    y = axes.row_axis([*times_us, "total"])
    names = [f"{format_quantity(t, UNIT)} · {format_percent(t / total)}" for t in times_us.values()]
    right = math.ceil(max(map(text_width, names), default=0)) + 6
    chart = Chart(x, y, title="CPU time of one operation", height=22 * len(y.ticks), right=right)
    begin = 0.0
    for (row, stage), time, name in zip(y.ticks, times_us.values(), names, strict=False):
        chart.bar(row, begin, begin + time, name, "new", f"{stage}: {name}")
        begin += time
    whole = format_quantity(total, UNIT)
    chart.bar(0, 0, total, whole, "quiet", f"total: {whole}")
    return chart.svg(alt)


def _sentence(staged: StagedCase) -> str:
    total = format_quantity(sum(staged.times_us.values()), UNIT)
    most = max(staged.times_us, key=lambda stage: staged.times_us[stage])
    share = format_percent(staged.times_us[most] / sum(staged.times_us.values()))
    return f"{total} of CPU time, most of it, {share}, in {most}."


def _alt(staged: StagedCase) -> str:
    return f"{staged.case.id}: CPU time by stage: {describe_shares(staged.times_us)}"
