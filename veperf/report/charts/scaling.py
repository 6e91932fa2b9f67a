"""Scaling curves: the growth of a cost with the size of the work, with a fitted power law.

An exponent is told only with its interval, and only where that excludes 0 and the law comes near
every point: else it would be a number that means nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean

import numpy as np

from veperf.core.text import (
    format_exact,
    format_interval,
    format_number,
    format_quantity,
    plural,
)
from veperf.report.case_summary import MeasuredMetric
from veperf.report.charts import axes
from veperf.report.charts.axes import Axis, Chart
from veperf.report.html.links import NO_LINKS, Links
from veperf.stats.hodges_lehmann import Estimate
from veperf.stats.power_law import PowerLaw, fit_power_law
from veperf.stats.process_values import Floats

_NEAR = 1.25
_SIZE_RATIO = 10
# An interval that reaches further than so many times the values does not shrink them.
_REACH = 10


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A case of a curve: the parameter's value, the estimate there, and the process values."""

    x: float
    case: str
    y: Estimate
    values: Floats
    """Those that are finite, shape (n,)."""


@dataclass(frozen=True, slots=True)
class ScalingCurve:
    """A metric of a benchmark over a numeric parameter, the others at their defaults."""

    benchmark: str
    parameter: str
    metric: str
    unit: str
    points: tuple[CurvePoint, ...]
    """At least two, x ascending."""
    law: PowerLaw | None
    """The power law through the points; None where they give no interval of its exponent."""

    @property
    def exponent(self) -> Estimate | None:
        """The exponent where it can be told: the law comes near all points, and growth is certain.

        None where a point lies further from the law than a factor of 1.25 (costs that have a fixed
        part grow slowly first, and no single exponent describes them) or the interval includes 0.
        """
        law = self.law
        if law is None or law.largest_error > _NEAR or not law.shows_growth:
            return None
        return law.exponent

    @property
    def name(self) -> str:
        """The benchmark, the metric and the parameter."""
        return f"{self.benchmark}: {self.metric} by {self.parameter}"


def scaling_curves(measured: Iterable[MeasuredMetric]) -> tuple[ScalingCurve, ...]:
    """Return every curve with at least two points, in the order of the cases."""
    groups: dict[tuple[str, str], list[MeasuredMetric]] = {}
    for metric in measured:
        if metric.estimate is not None:
            groups.setdefault((metric.case.benchmark, metric.series.metric), []).append(metric)
    return tuple(
        curve
        for group in groups.values()
        for parameter in group[0].case.params
        if (curve := _curve(group, parameter)) is not None
    )


def describe_scaling(curve: ScalingCurve) -> str:
    """Return in words how the cost grows, as far as that is certain."""
    law, size, what = curve.law, curve.parameter, curve.metric
    if law is None:
        return f"{what.capitalize()} by {size}; too few values for an exponent."
    if not law.shows_growth and law.largest_error <= _NEAR:
        low, high = _multiples(law)
        return (
            f"No growth of the {what} with {size} is certain: {_SIZE_RATIO} times the {size}, "
            f"{low} to {high} times the {what}."
        )
    if curve.exponent is None:
        return f"{what.capitalize()} by {size}; no power law fits.{_end(curve)}"
    low, high = _multiples(law)
    ratio = format_number(law.ratio_at(_SIZE_RATIO).value)
    return (
        f"{what.capitalize()} {_verb(curve.exponent)} as {size}^{_with_interval(curve.exponent)}: "
        f"{_SIZE_RATIO} times the {size}, {ratio} times the {what} ({low} to {high})."
    )


def format_exponent(exponent: Estimate) -> tuple[str, str]:
    """Return an exponent, and its interval: 0.982, 0.951 to 1.01."""
    low, high = format_number(exponent.low), format_number(exponent.high)
    return format_number(exponent.value), f"{low} to {high}"


def _with_interval(exponent: Estimate) -> str:
    value, interval = format_exponent(exponent)
    return f"{value} ({interval})"


def _verb(exponent: Estimate) -> str:
    return "grows" if exponent.value > 0 else "falls"


def _multiples(law: PowerLaw) -> tuple[str, str]:
    """Return the ends of the interval of the ratio of costs."""
    ratio = law.ratio_at(_SIZE_RATIO)
    return format_number(ratio.low), format_number(ratio.high)


