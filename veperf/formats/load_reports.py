"""Reports of load tests as JSON: Vegeta's, and VirtEngine's own load tester's.

Vegeta's is that of ``vegeta report -type=json`` (lib/metrics.go of tsenart/vegeta), VirtEngine's
that of tests/load/cmd/loadtest. Both have one figure each of latencies in ns, of the rate and of
errors. Several reports may follow each other in a file, or stand in a list: each is a repetition. A
load of which no request succeeded has failed; latencies of errors say nothing of the system's.
Texts of errors are not repeated, as they hold addresses.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veperf.core.case import Metric
from veperf.formats.figures import json_number
from veperf.formats.imported import ParsedBenchmark, ParsedRun
from veperf.formats.source import SourceFile, text_field

THROUGHPUT = Metric("throughput", "1/s", "higher")
ERROR_RATE = Metric("error_rate", "%")

_NS_PER_MS = 1e6
VEGETA = "vegeta"
UNNAMED = "load"
"""Name of a load in a report that says none."""


def latency(statistic: str) -> Metric:
    """Return the metric of a statistic of latencies, such as ``p95`` or ``max``, in ms."""
    return Metric(f"latency_{statistic}", "ms")


def add_load(
    parsed: ParsedBenchmark,
    figures: Mapping[Metric, float],
    *,
    requests: float,
    failed: float,
) -> None:
    """Add the figures of a load of ``requests``, of which some ``failed``; NaN where not known."""
    values = dict(figures)
    if requests > 0 and failed >= 0:
        values[ERROR_RATE] = 100 * failed / requests
    if values:
        parsed.add(values)
    if requests <= 0:
        parsed.failure = "it made no requests"
    elif failed >= requests:
        parsed.failure = f"all of its {requests:.0f} requests failed"


@dataclass(frozen=True, slots=True)
class _Layout:
    """The fields of a tool's report; a field within another is named with a dot."""

    tool: str
    keys: frozenset[str]
    """Fields by which the report is known."""
    latencies: Mapping[str, str]
    """Field of each statistic, in ns."""
    rate: str
    """Field with the rate of successful requests, in 1/s; of all, where they are not told apart."""
    requests: str
    failures: str = ""
    share_of_successes: str = ""
    """Field in place of ``failures``, from 0 to 1."""


_VEGETA = _Layout(
    tool=VEGETA,
    keys=frozenset({"latencies", "requests", "success", "status_codes"}),
    latencies={
        "mean": "latencies.mean",
        "min": "latencies.min",
        "p50": "latencies.50th",
        "p90": "latencies.90th",
        "p95": "latencies.95th",
        "p99": "latencies.99th",
        "max": "latencies.max",
    },
    rate="throughput",
    requests="requests",
    share_of_successes="success",
)
_VIRTENGINE = _Layout(
    tool="virtengine-load",
    keys=frozenset({"TotalRequests", "SuccessCount", "P95Latency"}),
    latencies={
        "mean": "AvgLatency",
        "p50": "P50Latency",
        "p95": "P95Latency",
        "p99": "P99Latency",
        "max": "MaxLatency",
    },
    rate="RequestsPerSec",
    requests="TotalRequests",
    failures="FailureCount",
)


def is_vegeta_report(source: SourceFile) -> bool:
    """Return whether the file has the keys of Vegeta's report."""
    return _has(source, _VEGETA)


def is_virtengine_load(source: SourceFile) -> bool:
    """Return whether the file has the keys of VirtEngine's load tester."""
    return _has(source, _VIRTENGINE)


def read_vegeta_report(source: SourceFile) -> ParsedRun:
    """Read Vegeta's reports in the file."""
    return _read(source, _VEGETA)


def read_virtengine_load(source: SourceFile) -> ParsedRun:
    """Read the reports of VirtEngine's load tester in the file."""
    return _read(source, _VIRTENGINE)


def _has(source: SourceFile, layout: _Layout) -> bool:
    first = source.first_document
    if isinstance(first, list):
        first = first[0] if first else None
    return isinstance(first, dict) and layout.keys <= first.keys()


def _read(source: SourceFile, layout: _Layout) -> ParsedRun:
    run = ParsedRun(layout.tool)
    reports: list[object] = []
    for document in source.documents:
        reports += document if isinstance(document, list) else [document]
    for number, report in source.account.each("report", reports):
        if not isinstance(report, dict) or not layout.keys <= report.keys():
            source.account.refuse(number, "no report of a load")
            continue
        _add(run.benchmark(layout.tool, text_field(report, "Name") or UNNAMED), report, layout)
        source.account.take(number)
    run.note("a report of a load has one value of each figure")
    return run


def _add(parsed: ParsedBenchmark, report: Mapping[str, Any], layout: _Layout) -> None:
    requests = _figure(report, layout.requests)
    if layout.failures:
        failed = _figure(report, layout.failures)
    else:
        failed = requests * (1 - _figure(report, layout.share_of_successes))
        failed = float(round(failed)) if math.isfinite(failed) else math.nan
    figures = {
        latency(statistic): _figure(report, field) / _NS_PER_MS
        for statistic, field in layout.latencies.items()
        if _at(report, field) is not _MISSING
    }
    if _at(report, layout.rate) is not _MISSING:
        figures[THROUGHPUT] = _figure(report, layout.rate)
    add_load(parsed, figures, requests=requests, failed=failed)


_MISSING = object()


def _at(report: Mapping[str, Any], field: str) -> object:
    value: object = report
    for key in field.split("."):
        value = value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
    return value


def _figure(report: Mapping[str, Any], field: str) -> float:
    number = json_number(_at(report, field))
    return math.nan if number is None else number
