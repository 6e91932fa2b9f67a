"""pyperf: JSON of a benchmark or a suite of them.

Metadata that all benchmarks have in common is in the file's metadata, the rest in each benchmark's
or each run's. A run is a process; its values are per call.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from veperf.core.case import Metric
from veperf.core.run import Machine, Run
from veperf.formats.exported import (
    ExportedFile,
    ExportedMetric,
    exported_metrics,
    indented_json,
    left_out_note,
    python_version,
    require_values,
    safe_text,
    unique_names,
    values_in_seconds,
)
from veperf.formats.imported import VALUE, ParsedRun, Provenance, parse_utc, time_or_metric
from veperf.formats.source import SourceFile, text_field

TOOL = "pyperf"

_UNITS = {"second": "s", "byte": "B", "integer": "1"}


class PyperfProcess(Struct, frozen=True):
    """A worker; without values if it only calibrated."""

    values: list[float | None] | None = None
    metadata: dict[str, Any] | None = None


class PyperfBenchmark(Struct, frozen=True):
    """A benchmark of the file."""

    runs: list[PyperfProcess]
    metadata: dict[str, Any] | None = None


class PyperfFile(Struct, frozen=True):
    """A file of pyperf."""

    benchmarks: list[PyperfBenchmark]
    metadata: dict[str, Any] | None = None


def is_pyperf_file(source: SourceFile) -> bool:
    """Return whether the first benchmark has runs."""
    return isinstance(source.first_of("benchmarks").get("runs"), list)


def read_pyperf(source: SourceFile) -> ParsedRun:
    """Read the run in a file of pyperf."""
    file = source.document_as(PyperfFile)
    run = ParsedRun(TOOL)
    common = file.metadata or {}
    facts: dict[str, Any] = {}
    for number, entry in source.account.each("benchmark", file.benchmarks):
        source.account.take(number)
        metadata = common | (entry.metadata or {})
        parsed = run.benchmark(TOOL, text_field(metadata, "name") or "benchmark")
        unit = text_field(metadata, "unit") or "second"
        metric, factor = _metric(_UNITS.get(unit, unit))
        for process in entry.runs:
            process_metadata = metadata | (process.metadata or {})
            facts = facts or (process_metadata if process.values else {})
            for value in process.values or []:
                amount = math.nan if value is None else value * factor
                parsed.add({metric: amount}, _whole(process_metadata, "loops", 1))
    facts = common | facts
    run.provenance = Provenance(
        cpu_model=text_field(facts, "cpu_model_name"),
        cores=_whole(facts, "cpu_count", 0),
        system=text_field(facts, "platform"),
        python=f"{text_field(facts, 'python_implementation')} {_python(facts)}".strip(),
        created=text_field(facts, "date"),
    )
    return run


def _metric(unit: str) -> tuple[Metric, float]:
    # pyperf compare_to calls the greater one slower, whatever it is.
    return time_or_metric("time" if unit == "s" else VALUE, unit, "lower")


def _python(facts: dict[str, Any]) -> str:
    """Return ``3.11.7`` for ``3.11.7 (64-bit) revision abc``."""
    return next(iter(text_field(facts, "python_version").split()), "")


def _whole(facts: dict[str, Any], key: str, default: int) -> int:
    value = facts.get(key, default)
    return value if isinstance(value, int) and 0 <= value < 1 << 53 else default


_JSON_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class _PyperfValues:
    """A metric with its values in one of pyperf's units."""

    figure: ExportedMetric
    unit: str
    values: Sequence[float]


def write_pyperf(run: Run) -> ExportedFile:
    """Write a run as a file of pyperf.

    Raises:
        UsageError: nothing fits the format.
    """
    metrics = exported_metrics(run)
    fitting = [values for figure in metrics if (values := _pyperf_values(figure)) is not None]
    require_values(fitting, run, "pyperf JSON")
    names = unique_names([values.figure.full_name.strip() for values in fitting])
    created = parse_utc(run.created)
    common = _machine(run.machine) | {"date": created.isoformat(sep=" ") if created else ""}
    document = {
        "version": _JSON_VERSION,
        "metadata": {key: value for key, value in common.items() if value},
        "benchmarks": [
            _benchmark(values, name) for values, name in zip(fitting, names, strict=True)
        ],
    }
    written = {id(values.figure) for values in fitting}
    others = (figure.full_name for figure in metrics if id(figure) not in written)
    notes = (
        *left_out_note(others, "as pyperf has no such unit or direction"),
        *_lost_notes(fitting, names),
    )
    return ExportedFile(indented_json(document), notes)


def _lost_notes(written: Sequence[_PyperfValues], names: Sequence[str]) -> tuple[str, ...]:
    """Return notes on what of the written metrics is in the file no more, or in a name alone."""
    figures = [values.figure for values in written]
    bare = [
        f"{values.figure.full_name} ({values.figure.unit})"
        for values in written
        if values.unit == "integer" and values.figure.unit not in ("", "1")
    ]
    named = [f.full_name for f in figures if f.case.params]
    changed = [
        repr(f.full_name) for f, name in zip(figures, names, strict=True) if f.full_name != name
    ]
    return (
        *left_out_note(bare, "as pyperf has seconds, bytes and whole numbers, units of"),
        *left_out_note(named, "as pyperf has them in names alone, parameters of"),
        *left_out_note(changed, "as pyperf's names are unique, without blanks around, part of"),
    )


def _pyperf_values(figure: ExportedMetric) -> _PyperfValues | None:
    if figure.metric.better != "lower":
        return None
    times_s = values_in_seconds(figure)
    if times_s is not None:
        converted = _PyperfValues(figure, "second", times_s)
    elif figure.metric.unit in ("B", "B/op"):
        converted = _PyperfValues(figure, "byte", figure.values)
    else:
        converted = _PyperfValues(figure, "integer", figure.values)
        if not all(value.is_integer() for value in figure.values):
            return None
    return converted if min(converted.values) > 0 and figure.full_name.strip() else None


def _benchmark(metric: _PyperfValues, name: str) -> dict[str, Any]:
    loops = {"loops": metric.figure.loops, "inner_loops": metric.figure.operations}
    return {
        "metadata": {"name": name, "unit": metric.unit}
        | {key: count for key, count in loops.items() if count >= 1},
        "runs": [{"values": [value]} for value in metric.values],
    }


def _machine(machine: Machine) -> dict[str, Any]:
    implementation, version = python_version(machine)
    texts = {
        "cpu_model_name": machine.cpu_model,
        "platform": machine.system,
        "python_implementation": implementation.lower(),
        "python_version": version,
    }
    facts: dict[str, Any] = {key: safe_text(text).strip() for key, text in texts.items()}
    return facts | {"cpu_count": max(0, machine.cores)}
