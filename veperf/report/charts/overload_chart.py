"""The charts of overload: what is achieved, and what it takes, of what is offered."""

from collections.abc import Sequence

from veperf.core.text import format_exact, format_percent, format_quantity
from veperf.report.charts import axes
from veperf.report.charts.axes import Chart, Point, Shade
from veperf.report.load_summary import LoadSummary
from veperf.report.tables.load_tables import load_percentile

_PERCENTILES: tuple[tuple[str, str, Shade, str], ...] = (
    ("latency_p50", "p50", "quiet", "2 3"),
    ("latency_p99", "p99", "new", ""),
)


def offered_rate(load: LoadSummary) -> float:
    """Return the rate that was offered; 0 where it is not known."""
    offered = load.figure("offered")
    return offered.value if offered else 0.0


def achieved_chart(curve: Sequence[LoadSummary], alt: str) -> str:
    """Return a chart of achieved over offered rate; the dashed line is all that is offered.

    ``curve`` has cases with both, in ascending order of what is offered; "" if it has none.
    """
    points = _points(curve, "achieved")
    if not points:
        return ""
    unit, most = curve[0].rate_unit, max(x for x, _ in points)
    x = axes.linear_axis(most, format_exact)
    y = axes.linear_axis(max(most, *(y for _, y in points)), format_exact)
    chart = Chart(x, y, title=f"offered rate, {unit}", y_title=f"achieved rate, {unit}", right=62)
    chart.line([(0.0, 0.0), (most, most)], "quiet", name="offered", dashes="2 3")
    chart.line(points, "new", name="achieved")
    chart.marks(points, "new", "dots", texts=[_describe(load) for load in curve])
    return chart.svg(alt)


def admitted_latency_chart(curve: Sequence[LoadSummary], alt: str) -> str:
    """Return a chart of the latency of what was admitted over offered rate; "" if unknown."""
    lines = {metric: _points(curve, metric) for metric, _, _, _ in _PERCENTILES}
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    x = axes.linear_axis(max(x for x, _ in points), format_exact)
    y = axes.linear_axis(max(y for _, y in points), lambda ms: format_exact(ms, "ms"))
    title = f"offered rate, {curve[0].rate_unit}"
    chart = Chart(x, y, title=title, y_title="latency of what was admitted", right=38)
    for metric, name, shade, dashes in _PERCENTILES:
        chart.line(lines[metric], shade, name=name, dashes=dashes)
        chart.marks(lines[metric], shade, "dots", texts=[_describe(load) for load in curve])
    return chart.svg(alt)


def _points(curve: Sequence[LoadSummary], metric: str) -> list[Point]:
    return [(offered_rate(load), value) for load in curve if (value := _value(load, metric))]


def _value(load: LoadSummary, metric: str) -> float | None:
    if metric.startswith("latency_"):
        return load_percentile(load, metric)
    figure = load.figure(metric)
    return figure.value if figure else None


def _describe(load: LoadSummary) -> str:
    """Return a case in a line: rates, latency and what was shed."""
    unit, shed = load.rate_unit, load.figure("shed_rate")
    return (
        f"offered {format_quantity(offered_rate(load), unit)}, "
        f"achieved {format_quantity(_value(load, 'achieved'), unit)}, "
        f"p50 {format_quantity(_value(load, 'latency_p50'), 'ms')}, "
        f"p99 {format_quantity(_value(load, 'latency_p99'), 'ms')}, "
        f"shed {format_percent(shed.value / 100 if shed else None)}"
    )
