"""Units of figures, targets and durations, and the conversions between them."""

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from numbers import Integral, Real
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
    {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
)
_SCALED: Mapping[str, tuple[str, float]] = MappingProxyType({"ns": ("sec", 1e-9), "MB": ("B", 1e6)})

# Units of a family in its base unit, for comparing what different files say of one metric. Prefixes
# of bytes are decimal, as in Go, unless there is an i in them; Mb and Gb are bits or bytes, and so
# only equal themselves.
_DECIMAL = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_FAMILIES: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        **dict.fromkeys(("ps", "psec", "picosecond", "picoseconds"), ("s", 1e-12)),
        **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), ("s", 1e-9)),
        **dict.fromkeys(
            ("us", "µs", "\u03bcs", "usec", "microsecond", "microseconds"), ("s", 1e-6)
        ),
        **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("s", 1e-3)),
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("s", 1.0)),
        **dict.fromkeys(("min", "minute", "minutes"), ("s", 60.0)),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("s", 3600.0)),
        **dict.fromkeys(("b", "byte", "bytes"), ("B", 1.0)),
        **{f"{p}b": ("B", size) for p, size in _DECIMAL.items()},
        **{f"{p}ib": ("B", 2.0 ** (10 * i)) for i, p in enumerate("kmgt", 1)},
        **{
            f"{word}byte{s}": ("B", size)
            for word, size in zip(("kilo", "mega", "giga", "tera"), _DECIMAL.values(), strict=True)
            for s in ("", "s")
        },
        **{f"{p}{bits}": ("bit", size) for p, size in _DECIMAL.items() for bits in ("bit", "bits")},
        **dict.fromkeys(("bit", "bits"), ("bit", 1.0)),
        **{f"{p}flop": ("flop", size) for p, size in _DECIMAL.items()},
        **dict.fromkeys(("%", "percent", "percents", "pct"), ("%", 1.0)),
        **dict.fromkeys(("joule", "joules"), ("J", 1.0)),
        **dict.fromkeys(("watt", "watts"), ("W", 1.0)),
        **dict.fromkeys(("hertz",), ("1/s", 1.0)),
    }
)
_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("op", "ops", "operation", "operations"), "op"),
        **dict.fromkeys(("req", "reqs", "request", "requests"), "request"),
        **dict.fromkeys(("tx", "txs", "txn", "txns", "transaction", "transactions"), "tx"),
        **dict.fromkeys(("query", "queries"), "query"),
        **dict.fromkeys(("elem", "elems", "element", "elements"), "element"),
        **dict.fromkeys(("msg", "msgs", "message", "messages"), "message"),
        **dict.fromkeys(("alloc", "allocs", "allocation", "allocations"), "alloc"),
        **dict.fromkeys(("iter", "iters", "iteration", "iterations"), "iteration"),
        **dict.fromkeys(("sig", "sigs", "signature", "signatures"), "signature"),
        **dict.fromkeys(("hash", "hashes"), "hash"),
    }
)
# Of these the case of the prefix counts: mJ is a thousandth, MJ a million.
_SCALES = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "\u03bc": 1e-6, "m": 1e-3, "": 1.0}
_SCALES |= {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_OF_EXACT_CASE: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        f"{prefix}{symbol}": (base, size)
        for symbol, base in (("J", "J"), ("W", "W"), ("Hz", "1/s"))
        for prefix, size in _SCALES.items()
    }
)
_MULTIPLES: Mapping[str, float] = MappingProxyType(
    {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
)
_SPEED_FAMILIES: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        **{
            f"{p}{short}ps": (f"{what}/s", size)
            for short, what in (("t", "tx"), ("q", "query"), ("r", "request"))
            for p, size in {"": 1.0, **_DECIMAL}.items()
        },
        "bps": ("bit/s", 1.0),
        "flops": ("flop/s", 1.0),
        **{f"{p}bps": ("bit/s", size) for p, size in _DECIMAL.items()},
        **{f"{p}flops": ("flop/s", size) for p, size in _DECIMAL.items()},
    }
)

