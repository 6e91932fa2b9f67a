"""Figures reach the unit that their target is given in."""

import math

import pytest

from veperf.core.errors import UsageError
from veperf.core.units import convert, per_operation


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
