"""Numbers, units and words as people read them, in reports, messages and tables alike.

Three significant digits, thousands apart by commas, a real minus sign, and a narrow blank that does
not break between a number and its unit or percent sign.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from veperf.core.errors import UsageError
from veperf.core.units import is_number

MISSING = "\u2013"
DASH = "\u2013"
MINUS = "\u2212"
TIMES = "\u00d7"
THIN = "\u202f"
"""Narrow and non-breaking: a number and its unit stay together."""

# Size in the unit family's base, and how the unit is written.
_SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "time": ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")),
    "memory": (
        (1.0, "B"),
        (2.0**10, "KiB"),
        (2.0**20, "MiB"),
        (2.0**30, "GiB"),
        (2.0**40, "TiB"),
        (2.0**50, "PiB"),
        (2.0**60, "EiB"),
    ),
}
_FAMILY: dict[str, tuple[str, float]] = {
    "ns": ("time", 1e-9),
    "us": ("time", 1e-6),
    "µs": ("time", 1e-6),
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "B": ("memory", 1.0),
    "bytes": ("memory", 1.0),
    "KiB": ("memory", 2.0**10),
    "MiB": ("memory", 2.0**20),
    "GiB": ("memory", 2.0**30),
}
_NAMES_LISTED = 3
# In no word that begins a sentence, but in names of files, settings and units.
_NAME_CHARACTERS = frozenset("./_0123456789")
_MOST_DIGITS = 1e12


def format_number(value: float | None, digits: int = 3) -> str:
    """Return ``value`` to ``digits`` significant digits, thousands apart: 0.00123, 31.2, 5,120."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    value = float(f"{value:.{digits - 1}e}")
    exponent = math.floor(math.log10(abs(value)))
    if not -4 <= exponent <= 9:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}{TIMES}10^{int(power)}".replace("-", MINUS)
    return f"{value:,.{max(0, digits - 1 - exponent)}f}".replace("-", MINUS)


def format_count(value: float) -> str:
    """Return a count in whole numbers, or a small mean to three digits: 5,622, 7, 1.99."""
    whole = abs(value) >= 100 or value == int(value)
    return f"{value:,.0f}".replace("-", MINUS) if whole else format_number(value)


def format_quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """Return ``value`` with its unit, times and sizes in one that suits: 31,200 ns is 31.2 µs."""
    if value is None or math.isnan(value):
        return MISSING
    factor, scaled_unit = choose_unit(value, unit, digits)
    return _with_unit(format_number(value * factor, digits), scaled_unit)


def format_bytes(count: float) -> str:
    """Return a number of bytes in the unit that suits: 1,023 is 1,023 B, 1,536 is 1.50 KiB.

    Raises:
        UsageError: it is no number.
    """
    if not is_number(count):
        raise UsageError(f"expected a number of bytes, not {count!r}")
    if abs(count) < 2**10:
        return _with_unit(format_count(count), "B")
    return format_quantity(count, "B")


@lru_cache(maxsize=1024)
def format_exact(value: float | None, unit: str = "") -> str:
    """Return a value that is exact because somebody chose it: 10 µs, 5,000 tx/s, 0.1 %."""
    if value is None or not math.isfinite(value):
        return MISSING
    factor, scaled_unit = choose_unit(value, unit)
    scaled = value * factor
    is_whole = scaled == int(scaled) and abs(scaled) < _MOST_DIGITS
    digits = f"{scaled:,.0f}" if is_whole else f"{scaled:,.6g}"
    return _with_unit(digits.replace("-", MINUS), scaled_unit)


