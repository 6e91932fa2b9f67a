"""pyperf: JSON of one benchmark or a suite of them.

What all benchmarks have in common stands in the file's metadata, the rest in each benchmark's,
the rest of that in each run's. A run is a process; its values are of one call.
"""

from typing import Any

from msgspec import Struct

from veperf.interop.collect import Collector, Facts
from veperf.interop.metrics import time_or
from veperf.interop.source import Source
from veperf.model import Metric

TOOL = "pyperf"

_UNITS = {"second": "s", "byte": "B", "integer": "1"}


class Process(Struct, frozen=True):
    """One worker. Those that only calibrated have no values."""

    values: list[float] | None = None
    metadata: dict[str, Any] | None = None


class Entry(Struct, frozen=True):
    """One benchmark."""

    runs: list[Process]
    metadata: dict[str, Any] | None = None


class File(Struct, frozen=True):
    """The whole file."""

    benchmarks: list[Entry]
    metadata: dict[str, Any] | None = None


def matches(source: Source) -> bool:
    """Whether the first benchmark has runs."""
    if "benchmarks" not in source.keys or not isinstance(source.document, dict):
        return False
    found = source.document["benchmarks"]
    return (
        isinstance(found, list)
        and bool(found)
        and isinstance(found[0], dict)
        and isinstance(found[0].get("runs"), list)
    )


def read(source: Source) -> Collector:
    """The run in the file."""
    file = source.document_as(File)
    run = Collector(TOOL)
    common = file.metadata or {}
    facts: dict[str, Any] = {}
    for entry in file.benchmarks:
        known = common | (entry.metadata or {})
        one = run.benchmark(TOOL, _text(known, "name") or "benchmark")
        unit = _text(known, "unit") or "second"
        metric, factor = _metric(_UNITS.get(unit, unit))
        for process in entry.runs:
            own = known | (process.metadata or {})
            facts = facts or (own if process.values else {})
            for value in process.values or []:
                one.add({metric: value * factor}, _whole(own, "loops", 1))
    facts = common | facts
    run.facts = Facts(
        cpu_model=_text(facts, "cpu_model_name"),
        cores=_whole(facts, "cpu_count", 0),
        system=_text(facts, "platform"),
        python=f"{_text(facts, 'python_implementation')} {_python(facts)}".strip(),
        created=_text(facts, "date"),
    )
    return run


def _metric(unit: str) -> tuple[Metric, float]:
    metric, factor, _ = time_or("time" if unit == "s" else "value", unit)
    return metric, factor


def _python(facts: dict[str, Any]) -> str:
    """``3.11.7`` of ``3.11.7 (64-bit) revision abc``."""
    return next(iter(_text(facts, "python_version").split()), "")


def _text(facts: dict[str, Any], key: str) -> str:
    value = facts.get(key, "")
    return value if isinstance(value, str) else ""


def _whole(facts: dict[str, Any], key: str, default: int) -> int:
    value = facts.get(key, default)
    return value if isinstance(value, int) and 0 <= value < 1 << 53 else default
