"""How figures read in a sentence."""

import math
from collections.abc import Sequence

import numpy as np

from veperf.core.case import Better

_NAMED = 3


def number(value: float) -> str:
    """Three significant digits, never an exponent."""
    if not math.isfinite(value):
        return str(value)
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def percent(share: float) -> str:
    """A share as a percentage, to a tenth."""
    return f"{round(100 * share, 1):g} %"


def effect(ratio: float, worse: str = "slower", better: str = "faster") -> str:
    """A ratio, over 1 being worse, in words."""
    if abs(ratio - 1) < 0.0005:
        return "no different"
    return f"{percent(abs(ratio - 1))} {worse if ratio > 1 else better}"


def change_interval(low: float, high: float, confidence: float) -> str:
    """The interval of a ratio as that of a change."""
    ends = f"{100 * (low - 1):+.1f} to {100 * (high - 1):+.1f} %"
    return f"{100 * confidence:.3g} % interval {ends}"


def p_value(p: float) -> str:
    """A p-value with its sign."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"


def names(entries: Sequence[str]) -> str:
    """The first few of ``entries``, which begin with an id; without their suite if it is one."""
    one_suite = len({e.partition("/")[0] for e in entries}) == 1 and all("/" in e for e in entries)
    shown = [e.partition("/")[2] if one_suite else e for e in entries[:_NAMED]]
    more = [f"{len(entries) - _NAMED} more"] if len(entries) > _NAMED else []
    return "; ".join(shown + more)


def plural(count: int, noun: str, form: str | None = None) -> str:
    """``1 pass``, ``2 passes`` (``form`` is the irregular plural)."""
    return f"{count} {noun if count == 1 else form or noun + 's'}"


def distance(over: float, better: Better) -> str:
    """How far a value is beyond its limit (negative: inside), as a share of the limit."""
    if over == 0:
        return "at its limit"
    if better == "lower" and over >= 1:
        return f"{number(1 + over)} times its limit"
    beyond, inside = ("over", "below") if better == "lower" else ("short of", "above")
    return f"{percent(abs(over))} {beyond if over > 0 else inside} its limit"
