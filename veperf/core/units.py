"""Units of figures, targets and durations, and the conversions between them."""

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from veperf.core.case import Direction
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
_DURATIONS_S: Mapping[str, float] = MappingProxyType(
    {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
)
_SCALED: Mapping[str, tuple[str, float]] = MappingProxyType({"ns": ("sec", 1e-9), "MB": ("B", 1e6)})

# Names of units, in lower case, by which the better direction is certain.
_TIMES = frozenset(
    {
        "ns", "us", "µs", "\u03bcs", "ms", "s", "sec", "secs", "nsec", "usec", "msec", "second",
        "seconds", "minute", "minutes", "nanosecond", "nanoseconds", "microsecond",
        "microseconds", "millisecond", "milliseconds",
    }
)  # fmt: skip
_SIZES = frozenset(
    {
        "b", "byte", "bytes", "kb", "kib", "mb", "mib", "gb", "gib", "tb", "tib", "kilobyte",
        "kilobytes", "megabyte", "megabytes", "gigabyte", "gigabytes",
    }
)  # fmt: skip
_ALLOCATIONS = frozenset({"alloc", "allocs", "allocation", "allocations"})
_BYTES = frozenset({"b", "byte", "bytes"})
_COUNTS = _ALLOCATIONS | {"instruction", "instructions", "bytecode", "bytecodes"}
_WORK = _SIZES | frozenset(
    {
        "1", "bit", "bits", "kbit", "mbit", "gbit", "op", "ops", "operation", "operations",
        "call", "calls", "iter", "iters", "iteration", "iterations", "item", "items",
        "element", "elements", "elem", "elems", "request", "requests", "req", "reqs", "query",
        "queries", "tx", "txs", "txn", "txns", "transaction", "transactions", "message",
        "messages", "msg", "msgs", "event", "events", "row", "rows", "record", "records",
        "packet", "packets", "frame", "frames", "block", "blocks", "token", "tokens", "job",
        "jobs", "task", "tasks", "page", "pages", "file", "files", "line", "lines", "bid",
        "bids", "order", "orders", "proof", "proofs", "signature", "signatures", "sig",
        "sigs", "verification", "verifications", "hash", "hashes", "lookup", "lookups",
        "insert", "inserts", "read", "reads", "write", "writes", "key", "keys",
    }
)  # fmt: skip
"""What is done in a time: more of it is better."""
_SPEEDS = frozenset(
    {
        "bps", "kbps", "mbps", "gbps", "flops", "kflops", "mflops", "gflops", "tflops",
        "flop/s", "kflop/s", "mflop/s", "gflop/s", "tflop/s", "tps", "qps", "rps", "iops",
        "fps",
    }
)  # fmt: skip


def convert(value: float, unit: str, to: str) -> float:
    """Return ``value``, which is in ``unit``, in the unit ``to``.

    Raises:
        UsageError: a unit is unknown, or the two measure different things.
    """
    (dimension, size), (to_dimension, to_size) = _look_up(unit), _look_up(to)
    if dimension != to_dimension:
        raise UsageError(
            f"{unit}, a unit of {dimension}, can't be converted to {to}, a unit of {to_dimension}"
        )
    return value * size / to_size


def per_operation(time_ns: float, to: str) -> float:
    """Return the time of an operation in ``to``, a unit of time or of rate (operations a second).

    NaN if ``time_ns`` is not positive: no operation takes no time.

    Raises:
        UsageError: ``to`` is unknown, or is neither time nor rate.
    """
    if not time_ns > 0:
        return math.nan
    if _look_up(to)[0] == "rate":
        return convert(_NS_A_SECOND / time_ns, "1/s", to)
    return convert(time_ns, "ns", to)


def base_unit(unit: str) -> tuple[str, float]:
    """Return the unit without its scale, and the factor for values: ``ns/op`` is 1e-9 ``sec/op``.

    As in Go's benchmark tools, ``ns`` and ``MB`` (10^6 bytes) in the numerator lose their scale in
    compound units, too; veperf's own units of time and size do so as a whole.
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
    """Return whether the unit counts bytes, whose prefixes are multiples of 1,024."""
    return any(above and part in ("B", "MB", "bytes") for part, above in _parts(unit))


def better_of(unit: str) -> Direction:
    """Return the better direction of figures in ``unit``, ``unknown`` unless it is certain.

    Lower is better for times, sizes, allocations and error rates, in all or per operation; higher
    for work done in a time: ``MB/s``, ``ops/ms``, ``tps``, ``GFLOPS``. Ratios, scores, percents and
    counts may be better either way.
    """
    name = unit.strip().lower()
    if name in _SPEEDS:
        return "higher"
    above, _, below = name.partition("/")
    if below in _TIMES:
        return "higher" if above in _WORK else "unknown"
    is_cost = above in _TIMES or above in _SIZES or above in _ALLOCATIONS
    return "lower" if is_cost or name == "error_rate_%" else "unknown"


def is_time(unit: str) -> bool:
    """Return whether ``unit`` measures how long something takes, in all or per operation."""
    return unit.strip().lower().removesuffix("/op") in _TIMES


def is_count(unit: str) -> bool:
    """Return whether ``unit`` counts what a program does, however fast: allocs/op, instructions."""
    above, _, below = unit.strip().lower().partition("/")
    return (above in _COUNTS and below not in _TIMES) or (above in _BYTES and below == "op")


def same_dimension_factor(unit: str, to: str) -> float | None:
    """Return the factor for values in ``unit`` to those in ``to``; None if they can't be compared.

    Unlike ``convert`` it knows compound units, and units that it doesn't know equal themselves.
    """
    (name, factor), (to_name, to_factor) = base_unit(unit), base_unit(to)
    return factor / to_factor if name == to_name else None


def parse_duration_s(text: str) -> float:
    """Return the seconds of a duration as people write it: 90, 90s, 10m, 1.5h.

    Raises:
        UsageError: it is not a duration, or zero.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{0,9})?)\s*(s|m|min|h|)", text.strip(), re.ASCII)
    if match is None or not float(match[1]) > 0:
        raise UsageError(f"{text!r} is not a duration, such as 90s, 10m or 1.5h")
    return float(match[1]) * _DURATIONS_S[match[2]]


def _parts(unit: str) -> Iterator[tuple[str, bool]]:
    """Yield the names in ``unit`` and their separators, each with whether it is a numerator."""
    above = True
    for part in re.split(r"([*/\-\s])", unit):
        above = part == "*" or (above and part != "/")
        yield part, above


def _look_up(unit: str) -> tuple[str, float]:
    plain = unit.removesuffix("/op")
    if plain not in _UNITS:
        raise UsageError(f"unknown unit {unit!r}; known are {', '.join(_UNITS)}")
    return _UNITS[plain]
