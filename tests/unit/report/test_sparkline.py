"""A benchmark over its last runs, and all changes of a run, as tiny pictures."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.helpers import judged, plausible_baselines, plausible_run
from veperf.report.charts.changes import changes_chart
from veperf.report.charts.changes import describe_changes as swarm_in_words
from veperf.report.charts.sparkline import describe_change_from_median, sparkline

POSITIVE = st.floats(1e-6, 1e12)


@given(st.lists(POSITIVE, min_size=4, max_size=20), POSITIVE)
def test_every_point_lies_within_the_picture(earlier, now):
    """A point a run and one for now, none outside, whatever the values."""
    drawn = sparkline(earlier, now, "ns")
    (path,) = re.findall(r'vp-past"[^>]* d="M([^"]+)"', drawn)
    points = [tuple(map(float, pair.split())) for pair in path.split("L")]

    assert len(points) == len(earlier) + 1
    assert all(0 <= x <= 160 and 0 <= y <= 36 for x, y in points)


def test_slower_is_higher_and_the_band_is_the_noise_of_the_earlier_runs():
    """Two standard deviations of normal noise: 2 of 100 are within 1.5 %, 10 of 100 are above."""
    dice = Random(1)
    earlier = [100 * dice.normalvariate(1, 0.015) for _ in range(200)]
    band = r'vp-band" d="M0 ([\d.]+)H106V([\d.]+)H0'
    now = r'vp-now" d="M101 ([\d.]+)h0'

    for value, inside in ((110.0, False), (102.0, True), (104.5, False), (97.5, True)):
        drawn = sparkline(earlier, value, "ns")
        (top, bottom), (y,) = re.findall(band, drawn)[0], re.findall(now, drawn)
        assert inside == (float(top) <= float(y) <= float(bottom))
    assert ["+10", "\N{MINUS SIGN}5."] == [
        text[:3] for text in re.findall(r"<text[^>]*>([^<]+)", sparkline([100.0] * 5, 110.0, "ns"))
    ]
    assert "+10.0\u202f% from the median of 5 earlier runs" == describe_change_from_median(
        [100.0] * 5, 110.0
    )


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ([], 1.0),
        ([1.0] * 3, 1.0),
        ([1.0] * 9 + [0.0], 1.0),
        ([1.0] * 9, 0.0),
        ([-1.0] * 9, 1.0),
        ([1.0] * 9, float("nan")),
    ],
)
def test_without_a_scale_there_is_no_picture(earlier, now):
    """Fewer than five runs, or values that are no sizes."""
    assert "" == sparkline(earlier, now, "ns")


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
