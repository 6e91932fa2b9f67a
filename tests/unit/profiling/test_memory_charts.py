"""What notebooks show of memory: whole, safe, and in the page's own colours."""

from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from veperf.profiling.memory import charts
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.budget import Gauges, MemoryBudget
from veperf.profiling.memory.leak_rule import judge_leak

POINTS = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e15)), min_size=1, max_size=1_500).map(
    sorted
)


@given(POINTS, POINTS)
def test_a_curve_stays_in_its_frame(points, line):
    """Whatever its values, however many."""
    svg = charts.memory_curve(points, "<&\"'>", line=line[:2])
    root = ET.fromstring(svg)

    drawn = root.findall("polyline")
    assert 1 + bool(line[:2]) == len(drawn)
    for x, y in (pair.split(",") for pair in drawn[0].attrib["points"].split()):
        assert 0 <= float(x) <= 480
        assert 0 <= float(y) <= 110
    assert len(svg) < 20_000


def test_nothing_makes_no_picture():
    """Rather than an empty frame."""
    assert "" == charts.memory_curve([], "nothing")


def test_hostile_text_stays_text():
    """In tables, links and sentences."""
    bad = "<script>alert(1)</script>"
    html = charts.html_card(
        bad, charts.plain_table((bad,), [(bad,)]), charts.file_link(f'"{bad}', bad)
    )

    assert "<script" not in html
    ET.fromstring(html)


def test_gauges_and_verdicts_show_themselves():
    """As text and as HTML that says the same."""
    profiler = MemoryProfiler()
    profiler.take_snapshot()
    gauges = Gauges(profiler.stats(), MemoryBudget(objects=1))
    assert "objects; the limit is 1" in repr(gauges)
    assert 4 == gauges._repr_html_().count("<svg")

    verdict = judge_leak(np.arange(50), 1e8 + 1e6 * np.arange(50))
    assert "a leak is suspected, +49.0\u202f% over the run" in repr(verdict)
    assert repr(verdict) in verdict._repr_html_()
    assert "stroke-dasharray" in verdict._repr_html_()
    assert "inconclusive: 0 samples" in judge_leak([], [])._repr_html_()
