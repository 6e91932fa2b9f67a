"""How a cost grows with the size of the work: curves through the cases of one benchmark."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, linear_regression

from veperf.core import number_format
from veperf.report.case_summary import Measured
from veperf.report.charts import axes
from veperf.report.charts.axes import Axis, Chart
from veperf.stats.hodges_lehmann import Estimate

_NEAR = 1.25


@dataclass(frozen=True, slots=True)
class Point:
    """One case of a curve: the parameter's value and what was measured there."""

    x: float
    case: str
    y: Estimate


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of one benchmark over one numeric parameter, the others at their defaults."""

    benchmark: str
    parameter: str
    metric: str
    unit: str
    points: tuple[Point, ...]
    """At least two, x ascending."""
    exponent: float | None
    """Of the power law through the points; None where none comes near them all."""

    @property
    def name(self) -> str:
        """What grows with what."""
        return f"{self.benchmark}: {self.metric} by {self.parameter}"


def curves(measured: Iterable[Measured]) -> tuple[Curve, ...]:
    """Every curve with at least two points, in the order of the cases."""
    groups: dict[tuple[str, str], list[Measured]] = {}
    for found in measured:
        if found.estimate is not None:
            groups.setdefault((found.case.benchmark, found.series.metric), []).append(found)
    return tuple(
        curve
        for group in groups.values()
        for parameter in group[0].case.params
        if (curve := _curve(group, parameter)) is not None
    )


def exponent(points: Sequence[Point]) -> float | None:
    """Fit the power law y = a x^b by least squares on the logarithms, and return b.

    1 means that twice the work costs twice as much, 0 that size does not matter. None where a
    point lies further from the law than a factor of 1.25, or is not above zero: costs that have a
    fixed part grow slowly first, and no one exponent describes them.
    """
    if len(points) < 2 or not _above_zero(points):
        return None
    x = [math.log(p.x) for p in points]
    y = [math.log(p.y.value) for p in points]
    slope, intercept = linear_regression(x, y)
    furthest = max(abs(b - (slope * a + intercept)) for a, b in zip(x, y, strict=True))
    return slope if furthest <= math.log(_NEAR) else None


def _above_zero(points: Sequence[Point]) -> bool:
    return all(p.x > 0 and p.y.value > 0 for p in points)


def in_words(curve: Curve) -> str:
    """What the exponent says, for the reader who does not think in exponents."""
    if curve.exponent is None:
        return f"{curve.metric.capitalize()} by {curve.parameter}; no power law fits.{_end(curve)}"
    b = curve.exponent
    return (
        f"{curve.metric.capitalize()} grows as {curve.parameter}^{number_format.number(b, 2)}: "
        f"ten times the {curve.parameter}, {number_format.times(10**b)} the {curve.metric}."
    )


def _end(curve: Curve) -> str:
    """How it grows between the two largest sizes."""
    last = curve.points[-2:]
    if not _above_zero(last):
        return ""
    b = math.log(last[1].y.value / last[0].y.value) / math.log(last[1].x / last[0].x)
    return f" Between the two largest it grows as {curve.parameter}^{number_format.number(b, 2)}."


def picture(curve: Curve) -> str:
    """The points with their intervals, and the power law; logarithmic where there is one."""
    highest = max(max(p.y.value, p.y.high) for p in curve.points)
    if highest <= 0:
        return ""
    x, y = _axes(curve, highest)
    chart = Chart(x, y, title=curve.parameter, right=44)
    if curve.exponent is not None:
        exponent = f"n^{number_format.number(curve.exponent, 2)}"
        chart.line(_power_law(curve, curve.exponent), "quiet", name=exponent, dashes="4 4")
    for point in curve.points:
        chart.upright(point.x, point.y.low, point.y.high, "new")
    chart.marks([(p.x, p.y.value) for p in curve.points], "new", "dots")
    return chart.svg(curve.name)


def _axes(curve: Curve, highest: float) -> tuple[Axis, Axis]:
    def label(value: float) -> str:
        return number_format.given(value, curve.unit) if value else "0"

    ticks = tuple((p.x, number_format.given(p.x)) for p in curve.points)
    if not _above_zero(curve.points):
        return Axis(0.0, curve.points[-1].x * 1.1, ticks), axes.linear(highest, label)
    ends = [end for p in curve.points for end in (p.y.low, p.y.value, p.y.high)]
    x = Axis(curve.points[0].x / 1.5, curve.points[-1].x * 1.5, ticks, logarithmic=True)
    return x, axes.logarithmic([end for end in ends if end > 0], label)


def _power_law(curve: Curve, exponent: float) -> list[tuple[float, float]]:
    """Both ends of the fitted line, which goes through the mean of the logarithms."""
    x = geometric_mean(p.x for p in curve.points)
    y = geometric_mean(p.y.value for p in curve.points)
    return [(end, y * (end / x) ** exponent) for end in (curve.points[0].x, curve.points[-1].x)]


def _curve(group: Sequence[Measured], parameter: str) -> Curve | None:
    others = {k: v for k, v in group[0].case.params.items() if k != parameter}
    found: dict[float, Point] = {}
    for one in group:
        rest = {k: v for k, v in one.case.params.items() if k != parameter}
        x = one.case.params.get(parameter)
        if rest == others and isinstance(x, int | float) and one.estimate is not None:
            found.setdefault(float(x), Point(float(x), one.case.id, one.estimate))
    if len(found) < 2:
        return None
    points = tuple(found[x] for x in sorted(found))
    series = group[0].series
    return Curve(
        group[0].case.benchmark, parameter, series.metric, series.unit, points, exponent(points)
    )
