"""Load runs as small charts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from veperf.core import number_format
from veperf.core.verdict import Target
from veperf.loadtest.histogram import Latencies
from veperf.report.charts import axes
from veperf.report.charts.axes import Axis, Chart, Kind, Point
from veperf.report.load_summary import Loaded
from veperf.report.tables.load_tables import percentile

_LINES: tuple[tuple[str, str, Kind, str], ...] = (
    ("latency_p50", "p50", "quiet", "2 3"),
    ("latency_p95", "p95", "base", "7 3"),
    ("latency_p99", "p99", "new", ""),
)
# The places of the percentile axis, as 1 / (1 - q): that of 99 % is 100.
_PLACES = {"50 %": 2.0, "90 %": 10.0, "99 %": 100.0, "99.9 %": 1e3, "99.99 %": 1e4, "99.999 %": 1e5}
_JUDGED = {"latency_p50": 2.0, "latency_p95": 20.0, "latency_p99": 100.0, "latency_p999": 1e3}
_POINTS = 80
_BINS = 40


def trials(searched: Loaded, target: Target | None, alt: str) -> str:
    """Each process's trials by rate, and the rate that it found; the limit and the aim as lines."""
    lines = _aims(target)
    rates = [t.rate for _, r in searched.processes for t in r.trials]
    x = axes.logarithmic(_above_zero([*rates, *lines.values()]), number_format.given)
    names = [f"process {number}" for number, _ in searched.processes]
    chart = Chart(x, axes.rows(names), title=searched.rate_unit, height=26 * len(names), right=12)
    for name, line in lines.items():
        chart.down(line, "ink", name)
    found: list[Point] = []
    for row, (_, result) in zip(reversed(range(len(names))), searched.processes, strict=True):
        met = [(t.rate, row) for t in result.trials if t.met]
        missed = [(t.rate, row) for t in result.trials if not t.met and not t.invalid]
        chart.marks(met, "new", "dots")
        chart.marks(missed, "base", "crosses")
        chart.marks([(t.rate, row) for t in result.trials if t.invalid], "ink", "rings")
        if rate := result.figures.get("throughput"):
            found.append((rate, row))
    chart.marks(found, "new", "bars")
    return chart.svg(alt)


def by_rate(found: Sequence[Loaded], limits: Mapping[str, Target], alt: str) -> str:
    """Percentiles of latency over the offered rate; a ring for each figure of an invalid process.

    ``found`` have rates, in ascending order; ``limits`` are those of percentiles, by metric.
    """
    lines = {metric: _line(found, metric) for metric, _, _, _ in _LINES}
    rings = [
        (one.rate or 0.0, result.figures[metric])
        for one in found
        for _, result in one.invalid
        for metric in lines
        if metric in result.figures
    ]
    points = [*chain.from_iterable(lines.values()), *rings]
    bounds = [target.limit for metric, target in limits.items() if metric in lines]
    latencies = _above_zero([*(y for _, y in points), *bounds])
    if not latencies:
        return ""
    rates = _above_zero(one.rate or 0.0 for one in found)
    x = replace(
        axes.logarithmic(rates, number_format.given),
        ticks=tuple((r, number_format.given(r)) for r in rates),
    )
    chart = Chart(x, axes.logarithmic(latencies, _ms), title=found[0].rate_unit)
    for metric, name, kind, dashes in _LINES:
        if metric in limits:
            bound = limits[metric].limit
            chart.across(bound, kind, f"{name} at most {_ms(bound)}", low=x.low, high=x.high)
        chart.line(lines[metric], kind, name=name, dashes=dashes)
        chart.marks(lines[metric], kind, "dots")
    chart.marks(rings, "ink", "rings")
    return chart.svg(alt)


def percentiles(latencies: Latencies, limits: Mapping[str, Target], alt: str) -> str:
    """The latency that a share of all stays below, on a logarithmic scale of the rest, 1 - q."""
    bounds, counts = latencies.counts()
    last = float(np.clip(latencies.count, _PLACES["99 %"], _PLACES["99.999 %"]))
    places = np.geomspace(1, last, _POINTS)
    ranks = np.ceil((1 - 1 / places) * latencies.count)
    at = np.searchsorted(np.cumsum(counts), np.maximum(ranks, 1))
    values = bounds[np.minimum(at, bounds.size - 1)] / 1e6
    judged = {m: t.limit for m, t in limits.items() if m in _JUDGED}
    shown = _above_zero([*values.tolist(), *judged.values()])
    if not shown:
        return ""
    ticks = tuple((place, name) for name, place in _PLACES.items() if place <= last)
    x = Axis(1.0, last, ticks, logarithmic=True)
    chart = Chart(x, axes.logarithmic(shown, _ms), title="of all", right=16)
    for metric, limit in judged.items():
        place = _JUDGED[metric]
        name = f"{metric.removeprefix('latency_').replace('999', '99.9')} limit"
        chart.across(limit, "ink", name, low=place / 2, high=place * 2)
    chart.line(zip(places.tolist(), values.tolist(), strict=True), "new")
    return chart.svg(alt)


def histogram(latencies: Latencies, marked: Mapping[str, float], alt: str) -> str:
    """How many took how long, in bins of equal width on the logarithmic axis; lines at ``marked``.

    ``marked`` are latencies in ms by name.
    """
    bounds, counts = latencies.counts()
    values = np.maximum(bounds, 1) / 1e6
    x = axes.logarithmic([float(values.min()), float(values.max())], _ms)
    edges = np.geomspace(x.low, x.high, _BINS + 1)
    held, _ = np.histogram(values, edges, weights=counts)
    shares = 100 * held / latencies.count
    y = axes.linear(float(shares.max()), lambda share: number_format.given(share, "%"))
    chart = Chart(x, y, title="took", right=16)
    chart.columns(edges.tolist(), shares.tolist())
    for name, value in marked.items():
        chart.down(value, "ink", name)
    return chart.svg(alt)


def _line(found: Sequence[Loaded], metric: str) -> list[Point]:
    """A point for each case that has a valid process."""
    values = [(one.rate or 0.0, percentile(one, metric)) for one in found if one.valid]
    return [(rate, value) for rate, value in values if value]


def _aims(target: Target | None) -> dict[str, float]:
    if target is None:
        return {}
    return {"limit": target.limit} | ({"aim": target.target} if target.target else {})


def _above_zero(values: Iterable[float]) -> list[float]:
    return [value for value in values if 0 < value < float("inf")]


def _ms(value: float) -> str:
    return number_format.given(value, "ms")
