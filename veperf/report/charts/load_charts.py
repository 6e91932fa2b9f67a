"""Charts of load cases: trials, latency by rate, and latency distributions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np

from veperf.core.load import Trial
from veperf.core.run import CaseResult
from veperf.core.target import Target
from veperf.core.text import format_exact, format_percent, format_quantity, plural
from veperf.loadtest.histogram import Latencies
from veperf.report.charts import axes
from veperf.report.charts.axes import Axis, Chart, MarkShape, Point, Shade
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.load_summary import LoadSummary
from veperf.report.tables.load_tables import load_percentile

_LINES: tuple[tuple[str, str, Shade, str], ...] = (
    ("latency_p50", "p50", "quiet", "2 3"),
    ("latency_p95", "p95", "base", "7 3"),
    ("latency_p99", "p99", "new", ""),
)
# Positions on the percentile axis, as 1 / (1 - q): that of 99 % is 100.
_PLACES = {"50 %": 2.0, "90 %": 10.0, "99 %": 100.0, "99.9 %": 1e3, "99.99 %": 1e4, "99.999 %": 1e5}
_JUDGED = {"latency_p50": 2.0, "latency_p95": 20.0, "latency_p99": 100.0, "latency_p999": 1e3}
_POINTS = 80
_BINS = 40


def trials_chart(search: LoadSummary, target: Target | None, alt: str) -> str:
    """Return a chart of each process's trials and sustained rate, with limit and goal as lines."""
    lines = _goals(target)
    rates = [t.rate for _, r in search.processes for t in _loads(r)]
    x = axes.log_axis(_above_zero([*rates, *lines.values()]), format_exact)
    names = [f"process {number}" for number, _ in search.processes]
    chart = Chart(x, axes.row_axis(names), title=_rate(search), height=26 * len(names), right=12)
    for name, line in lines.items():
        chart.vertical_line(line, "ink", name)
    sustained: list[Point] = []
    unit = search.rate_unit
    for row, (number, result) in zip(reversed(range(len(names))), search.processes, strict=True):
        trials = _loads(result)
        groups: tuple[tuple[Shade, MarkShape, list[Trial]], ...] = (
            ("new", "dots", [t for t in trials if t.met]),
            ("base", "crosses", [t for t in trials if not t.met and not t.invalid]),
            ("ink", "rings", [t for t in trials if t.invalid]),
        )
        for kind, mark, group in groups:
            texts = [f"process {number}: {_describe_trial(trial, unit)}" for trial in group]
            chart.marks([(trial.rate, row) for trial in group], kind, mark, texts=texts)
        if rate := result.figures.get("throughput"):
            sustained.append((rate, row))
    texts = [f"sustained: {format_quantity(rate, unit)}" for rate, _ in sustained]
    chart.marks(sustained, "new", "bars", texts=texts)
    return chart.svg(alt)


def _describe_trial(trial: Trial, unit: str) -> str:
    """Return a trial in a line: its rate, what was achieved, its latency and its end."""
    end = "met" if trial.met else trial.invalid or "missed"
    latency = "" if trial.latency_p99_ms is None else f", p99 {_rounded_ms(trial.latency_p99_ms)}"
    return (
        f"offered {format_quantity(trial.rate, unit)}, achieved "
        f"{format_quantity(trial.achieved, unit)}{latency}, "
        f"errors {format_percent(trial.error_percent / 100)}: {end}"
    )


def _rate(load: LoadSummary) -> str:
    return f"offered rate, {load.rate_unit}"


def _loads(result: CaseResult) -> list[Trial]:
    """Return the trials at a rate, without the drained backlogs."""
    return [trial for trial in result.trials if trial.kind != "backlog"]


def latency_by_rate_chart(
    loads: Sequence[LoadSummary],
    limits: Mapping[str, Target],
    alt: str,
    links: Links = NO_LINKS,
) -> str:
    """Return a chart of latency percentiles over offered rate; rings are invalid processes.

    ``loads`` have rates, in ascending order; ``limits`` are those of percentiles, by metric.
    """
    unit = loads[0].rate_unit
    lines = {metric: _line(loads, metric) for metric, _, _, _ in _LINES}
    rings = [
        (load.rate or 0.0, result.figures[metric])
        for load in loads
        for _, result in load.invalid
        for metric in lines
        if metric in result.figures
    ]
    points = [*chain.from_iterable(lines.values()), *rings]
    bounds = [target.limit for metric, target in limits.items() if metric in lines]
    latencies = _above_zero([*(y for _, y in points), *bounds])
    if not latencies:
        return ""
    rates = _above_zero(load.rate or 0.0 for load in loads)
    x = replace(
        axes.log_axis(rates, format_exact), ticks=tuple((r, format_exact(r)) for r in rates)
    )
    y = axes.log_axis(latencies, _ms)
    chart = Chart(x, y, title=_rate(loads[0]), y_title="latency, by percentile", right=38)
    for metric, name, kind, dashes in _LINES:
        if metric in limits:
            bound = limits[metric].limit
            chart.horizontal_line(
                bound, kind, f"{name} at most {_ms(bound)}", low=x.low, high=x.high
            )
        chart.line(lines[metric], kind, name=name, dashes=dashes)
        texts = [_describe_latency(loads, name, *point) for point in lines[metric]]
        addresses = [links.of(_load_at(loads, rate).case.id) for rate, _ in lines[metric]]
        chart.marks(lines[metric], kind, "dots", texts=texts, links=addresses)
    texts = [
        f"void load, offered {format_quantity(rate, unit)}: {_rounded_ms(y)}" for rate, y in rings
    ]
    chart.marks(rings, "ink", "rings", texts=texts)
    return chart.svg(alt)


