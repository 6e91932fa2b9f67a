"""Charts put together by hand."""

import re
import string
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font

from tests.support.extreme_charts import changes
from tests.support.helpers import HOSTILE
from veperf.core.text import DASH, MINUS, THIN, TIMES
from veperf.report.charts import axes
from veperf.report.charts.axes import Axis, Chart
from veperf.report.charts.changes import changes_chart
from veperf.report.charts.labels import FONT_SIZE, fit_end, fit_start, text_width

POSITIVE = st.floats(1e-9, 1e12)


@given(st.lists(POSITIVE, min_size=1, max_size=9))
def test_a_logarithmic_axis_holds_all_and_has_a_few_ticks(values):
    """Every value lies within, in order; at least two ticks and at most six, ascending."""
    axis = axes.log_axis(values, str)
    shares = [axis.share(v) for v in sorted(values)]
    ticks = [at for at, _ in axis.ticks]

    assert sorted(shares) == shares
    assert 0 < shares[0]
    assert shares[-1] < 1
    assert 2 <= len(ticks) <= 6
    assert sorted(set(ticks)) == ticks
    assert axis.low <= ticks[0] <= ticks[-1] <= axis.high


@given(POSITIVE)
def test_a_linear_axis_begins_at_zero(high):
    """Zero and two to four more ticks, evenly spaced, all within."""
    axis = axes.linear_axis(high, str)
    ticks = [at for at, _ in axis.ticks]
    steps = [b - a for a, b in pairwise(ticks)]

    assert 0 == ticks[0] == axis.share(0)
    assert 3 <= len(ticks) <= 5
    assert steps == pytest.approx([steps[0]] * len(steps))
    assert axis.share(high) == pytest.approx(1 / 1.05)


def test_what_lies_beyond_an_axis_stays_at_its_end():
    """Zero on a logarithmic axis, too: nothing is drawn outside the frame."""
    axis = Axis(1.0, 100.0, (), logarithmic=True)

    assert [0, 0, 0, 0.5, 1, 1] == [axis.share(v) for v in (-1, 0, 0.5, 10, 100, 1e9)]


def test_names_at_the_ends_of_lines_keep_apart():
    """Three lines that end in one point have three names, at least a line's height apart."""
    axis = axes.linear_axis(10, str)
    chart = Chart(axis, axis, title="x")
    for name in ("a", "b", "c"):
        chart.line([(0, 0), (10, 10)], "new", name=name)
    root = ET.fromstring(chart.svg("three"))
    heights = sorted(float(t.attrib["y"]) for t in root.iter("text") if t.text in {"a", "b", "c"})

    assert all(b - a >= 11 for a, b in pairwise(heights))
    assert 3 == len(heights)


def test_a_label_is_never_crossed_by_a_line():
    """Texts come last, and so lie on top, in whatever order things are drawn."""
    axis = axes.linear_axis(10, str)
    chart = Chart(axis, axis, title="x")
    chart.horizontal_line(5, "ink", "limit", low=0, high=10)
    chart.line([(0, 0), (10, 10)], "new", name="end")
    tags = [element.tag for element in ET.fromstring(chart.svg("two"))]

    assert sorted(tags) == tags
    assert {"path", "text"} == set(tags)


def test_every_text_is_escaped():
    """Names of rows, lines and axes, and the words for the picture, are text and nothing else."""
    chart = Chart(axes.linear_axis(1, str), axes.row_axis([HOSTILE]), title=HOSTILE)
    chart.line([(0, 0)], "new", name=HOSTILE)
    chart.vertical_line(0.5, "ink", HOSTILE)
    chart.horizontal_line(0, "ink", HOSTILE, low=0, high=1)
    chart.bar(0, 0, 1, HOSTILE, "new", HOSTILE)

    root = ET.fromstring(chart.svg(HOSTILE))

    assert {"svg", "path", "text"} == {element.tag for element in root.iter()}
    assert "<script>" in root.attrib["aria-label"]
    assert re.search("alert", "".join(root.itertext()))


def test_no_letter_is_wider_than_it_is_taken_for():
    """Against the horizontal metrics of DejaVu Sans, which matplotlib brings: ASCII and signs."""
    font = FT2Font(findfont("DejaVu Sans"))
    font.set_size(1000, 72)
    letters = string.printable[:95] + f"…—+±µ·°²∞→éΩ{THIN}{MINUS}{TIMES}{DASH}"
    actual = {c: font.load_char(ord(c)).linearHoriAdvance / 65_536_000 for c in letters}

    assert [] == [c for c in letters if text_width(c) < FONT_SIZE * actual[c] - 1e-3]
    assert text_width("transaction/hash_compute") < 1.3 * FONT_SIZE * sum(
        actual[c] for c in "transaction/hash_compute"
    )


@settings(max_examples=40)
@given(st.text(max_size=60), st.floats(20, 300))
def test_a_text_that_is_cut_fits_and_keeps_its_end(text, width):
    """Or its start; what fits is not cut."""
    end, start = fit_end(text, width), fit_start(text, width)

    assert max(text_width(end), text_width(start)) <= width
    assert text.endswith(end.removeprefix("…"))
    assert text.startswith(start.removesuffix("…"))
    assert (text == end) == (text_width(text) <= width)


def test_a_change_beyond_the_axis_is_an_arrow_with_its_number():
    """+900 % on an axis of 100 %, at its end; one within is a mark and no number."""
    root = ET.fromstring(changes_chart(changes(2)))
    texts = [t.text for t in root.iter("text")]
    arrows = [e for e in root.iter("path") if "vp-arrow" in (e.get("class") or "")]

    assert "+900\u202f%" in texts
    assert 1 == len(arrows)
    assert "900" in arrows[0].attrib["data-marks"]
    assert "vp-arrow" not in changes_chart(changes(1))


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    """At both ends; one without ends is not drawn, and NaN is no place for a mark."""
    axis = axes.linear_axis(10, str)
    chart = Chart(axis, axis, title="x")
    chart.vertical_intervals([(1, -5, 50), (2, 1, 2), (3, float("nan"), 2)], "new")
    chart.marks([(float("nan"), 1), (1, float("nan")), (1, 1)], "new", "dots")
    paths = {e.get("class"): e.get("d", "") for e in ET.fromstring(chart.svg("a")).iter("path")}

    assert 2 == paths["vp-bar vp-new"].count("M") == paths["vp-arrow vp-new"].count("M")
    assert 1 == paths["vp-dots vp-new"].count("M")
