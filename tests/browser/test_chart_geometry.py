"""The charts of every page: no text out of its picture or over another, no mark off its axes.

Those of matplotlib are held to the same in tests/unit/report/test_figure_geometry.py.
"""

import math
import shutil
from collections.abc import Callable
from itertools import cycle, islice

import numpy as np
import pytest

from tests.browser.test_report_page import PAGES
from tests.support.extreme_charts import changes, names, trend, verdicts
from veperf.core.target import Target
from veperf.core.text import format_exact
from veperf.loadtest.histogram import Latencies
from veperf.report.charts import load_charts
from veperf.report.charts.axes import Chart, linear_axis, log_axis, row_axis
from veperf.report.charts.changes import changes_chart
from veperf.report.charts.limits_chart import limits_chart
from veperf.report.charts.scaling import CurvePoint, ScalingCurve, scaling_chart
from veperf.report.charts.sparkline import sparkline
from veperf.report.charts.stages import waterfall_chart
from veperf.report.charts.strip import StripRow, forest_plot, strip_plot
from veperf.report.charts.trend_chart import trend_chart
from veperf.report.html.page import html_page
from veperf.report.sections.memory_section import memory_chart
from veperf.stats.hodges_lehmann import Estimate
from veperf.stats.power_law import fit_power_law

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("chromium-browser")),
        reason="no Chromium on this machine",
    ),
]

# Of each picture that is seen, what is wrong with it, in its own units. A mark is the fill and
# stroke of a path; a line or label of an axis may stand at its end.
_FAULTS = """() => {
  const MARKS = '.vp-dots, .vp-line, .vp-bar, .vp-middle, .vp-range, .vp-area, .vp-stage';
  const faults = [];
  const box = (e, svg) => {
    const b = e.getBBox(), m = svg.getCTM().inverse().multiply(e.getCTM());
    const corners = [[b.x, b.y], [b.x + b.width, b.y], [b.x, b.y + b.height],
      [b.x + b.width, b.y + b.height]].map(([x, y]) => new DOMPoint(x, y).matrixTransform(m));
    const xs = corners.map(p => p.x), ys = corners.map(p => p.y);
    return {left: Math.min(...xs), right: Math.max(...xs),
      top: Math.min(...ys), bottom: Math.max(...ys)};
  };
  for (const svg of document.querySelectorAll('main svg[viewBox]')) {
    if (!svg.checkVisibility()) continue;
    const name = svg.getAttribute('aria-label') ?? 'unnamed';
    const tell = (what, e) => faults.push(`${name.slice(0, 60)}: ${what}: ${e}`);
    const {x, y, width, height} = svg.viewBox.baseVal;
    const slack = width / 170;
    const isOut = b => b.left < x - slack || b.right > x + width + slack ||
      b.top < y - slack || b.bottom > y + height + slack;
    const texts = [...svg.querySelectorAll('text')].filter(t => t.textContent.trim())
      .map(t => [t.textContent, box(t, svg)]);
    for (const [text, b] of texts) if (isOut(b)) tell('text out of the picture', text);
    texts.forEach(([text, a], i) => texts.slice(i + 1).forEach(([other, b]) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > slack && high > 0.35 * Math.min(a.bottom - a.top, b.bottom - b.top)) {
        tell('texts overlap', `${text} and ${other}`);
      }
    }));
    const axis = svg.querySelector('.vp-axis');
    const frame = axis && box(axis, svg);
    for (const path of svg.querySelectorAll('path')) {
      const b = box(path, svg);
      if (isOut(b)) tell('mark out of the picture', path.getAttribute('class'));
      if (frame && path.matches(MARKS) && (b.left < frame.left - slack ||
          b.right > frame.right + slack || (svg.matches('.vp-chart') &&
          (b.top < frame.top - slack || b.bottom > frame.bottom + slack)))) {
        tell('mark off its axis', path.getAttribute('class'));
      }
    }
  }
  return faults;
}"""