def _describe_latency(loads: Sequence[LoadSummary], name: str, rate: float, value: float) -> str:
    """Return a point in a line: offered and achieved rate, the percentile, how many processes."""
    load = _load_at(loads, rate)
    achieved = load.figure("achieved")
    of = f", achieved {format_quantity(achieved.value, load.rate_unit)}" if achieved else ""
    processes = plural(load.valid, "process", "processes")
    offered = format_quantity(rate, load.rate_unit)
    return f"offered {offered}{of}: {name} {_rounded_ms(value)}, {processes}"


def _load_at(loads: Sequence[LoadSummary], rate: float) -> LoadSummary:
    return next(load for load in loads if load.rate == rate)


def percentiles_chart(latencies: Latencies, limits: Mapping[str, Target], alt: str) -> str:
    """Return a chart of latency over percentile q, on a logarithmic scale of 1 - q."""
    bounds, counts = latencies.counts()
    last = float(np.clip(latencies.count, _PLACES["99 %"], _PLACES["99.999 %"]))
    places = np.geomspace(1, last, _POINTS)
    ranks = np.ceil((1 - 1 / places) * latencies.count)
    at = np.searchsorted(np.cumsum(counts), np.maximum(ranks, 1))
    values = bounds[np.minimum(at, bounds.size - 1)] / 1e6
    limits_ms = {m: t.limit for m, t in limits.items() if m in _JUDGED}
    drawn = _above_zero([*values.tolist(), *limits_ms.values()])
    if not drawn:
        return ""
    ticks = tuple((place, name) for name, place in _PLACES.items() if place <= last)
    x = Axis(1.0, last, ticks, logarithmic=True)
    y = axes.log_axis(drawn, _ms)
    chart = Chart(x, y, title="share of all items", y_title="latency", right=16)
    for metric, limit in limits_ms.items():
        place = _JUDGED[metric]
        name = f"{metric.removeprefix('latency_').replace('999', '99.9')} limit"
        chart.horizontal_line(limit, "ink", name, low=place / 2, high=place * 2)
    chart.line(zip(places.tolist(), values.tolist(), strict=True), "new")
    at_ticks = [(place, float(np.interp(place, places, values)), name) for place, name in ticks]
    texts = [f"{name} of all within {_rounded_ms(value)}" for _, value, name in at_ticks]
    chart.marks([(place, value) for place, value, _ in at_ticks], "new", "dots", texts=texts)
    return chart.svg(alt)


def latency_histogram(latencies: Latencies, lines: Mapping[str, float], alt: str) -> str:
    """Return a histogram of latencies with bins of equal width on a logarithmic axis.

    ``lines`` are latencies in ms by name.
    """
    bounds, counts = latencies.counts()
    values = np.maximum(bounds, 1) / 1e6
    x = axes.log_axis([float(values.min()), float(values.max())], _ms)
    edges = np.geomspace(x.low, x.high, _BINS + 1)
    held, _ = np.histogram(values, edges, weights=counts)
    shares = 100 * held / latencies.count
    y = axes.linear_axis(float(shares.max()), lambda share: format_exact(share, "%"))
    chart = Chart(x, y, title="latency", y_title="share of all items", right=16)
    ends = [f"{_rounded_ms(low)} to {_rounded_ms(high)}" for low, high in pairwise(edges.tolist())]
    texts = [
        f"{end}: {format_percent(share / 100)}"
        for end, share in zip(ends, shares.tolist(), strict=True)
    ]
    chart.columns(edges.tolist(), shares.tolist(), texts=texts)
    for name, value in lines.items():
        chart.vertical_line(value, "ink", name)
    return chart.svg(alt)


def _line(loads: Sequence[LoadSummary], metric: str) -> list[Point]:
    """Return a point for each case that has a valid process."""
    values = [(load.rate or 0.0, load_percentile(load, metric)) for load in loads if load.valid]
    return [(rate, value) for rate, value in values if value]


def _goals(target: Target | None) -> dict[str, float]:
    if target is None:
        return {}
    return {"limit": target.limit} | ({"goal": target.target} if target.target else {})


def _above_zero(values: Iterable[float]) -> list[float]:
    return [value for value in values if 0 < value < float("inf")]


def _ms(value: float) -> str:
    return format_exact(value, "ms")


def _rounded_ms(value: float) -> str:
    return format_quantity(value, "ms")
