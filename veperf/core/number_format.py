"""Numbers as people read them. Every number that a report shows passes through here."""

import math
from collections.abc import Iterable
from datetime import datetime

MISSING = "\u2013"
DASH = "\u2013"
MINUS = "\u2212"
TIMES = "\u00d7"
THIN = "\u202f"
"""Narrow and non-breaking: a number and its unit stay together."""

# Size in the unit family's base, and how the unit is written.
_SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "time": ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")),
    "memory": ((1.0, "B"), (2.0**10, "KiB"), (2.0**20, "MiB"), (2.0**30, "GiB")),
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


def number(value: float | None, digits: int = 3) -> str:
    """``value`` to ``digits`` significant digits, thousands apart: 0.00123, 31.2, 5,120."""
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


def quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """``value`` with its unit; times and sizes in the unit that suits: 31,200 ns is 31.2 µs."""
    if value is None or math.isnan(value):
        return MISSING
    factor, shown = scale(value, unit, digits)
    return _joined(number(value * factor, digits), shown)


def given(value: float | None, unit: str = "") -> str:
    """A value that is exact because somebody chose it: 10 µs, 5,000 tx/s, 0.1 %."""
    if value is None or not math.isfinite(value):
        return MISSING
    factor, shown = scale(value, unit)
    return _joined(f"{value * factor:,.6g}".replace("-", MINUS), shown)


def sentence(text: str) -> str:
    """``text`` with a capital and a full stop."""
    body = text.strip()
    end = "" if body.endswith((".", "!", "?", ":")) else "."
    return f"{body[:1].upper()}{body[1:]}{end}" if body else ""


def interval(low: float | None, high: float | None, unit: str, digits: int = 3) -> str:
    """Both ends in one unit: 30.9-31.6 µs, with an en dash (or "to" beside a minus sign)."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return MISSING
    factor, shown = scale(max(abs(low), abs(high)), unit, digits)
    ends = number(low * factor, digits), number(high * factor, digits)
    between = " to " if any(e.startswith(MINUS) for e in ends) else DASH
    return _joined(between.join(ends), shown)


def scale(value: float, unit: str, digits: int = 3) -> tuple[float, str]:
    """What to multiply by, and the unit to write, so that ``value`` in ``unit`` reads well."""
    family, size = _FAMILY.get(unit, ("", 1.0))
    if not family or not math.isfinite(value):
        return 1.0, "µs" if unit == "us" else unit
    base = float(f"{abs(value) * size:.{digits - 1}e}")
    steps = _SCALES[family]
    fitting = [step for step in steps if step[0] * (1 - 1e-12) <= base] or [steps[0]]
    return size / fitting[-1][0], fitting[-1][1]


def change(ratio: float | None) -> str:
    """A ratio as a signed change: 1.032 is +3.2 %, 0.5 is -50.0 %, 3.4 is +240 %."""
    if ratio is None or math.isnan(ratio):
        return MISSING
    shown = _percentage(ratio)
    sign = "±" if shown == "0.0" else "+" if ratio > 1 else MINUS
    return f"{sign}{shown}{THIN}%"


def effect(ratio: float | None, metric: str) -> str:
    """A ratio in words, over 1 being worse: 3.2 % slower, 0.5 % faster; no different."""
    if ratio is None or math.isnan(ratio):
        return MISSING
    shown = _percentage(ratio)
    if shown == "0.0":
        return "no different"
    worse, good = ("slower", "faster") if metric == "time" else ("worse", "better")
    return f"{shown}{THIN}% {worse if ratio > 1 else good}"


def change_interval(low: float | None, high: float | None) -> str:
    """Both ends of a ratio's interval as changes: +1.1 % to +5.3 %."""
    ends = change(low), change(high)
    return MISSING if MISSING in ends else " to ".join(ends)


def share(ratio: float | None) -> str:
    """A part of a whole: 0.95 is 95 %."""
    return (
        MISSING if ratio is None else _joined(number(ratio * 100, 2 if ratio < 0.995 else 3), "%")
    )


def times(ratio: float | None) -> str:
    """A multiple in words: 3.4 times; 12 times."""
    if ratio is None or math.isnan(ratio):
        return MISSING
    return f"{number(ratio, 2 if ratio < 99.5 else 3)}{THIN}times"


def beyond(over: float | None, better: str) -> str:
    """How a value stands to its limit, from the share by which it is worse than that limit.

    Up to twice the limit as a percentage, beyond that as a multiple: "12 % over its limit",
    "3.4 times its limit", "38 % below its limit"; for a limit from below the two change sides.
    """
    if over is None or math.isnan(over):
        return MISSING
    worse, good = ("over", "below") if better == "lower" else ("below", "above")
    if math.isinf(over):
        return "beyond a limit of zero"
    if over > 1 and better == "lower":
        return f"{times(1 + over)} its limit"
    size = abs(over)
    if round(size, 3) == 0:
        return "at its limit"
    return f"{_joined(number(size * 100, 2), '%')} {worse if over > 0 else good} its limit"


def probability(p: float | None) -> str:
    """A p value: 0.031; small ones as < 0.001."""
    if p is None or math.isnan(p):
        return MISSING
    if p < 0.001:
        return f"<{THIN}0.001"
    return f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def count(n: int, one: str, many: str = "") -> str:
    """A number of things: 1 target, 9 targets, 2,000 targets; ``many`` where -s won't do."""
    return f"{n:,}{THIN}{one if n == 1 else many or one + 's'}"


def seconds(value: float | None) -> str:
    """How long something took: 850 ms, 41.2 s, 3 min 20 s, 2 h 5 min."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value < 99.95:
        return quantity(value, "s")
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60}{THIN}min {whole % 60}{THIN}s"
    minutes = round(value / 60)
    return f"{minutes // 60:,}{THIN}h {minutes % 60}{THIN}min"


def moment(iso: str) -> str:
    """An ISO 8601 time to the minute: 2026-11-23 06:14 UTC; what is no such time stays as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    offset = when.strftime("%z")
    zone = "" if when.tzinfo is None else " UTC" if offset == "+0000" else f" {offset}"
    return f"{when:%Y-%m-%d %H:%M}{zone}"


def age(earlier: str, later: str) -> str:
    """How long ``earlier`` came before ``later``, both ISO 8601: 20 minutes, 3 hours, 12 days."""
    try:
        elapsed = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    except (ValueError, TypeError):
        return MISSING
    minutes = max(0, int(elapsed.total_seconds() // 60))
    if minutes < 60:
        return count(minutes, "minute")
    if minutes < 48 * 60:
        return count(minutes // 60, "hour")
    return count(minutes // (24 * 60), "day")


def listed(things: Iterable[str]) -> str:
    """Several things in a sentence: a; a and b; a, b and c."""
    *first, last = list(things) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _percentage(ratio: float) -> str:
    size = abs(ratio - 1) * 100
    return f"{size:.1f}" if size < 99.95 else number(size, max(3, len(f"{size:.0f}")))


def _joined(shown: str, unit: str) -> str:
    return f"{shown}{THIN}{unit}" if unit else shown