# Trends with all runs are drawn by the script when they are seen.
_DRAWN = """() => [...document.querySelectorAll('svg.vp-live')].every(
  svg => !svg.checkVisibility() || svg.viewBox.baseVal.width >= Math.min(svg.clientWidth, 260))"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_in_a_picture_leaves_it_or_hides_another(browser, folder, name, width):
    """Over all pages: text boxes, marks and axes, folded ones unfolded."""
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto((folder / name).resolve().as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_function(_DRAWN)
    faults = page.evaluate(_FAULTS)
    page.close()

    assert [] == faults


def _waterfall(stages: int) -> str:
    return waterfall_chart({name: 1e3 / (n + 1) for n, name in enumerate(names(stages))}, "w")


def _scaling(points: int) -> str:
    values = [1e-9, 1e-3, 2e-3, 1e7]
    at = [
        CurvePoint(
            10.0 ** (n % 9 + 1), f"c{n}", Estimate(value, value / 1e9, 1e12, 0.9), np.ones(6)
        )
        for n, value in enumerate(islice(cycle(values), points))
    ]
    law = fit_power_law([1.0, 10.0, 100.0], [np.full(6, 10.0**n) * _NOISE for n in range(3)])
    return scaling_chart(ScalingCurve("a/b", "number_of_entries", "time", "ns", tuple(at), law))


def _strip(values: int) -> str:
    row = StripRow(names(2)[1], "new", [1e6 + n for n in range(values)], 1e6, 0.9e6, 1.2e6)
    far = StripRow("nothing", "base", [1e-9, 1e12, math.nan], math.nan, math.nan, None)
    plot = strip_plot([row], quantity="time", unit="ns", limit=1.9e6, alt="s")
    return plot + strip_plot([row, far], quantity="w" * 60, unit="w" * 60, limit=None, alt="t")


def _rows(rows: int) -> str:
    chart = Chart(
        log_axis([1, 1e9], format_exact), row_axis(names(rows)), title="w" * 90, height=14 * rows
    )
    chart.vertical_line(1e9, "ink", "a limit at the very end")
    chart.vertical_line(5e8, "ink", "a goal beside it " * 9)
    points = [(10.0**n, n % rows) for n in range(-3, 14)]
    chart.marks([*points, (math.nan, 0), (math.inf, 0)], "new", "dots", texts=["a|b"] * 19)
    chart.horizontal_interval(0, 1e-9, 1e12, "new")
    chart.line([(1, 0), (1e9, rows - 1)], "base", name="the end " * 20)
    return chart.svg("r")


def _dates(ticks: int) -> str:
    axis = linear_axis(ticks, lambda value: f"{value:,.1f} of a long unit")
    x = linear_axis(1, lambda value: "2026-10-24" if value else "0")
    chart = Chart(x, axis, title="", y_title="a quantity " * 30)
    chart.marks([(0.5, ticks), (1, 0)], "new", "dots")
    chart.vertical_intervals([(0.5, -1e9, 1e12), (0.6, math.nan, 1)], "new")
    for n in range(3):
        chart.horizontal_line(ticks, "ink", f"limit {n} " * 20, low=0.5, high=1)
        chart.line([(0, ticks), (1, ticks)], "new", name=f"p{n}")
    return chart.svg("d")


def _changes(number: int) -> str:
    return changes_chart(changes(number))


def _limits(number: int) -> str:
    return limits_chart(verdicts(number), "l")


def _trend(number: int) -> str:
    return "".join(
        trend_chart(trend(number, spread=spread), all_runs=is_live)
        for spread in (1.0, 0.0, 1e9)
        for is_live in (False, True)
    )


def _sparkline(number: int) -> str:
    values = [*islice(cycle([1e-9, 264.0, 1e12]), max(4, number))]
    return sparkline(values, 1e12, "ns") + sparkline([5.0] * max(4, number), 50.0, "ns")


def _forest(number: int) -> str:
    sizes = [(-0.9, 9.0, 25.0), (-1, -0.99, 9), (0, 0, 0), (0.1, 0.91, 1.2), (math.nan, 0, 1)]
    return "".join(forest_plot(*size, reach=0.5, alt="f") for size in sizes[:number])


def _loads(number: int) -> str:
    latencies = Latencies()
    latencies.record(np.array([1, 10**6, 10**13] * number, dtype=np.int64))
    limits = {
        "latency_p99": Target("p99", 1e6, "ms", "lower", ""),
        "latency_p50": Target("p50", 1e6, "ms", "lower", ""),
    }
    lines = dict.fromkeys((f"p{n} {'w' * n}" for n in range(min(number, 5))), 1.0)
    return load_charts.percentiles_chart(latencies, limits, "p") + load_charts.latency_histogram(
        latencies, lines, "h"
    )


def _memory(number: int) -> str:
    return memory_chart([(name, 1e12 / (n + 1)) for n, name in enumerate(names(number))])


_NOISE = np.linspace(0.99, 1.01, 6)
_DRAWINGS = [
    _waterfall, _scaling, _strip, _rows, _dates, _changes, _limits, _trend, _sparkline, _forest,
    _loads, _memory,
]  # fmt: skip


@pytest.mark.parametrize("draw", _DRAWINGS)
@pytest.mark.parametrize("number", [1, 2, 7, 300])
def test_no_input_breaks_a_picture(browser, tmp_path, draw: Callable[[int], str], number):
    """Long names, ones and hundreds of them; values, intervals and changes far beyond the others.

    Seen on a wide and on a narrow page, as the trends with all runs draw themselves anew.
    """
    if draw is _scaling and number == 1:
        pytest.skip("a curve has two points at least")
    path = tmp_path / "chart.html"
    path.write_text(html_page("Chart", draw(number), (), ""), encoding="utf-8")
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    faults = []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(path.as_uri())
        page.wait_for_function(_DRAWN)
        faults += page.evaluate(_FAULTS)
    pictures = page.locator("main svg").count()
    page.close()

    assert pictures
    assert [] == errors
    assert [] == faults
