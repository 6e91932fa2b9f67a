"""A benchmark over its last runs, and all changes of a run, as tiny pictures."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.helpers import judged, plausible_baselines, plausible_run
from veperf.report.charts.changes import changes_chart
from veperf.report.charts.changes import describe_changes as swarm_in_words
from veperf.report.charts.sparkline import describe_change_from_median, sparkline

POSITIVE = st.floats(1e-6, 1e12)


@given(st.lists(POSITIVE, min_size=1, max_size=20), POSITIVE)
def test_every_point_lies_within_the_picture(earlier, now):
    """A point a run and one for now, none outside, whatever the values."""
    drawn = sparkline(earlier, now)
    (path,) = re.findall(r'vp-past" d="M([^"]+)"', drawn)
    points = [tuple(map(float, pair.split())) for pair in path.split("L")]

    assert len(points) == len(earlier) + 1
    assert all(0 <= x <= 240 and 0 <= y <= 48 for x, y in points)


def test_slower_is_higher_and_the_band_is_five_percent():
    """The run of 10 % more lies above the band, one of 2 % within it."""
    band = r'vp-band" d="M0 (\d+)H240V(\d+)H0'
    now = r'vp-now" d="M232 (\d+)h0'

    for value, inside in ((110.0, False), (102.0, True)):
        drawn = sparkline([100.0] * 5, value)
        (top, bottom), (y,) = re.findall(band, drawn)[0], re.findall(now, drawn)
        assert inside == (int(top) <= int(y) <= int(bottom))
        assert int(y) < int(bottom)
    assert "+10.0\u202f% from the median of 5 earlier runs" == describe_change_from_median(
        [100.0] * 5, 110.0
    )


@pytest.mark.parametrize(
    ("earlier", "now"),
    [([], 1.0), ([0.0], 1.0), ([1.0], 0.0), ([-1.0], 1.0), ([1.0], float("nan"))],
)
def test_without_a_scale_there_is_no_picture(earlier, now):
    """No earlier runs, or values that are no sizes."""
    assert "" == sparkline(earlier, now)


def test_the_swarm_has_a_mark_for_each_comparison():
    """As many marks as there are ratios; slower ones are crosses."""
    baselines = plausible_baselines()
    changes = judged(plausible_run(slower={"transaction/decode": 1.5}), baselines).changes
    sized = [change for change in changes if change.ratio is not None]
    drawn = changes_chart(changes)
    marks = "".join(re.findall(r'class="vp-(?:dots|rings|crosses) [^>]*d="([^"]+)"', drawn))

    assert len(sized) == marks.count("M")
    assert 1 == drawn.count("m-4-4l8 8m0-8l-8 8")
    assert f"{len(sized)} comparisons: " in swarm_in_words(changes)
    assert "" == changes_chart([])
