"""What a figure from elsewhere is: its metric, its unit, and which way is good."""

from collections.abc import Mapping
from types import MappingProxyType

from veperf.interop.names import clean
from veperf.model import TIME, Better, Metric

NS: Mapping[str, float] = MappingProxyType(
    {
        "ns": 1.0,
        "us": 1e3,
        "µs": 1e3,
        "\u03bcs": 1e3,
        "ms": 1e6,
        "s": 1e9,
        "sec": 1e9,
        "second": 1e9,
        "seconds": 1e9,
        "nanosecond": 1.0,
        "nanoseconds": 1.0,
        "microseconds": 1e3,
        "milliseconds": 1e6,
    }
)
"""Units of time as tools write them, in ns."""

LOWER = frozenset({"ns/op", "sec/op", "B/op", "allocs/op", "B", "bytes", "byte"})
_RATES = ("/s", "/sec", "/second", "tps", "qps", "rps")


def metric_of(name: str, unit: str, better: Better | None = None) -> tuple[Metric, bool]:
    """The metric, and whether its good direction is a guess.

    Rates are better higher; times, sizes and allocations lower; so is, for want of anything to
    go by, everything else.
    """
    name, unit = clean(name), clean(unit)
    if better is not None:
        return Metric(name, unit, better), False
    if unit in ("B/s", "MB/s"):
        return Metric(name, unit, "higher"), False
    if unit in NS or unit in LOWER:
        return Metric(name, unit, "lower"), False
    return Metric(name, unit, "higher" if unit.endswith(_RATES) else "lower"), True


def time_or(name: str, unit: str, better: Better | None = None) -> tuple[Metric, float, bool]:
    """The metric, the factor to its unit, and whether its direction is a guess.

    What is called ``time`` and given in a unit of time is veperf's own ``time``, in ns.
    """
    if name == TIME.name and unit in NS and better != "higher":
        return TIME, NS[unit], False
    metric, guessed = metric_of(name, unit, better)
    return metric, 1.0, guessed
