"""k6: summaries as JSON, and the points of ``--out json``.

A summary is that of ``--summary-export`` (a metric's values beside its thresholds), of
``handleSummary`` (``type``, ``contains`` and ``values``), or of the machine-readable one (a list of
metrics under ``results``): grafana.com/docs/k6, "Custom summary" and "JSON", and
internal/lib/summary/machinereadable of grafana/k6. Each metric of k6 is a benchmark:

- a trend has latencies in ms: the median, and others of their own, such as ``latency_p95``;
- a rate is a share of events in %: ``http_req_failed`` is better lower, ``checks`` higher;
- a counter has its number in a second, which is better higher of requests and iterations;
- gauges, such as the number of users, are settings and left out.

Of points, each of a trend is a value; those of rates and counters are summed up. In a metric of the
user nothing is known to be better. If every request failed, so have the benchmarks of requests.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Struct

from veperf.core.case import Direction, Metric
from veperf.core.json_text import check_nesting
from veperf.core.run import Summary
from veperf.core.text import join_words
from veperf.formats.figures import json_number
from veperf.formats.imported import MAX_REPETITIONS, VALUE, ParsedRun, metric_of, parse_utc
from veperf.formats.load_reports import ERROR_RATE, latency
from veperf.formats.source import SourceFile, shorten, text_field

TOOL = "k6"

_LATENCY = Metric("latency", "ms")
_FAILED = "http_req_failed"
_REQUESTS = "http_req_"
_TIMES = (
    *("http_req_", "ws_connecting", "ws_session_duration", "grpc_req_duration"),
    *("iteration_duration", "group_duration", "browser_web_vital_", "browser_http_req_"),
)
_HIGHER = frozenset({"http_reqs", "iterations", "ws_msgs_sent", "ws_msgs_received", "ws_sessions"})
_DATA = frozenset({"data_sent", "data_received"})
_GAUGES = frozenset({"vus", "vus_max"})
_RATES = frozenset({_FAILED, "checks", "browser_http_req_failed"})
_PERCENTILE = re.compile(r"p\(([0-9]{1,3}(?:\.[0-9]{1,6})?)\)", re.ASCII)
_THRESHOLDS = "thresholds"


@dataclass(frozen=True, slots=True)
class _Kind:
    """Type and content of a metric."""

    type: str
    contains: str = "default"


def is_k6_summary(source: SourceFile) -> bool:
    """Return whether the file has metrics in one of the layouts of k6's summaries."""
    if not {"metrics", "results"} & source.keys:
        return False
    metrics = _summary_metrics(source.first_document)
    return bool(metrics) and all(_kind(name, values).type for name, values in metrics)


def is_k6_points(source: SourceFile) -> bool:
    """Return whether the first line declares a metric of k6, or is a point of it."""
    line = source.first_line[:1000]
    return line.startswith("{") and '"metric"' in line and bool(re.search(_POINT, line))


_POINT = r'"type" ?: ?"(?:Metric|Point)"'


def read_k6_summary(source: SourceFile) -> ParsedRun:
    """Read the run in a summary; the file has one value of each figure."""
    run = ParsedRun(TOOL)
    metrics = _summary_metrics(source.document)
    left_out: dict[str, None] = {}
    for number, (name, entry) in source.account.each("metric", metrics):
        kind = _kind(name, entry)
        if kind.type == "gauge":
            source.account.skip(number, "settings and gauges")
            left_out[name] = None
        elif not kind.type:
            source.account.refuse(number, "no metric of a type that k6 has")
        else:
            values = entry.get("values")
            figures, summaries = _figures(name, kind, values if isinstance(values, dict) else entry)
            run.benchmark(TOOL, name).add(figures, 1, summaries)
            source.account.take(number)
        for threshold in _crossed(entry.get(_THRESHOLDS)):
            run.note(f"k6's threshold {shorten(threshold)} of {shorten(name)} was crossed")
    run.note("a summary of k6 has one value of each figure; the least of a trend is none of them")
    _note_gauges(run, left_out)
    _fail_requests(run)
    return run


def _note_gauges(run: ParsedRun, names: Iterable[str]) -> None:
    """Note which gauges were left out, besides the numbers of users, which are settings."""
    others = [shorten(name) for name in names if name not in _GAUGES]
    if others:
        run.note(f"gauges are left out, as they have no value for the run: {join_words(others)}")