# Names of units, in lower case, by which the better direction is certain.
_TIMES = frozenset(
    {
        "ps", "ns", "us", "µs", "\u03bcs", "ms", "s", "sec", "secs", "nsec", "usec", "msec",
        "second", "seconds", "min", "minute", "minutes", "h", "hour", "hours", "picosecond",
        "picoseconds", "nanosecond", "nanoseconds", "microsecond", "microseconds", "millisecond",
        "milliseconds",
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
_SIMULATED = frozenset({"simulated_cycles", "simulated_accesses", "simulated_hits"})
_COUNTS = _ALLOCATIONS | _SIMULATED | {"instruction", "instructions", "bytecode", "bytecodes"}
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
        *_SPEED_FAMILIES, "flop/s", "kflop/s", "mflop/s", "gflop/s", "tflop/s", "iops", "fps",
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


@lru_cache(maxsize=1024)
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


@lru_cache(maxsize=1024)
def unit_family(unit: str) -> tuple[str, float]:
    """Return the base unit of all that measure the same, and the factor for values: ms is 1e-3 s.

    Times, bytes, bits, percents, energy, power, frequencies, what is counted, also in thousands or
    millions, and rates and costs of them: ``kB/ms`` is 1e6 ``B/s``, ``Mops/s`` 1e6 ``op/s``. A unit
    that is not known is its own family.
    """
    name = unit.strip()
    if (speed := _SPEED_FAMILIES.get(name.lower())) is not None and "GBps" != name != "MBps":
        return speed
    above, slash, below = name.partition("/")
    over, size = _family_of_word(above)
    if not slash:
        return over, size
    under, under_size = _family_of_word(below)
    return f"{over}/{under}", size / under_size


def _family_of_word(word: str) -> tuple[str, float]:
    if word[-1:] == "b" and not word.islower():  # such as Mb, megabits or megabytes
        return word, 1.0
    if known := _OF_EXACT_CASE.get(word) or _FAMILIES.get(word.lower()):
        return known
    noun, size = _without_multiple(word)
    lower = noun.lower()
    is_plural = lower in _WORK and lower.endswith("s")
    return _SYNONYMS.get(lower) or (lower.removesuffix("s") if is_plural else noun), size


def _without_multiple(word: str) -> tuple[str, float]:
    """Return what is counted in thousands, millions and so on, and how many: kops is 1e3 ops."""
    noun = word[1:].lower()
    is_known = noun in _SYNONYMS or (noun in _WORK and noun not in _FAMILIES and noun != "1")
    if word[:1] in _MULTIPLES and is_known and word.lower() not in _SYNONYMS:
        return word[1:], _MULTIPLES[word[0]]
    return word, 1.0


@lru_cache(maxsize=1024)
def is_binary(unit: str) -> bool:
    """Return whether the unit counts bytes, whose prefixes are multiples of 1,024."""
    return any(above and part in ("B", "MB", "bytes") for part, above in _parts(unit))


@lru_cache(maxsize=1024)
def better_of(unit: str) -> Direction:
    """Return the better direction of figures in ``unit``, ``unknown`` unless it is certain.

    Lower is better for times, sizes, allocations and error rates, in all or per operation; higher
    for work done in a time: ``MB/s``, ``ops/ms``, ``tps``, ``GFLOPS``. Ratios, scores, percents and
    counts may be better either way.
    """
    name = unit.strip().lower()
    if name in _SPEEDS:
        return "higher"
    counted, _, below = unit.strip().partition("/")
    above, below = _without_multiple(counted)[0].lower(), below.lower()
    if below in _TIMES:
        return "higher" if above in _WORK else "unknown"
    is_cost = above in _TIMES or above in _SIZES or above in _ALLOCATIONS
    return "lower" if is_cost or name == "error_rate_%" else "unknown"


@lru_cache(maxsize=1024)
def is_time(unit: str) -> bool:
    """Return whether ``unit`` measures how long something takes, in all or per operation."""
    return unit.strip().lower().removesuffix("/op") in _TIMES


@lru_cache(maxsize=1024)
def is_count(unit: str) -> bool:
    """Return whether ``unit`` counts what a program does, however fast: allocs/op, instructions."""
    above, _, below = unit.strip().lower().partition("/")
    return (above in _COUNTS and below not in _TIMES) or (above in _BYTES and below == "op")


def same_dimension_factor(unit: str, to: str) -> float | None:
    """Return the factor for values in ``unit`` to those in ``to``; None if they can't be compared.

    Unlike ``convert`` it knows compound units, and units that it doesn't know equal themselves.
    """
    if unit == to:
        return 1.0
    (name, factor), (to_name, to_factor) = unit_family(unit), unit_family(to)
    return factor / to_factor if name == to_name else None


def parse_duration_s(text: str) -> float:
    """Return the seconds of a duration as people write it: 90, 90s, 10m, 1.5h, 500ms.

    Raises:
        UsageError: it is not a duration, or zero.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{0,9})?)\s*(ms|s|m|min|h|)", text.strip(), re.ASCII)
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


def is_number(value: object) -> bool:
    """Return whether ``value`` is a real number, NaN and infinity included; text, True are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def is_whole_number(value: object) -> bool:
    """Return whether ``value`` is an int, or an integer of numpy's; True is none, nor is 2.0."""
    return isinstance(value, Integral) and not isinstance(value, bool)
