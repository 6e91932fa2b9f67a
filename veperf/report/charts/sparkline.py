"""Sparklines: a benchmark over its last runs, with its noise and a scale, and without axes."""

from collections.abc import Sequence
from statistics import median

from veperf.core.escape import as_html
from veperf.core.text import choose_unit, format_change, format_multiple, format_number, plural
from veperf.report.charts.labels import FONT_SIZE, data_attribute, fit_start, is_drawable

LEAST_RUNS = 5
"""Of fewer runs, this one among them, there is no sparkline: noise can't be told from a change."""

# The zoom is limited: noise of a quiet benchmark must not fill the picture.
_LEAST_REACH = 0.05
# The median absolute deviation of a normal distribution is 1 / 1.4826 of its standard deviation.
_DEVIATIONS = 2 * 1.4826
_WIDTH, _HEIGHT, _EDGE, _PLOT = 160, 36, 5, 106
_MULTIPLE = 10
_FONT_SIZE = 10


def sparkline(earlier: Sequence[float], now: float, unit: str) -> str:
    """Return a line through ``earlier``, a dot for ``now``, and the band of their noise.

    The band is two robust standard deviations to either side of the median of ``earlier``, the
    scale is in changes from that median. Empty where there are fewer than five runs, or values
    that are not above zero. ``unit`` is that of the values, for the script of the page.
    """
    values = (*earlier, now)
    if len(values) < LEAST_RUNS or not all(is_drawable(v) and v > 0 for v in values):
        return ""
    middle = median(earlier)
    noise = _DEVIATIONS * median(abs(value - middle) for value in earlier)
    bottom = min(middle * (1 - _LEAST_REACH), middle - noise, *values)
    top = max(middle * (1 + _LEAST_REACH), middle + noise, *values)

    def y(value: float) -> str:
        return f"{_EDGE + (top - value) / (top - bottom) * (_HEIGHT - 2 * _EDGE):.1f}"

    step = (_PLOT - 2 * _EDGE) / len(earlier)
    line = "L".join(f"{_EDGE + i * step:.0f} {y(v)}" for i, v in enumerate(values))
    factor, shown_unit = choose_unit(middle, unit)
    data = data_attribute("marks", [format_number(value * factor) for value in values])
    return (
        f'<svg class="vp-spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label='
        f'"{as_html(describe_change_from_median(earlier, now))}" data-unit="{as_html(shown_unit)}">'
        f'<path class="vp-band" d="M0 {y(middle + noise)}H{_PLOT}V{y(middle - noise)}H0"/>'
        f'<path class="vp-past"{data} d="M{line}"/>'
        f'<path class="vp-now" d="M{_PLOT - _EDGE} {y(now)}h0"/>'
        f'<text x="{_PLOT + 4}" y="11">{_scale_text(top / middle)}</text>'
        f'<text x="{_PLOT + 4}" y="{_HEIGHT - 3}">{_scale_text(bottom / middle)}</text></svg>'
    )


def _scale_text(ratio: float) -> str:
    """Return an end of the scale, from ten times the median on as a multiple of it."""
    text = format_change(ratio) if ratio < _MULTIPLE else format_multiple(ratio)
    return fit_start(text, (_WIDTH - _PLOT - 4) * FONT_SIZE / _FONT_SIZE)


def describe_change_from_median(earlier: Sequence[float], now: float) -> str:
    """Return the change from earlier runs: +3.2 % from the median of 12 earlier runs."""
    runs = plural(len(earlier), "earlier run")
    return f"{format_change(now / median(earlier))} from the median of {runs}"