def _summary_metrics(document: object) -> list[tuple[str, dict[str, Any]]]:
    """Return name and fields of each metric; empty if the document is no summary."""
    fields = document if isinstance(document, dict) else {}
    results = fields.get("results")
    if isinstance(results, dict) and isinstance(results.get("metrics"), list):
        entries = [entry for entry in results["metrics"] if isinstance(entry, dict)]
        return [(text_field(entry, "name") or "unnamed", entry) for entry in entries]
    metrics = fields.get("metrics")
    if not isinstance(metrics, dict):
        return []
    return [(name, entry) for name, entry in metrics.items() if isinstance(entry, dict)]


def _kind(name: str, entry: Mapping[str, Any]) -> _Kind:
    """Return the kind of a metric; of the oldest layout by its fields and its name."""
    if isinstance(entry.get("values"), dict):
        return _Kind(text_field(entry, "type"), text_field(entry, "contains"))
    if {"avg", "med", "max"} & entry.keys():
        return _Kind("trend", _known(name).contains)
    if "passes" in entry or "fails" in entry:
        return _Kind("rate")
    if "count" in entry:
        return _Kind("counter", _known(name).contains)
    return _Kind("gauge" if "value" in entry else "")


def _known(name: str) -> _Kind:
    """Return the kind of a metric that k6 itself has, by its name; a trend of any other."""
    plain = name.partition("{")[0]
    if plain in _RATES:
        return _Kind("rate")
    if plain in _GAUGES:
        return _Kind("gauge")
    if plain in _DATA:
        return _Kind("counter", "data")
    if plain in _HIGHER or plain == "dropped_iterations":
        return _Kind("counter")
    return _Kind("trend", "time" if is_time_metric(plain) else "default")


def is_time_metric(name: str) -> bool:
    """Return whether a metric of this name, without tags, is one of k6's own that are times."""
    return name.startswith(_TIMES)


def _figures(
    name: str, kind: _Kind, values: Mapping[str, Any]
) -> tuple[dict[Metric, float], dict[str, Summary]]:
    """Return the figures of a metric in a summary, and statistics of them."""
    match kind.type:
        case "rate":
            share = _number(values.get("rate", values.get("value")))
            return {_share(name): 100 * share}, {}
        case "counter" if "rate" in values:
            return {_speed(name, kind): _number(values["rate"])}, {}
        case "counter":
            return {metric_of("count", "", "unknown"): _number(values.get("count"))}, {}
    central = _trend(kind)
    figures: dict[Metric, float] = {}
    for statistic, value in values.items():
        if statistic == "med":
            figures[central] = _number(value)
        elif match := _PERCENTILE.fullmatch(statistic):
            figures[_statistic(kind, f"p{match[1].replace('.', '')}")] = _number(value)
        elif statistic in ("avg", "max"):
            figures[_statistic(kind, "mean" if statistic == "avg" else "max")] = _number(value)
    count = json_number(values.get("count"))
    n = int(count) if count is not None and 0 < count < 1 << 53 else None
    ends = json_number(values.get("min")), json_number(values.get("max"))
    summary = Summary(center="median", n=n, minimum=ends[0], maximum=ends[1])
    return figures, {central.name: summary}


def _trend(kind: _Kind) -> Metric:
    return _LATENCY if kind.contains == "time" else metric_of(VALUE, "", "unknown")


def _statistic(kind: _Kind, statistic: str) -> Metric:
    return latency(statistic) if kind.contains == "time" else metric_of(statistic, "", "unknown")


def _share(name: str) -> Metric:
    plain = name.partition("{")[0]
    if plain.endswith(_FAILED):
        return ERROR_RATE
    return Metric("rate", "%", "higher" if plain == "checks" else "unknown")


def _speed(name: str, kind: _Kind) -> Metric:
    plain = name.partition("{")[0]
    better: Direction = "higher" if plain in _HIGHER else "unknown"
    if plain == "dropped_iterations":
        better = "lower"
    return Metric("throughput", "B/s" if kind.contains == "data" else "1/s", better)


def _number(value: object) -> float:
    number = json_number(value)
    return math.nan if number is None else number


def _crossed(thresholds: object) -> Iterator[str]:
    """Yield thresholds that were not kept: ``true`` in the oldest layout, not ``ok`` in others."""
    if isinstance(thresholds, dict):
        for name, outcome in thresholds.items():
            if outcome is True or (isinstance(outcome, dict) and outcome.get("ok") is False):
                yield name


