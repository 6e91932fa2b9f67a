"""Bencher Metric Format, for ``bencher run``: value and interval by benchmark and measure.

https://bencher.dev/docs/reference/bencher-metric-format: at most 1,024 characters for the name of a
benchmark, 64 for that of a measure. The built-in measures are ``latency`` in ns and ``throughput``
in operations a second; others have their unit in their name, which is not read back, and a note
says so.
"""

import math
import re
from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.core.errors import UsageError
from veperf.core.run import Run, Summary
from veperf.core.units import convert
from veperf.formats.exported import (
    ExportedFile,
    ExportedMetric,
    exported_metrics,
    indented_json,
    left_out_note,
    require_values,
    unique_names,
)
from veperf.formats.imported import ParsedRun, metric_of
from veperf.formats.source import SourceFile

TOOL = "bencher"

_BUILT_IN = {"latency": TIME, "throughput": Metric("throughput", "1/s", "higher")}
_LONGEST_NAME = 1024
_LONGEST_MEASURE = 64


class BencherMeasure(Struct, frozen=True):
    """A measure of a benchmark, with the ends of an interval of unknown kind."""

    value: float | None
    lower_value: float | None = None
    upper_value: float | None = None


def is_bencher_file(source: SourceFile) -> bool:
    """Return whether the file is an object of benchmarks with measures that have a value."""
    document = source.first_document if source.keys else None
    return isinstance(document, dict) and all(
        isinstance(measures, dict)
        and measures
        and all(isinstance(m, dict) and "value" in m for m in measures.values())
        for measures in document.values()
    )


def read_bencher(source: SourceFile) -> ParsedRun:
    """Read the run in a file, which has a single value of each measure."""
    run = ParsedRun(TOOL)
    benchmarks = source.document_as(dict[str, dict[str, BencherMeasure]])
    for number, (name, measures) in source.account.each("benchmark", list(benchmarks.items())):
        source.account.take(number)
        values: dict[Metric, float] = {}
        summaries: dict[str, Summary] = {}
        for measure, entry in measures.items():
            metric = _BUILT_IN.get(measure) or metric_of(measure, "")
            value = entry.value
            values[metric] = math.nan if value is None else value
            summaries[metric.name] = Summary(low=entry.lower_value, high=entry.upper_value)
        run.benchmark(TOOL, name).add(values, 1, summaries)
    run.note("each value of a file of Bencher is a summary of several")
    return run


def write_bencher(run: Run) -> ExportedFile:
    """Write a run as Bencher Metric Format.

    Raises:
        UsageError: the run has no values.
    """
    metrics = exported_metrics(run)
    require_values(metrics, run, "Bencher Metric Format")
    by_case: dict[str, list[ExportedMetric]] = {}
    for figure in metrics:
        by_case.setdefault(figure.name, []).append(figure)
    names = unique_names([_shortened(name or "benchmark", _LONGEST_NAME) for name in by_case])
    return ExportedFile(
        indented_json({n: _measures(f) for n, f in zip(names, by_case.values(), strict=True)}),
        _nameless_note(metrics),
    )


def _nameless_note(metrics: Sequence[ExportedMetric]) -> tuple[str, ...]:
    """Return a note on the metrics of which the file has neither unit nor direction."""
    others = [
        f"{figure.metric_name} ({figure.unit})" if figure.unit else figure.metric_name
        for figure in metrics
        if _measure(figure) not in _BUILT_IN
    ]
    return left_out_note(others, "as Bencher has them in no file, unit and direction of")


def _measures(of_case: Sequence[ExportedMetric]) -> dict[str, dict[str, float]]:
    names = unique_names([_measure(figure) for figure in of_case], "{}-{}")
    estimates = [figure.estimate for figure in of_case]
    return {
        name: {"value": estimate.value, "lower_value": estimate.low, "upper_value": estimate.high}
        for name, estimate in zip(names, estimates, strict=True)
    }


def _measure(figure: ExportedMetric) -> str:
    metric = figure.metric
    if figure.is_time:
        return "latency"
    if metric.name == "throughput" and _is_rate(metric.unit):
        return "throughput"
    if not metric.unit and 0 < len(figure.metric_name) <= _LONGEST_MEASURE:
        return figure.metric_name
    parts = dict.fromkeys(filter(None, (metric.name, metric.unit)))
    full_name = "-".join(parts).replace("%", "percent")
    slug = re.sub(r"[^a-z0-9]+", "-", full_name.lower()).strip("-")
    return _shortened(slug or "value", _LONGEST_MEASURE)


def _is_rate(unit: str) -> bool:
    """Return whether a unit is one of operations a second, of whatever kind."""
    try:
        return convert(1.0, unit, "1/s") == 1.0
    except UsageError:
        return False


def _shortened(name: str, longest: int) -> str:
    """Cut a name to ``longest``, less the room for a number, with a digest to keep it unique."""
    room = longest - len(" (9999)")
    if len(name) <= room:
        return name
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{name[: room - 9]}-{digest}"