def _end(curve: ScalingCurve) -> str:
    """Return a sentence on the growth between the two largest sizes, if it is certain."""
    law = _fit(curve.points[-2:])
    if len(curve.points) == 2 or law is None or not law.shows_growth:
        return ""
    return (
        f" Between the two largest it {_verb(law.exponent)} as "
        f"{curve.parameter}^{_with_interval(law.exponent)}."
    )


def _fit(points: Sequence[CurvePoint]) -> PowerLaw | None:
    return fit_power_law([point.x for point in points], [point.values for point in points])


def _above_zero(points: Sequence[CurvePoint]) -> bool:
    return all(p.x > 0 and p.y.value > 0 for p in points)


def scaling_chart(curve: ScalingCurve, links: Links = NO_LINKS) -> str:
    """Return a chart of the points, their intervals and the power law, logarithmic if it fits."""
    if max(p.y.value for p in curve.points) <= 0:
        return ""
    x, y = _axes(curve)
    chart = Chart(x, y, title=curve.parameter, y_title=_title(curve), right=24)
    if curve.exponent is not None:
        line = _power_law_line(curve, curve.exponent.value)
        chart.line(line, "quiet", dashes="4 4")
    chart.vertical_intervals(((p.x, p.y.low, p.y.high) for p in curve.points), "new")
    chart.marks(
        [(p.x, p.y.value) for p in curve.points],
        "new",
        "dots",
        texts=[_describe_point(curve, p) for p in curve.points],
        links=[links.of(p.case) for p in curve.points],
    )
    return chart.svg(curve.name)


def _title(curve: ScalingCurve) -> str:
    """Return the metric, and the exponent of the dashed line where that can be told."""
    if curve.exponent is None:
        return curve.metric
    return f"{curve.metric}; dashed: {curve.parameter}^{_with_interval(curve.exponent)}"


def _describe_point(curve: ScalingCurve, point: CurvePoint) -> str:
    interval = format_interval(point.y.low, point.y.high, curve.unit)
    processes = plural(point.values.size, "process", "processes")
    value = format_quantity(point.y.value, curve.unit)
    return f"{curve.parameter} {format_exact(point.x)}: {value} ({interval}), {processes}"


def _axes(curve: ScalingCurve) -> tuple[Axis, Axis]:
    """Return both axes, around the values: an interval far beyond them ends in an arrow."""

    def label(value: float) -> str:
        return format_exact(value, curve.unit) if value else "0"

    ticks = tuple((p.x, format_exact(p.x)) for p in curve.points)
    if not _above_zero(curve.points):
        low = min(0.0, *(p.x for p in curve.points))
        highest = max(p.y.value for p in curve.points)
        x = Axis(low, max(curve.points[-1].x * 1.1, low + 1), ticks)
        return x, axes.linear_axis(highest, label)
    values = [p.y.value for p in curve.points]
    least, most = min(values) / _REACH, max(values) * _REACH
    ends = [end for p in curve.points for end in (p.y.low, p.y.high) if least <= end <= most]
    x = Axis(curve.points[0].x / 1.5, curve.points[-1].x * 1.5, ticks, logarithmic=True)
    return x, axes.log_axis([*values, *ends], label)


def _power_law_line(curve: ScalingCurve, exponent: float) -> list[tuple[float, float]]:
    """Return both ends of the fitted line, which goes through the mean of the logarithms."""
    x = geometric_mean(p.x for p in curve.points)
    y = geometric_mean(p.y.value for p in curve.points)
    return [(end, y * (end / x) ** exponent) for end in (curve.points[0].x, curve.points[-1].x)]


def _curve(group: Sequence[MeasuredMetric], parameter: str) -> ScalingCurve | None:
    others = {k: v for k, v in group[0].case.params.items() if k != parameter}
    points_by_x: dict[float, CurvePoint] = {}
    for metric in group:
        own_others = {k: v for k, v in metric.case.params.items() if k != parameter}
        x = metric.case.params.get(parameter)
        if own_others == others and isinstance(x, int | float) and metric.estimate is not None:
            values = metric.series.values
            point = CurvePoint(
                float(x), metric.case.id, metric.estimate, values[np.isfinite(values)]
            )
            points_by_x.setdefault(float(x), point)
    if len(points_by_x) < 2:
        return None
    points = tuple(points_by_x[x] for x in sorted(points_by_x))
    series = group[0].series
    return ScalingCurve(
        group[0].case.benchmark, parameter, series.metric, series.unit, points, _fit(points)
    )