def _fail_requests(run: ParsedRun) -> None:
    """Fail the benchmarks of requests if every request failed."""
    shares = [
        figures.get(ERROR_RATE.name)
        for parsed in run.benchmarks
        if parsed.name == _FAILED
        for _, figures in parsed.repetitions.rows()
    ]
    if shares and all(share is not None and share >= 100 for share in shares):
        for parsed in run.benchmarks:
            if parsed.name.startswith((_REQUESTS, "http_reqs")) and parsed.name != _FAILED:
                parsed.failure = "every request failed"


class K6Data(Struct, frozen=True):
    """Declaration or value of a metric."""

    type: str = ""
    contains: str = "default"
    time: str = ""
    value: float | None = None


class K6Line(Struct, frozen=True):
    """A line of ``--out json``."""

    type: str
    metric: str = ""
    data: K6Data = K6Data()


@dataclass(slots=True)
class _Points:
    """The points of a metric: their values, and the first and last time."""

    kind: _Kind
    values: list[float] = field(default_factory=list)
    first: str = ""
    last: str = ""


def read_k6_points(source: SourceFile) -> ParsedRun:
    """Read the points in the file; a line that is none of k6's, such as a torn one, is refused."""
    run = ParsedRun(TOOL)
    metrics: dict[str, _Points] = {}
    gauges: dict[str, None] = {}
    for number, text in source.each_line():
        line = _line(text)
        if line is None:
            source.account.refuse(number, "not a line of k6: cut off, or something else")
            continue
        points = metrics.setdefault(line.metric, _Points(_known(line.metric)))
        if line.type == "Metric":
            points.kind = _Kind(line.data.type or points.kind.type, line.data.contains)
            if points.kind.type == "gauge":
                gauges[line.metric] = None
            source.account.skip(number, "declarations of metrics")
        elif points.kind.type == "gauge":
            source.account.skip(number, "settings and gauges")
        elif line.type == "Point":
            points.values.append(math.nan if line.data.value is None else line.data.value)
            points.first = points.first or line.data.time
            points.last = line.data.time or points.last
            source.account.take(number)
        else:
            source.account.refuse(number, "neither a point nor a metric")
    _note_gauges(run, gauges)
    for name, points in metrics.items():
        if points.values:
            _add_points(run, name, points)
    _fail_requests(run)
    return run


def _line(text: str) -> K6Line | None:
    """Return a line, or None if it is none of k6's."""
    try:
        check_nesting(text)
        return msgspec.json.decode(text.encode("utf-8", "replace"), type=K6Line)
    except (msgspec.DecodeError, ValueError):
        return None


def _add_points(run: ParsedRun, name: str, points: _Points) -> None:
    parsed, values, kind = run.benchmark(TOOL, name), points.values, points.kind
    match kind.type:
        case "rate":
            share = sum(value != 0 for value in values) / len(values)
            parsed.add({_share(name): 100 * share if all(map(math.isfinite, values)) else math.nan})
        case "counter":
            seconds = _seconds(points)
            if seconds > 0:
                parsed.add({_speed(name, kind): sum(values) / seconds})
            else:
                parsed.add({metric_of("count", "", "unknown"): sum(values)})
        case _:
            if len(values) > MAX_REPETITIONS:
                run.note(
                    f"of {len(values):,} points of {shorten(name)}, {MAX_REPETITIONS:,} evenly "
                    "spread ones are kept"
                )
            metric = _trend(kind)
            for value in _thinned(values):
                parsed.add({metric: value})


def _thinned(values: list[float]) -> list[float]:
    """Return at most 10,000 evenly spread values, and one that is no number if there is any."""
    if len(values) <= MAX_REPETITIONS:
        return values
    broken = [value for value in values if not math.isfinite(value)][:1]
    size = MAX_REPETITIONS - len(broken)
    return [values[index * len(values) // size] for index in range(size)] + broken


def _seconds(points: _Points) -> float:
    """Return the time between the first and the last point; 0 where it is not known."""
    first, last = (
        parse_utc(_to_microseconds(points.first)),
        parse_utc(_to_microseconds(points.last)),
    )
    return (last - first).total_seconds() if first and last else 0.0


def _to_microseconds(time: str) -> str:
    """Return a time of k6 with at most six decimals of a second, as are understood."""
    return re.sub(r"(\.[0-9]{6})[0-9]{1,10}", r"\1", time[:60])
