"""The charts of every page: no text out of its picture or over another, no mark off its axes."""

import shutil
from collections.abc import Callable

import numpy as np
import pytest

from tests.browser.test_report_page import PAGES
from veperf.core.text import format_exact
from veperf.report.charts.axes import Chart, linear_axis, log_axis, row_axis
from veperf.report.charts.scaling import CurvePoint, ScalingCurve, scaling_chart
from veperf.report.charts.stages import waterfall_chart
from veperf.report.charts.strip import StripRow, strip_plot
from veperf.report.html.page import html_page
from veperf.stats.hodges_lehmann import Estimate

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
      if (frame && path.matches('.vp-dots, .vp-line, .vp-bar, .vp-middle') &&
          (b.left < frame.left - slack || b.right > frame.right + slack)) {
        tell('mark off its axis', path.getAttribute('class'));
      }
    }
  }
  return faults;
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_in_a_picture_leaves_it_or_hides_another(browser, folder, name, width):
    """Over all pages: text boxes, marks and axes, folded ones unfolded."""
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto((folder / name).resolve().as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    faults = page.evaluate(_FAULTS)
    page.close()

    assert [] == faults


def _waterfall(stages: int) -> str:
    return waterfall_chart(
        {f"{'stage_of_a_long_name' * 3}_{n}": 1e3 / (n + 1) for n in range(stages)}, "w"
    )


def _scaling(points: int) -> str:
    estimates = [Estimate(1e-3 * (n + 1), 1e-4, 1e7, 0.9) for n in range(points)]
    at = [
        CurvePoint(10.0 ** (n % 9 + 1), f"c{n}", estimate, np.ones(6))
        for n, estimate in enumerate(estimates)
    ]
    return scaling_chart(ScalingCurve("a/b", "number_of_entries", "time", "ns", tuple(at), None))


def _strip(values: int) -> str:
    row = StripRow("this run", "new", [1e6 + n for n in range(values)], 1e6, 0.9e6, 1.2e6)
    return strip_plot([row], unit="ns", limit=1.9e6, alt="s")


def _rows(rows: int) -> str:
    names = [f"{'very long' * 9}/{n}" for n in range(rows)]
    chart = Chart(log_axis([1, 1e9], format_exact), row_axis(names), title="", height=14 * rows)
    chart.vertical_line(1e9, "ink", "a limit at the very end")
    chart.vertical_line(5e8, "ink", "a goal beside it")
    chart.marks([(10.0**n, n % rows) for n in range(12)], "new", "dots")
    return chart.svg("r")


def _dates(ticks: int) -> str:
    axis = linear_axis(ticks, lambda value: f"{value:,.1f} of a long unit")
    chart = Chart(linear_axis(1, lambda value: "2026-10-24" if value else "0"), axis, title="")
    chart.marks([(0.5, ticks), (1, 0)], "new", "dots")
    return chart.svg("d")


@pytest.mark.parametrize("draw", [_waterfall, _scaling, _strip, _rows, _dates])
@pytest.mark.parametrize("number", [1, 2, 7, 300])
def test_no_input_breaks_a_picture(browser, tmp_path, draw: Callable[[int], str], number):
    """Long names, ones and hundreds of them, intervals far beyond the values."""
    if draw is _scaling and number == 1:
        pytest.skip("a curve has two points at least")
    path = tmp_path / "chart.html"
    path.write_text(html_page("Chart", draw(number), (), ""), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    pictures, faults = page.locator("main svg").count(), page.evaluate(_FAULTS)
    page.close()

    assert 1 == pictures
    assert [] == faults
