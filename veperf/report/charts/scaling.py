"""Scaling curves: the growth of a cost with the size of the work, with a fitted power law."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, linear_regression

from veperf.core.text import format_exact, format_multiple, format_number
from veperf.report.case_summary import MeasuredMetric
from veperf.report.charts import axes
from veperf.report.charts.axes import Axis, Chart
from veperf.stats.hodges_lehmann import Estimate

_NEAR = 1.25


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A case of a curve: the parameter's value and the estimate there."""

    x: float
    case: str
    y: Estimate


@dataclass(frozen=True, slots=True)
class ScalingCurve:
    """A metric of a benchmark over a numeric parameter, the others at their defaults."""

    benchmark: str
    parameter: str
    metric: str
    unit: str
    points: tuple[CurvePoint, ...]
    """At least two, x ascending."""
    exponent: float | None
    """The exponent of the power law; None where none comes near all points."""

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


def fit_exponent(points: Sequence[CurvePoint]) -> float | None:
    """Fit the power law y = a x^b by least squares on the logarithms, and return b.

    1 means that twice the work costs twice as much, 0 that size does not matter. None where a
    point lies further from the law than a factor of 1.25, or is not above zero: costs that have a
    fixed part grow slowly first, and no single exponent describes them.
    """
    if len(points) < 2 or not _above_zero(points):
        return None
    x = [math.log(p.x) for p in points]
    y = [math.log(p.y.value) for p in points]
    slope, intercept = linear_regression(x, y)
    largest_error = max(abs(b - (slope * a + intercept)) for a, b in zip(x, y, strict=True))
    return slope if largest_error <= math.log(_NEAR) else None


def _above_zero(points: Sequence[CurvePoint]) -> bool:
    return all(p.x > 0 and p.y.value > 0 for p in points)


def describe_scaling(curve: ScalingCurve) -> str:
    """Return in words what the exponent means."""
    if curve.exponent is None:
        return f"{curve.metric.capitalize()} by {curve.parameter}; no power law fits.{_end(curve)}"
    b = curve.exponent
    return (
        f"{curve.metric.capitalize()} grows as {curve.parameter}^{format_number(b, 2)}: "
        f"ten times the {curve.parameter}, {format_multiple(10**b)} the {curve.metric}."
    )


def _end(curve: ScalingCurve) -> str:
    """Return a sentence on the growth between the two largest sizes."""
    last = curve.points[-2:]
    if not _above_zero(last):
        return ""
    b = math.log(last[1].y.value / last[0].y.value) / math.log(last[1].x / last[0].x)
    return f" Between the two largest it grows as {curve.parameter}^{format_number(b, 2)}."


def scaling_chart(curve: ScalingCurve) -> str:
    """Return a chart of the points, their intervals and the power law, logarithmic if it fits."""
    highest = max(max(p.y.value, p.y.high) for p in curve.points)
    if highest <= 0:
        return ""
    x, y = _axes(curve, highest)
    chart = Chart(x, y, title=curve.parameter, right=44)
    if curve.exponent is not None:
        exponent = f"n^{format_number(curve.exponent, 2)}"
        chart.line(_power_law_line(curve, curve.exponent), "quiet", name=exponent, dashes="4 4")
    for point in curve.points:
        chart.vertical_interval(point.x, point.y.low, point.y.high, "new")
    chart.marks([(p.x, p.y.value) for p in curve.points], "new", "dots")
    return chart.svg(curve.name)


def _axes(curve: ScalingCurve, highest: float) -> tuple[Axis, Axis]:
    def label(value: float) -> str:
        return format_exact(value, curve.unit) if value else "0"

    ticks = tuple((p.x, format_exact(p.x)) for p in curve.points)
    if not _above_zero(curve.points):
        return Axis(0.0, curve.points[-1].x * 1.1, ticks), axes.linear_axis(highest, label)
    ends = [end for p in curve.points for end in (p.y.low, p.y.value, p.y.high)]
    x = Axis(curve.points[0].x / 1.5, curve.points[-1].x * 1.5, ticks, logarithmic=True)
    return x, axes.log_axis([end for end in ends if end > 0], label)


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
            points_by_x.setdefault(float(x), CurvePoint(float(x), metric.case.id, metric.estimate))
    if len(points_by_x) < 2:
        return None
    points = tuple(points_by_x[x] for x in sorted(points_by_x))
    series = group[0].series
    return ScalingCurve(
        group[0].case.benchmark, parameter, series.metric, series.unit, points, fit_exponent(points)
    )
