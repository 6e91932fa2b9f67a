"""Google Benchmark: what ``--benchmark_out_format=json`` writes."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.formats.collector import NS, Collector, Facts, Gathered, time_or
from veperf.formats.source import Source, brief

TOOL = "google-benchmark"

_CPU = Metric("cpu_time", "ns")
_OWN = frozenset(
    {
        *("family_index", "per_family_instance_index", "repetitions", "repetition_index"),
        *("threads", "iterations", "real_time", "cpu_time", "cpu_coefficient", "rms"),
        *("real_coefficient", "total_allocated_bytes", "net_heap_growth"),
    }
)
"""Numbers in a result that are no counters."""

_RATES = {"bytes_per_second": "B/s", "items_per_second": "items/s"}
_MEMORY = {"allocs_per_iter": "allocs/op", "max_bytes_used": "B"}
_AGGREGATE = re.compile(r"_(mean|median|stddev|cv|min|max|BigO|RMS)$")


class Context(Struct, frozen=True):
    """Where and when."""

    date: str = ""
    num_cpus: int = 0


class File(Struct, frozen=True):
    """The whole file; counters stand among the fields of a result."""

    benchmarks: list[dict[str, Any]]
    context: Any = None


def matches(source: Source) -> bool:
    """Whether the keys are those of Google Benchmark."""
    return {"context", "benchmarks"} <= source.keys


def read(source: Source) -> Collector:
    """The run in the file. Aggregates count only where there are no repetitions."""
    file = source.document_as(File)
    run = Collector(TOOL)
    context = source.beside(file.context, Context) or Context()
    run.facts = Facts(cores=max(0, context.num_cpus), created=context.date)
    measured: set[str] = set()
    for entry in file.benchmarks:
        name = _name(source, entry)
        one = run.benchmark(TOOL, name, what=_text(entry, "label"))
        if entry.get("skipped") is True:
            run.note(f"{brief(name)} was skipped: {brief(_text(entry, 'skip_message'))}")
        elif entry.get("error_occurred") is True:
            one.failure = _text(entry, "error_message") or "it reported an error"
        elif not _aggregate(entry):
            _add(run, one, entry, source)
            measured.add(name)
    for central in _central(file.benchmarks):
        name = _name(source, central)
        if name not in measured:
            measured.add(name)
            _add(run, run.benchmark(TOOL, name), central, source)
            kind = _aggregate(central)
            run.note(f"{brief(name)} has only aggregates: its {kind} is the one value")
    return run


def _add(run: Collector, one: Gathered, entry: Mapping[str, Any], source: Source) -> None:
    factor = NS.get(_text(entry, "time_unit") or "ns")
    if factor is None:
        raise source.corrupt(f"no unit of time: {brief(_text(entry, 'time_unit'))}")
    loops = entry.get("iterations", 1)
    values: dict[Metric, float] = {}
    for metric, key in ((TIME, "real_time"), (_CPU, "cpu_time")):
        if (value := _number(entry.get(key))) is not None:
            values[metric] = value * factor
    for key, given in entry.items():
        value = _number(given)
        if value is None or key in _OWN:
            continue
        metric, _, guessed = time_or(f"counter {key}" if key == TIME.name else key, _unit(key))
        values[metric] = value
        if guessed and key not in _RATES:
            run.guessed(metric)
    one.add(values, loops if type(loops) is int else 1)


def _central(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The aggregates that stand for a typical value, medians first."""
    order = ("median", "mean")
    found = [entry for entry in entries if _aggregate(entry) in order]
    return sorted(found, key=lambda entry: order.index(_aggregate(entry)))


def _aggregate(entry: Mapping[str, Any]) -> str:
    """``median`` and so on; empty for a repetition. Old files say it only in the name."""
    kind = entry.get("run_type")
    if kind == "aggregate":
        return _text(entry, "aggregate_name") or "aggregate"
    named = _AGGREGATE.search(_text(entry, "name"))
    return named[1] if kind is None and named else ""


def _name(source: Source, entry: Mapping[str, Any]) -> str:
    name = _text(entry, "run_name") or _text(entry, "name")
    if not name:
        raise source.corrupt("a benchmark without a name")
    if "run_name" not in entry and _aggregate(entry):
        return _AGGREGATE.sub("", name)
    return name


def _unit(key: str) -> str:
    return _RATES.get(key) or _MEMORY.get(key) or key


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key, "")
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf")
