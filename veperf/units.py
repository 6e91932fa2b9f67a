"""Conversion between the units that figures and targets are given in."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from veperf.errors import UsageError

# Each unit's dimension, and its size in the smallest unit of that dimension.
_UNITS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "ns": ("time", 1.0),
        "us": ("time", 1e3),
        "µs": ("time", 1e3),
        "ms": ("time", 1e6),
        "s": ("time", 1e9),
        "1/s": ("rate", 1.0),
        "tx/s": ("rate", 1.0),
        "B": ("size", 1.0),
        "KiB": ("size", 2.0**10),
        "MiB": ("size", 2.0**20),
        "%": ("share", 1.0),
        "objects": ("objects", 1.0),
        "tasks": ("tasks", 1.0),
    }
)
_NS_A_SECOND = 1e9


def convert(value: float, unit: str, to: str) -> float:
    """``value``, given in ``unit``, in the unit ``to``.

    Raises:
        UsageError: a unit is unknown, or the two measure different things.
    """
    (dimension, size), (wanted, wanted_size) = _look_up(unit), _look_up(to)
    if dimension != wanted:
        raise UsageError(f"{unit} can't be converted to {to}: one is {dimension}, one is {wanted}")
    return value * size / wanted_size


def per_operation(time_ns: float, to: str) -> float:
    """Time an operation in ``to``: a unit of time, or of rate (operations a second).

    NaN where ``time_ns`` is not positive: no operation takes no time.

    Raises:
        UsageError: ``to`` is unknown, or is neither time nor rate.
    """
    if not time_ns > 0:
        return math.nan
    if _look_up(to)[0] == "rate":
        return convert(_NS_A_SECOND / time_ns, "1/s", to)
    return convert(time_ns, "ns", to)


def _look_up(unit: str) -> tuple[str, float]:
    if unit not in _UNITS:
        raise UsageError(f"no unit {unit!r}; known are {', '.join(_UNITS)}")
    return _UNITS[unit]
