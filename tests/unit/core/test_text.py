"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import UsageError
from veperf.core.text import (
    THIN,
    abbreviate_names,
    as_sentence,
    format_age,
    format_bytes,
    format_change,
    format_count,
    format_duration,
    format_exact,
    format_interval,
    format_limit_distance,
    format_metric_effect,
    format_p_value,
    format_quantity,
    join_words,
    plural,
)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (31_200, "ns", "31.2 µs"),
        (1_040_000, "ns", "1.04 ms"),
        (0.5, "ns", "0.500 ns"),
        (999.6, "ns", "1.00 µs"),
        (999.4, "ns", "999 ns"),
        (2, "s", "2.00 s"),
        (250, "us", "250 µs"),
        (5_120, "tx/s", "5,120 tx/s"),
        (0.1, "%", "0.100 %"),
        (32 * 1024, "KiB", "32.0 MiB"),
        (16 << 30, "B", "16.0 GiB"),
        (0, "ns", "0 ns"),
        (-1_500, "ns", "\u22121.50 µs"),
        (3, "objects", "3.00 objects"),
    ],
)
def test_a_quantity_is_shown_in_the_unit_that_suits(value, unit, expected):
    """Three digits, the unit in which they read well, a narrow blank that does not break."""
    assert expected.replace(" ", THIN) == format_quantity(value, unit)


@pytest.mark.parametrize("format_value", [format_quantity, format_exact])
@pytest.mark.parametrize("value", [None, math.nan])
def test_what_is_not_known_is_a_dash(format_value, value):
    """None and NaN are never shown as a number."""
    assert "\u2013" == format_value(value, "ns")


@given(st.floats(min_value=1e-3, max_value=1e12))
def test_a_time_reads_back_as_what_it_was(time_ns):
    """What is shown, parsed again, is within half a unit of the third digit."""
    digits, unit = format_quantity(time_ns, "ns").split(THIN)
    size = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[unit]

    assert float(digits.replace(",", "")) * size == pytest.approx(time_ns, rel=0.00501)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (30_900, 31_600, "30.9\u201331.6 µs"),
        (990, 1_010, "0.990\u20131.01 µs"),
        (-5, 5, "\u22125.00 to 5.00 ns"),
    ],
)
def test_both_ends_of_an_interval_share_a_unit(low, high, expected):
    """The larger end decides the unit; beside a minus sign a dash would be read as another."""
    actual = format_interval(low, high, "ns")

    assert expected == actual.replace(THIN, " ")


@pytest.mark.parametrize(
    ("ratio", "change", "effect"),
    [
        (1.032, "+3.2 %", "3.2 % slower"),
        (0.97, "\u22123.0 %", "3.0 % faster"),
        (1.0004, "±0.0 %", "no different"),
        (3.4, "+240 %", "240 % slower"),
        (101, "+10,000 %", "10,000 % slower"),
    ],
)
def test_a_ratio_is_a_signed_change_and_an_effect(ratio, change, effect):
    """The sign is a real minus; what rounds to nothing has no direction."""
    assert change == format_change(ratio).replace(THIN, " ")
    assert effect == format_metric_effect(ratio, "time").replace(THIN, " ")


