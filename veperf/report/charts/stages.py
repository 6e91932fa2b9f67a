"""Where the CPU time of an operation goes: its stages, each beginning where the last one ended."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from veperf.core import number_format
from veperf.core.case import Case, Level
from veperf.core.escape import as_html
from veperf.core.run import CaseResult, Run
from veperf.core.units import convert
from veperf.report.charts import axes
from veperf.report.charts.axes import Chart
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment

PREFIX = "cpu_"
"""A figure that begins so is the CPU time of a stage."""
UNIT = "us"
NOTHING = "No benchmark of this run was measured stage by stage."
_KEY = "Each stage begins where the one before ends."


@dataclass(frozen=True, slots=True)
class Staged:
    """A case that was measured stage by stage."""

    case: Case
    times_us: Mapping[str, float]
    """CPU time of one operation by stage, in the order of the work."""


def staged(run: Run) -> tuple[Staged, ...]:
    """The benchmarks of ``run`` with stages, load apart: the first case of each, its default."""
    found: dict[str, Staged] = {}
    for case in run.cases:
        results = [r for p in run.passes for r in p.results if r.case == case.id]
        times = stage_times((r for r in results if r.failure is None), lambda _: UNIT)
        if times and case.level is not Level.LOAD:
            found.setdefault(case.benchmark, Staged(case, times))
    return tuple(found.values())


def stage_times(results: Iterable[CaseResult], unit_of: Callable[[str], str]) -> dict[str, float]:
    """CPU time of one item by stage, in µs: means over processes, which add up to their total.

    ``unit_of`` tells what a figure is given in. Empty where the figures make no sense as shares.
    """
    counted = list(results)
    names = dict.fromkeys(n for r in counted for n in r.figures if n.startswith(PREFIX))
    times = {
        name.removeprefix(PREFIX): fmean(
            convert(r.figures.get(name, 0.0), unit_of(name), UNIT) for r in counted
        )
        for name in names
    }
    sensible = all(time >= 0 for time in times.values()) and 0 < sum(times.values()) < math.inf
    return times if sensible else {}


def section(found: Sequence[Staged]) -> Fragment:
    """A waterfall for each of ``found``, side by side."""
    if not found:
        return Fragment(markup.paragraph(NOTHING), NOTHING)
    cards = "".join(
        f'<article class="vp-card"><h3>{as_html(one.case.id)}</h3>'
        + f'<p class="vp-what">{as_html(one.case.what)}</p>'
        + markup.figure(waterfall(one.times_us, _alt(one)), f"{_said(one)} {_KEY}")
        + "</article>"
        for one in found
    )
    plain = "\n".join(f"{one.case.id}: {_said(one)}" for one in found)
    return Fragment(f'<div class="vp-cards">{cards}</div>', plain)


def shares(times_us: Mapping[str, float]) -> str:
    """Each stage's share of the whole, in words."""
    total = sum(times_us.values())
    return number_format.listed(
        f"{stage} {number_format.share(time / total)}" for stage, time in times_us.items()
    )


def waterfall(times_us: Mapping[str, float], alt: str) -> str:
    """A bar a stage, and one for all of them together."""
    total = sum(times_us.values())
    x = axes.linear(total, lambda time: number_format.given(time, UNIT) if time else "0")
    y = axes.rows([*times_us, "all"])
    chart = Chart(x, y, title="", height=22 * len(y.ticks), right=92)
    begin = 0.0
    for (row, _), time in zip(y.ticks, times_us.values(), strict=False):
        share = number_format.share(time / total)
        chart.bar(
            row, begin, begin + time, f"{number_format.quantity(time, UNIT)} · {share}", "new"
        )
        begin += time
    chart.bar(0, 0, total, number_format.quantity(total, UNIT), "quiet")
    return chart.svg(alt)


def _said(one: Staged) -> str:
    total = number_format.quantity(sum(one.times_us.values()), UNIT)
    most = max(one.times_us, key=lambda stage: one.times_us[stage])
    share = number_format.share(one.times_us[most] / sum(one.times_us.values()))
    return f"{total} of CPU time, most of it, {share}, in {most}."


def _alt(one: Staged) -> str:
    return f"{one.case.id}: CPU time by stage: {shares(one.times_us)}"
