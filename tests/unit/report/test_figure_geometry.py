"""Figures of matplotlib: every text in its picture, none over another, no mark off its axes."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import BboxBase
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from tests.support.extreme_charts import changes, trend, verdicts
from veperf.abtest.notebook_figures import plot_looks, plot_pairs, plot_samples
from veperf.core.ab_records import ABPair
from veperf.core.target import Target
from veperf.core.verdict import ChangeStatus
from veperf.report.charts.figures import changes_figure, targets_figure, values_figure
from veperf.report.charts.trend_figures import trend_figure, trend_small_multiples
from veperf.stats.process_values import Series

_SLACK = 2.0  # pixels
# Glyphs that matplotlib's font lacks are in the browser's font.
pytestmark = pytest.mark.filterwarnings("ignore:Glyph .* missing from")


def _faults(figure: Figure) -> list[str]:
    """What is wrong with a figure, as the renderer draws it."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [(text, text.get_window_extent(renderer)) for text in _seen_texts(figure)]
    picture = figure.bbox
    faults = [f"out of the picture: {t.get_text()}" for t, b in texts if _is_beyond(b, picture)]
    faults += [
        f"overlap: {a.get_text()} and {b.get_text()}"
        for (a, one), (b, other) in combinations(texts, 2)
        if one.x0 < other.x1 - _SLACK and other.x0 < one.x1 - _SLACK
        and one.y0 < other.y1 - _SLACK and other.y0 < one.y1 - _SLACK
    ]  # fmt: skip
    return [*faults, *(fault for ax in figure.axes for fault in _marks_beyond(ax))]


def _seen_texts(figure: Figure) -> list[Text]:
    """Every text that is drawn: ticks keep their labels beyond the ends of the axis."""
    labels: set[int] = set()
    texts: list[Text] = []
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                labels |= {id(tick.label1), id(tick.label2)}
                if low <= tick.get_loc() <= high and ax.axison:
                    texts.append(tick.label1)
    every = figure.findobj(Text)
    texts += [text for text in every if isinstance(text, Text) and id(text) not in labels]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def _is_beyond(box: BboxBase, outer: BboxBase) -> bool:
    return bool(
        box.x0 < outer.x0 - _SLACK or box.x1 > outer.x1 + _SLACK
        or box.y0 < outer.y0 - _SLACK or box.y1 > outer.y1 + _SLACK
    )  # fmt: skip


def _marks_beyond(ax: Axes) -> list[str]:
    """Lines, dots and intervals whose data lie beyond the axes: pages have no clipping."""
    (x0, x1), (y0, y1) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    faults = []
    for line in ax.lines:
        points = line.get_transform().transform(line.get_xydata())
        points = points[np.isfinite(points).all(axis=1)]
        box = ax.get_window_extent()
        if len(points) and (
            (points < np.array([box.x0, box.y0]) - _SLACK).any()
            or (points > np.array([box.x1, box.y1]) + _SLACK).any()
        ):
            faults.append(f"line beyond {x0:g} to {x1:g}, {y0:g} to {y1:g}: {line.get_xydata()}")
    for collection in ax.collections:
        for path in collection.get_paths():
            points = np.asarray(path.vertices, dtype=np.float64)
            points = points[np.isfinite(points).all(axis=1)]
            if len(points) and collection.get_transform() == ax.transData:
                beyond = (points < [x0, y0]).any() or (points > [x1, y1]).any()
                faults += [f"interval beyond {y0:g} to {y1:g}"] if beyond else []
    return faults


def _values(number: int, *, limit: float) -> Figure:
    values = np.array([264.0 + n for n in range(number)])
    values[number // 2] = np.nan if number > 2 else 264.0
    series = Series("shop/a", "time", "ns", "lower", "cpu", 1, 1, values, values, None, None, 0)
    return values_figure(series, series, Target("t", limit, "ns", "lower", ""))


_FIGURES: dict[str, Callable[[int], Figure]] = {
    "changes": lambda number: changes_figure(changes(number)),
    "targets": lambda number: targets_figure(verdicts(number)),
    "values, limit near": lambda number: _values(number, limit=270.0),
    "values, limit far": lambda number: _values(number, limit=1e12),
    "trend": lambda number: trend_figure(trend(number)),
    "trend, wide": lambda number: trend_figure(trend(number, spread=1e9)),
    "trends": lambda number: trend_small_multiples([trend(number)] * 4),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", _FIGURES)
@pytest.mark.parametrize("number", [1, 3, 24, 300])
def test_no_input_breaks_a_figure(name, number):
    """Long names, ones and hundreds of them, values and intervals far beyond the others."""
    if number == 300 and name == "targets":
        number = 40  # 300 rows are a picture of seven feet, drawn in ten seconds

    assert [] == _faults(_FIGURES[name](number))


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.0, 10.0, 1e-9, 1e6])
def test_no_input_breaks_a_figure_of_a_comparison(ratio):
    """Samples, pairs and looks of a change of any size, with a disturbed sample."""
    made = change("shop/a", ChangeStatus.SLOWER, ratio=ratio)
    pair = ABPair(1000.0, 1000 * ratio, (1000.0, 1e12), (1000 * ratio, 1e-9))
    made = replace(made, pairs=(pair, *made.pairs))
    config = ab_run(made).config

    assert [] == _faults(plot_samples(made))
    assert [] == _faults(plot_pairs(made, config))
    assert [] == _faults(plot_looks(made, config))


def test_a_change_beyond_the_axis_is_its_number():
    """+900 % is not drawn at the end of an axis of 100 % as though it were that."""
    (ax,) = changes_figure(changes(2)).axes
    numbers = [text.get_text() for text in ax.texts]
    low, high = ax.get_xlim()

    assert ["+900\u202f%"] == numbers
    assert (0.0, 2.0) == (low, high)
    assert all(low <= x <= high for line in ax.lines[1:] for x in np.asarray(line.get_xdata()))
