"""JMH: files of ``-rf json``.

The list of results that JSONResultFormat of openjdk/jmh writes. A score is the mean over the
measured iterations of all forks, whose own scores are in ``rawData``; in mode ``sample`` each
iteration has a histogram of times in their place, whose mean is taken. ``ops/ms`` and the like is
throughput, ``us/op`` and the like time. What a method of a group, a counter or a profiler adds, in
``secondaryMetrics``, is converted likewise; other rates, such as MB/sec, have no better direction.
Times of single calls (``ss``) and of sampled ones (``sample``) are benchmarks of their own, named
so. A benchmark that threw is not in the file.
"""

import math
from typing import Any, TypeAlias

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.core.run import Summary
from veperf.core.units import better_of
from veperf.formats.imported import (
    ParsedBenchmark,
    ParsedRun,
    metric_of,
    named_with,
    plain_params,
)
from veperf.formats.source import SourceFile

TOOL = "jmh"

_Number: TypeAlias = float | str | None
"""A number; ``NaN``, ``+INF`` and ``-INF`` are texts."""
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "hr": 3600.0, "day": 86400.0,
}  # fmt: skip
_THROUGHPUT = Metric("throughput", "ops/s", "higher")
_SCORE = "score"
_PRIMARY_NAMES = (TIME.name, _THROUGHPUT.name, _SCORE)
_CONFIDENCE = 0.999
_OWN_NAME = ("ss", "sample")


class JmhMetric(Struct, frozen=True, rename="camel"):
    """A score, and the scores or histograms of its iterations by fork."""

    score: _Number = None
    score_unit: str = ""
    score_confidence: list[_Number] = []
    raw_data: list[list[_Number]] = []
    raw_data_histogram: list[list[list[tuple[float, float]]]] = []

    @property
    def values(self) -> list[float]:
        """A value for each iteration; empty if they were not written."""
        if self.raw_data_histogram:
            return [_mean(iteration) for fork in self.raw_data_histogram for iteration in fork]
        return [_float(value) for fork in self.raw_data for value in fork]


class JmhResult(Struct, frozen=True, rename="camel"):
    """A benchmark with one combination of parameters."""

    benchmark: str
    mode: str
    primary_metric: JmhMetric
    secondary_metrics: dict[str, JmhMetric] = {}
    params: dict[str, Any] = {}
    threads: int = 1


def is_jmh_file(source: SourceFile) -> bool:
    """Return whether the file is a list whose first entry is a result of JMH."""
    return {"benchmark", "mode", "primaryMetric"} <= source.entry_keys


def read_jmh(source: SourceFile) -> ParsedRun:
    """Read the run in a file of JMH; an iteration is a value."""
    run = ParsedRun(TOOL)
    for number, result in source.account.each("result", source.document_as(list[JmhResult])):
        params: dict[str, Any] = dict(result.params)
        if result.threads != 1:
            params["threads"] = result.threads
        suffix = f":{result.mode}" if result.mode in _OWN_NAME else ""
        name, plain = result.benchmark + suffix, plain_params(params)
        parsed = run.benchmark(TOOL, named_with(name, plain), benchmark=name, params=plain)
        _add(run, parsed, result)
        source.account.take(number)
    return run


def _add(run: ParsedRun, parsed: ParsedBenchmark, result: JmhResult) -> None:
    metrics = [(*_primary(result.primary_metric.score_unit), result.primary_metric)]
    for name, entry in result.secondary_metrics.items():
        metrics.append((*_secondary(name, entry.score_unit), entry))
    columns = {metric: [v * factor for v in entry.values] for metric, factor, entry in metrics}
    size = max(map(len, columns.values()))
    for index in range(size):
        parsed.add({m: values[index] for m, values in columns.items() if index < len(values)})
    summaries = {m.name: _summary(entry).times(factor) for m, factor, entry in metrics}
    scores = {m: _float(e.score) * f for m, f, e in metrics if not columns[m]}
    if scores and not size:
        run.note("some results have no single iterations: their score is the only value")
        parsed.add(scores, 1, summaries)
    elif metrics[0][0] in scores:
        parsed.failure = "it has no score of its iterations"


def _primary(unit: str) -> tuple[Metric, float]:
    """Return the metric of a score, and the factor for values to its unit."""
    above, _, below = unit.partition("/")
    if below == "op" and above in _SECONDS:
        return TIME, _SECONDS[above] * 1e9
    if above == "ops" and below in _SECONDS:
        return _THROUGHPUT, 1 / _SECONDS[below]
    return metric_of(_SCORE, unit), 1.0


def _secondary(name: str, unit: str) -> tuple[Metric, float]:
    name = name.lstrip("·")
    primary, factor = _primary(unit)
    if name in _PRIMARY_NAMES:
        name = f"secondary {name}"
    if primary.name in (TIME.name, _THROUGHPUT.name):
        return metric_of(name, primary.unit, primary.better), factor
    better = better_of(unit)
    return metric_of(name, unit, "unknown" if better == "higher" else better), 1.0


def _summary(entry: JmhMetric) -> Summary:
    ends = [_float(end) for end in entry.score_confidence]
    if len(ends) != 2 or not all(map(math.isfinite, ends)):
        return Summary(center="mean")
    return Summary(center="mean", low=ends[0], high=ends[1], confidence=_CONFIDENCE)


def _mean(histogram: list[tuple[float, float]]) -> float:
    count = sum(number for _, number in histogram)
    return sum(v * number for v, number in histogram) / count if count > 0 else math.nan


def _float(value: _Number) -> float:
    return value if isinstance(value, float) else math.nan
