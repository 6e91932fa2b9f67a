"""What notebooks show of memory: whole, safe, and in the page's own colours."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.profiling.memory import charts
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.budget import Gauges, MemoryBudget
from veperf.profiling.memory.leak_rule import judge_leak
from veperf.profiling.memory.operation_memory import OperationMemory
from veperf.profiling.memory.profile_memory import MemoryProfile
from veperf.profiling.memory.sites import Site

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


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.0, ""),
        (0.9998, ""),
        (0.9994, "the lines add up to 0.1\u202f% less: they are means of 3 other calls"),
        (1.5, "the lines add up to 50.0\u202f% more"),
    ],
)
def test_lines_that_do_not_add_up_to_the_total_say_so(ratio, words):
    """From a difference on that the figures' digits show."""
    site = Site("f", "f.py", 1, 2_000 * ratio, 20.0, 0, 0.0)
    cost = OperationMemory(peak_bytes=500.0, total_bytes=1_000.0, allocations=10.0)
    actual = MemoryProfile("f", cost, 2, 3, 500, (), (site,), "3.11.7")

    for text in (repr(actual), actual._repr_html_()):
        assert bool(words) == ("add up" in text)
        assert words in text


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
