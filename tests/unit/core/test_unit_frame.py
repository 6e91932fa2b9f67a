"""Frames show quantities, hold numbers, and stay frames of pandas."""

import doctest

import numpy as np
import pandas as pd
import pytest

from veperf.core import unit_frame
from veperf.core.unit_frame import UnitFrame

PLAIN = pd.DataFrame(
    {"case": ["a", "b", "a"], "wall_ns": [264.3593, 9.1e6, 1e3], "loops": [1, 2, 3]}
)


@pytest.fixture
def frame() -> UnitFrame:
    """A time and a count."""
    return UnitFrame(PLAIN)


def test_times_are_shown_with_units_and_are_numbers(frame):
    """264 ns, and 264.3593 in sums."""
    assert "264 ns" in repr(frame)
    assert "9.10 ms" in frame._repr_html_()
    assert PLAIN["wall_ns"].sum() == frame["wall_ns"].sum()
    pd.testing.assert_frame_equal(PLAIN, pd.DataFrame(frame))


def test_the_example_in_the_docstring():
    """It is what a reader sees."""
    assert 0 == doctest.testmod(unit_frame).failed


@pytest.mark.parametrize(
    "part",
    [
        lambda f: f[f["loops"] < 2],
        lambda f: f.head(1),
        lambda f: f.copy(),
        lambda f: pd.concat([f, f]),
        lambda f: f.sort_values("wall_ns"),
        lambda f: f.groupby("case")[["wall_ns"]].median(),
        lambda f: f.set_index("case"),
        lambda f: f.iloc[[0], [0, 1]],
    ],
)
def test_parts_copies_and_joined_frames_are_those_of_pandas(frame, part):
    """The same values and labels, shown with units."""
    actual, expected = part(frame), part(PLAIN)

    pd.testing.assert_frame_equal(expected, pd.DataFrame(actual))
    assert " ns" in repr(actual) or " µs" in repr(actual)


@pytest.mark.parametrize(
    "derived",
    [
        lambda f: f[["wall_ns"]] / f[["wall_ns"]],
        lambda f: np.log(f[["wall_ns"]]),
        lambda f: f[["wall_ns", "loops"]].corr(),
        lambda f: f[["wall_ns"]].rank(),
        lambda f: f[["wall_ns"]].pct_change(),
        lambda f: f.groupby("case").count(),
        lambda f: f.describe(),
    ],
)
def test_ratios_ranks_and_counts_have_no_unit(frame, derived):
    """The column's name is the same, and what it holds is no time."""
    pd.testing.assert_frame_equal(derived(PLAIN), pd.DataFrame(derived(frame)))
    assert " ns" not in repr(derived(frame))


def test_joined_frames_may_lack_units_or_have_two():
    """Side by side neither column is that of all rows; a row without a unit has a bare number."""
    values = UnitFrame({"value": [1e3, 2.0], "unit": ["ns", "B"]})
    beside = pd.concat([values, values], axis=1)
    below = pd.concat([values, UnitFrame({"value": [3.0]})], ignore_index=True)

    assert repr(pd.DataFrame(beside)) in repr(beside)
    assert "1.00 µs" in repr(below)
    assert "3.00 nan" not in repr(below)
    assert "3.00" in repr(below)


def test_a_unit_a_row_holds_for_its_values():
    """An interval is in the unit of a value, and beside a ratio it is the ratio's."""
    values = UnitFrame({"value": [1e3, 2.0], "low": [900.0, 1.5], "unit": ["ns", "B"]})
    change = UnitFrame({"base": [1e3], "ratio": [1.1], "low": [1.05], "unit": ["ns"]})

    assert ["1.00 µs", "900 ns", "2.00 B"] == [
        text for text in ("1.00 µs", "900 ns", "2.00 B") if text in repr(values)
    ]
    assert "1.05 ns" not in repr(change)
    assert "1.00 µs" in repr(change)


def test_long_frames_are_cut_as_pandas_cuts_them():
    """The same rows from both ends, and the whole size."""
    plain = pd.DataFrame({"n": range(1_000)})

    assert repr(plain) == repr(UnitFrame(plain))
    with pd.option_context("display.max_rows", None):
        assert 1_000 == repr(UnitFrame(plain)).split("\n\n")[0].count("\n")


def test_missing_values_and_empty_frames():
    """A dash, and pandas' own words."""
    assert "\u2013" in repr(UnitFrame({"wall_ns": [np.nan, 1.0]}))
    assert "Empty DataFrame" in repr(UnitFrame(columns=["wall_ns"]))
