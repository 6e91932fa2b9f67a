"""Figures reach the unit that their target is given in."""

import math

import pytest

from veperf.core.errors import UsageError
from veperf.core.units import (
    convert,
    parse_duration_s,
    per_operation,
    same_dimension_factor,
)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (1500.0, "ns", "µs", 1.5),
        (1500.0, "ns", "us", 1.5),
        (0.25, "s", "ms", 250.0),
        (3.0, "ms", "ns", 3e6),
        (2048.0, "B", "KiB", 2.0),
        (1.5, "MiB", "KiB", 1536.0),
        (7.0, "tx/s", "1/s", 7.0),
        (0.1, "%", "%", 0.1),
        (12.0, "objects", "objects", 12.0),
    ],
)
def test_values_convert_within_a_dimension(
    value: float, unit: str, to: str, expected: float
) -> None:
    """Time, size and rate convert by their definitions."""
    assert math.isclose(expected, convert(value, unit, to), rel_tol=1e-15)


@pytest.mark.parametrize(
    ("unit", "to"), [("ns", "KiB"), ("objects", "tasks"), ("%", "1/s"), ("ns", "1/s"), ("ns", "h")]
)
def test_what_does_not_fit_is_refused(unit: str, to: str) -> None:
    """Units of other things, and units that nobody knows, are an error and never a number."""
    with pytest.raises(UsageError):
        convert(1.0, unit, to)


@pytest.mark.parametrize(
    ("unit", "expected"), [("ns", 200_000.0), ("ms", 0.2), ("1/s", 5000.0), ("tx/s", 5000.0)]
)
def test_time_an_operation_answers_time_and_rate(unit: str, expected: float) -> None:
    """200 µs an operation are 5,000 operations a second."""
    assert math.isclose(expected, per_operation(200_000.0, unit), rel_tol=1e-15)


@pytest.mark.parametrize("time_ns", [0.0, -1.0, math.nan])
@pytest.mark.parametrize("unit", ["ns", "tx/s"])
def test_no_time_is_no_rate(time_ns: float, unit: str) -> None:
    """A time of nothing is no number: it must not turn into an endless rate that passes."""
    assert math.isnan(per_operation(time_ns, unit))


def test_time_is_no_size() -> None:
    """A target in KiB can't be answered by a time."""
    with pytest.raises(UsageError, match="KiB"):
        per_operation(1.0, "KiB")


@pytest.mark.parametrize(
    ("unit", "to", "factor"),
    [
        ("ms", "s", 1e-3),
        ("seconds", "us", 1e6),
        ("us/op", "ns/op", 1e3),
        ("kB", "B", 1e3),
        ("KiB", "bytes", 1024.0),
        ("GB/s", "MB/s", 1e3),
        ("MiB/s", "B/s", 2.0**20),
        ("Mbps", "kbit/s", 1e3),
        ("ops/ms", "op/s", 1e3),
        ("requests/s", "rps", 1.0),
        ("GFLOPS", "MFLOP/s", 1e3),
        ("percent", "%", 1.0),
        ("allocs/op", "allocations/op", 1.0),
        ("frobs", "frobs", 1.0),
        ("kops/s", "ops/s", 1e3),
        ("Mops/s", "kops/s", 1e3),
        ("Kelem/s", "elements/s", 1e3),
        ("Gelem/s", "elem/ns", 1.0),
        ("ktps", "tx/s", 1e3),
        ("events/s", "event/s", 1.0),
        ("h", "min", 60.0),
        ("ps", "ns", 1e-3),
        ("J", "mJ", 1e3),
        ("MJ/op", "mJ/op", 1e9),
        ("kW", "W", 1e3),
        ("Hz", "1/s", 1.0),
        ("GHz", "1/ns", 1.0),
    ],
)
def test_units_of_one_family_are_compared(unit: str, to: str, factor: float) -> None:
    """What two files say of one metric in other units: times, bytes, rates, percents."""
    assert factor == pytest.approx(same_dimension_factor(unit, to), rel=1e-12)
    assert 1 / factor == pytest.approx(same_dimension_factor(to, unit), rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "to"),
    [("ms", "kB"), ("MB", "MB/s"), ("op/s", "request/s"), ("Mb", "MB"), ("%", "1"), ("s", "1/s"),
     ("frobs", "frob"), ("mops/s", "ops/s"), ("mhz", "Hz"), ("p95-ms", "p95-us"), ("J", "W"),
     ("Tasks", "asks"), ("keys", "eys")],
)  # fmt: skip
def test_units_of_other_families_are_not(unit: str, to: str) -> None:
    """Nor are those that could be bits or bytes."""
    assert same_dimension_factor(unit, to) is None


@pytest.mark.parametrize(
    ("unit", "to"),
    [("ns", "s"), ("us", "ms"), ("B", "KiB"), ("MiB", "KiB"), ("%", "%")],
)
def test_families_agree_with_conversions(unit: str, to: str) -> None:
    """Where a target's unit is known, both say the same."""
    assert convert(1.0, unit, to) == pytest.approx(same_dimension_factor(unit, to), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("2s", 2), ("1.5h", 5_400), ("3min", 180), ("3m", 180), ("500ms", 0.5)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    """In the units that they may have."""
    assert seconds == pytest.approx(parse_duration_s(text), rel=1e-12)


@pytest.mark.parametrize("text", ["0ms", "0", "-2s", "2d", "ms", "1e3s", "2 s s", ""])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Nor is none at all."""
    with pytest.raises(UsageError, match="is not a duration"):
        parse_duration_s(text)
