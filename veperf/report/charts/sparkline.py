"""Sparklines: a benchmark over its last runs, as a line without axes."""

from collections.abc import Sequence
from statistics import median

from veperf.core.escape import as_html
from veperf.core.text import format_change, plural
from veperf.stats.paired import PairRule

BAND = PairRule().fail_over
"""Half the width of the band, as a ratio: a change beyond it would fail."""

_WIDTH, _HEIGHT, _EDGE = 240, 48, 8


def sparkline(earlier: Sequence[float], now: float) -> str:
    """Return a line through ``earlier``, a dot for ``now``, and a band around their median.

    Empty where there are none, or some that are not above zero.
    """
    if not earlier or not all(value > 0 for value in (*earlier, now)):
        return ""
    middle = median(earlier)
    low, high = middle * (1 - BAND), middle * (1 + BAND)
    bottom, top = min(low, now, *earlier), max(high, now, *earlier)

    def y(value: float) -> str:
        return f"{_EDGE + (top - value) / (top - bottom) * (_HEIGHT - 2 * _EDGE):.0f}"

    step = (_WIDTH - 2 * _EDGE) / len(earlier)
    line = "L".join(f"{_EDGE + i * step:.0f} {y(v)}" for i, v in enumerate((*earlier, now)))
    return (
        f'<svg class="vp-spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{as_html(describe_change_from_median(earlier, now))}">'
        f'<path class="vp-band" d="M0 {y(high)}H{_WIDTH}V{y(low)}H0"/>'
        f'<path class="vp-past" d="M{line}"/>'
        f'<path class="vp-now" d="M{_WIDTH - _EDGE} {y(now)}h0"/></svg>'
    )


def describe_change_from_median(earlier: Sequence[float], now: float) -> str:
    """Return the change from earlier runs: +3.2 % from the median of 12 earlier runs."""
    runs = plural(len(earlier), "earlier run")
    return f"{format_change(now / median(earlier))} from the median of {runs}"
