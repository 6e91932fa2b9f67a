"""Conversion between the units that figures, targets and lengths of time are given in."""

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from veperf.core.errors import UsageError

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
        # As VirtEngine's Go benchmarks name them.
        "tps": ("rate", 1.0),
        "bids/sec": ("rate", 1.0),
        "verifications/sec": ("rate", 1.0),
        "error_rate_%": ("share", 1.0),
        "B": ("size", 1.0),
        "KiB": ("size", 2.0**10),
        "MiB": ("size", 2.0**20),
        "%": ("share", 1.0),
        "objects": ("objects", 1.0),
        "tasks": ("tasks", 1.0),
    }
)
_NS_A_SECOND = 1e9
_LENGTHS_S: Mapping[str, float] = MappingProxyType(
    {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
)
_SCALED: Mapping[str, tuple[str, float]] = MappingProxyType({"ns": ("sec", 1e-9), "MB": ("B", 1e6)})


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


def tidy(unit: str) -> tuple[str, float]:
    """A unit without scale, and what a value has to be multiplied by: ``ns/op`` is 1e-9 ``sec/op``.

    As in Go's benchmark tools, ``ns`` and ``MB`` (10^6 bytes) above the line lose their scale in
    compound units, too; veperf's own units of time and size do as a whole.
    """
    dimension, size = _UNITS.get(unit, ("", 1.0))
    if dimension == "time":
        return "sec", size / _NS_A_SECOND
    if dimension == "size":
        return "B", size
    parts, factor = [], 1.0
    for part, above in _parts(unit):
        name, scale = _SCALED.get(part, (part, 1.0)) if above else (part, 1.0)
        parts.append(name)
        factor *= scale
    return "".join(parts), factor


def is_binary(unit: str) -> bool:
    """Whether bytes are counted, so that 1,024 of them are a step, not 1,000."""
    return any(above and part in ("B", "MB", "bytes") for part, above in _parts(unit))


def length_s(text: str) -> float:
    """The seconds of a length of time as people write it: 90, 90s, 10m, 1.5h.

    Raises:
        UsageError: it is none, or no time at all.
    """
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{0,9})?)\s*(s|m|min|h|)", text.strip(), re.ASCII)
    if found is None or not float(found[1]) > 0:
        raise UsageError(f"{text!r} is no length of time, such as 90s, 10m or 1.5h")
    return float(found[1]) * _LENGTHS_S[found[2]]


def _parts(unit: str) -> Iterator[tuple[str, bool]]:
    """The names in ``unit`` and what separates them, each with whether it is above the line."""
    above = True
    for part in re.split(r"([*/\-\s])", unit):
        above = part == "*" or (above and part != "/")
        yield part, above


def _look_up(unit: str) -> tuple[str, float]:
    plain = unit.removesuffix("/op")
    if plain not in _UNITS:
        raise UsageError(f"no unit {unit!r}; known are {', '.join(_UNITS)}")
    return _UNITS[plain]
