"""pyperf: JSON of one benchmark or a suite of them.

What all benchmarks have in common stands in the file's metadata, the rest in each benchmark's,
the rest of that in each run's. A run is a process; its values are of one call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from veperf.core.case import Metric
from veperf.core.run import Machine, Run
from veperf.formats.collector import Collector, Facts, time_or
from veperf.formats.exported_values import (
    Figure,
    Written,
    json_text,
    left_out,
    moment,
    python,
    refuse_nothing,
    safe,
    seconds,
    unique,
    values_by_case,
)
from veperf.formats.source import Source

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


_JSON_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class _Fitting:
    """A figure in one of pyperf's units."""

    figure: Figure
    unit: str
    values: Sequence[float]


def write(run: Run) -> Written:
    """The file.

    Raises:
        UsageError: nothing fits the format.
    """
    found = values_by_case(run)
    fitting = [one for figure in found if (one := _fitting(figure)) is not None]
    refuse_nothing(fitting, run, "pyperf JSON")
    names = unique([one.figure.full_name.strip() for one in fitting])
    when = moment(run.created)
    common = _machine(run.machine) | {"date": when.isoformat(sep=" ") if when else ""}
    document = {
        "version": _JSON_VERSION,
        "metadata": {key: value for key, value in common.items() if value},
        "benchmarks": [_benchmark(one, name) for one, name in zip(fitting, names, strict=True)],
    }
    kept = {id(one.figure) for one in fitting}
    others = (figure.full_name for figure in found if id(figure) not in kept)
    return Written(json_text(document), left_out(others, "as pyperf has no such unit or direction"))


def _fitting(figure: Figure) -> _Fitting | None:
    if figure.metric.better == "higher":
        return None
    times_s = seconds(figure)
    if times_s is not None:
        one = _Fitting(figure, "second", times_s)
    elif figure.metric.unit in ("B", "B/op"):
        one = _Fitting(figure, "byte", figure.values)
    else:
        one = _Fitting(figure, "integer", figure.values)
        if not all(value.is_integer() for value in figure.values):
            return None
    return one if min(one.values) > 0 and figure.full_name.strip() else None


def _benchmark(one: _Fitting, name: str) -> dict[str, Any]:
    loops = {"loops": one.figure.loops, "inner_loops": one.figure.operations}
    return {
        "metadata": {"name": name, "unit": one.unit}
        | {key: count for key, count in loops.items() if count >= 1},
        "runs": [{"values": [value]} for value in one.values],
    }


def _machine(machine: Machine) -> dict[str, Any]:
    implementation, version = python(machine)
    texts = {
        "cpu_model_name": machine.cpu_model,
        "platform": machine.system,
        "python_implementation": implementation.lower(),
        "python_version": version,
    }
    facts: dict[str, Any] = {key: safe(text).strip() for key, text in texts.items()}
    return facts | {"cpu_count": max(0, machine.cores)}