def format_interval(low: float | None, high: float | None, unit: str, digits: int = 3) -> str:
    """Return both ends in one unit: 30.9-31.6 µs, with an en dash (or "to" beside a minus sign)."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return MISSING
    factor, scaled_unit = choose_unit(max(abs(low), abs(high)), unit, digits)
    ends = format_number(low * factor, digits), format_number(high * factor, digits)
    between = " to " if any(end.startswith(MINUS) for end in ends) else DASH
    return _with_unit(between.join(ends), scaled_unit)


def choose_unit(value: float, unit: str, digits: int = 3) -> tuple[float, str]:
    """Return the factor and the unit by which ``value``, which is in ``unit``, reads well."""
    family, size = _FAMILY.get(unit, ("", 1.0))
    if not family or not math.isfinite(value):
        return 1.0, "µs" if unit == "us" else unit
    # 1,024 is rounded down to 1,020; 999.9 is rounded up to 1,000.
    base = max(float(f"{abs(value) * size:.{digits - 1}e}"), abs(value) * size)
    steps = _SCALES[family]
    fitting = [step for step in steps if step[0] * (1 - 1e-12) <= base] or [steps[0]]
    return size / fitting[-1][0], fitting[-1][1]


def format_change(ratio: float | None) -> str:
    """Return a ratio as a signed change: 1.032 is +3.2 %, 0.5 is -50.0 %, 3.4 is +240 %."""
    if ratio is None or math.isnan(ratio):
        return MISSING
    digits = _change_digits(ratio)
    sign = "±" if digits == "0.0" else "+" if ratio > 1 else MINUS
    return f"{sign}{digits}{THIN}%"


def format_change_interval(low: float | None, high: float | None) -> str:
    """Return both ends of a ratio's interval as changes: +1.1 % to +5.3 %."""
    ends = format_change(low), format_change(high)
    return MISSING if MISSING in ends else " to ".join(ends)


def describe_margin(margin: float) -> str:
    """Return in words that a slowdown of ``margin`` or more is ruled out: within 3 %."""
    return f"within {format_exact(100 * margin, '%')}"


def describe_interval(low: float, high: float, confidence: float) -> str:
    """Return a ratio's interval with its confidence: 95 % interval +1.1 % to +5.3 %."""
    return f"{format_percent(confidence)} interval {format_change_interval(low, high)}"


def format_effect(ratio: float | None, worse: str = "slower", better: str = "faster") -> str:
    """Return a ratio in words, over 1 being worse: 3.2 % slower, 0.5 % faster; no different."""
    if ratio is None or math.isnan(ratio):
        return MISSING
    digits = _change_digits(ratio)
    return (
        "no different" if digits == "0.0" else f"{digits}{THIN}% {worse if ratio > 1 else better}"
    )


def format_metric_effect(ratio: float | None, metric: str, better: str = "lower") -> str:
    """Return a ratio of ``metric`` in words: slower or faster for time, else worse or better.

    Where ``better``, the better direction, is unknown it is more or less.
    """
    if better == "unknown":
        return format_effect(ratio, "more", "less")
    return format_effect(ratio) if metric == "time" else format_effect(ratio, "worse", "better")


def format_percent(share: float | None) -> str:
    """Return a part of a whole to two digits (three from 99.5 % on): 0.95 is 95 %."""
    if share is None:
        return MISSING
    return _with_unit(format_number(share * 100, 2 if share < 0.995 else 3), "%")


def format_multiple(ratio: float | None) -> str:
    """Return a multiple in words: 3.4 times; 12 times."""
    if ratio is None or math.isnan(ratio):
        return MISSING
    return f"{format_number(ratio, 2 if ratio < 99.5 else 3)} times"


def format_limit_distance(
    over: float | None, better: str, *, limit: str = "", allowed: float = 0.0
) -> str:
    """Return how a value stands to its limit, from the share by which it is worse than that limit.

    From a tenth of the limit to twice the limit as a percentage, else as a ratio: "12 % over its
    limit", "3.4 times its limit", "1/670 of its limit". A value that is worse than a limit from
    below is "12 % below its limit", a better one "12 % above its limit". With ``limit``, in words,
    "of 5 ms" follows. ``allowed`` is the share beyond the limit up to which it is met all the same,
    which is then said: "2.1 % over its limit, within the 10 % allowed".
    """
    if over is None or math.isnan(over):
        return MISSING
    if math.isinf(over):
        return "beyond a limit of zero"
    its_limit = f"its limit of {limit}" if limit else "its limit"
    ratio = 1 + over if better == "lower" else 1 - over
    if round(over, 3) == 0:
        return f"at {its_limit}"
    if ratio <= 0:
        return f"none of {its_limit}"
    if ratio < 0.0995:
        return f"1/{format_number(1 / ratio, 2 if ratio > 1 / 99.5 else 3)} of {its_limit}"
    if ratio > 2:
        return f"{format_multiple(ratio)} {its_limit}"
    side = "below" if ratio < 1 else "over" if better == "lower" else "above"
    distance = f"{_with_unit(format_number(abs(over) * 100, 2), '%')} {side} {its_limit}"
    is_allowed = 0 < over <= allowed
    return f"{distance}, within the {format_percent(allowed)} allowed" if is_allowed else distance