@pytest.mark.parametrize(
    ("over", "better", "expected"),
    [
        (2.4, "lower", "3.4 times its limit"),
        (0.12, "lower", "12 % over its limit"),
        (-0.38, "lower", "38 % below its limit"),
        (-0.9, "lower", "90 % below its limit"),
        (-0.95, "lower", "1/20 of its limit"),
        (7.5e-3 / 5 - 1, "lower", "1/667 of its limit"),
        (-1, "lower", "none of its limit"),
        (-1.02, "lower", "none of its limit"),
        (0.12, "higher", "12 % below its limit"),
        (0.95, "higher", "1/20 of its limit"),
        (1, "higher", "none of its limit"),
        (-0.5, "higher", "50 % above its limit"),
        (-1.4, "higher", "2.4 times its limit"),
        (0.0001, "lower", "at its limit"),
        (-0.0001, "higher", "at its limit"),
        (math.inf, "lower", "beyond a limit of zero"),
        (None, "lower", "\u2013"),
    ],
)
def test_the_distance_to_a_limit_is_said_in_words(over, better, expected):
    """A share from a tenth to twice the limit, a ratio beyond, on the side where the value is."""
    assert expected == format_limit_distance(over, better).replace(THIN, " ")


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        (0.009, "0.90 % over its limit of 5 ms, within the 10 % allowed"),
        (0.1, "10 % over its limit of 5 ms, within the 10 % allowed"),
        (0.11, "11 % over its limit of 5 ms"),
        (-0.2, "20 % below its limit of 5 ms"),
        (0.0001, "at its limit of 5 ms"),
    ],
)
def test_what_is_met_beyond_its_limit_names_the_allowance(over, expected):
    """And nothing else does; the limit stands where it is meant."""
    actual = format_limit_distance(over, "lower", limit="5 ms", allowed=0.1)

    assert expected == actual.replace(THIN, " ")


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ("2026-11-20T10:00:00+00:00", "2026-11-23T10:00:00+00:00", "3 days"),
        ("2026-11-23T09:00:00+00:00", "2026-11-23T11:30:00+01:00", "1 hour"),
        ("2026-11-23T10:00:00+00:00", "2026-11-23T10:00:59+00:00", "less than a minute"),
        ("2026-11-23", "2026-11-23T10:00:00+00:00", "\u2013"),
        ("long ago", "2026-11-23T10:00:00+00:00", "\u2013"),
    ],
)
def test_an_age_is_counted_in_what_suits(earlier, later, expected):
    """Minutes, hours or days, across time zones; a dash where the times can't be compared."""
    assert expected == format_age(earlier, later).replace(THIN, " ")


def test_counts_probabilities_and_durations():
    """One thing is not several; small p values have a bound; long times have two parts."""
    assert ["1 target", "2 targets", "2 passes"] == [
        rendered.replace(THIN, " ")
        for rendered in (
            plural(1, "target"),
            plural(2, "target"),
            plural(2, "pass", "passes"),
        )
    ]
    assert ["< 0.001", "0.031", "0.31"] == [
        format_p_value(p).replace(THIN, " ") for p in (0.0004, 0.031, 0.31)
    ]
    assert ["850 ms", "3 min 20 s", "2 h 5 min"] == [
        format_duration(s).replace(THIN, " ") for s in (0.85, 200, 7_500)
    ]
    assert ["", "a", "a and b", "a, b and c"] == [join_words("abc"[:n]) for n in range(4)]
    assert "Nothing got slower." == as_sentence("nothing got slower")
    assert "Can't tell." == as_sentence("can't tell.")
    assert "old.txt: it failed." == as_sentence("old.txt: it failed")


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1_023, "1,023 B"),
        (1_024, "1.00 KiB"),
        (1_536, "1.50 KiB"),
        (2**20 - 1, "1.00 MiB"),
        (2**20, "1.00 MiB"),
        (1_572_864, "1.50 MiB"),
        (2**30, "1.00 GiB"),
        (1_610_612_736, "1.50 GiB"),
        (3 * 2**40, "3.00 TiB"),
        (2**50, "1.00 PiB"),
        (2**60, "1.00 EiB"),
        (2**80, "1,050,000 EiB"),
        (57.25, "57.2 B"),
        (-1_024, "\u22121.00 KiB"),
        (float("nan"), "\u2013"),
        (float("inf"), "\u221e B"),
    ],
)
def test_bytes_are_in_the_unit_that_suits(count, expected):
    """Steps of 1,024; sizes that VirtEngine's own tests format have the same digits."""
    assert expected == format_bytes(count).replace(THIN, " ")


@pytest.mark.parametrize("count", ["1", None, True])
def test_bytes_are_a_number(count):
    """In words."""
    with pytest.raises(UsageError, match="a number of bytes"):
        format_bytes(count)


def test_counts_have_three_digits_or_their_whole_part():
    """Thousands apart."""
    assert ["5,622", "1.99", "7"] == [format_count(value) for value in (5_622.4, 1.991, 7.0)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (["a/x", "a/y, by 3 %"], "x; y, by 3 %"),
        (["a/x", "b/y"], "a/x; b/y"),
        (["a/1", "a/2", "a/3", "a/4", "a/5"], "1; 2; 3; 2 more"),
    ],
)
def test_of_many_names_the_first_three_are_listed(entries, expected):
    """Without their suite where it is the same."""
    assert expected == abbreviate_names(entries)
