"""Google Benchmark: files of ``--benchmark_out_format=json``, also several joined into one.

Repetitions of a benchmark in joined files are repetitions of one benchmark.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.core.run import Summary
from veperf.formats.figures import json_number
from veperf.formats.imported import (
    NS_PER_UNIT,
    ParsedBenchmark,
    ParsedRun,
    Provenance,
    metric_of,
)
from veperf.formats.source import SourceFile, shorten, text_field

TOOL = "google-benchmark"

_CPU = Metric("cpu_time", "ns")
_OWN = frozenset(
    {
        *("family_index", "per_family_instance_index", "repetitions", "repetition_index"),
        *("threads", "iterations", "real_time", "cpu_time", "cpu_coefficient", "rms"),
        *("real_coefficient", "total_allocated_bytes", "net_heap_growth"),
        *("name", "run_name", "run_type", "label", "time_unit", "big_o"),
        *("aggregate_name", "aggregate_unit", "error_message", "skip_message"),
        *("error_occurred", "skipped"),
    }
)
"""Fields of a result that are not counters."""

_RATES = {"bytes_per_second": "B/s", "items_per_second": "items/s"}
_MEMORY = {"allocs_per_iter": "allocs/op", "max_bytes_used": "B"}
_FITS = ("BigO", "RMS")
_AGGREGATE = re.compile(r"_(mean|median|stddev|cv|min|max|BigO|RMS)$")


class GoogleBenchmarkContext(Struct, frozen=True):
    """Machine and time."""

    date: str = ""
    num_cpus: int = 0


class GoogleBenchmarkFile(Struct, frozen=True):
    """A file of Google Benchmark; counters are among the fields of a result."""

    benchmarks: list[dict[str, Any]]
    context: Any = None


def is_google_benchmark_file(source: SourceFile) -> bool:
    """Return whether the file has the keys of Google Benchmark."""
    return {"context", "benchmarks"} <= source.keys


def read_google_benchmark(source: SourceFile) -> ParsedRun:
    """Read the run in the file. Aggregates count only for benchmarks without repetitions."""
    files = [source.convert(document, GoogleBenchmarkFile) for document in source.documents]
    run = ParsedRun(TOOL)
    contexts = [
        source.optional_as(file.context, GoogleBenchmarkContext) or GoogleBenchmarkContext()
        for file in files
    ]
    for context in contexts[:1]:
        run.provenance = Provenance(cores=max(0, context.num_cpus), created=context.date)
    if len({context.num_cpus for context in contexts}) > 1:
        run.note("its parts are of machines with different numbers of CPUs")
    source.account.begin("result", sum(len(file.benchmarks) for file in files))
    before = 0
    for file in files:
        _read_benchmarks(run, source, file.benchmarks, before)
        before += len(file.benchmarks)
    return run


def _read_benchmarks(
    run: ParsedRun, source: SourceFile, entries: Sequence[Mapping[str, Any]], before: int
) -> None:
    """Read the results of a document, whose first one has the number ``before`` + 1 in the file."""
    measured: set[str] = set()
    account, numbers = source.account, dict[int, int]()
    for number, entry in enumerate(entries, before + 1):
        if _factor(entry) is None:
            unit = shorten(text_field(entry, "time_unit"))
            account.refuse(number, f"not a unit of time: {unit}")
            continue
        if _aggregate(entry) in _FITS:
            account.skip(number, "fits of complexity")
            continue
        name = _name(source, entry)
        parsed = run.benchmark(TOOL, name, what=text_field(entry, "label"))
        numbers[id(entry)] = number
        if entry.get("skipped") is True:
            account.skip(number, "skipped benchmarks")
        elif _aggregate(entry):
            account.skip(number, "aggregates")
        else:
            account.take(number)
        if entry.get("skipped") is True:
            parsed.skipped = True
            run.note(f"{shorten(name)} was skipped: {shorten(text_field(entry, 'skip_message'))}")
        elif entry.get("error_occurred") is True:
            parsed.failure = text_field(entry, "error_message") or "it reported an error"
            if not _aggregate(entry) and _is_measured(entry):
                _add(parsed, entry)
        elif not _aggregate(entry):
            _add(parsed, entry)
            measured.add(name)
    for central in _central(entries):
        if id(central) not in numbers:
            continue
        name = _name(source, central)
        if name not in measured:
            measured.add(name)
            account.take(numbers[id(central)])
            summaries = _summaries(name, central, entries, source)
            _add(run.benchmark(TOOL, name), central, summaries)
            kind = _aggregate(central)
            run.note(f"{shorten(name)} has only aggregates: its {kind} is the only value")


def _summaries(
    name: str,
    central: Mapping[str, Any],
    entries: Iterable[Mapping[str, Any]],
    source: SourceFile,
) -> dict[str, Summary]:
    """Return the aggregates of ``name`` by metric; ``central`` is the one that is its value."""
    aggregates = {
        _aggregate(entry): _values(entry)
        for entry in entries
        if _aggregate(entry) in ("stddev", "min", "max")
        and _factor(entry) is not None
        and _name(source, entry) == name
    }
    count = central.get("repetitions", central.get("iterations"))

    def value(kind: str, metric: Metric) -> float | None:
        number = aggregates.get(kind, {}).get(metric)
        return number if number is not None and math.isfinite(number) else None

    return {
        metric.name: Summary(
            center="median" if _aggregate(central) == "median" else "mean",
            n=count if type(count) is int and count > 0 else None,
            standard_deviation=value("stddev", metric),
            minimum=value("min", metric),
            maximum=value("max", metric),
        )
        for metric in _values(central)
    }


def _add(
    parsed: ParsedBenchmark,
    entry: Mapping[str, Any],
    summaries: Mapping[str, Summary] | None = None,
) -> None:
    loops = entry.get("iterations", 1)
    is_count = type(loops) is int and not summaries
    parsed.add(_values(entry), loops if is_count else 1, summaries)


def _factor(entry: Mapping[str, Any]) -> float | None:
    """Return the ns in the unit of its times; None if that is no unit of time."""
    return NS_PER_UNIT.get(text_field(entry, "time_unit") or "ns")


def _values(entry: Mapping[str, Any]) -> dict[Metric, float]:
    factor = _factor(entry) or math.nan
    values: dict[Metric, float] = {}
    for metric, key in ((TIME, "real_time"), (_CPU, "cpu_time")):
        # NaN and infinity are null in files of some versions.
        if key in entry or (metric is TIME and not _aggregate(entry)):
            value = json_number(entry.get(key))
            values[metric] = math.nan if value is None else value * factor
    for key, raw_value in entry.items():
        value = math.nan if raw_value is None else json_number(raw_value)
        if value is not None and key not in _OWN:
            values[_counter(key)] = value
    return values


def _counter(key: str) -> Metric:
    """Return the metric of a counter, whose name says neither its unit nor a direction."""
    if unit := _RATES.get(key) or _MEMORY.get(key):
        return metric_of(key, unit)
    return metric_of(f"counter {key}" if key == TIME.name else key, key, "unknown")


def _central(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the medians and means among the aggregates, medians first."""
    order = ("median", "mean")
    aggregates = [entry for entry in entries if _aggregate(entry) in order]
    return sorted(aggregates, key=lambda entry: order.index(_aggregate(entry)))


def _aggregate(entry: Mapping[str, Any]) -> str:
    """Return ``median`` and so on, which old files have only in the name; empty if none."""
    kind = entry.get("run_type")
    if kind == "aggregate":
        return text_field(entry, "aggregate_name") or "aggregate"
    suffix = _AGGREGATE.search(text_field(entry, "name"))
    return suffix[1] if kind is None and suffix else ""


def _name(source: SourceFile, entry: Mapping[str, Any]) -> str:
    name = text_field(entry, "run_name") or text_field(entry, "name")
    if not name:
        raise source.corrupt("a benchmark without a name")
    if "run_name" not in entry and _aggregate(entry):
        return _AGGREGATE.sub("", name)
    return name


def _is_measured(entry: Mapping[str, Any]) -> bool:
    """Return whether a failed repetition has a time, for information."""
    return bool(json_number(entry.get("iterations")) and json_number(entry.get("real_time")))