def format_p_value(p: float | None) -> str:
    """Return a p-value: 0.031; small ones as < 0.001."""
    if p is None or math.isnan(p):
        return MISSING
    if p < 0.001:
        return f"<{THIN}0.001"
    return f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def describe_p_value(p: float) -> str:
    """Return a p-value with its sign: p = 0.031, p < 0.001."""
    digits = format_p_value(p)
    return f"p {digits}" if digits.startswith("<") else f"p = {digits}"


def format_duration(seconds: float | None, digits: int = 3) -> str:
    """Return a length of time: 850 ms, 41.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if seconds < 99.95:
        return format_quantity(seconds, "s", digits)
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}{THIN}min {whole % 60}{THIN}s"
    minutes = round(seconds / 60)
    return f"{minutes // 60:,}{THIN}h {minutes % 60}{THIN}min"


def format_time(iso: str) -> str:
    """Return an ISO 8601 time to the minute: 2026-11-23 06:14 UTC; any other text as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    offset = when.strftime("%z")
    zone = "" if when.tzinfo is None else " UTC" if offset == "+0000" else f" {offset}"
    return f"{when:%Y-%m-%d %H:%M}{zone}"


def format_age(earlier: str, later: str) -> str:
    """Return the time between two ISO 8601 times: 20 minutes, 3 hours, 12 days."""
    try:
        elapsed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    except (ValueError, TypeError):
        return MISSING
    minutes = max(0, int(elapsed.total_seconds() // 60))
    if minutes < 60:
        return plural(minutes, "minute") if minutes else "less than a minute"
    if minutes < 48 * 60:
        return plural(minutes // 60, "hour")
    return plural(minutes // (24 * 60), "day")


def plural(n: int, noun: str, form: str = "") -> str:
    """Return a number of things: 1 target, 2,000 targets; ``form`` is an irregular plural."""
    return f"{n:,} {noun if n == 1 else form or noun + 's'}"


def join_words(words: Iterable[str]) -> str:
    """Return several words as in a sentence: a; a and b; a, b and c."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def abbreviate_names(entries: Sequence[str], among: Sequence[str] = ()) -> str:
    """Return the first three of ``entries``, which begin with an id, and the number of the others.

    Without their suite if it is the same for all of them and of ``among``, which they are part of.
    """
    every = among or entries
    same = len({e.partition("/")[0] for e in every}) == 1 and all("/" in e for e in every)
    names = [e.partition("/")[2] if same else e for e in entries[:_NAMES_LISTED]]
    more = [f"{len(entries) - _NAMES_LISTED} more"] if len(entries) > _NAMES_LISTED else []
    return "; ".join(names + more)


def as_sentence(text: str) -> str:
    """Return ``text`` with a full stop, and a capital unless it begins with a file or unit."""
    body = text.strip()
    end = "" if body.endswith((".", "!", "?", ":")) else "."
    first, *_ = body.split(None, 1) or [""]
    if _NAME_CHARACTERS.intersection(first.rstrip(".:;,")):
        return f"{body}{end}"
    return f"{body[:1].upper()}{body[1:]}{end}" if body else ""


def _change_digits(ratio: float) -> str:
    size = abs(ratio - 1) * 100
    return f"{size:.1f}" if size < 99.95 else format_number(size, max(3, len(f"{size:.0f}")))


def _with_unit(digits: str, unit: str) -> str:
    return f"{digits}{THIN}{unit}" if unit else digits
