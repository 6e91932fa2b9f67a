"""pytest-benchmark: files of ``--benchmark-json``, ``--benchmark-save`` and ``autosave``.

A benchmark that raised is not in the file at all.
"""

import math
from collections.abc import Sequence
from statistics import mean, median
from typing import Any

import numpy as np
from msgspec import Struct

from veperf.core.case import TIME, Case
from veperf.core.run import Machine, Revision, Run, Summary
from veperf.core.units import convert
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
from veperf.formats.imported import ParsedRun, Provenance, parse_utc, plain_params
from veperf.formats.source import SourceFile

TOOL = "pytest-benchmark"


class PytestStats(Struct, frozen=True):
    """Statistics of a benchmark, in seconds per call."""

    data: list[float | str | None] | None = None
    """A value per round; only if saving it was requested. A text is none, and fails its round."""
    median: float | None = None
    mean: float | None = None
    iterations: int = 1
    rounds: int | None = None
    stddev: float | None = None
    q1: float | None = None
    q3: float | None = None
    min: float | None = None
    max: float | None = None


class PytestEntry(Struct, frozen=True):
    """A benchmark of the file."""

    name: str
    stats: PytestStats | None = None
    fullname: str | None = None
    group: Any = None
    params: dict[str, Any] | None = None


class PytestCpu(Struct, frozen=True):
    """The CPU, as py-cpuinfo describes it."""

    brand_raw: str = ""
    brand: str = ""
    count: int = 0


class PytestMachine(Struct, frozen=True):
    """The machine; all fields may be missing."""

    node: str = ""
    processor: str = ""
    machine: str = ""
    system: str = ""
    release: str = ""
    python_implementation: str = ""
    python_version: str = ""
    cpu: PytestCpu | None = None


class PytestCommit(Struct, frozen=True):
    """The commit."""

    id: str | None = None
    branch: str | None = None
    dirty: bool | None = None


class PytestBenchmarkFile(Struct, frozen=True):
    """A file of pytest-benchmark."""

    benchmarks: list[PytestEntry]
    machine_info: Any = None
    commit_info: Any = None
    datetime: Any = None


def is_pytest_benchmark_file(source: SourceFile) -> bool:
    """Return whether the file has the keys of pytest-benchmark."""
    return {"benchmarks", "machine_info"} <= source.keys


def read_pytest_benchmark(source: SourceFile) -> ParsedRun:
    """Read the run in a file of pytest-benchmark."""
    file = source.document_as(PytestBenchmarkFile)
    run = ParsedRun(TOOL)
    for number, entry in source.account.each("benchmark", file.benchmarks):
        source.account.take(number)
        parsed = run.benchmark(
            TOOL,
            entry.fullname or entry.name,
            benchmark=_base(entry),
            what=entry.group if isinstance(entry.group, str) else "",
            params=plain_params(entry.params),
        )
        stats = entry.stats or PytestStats()
        center = stats.median if stats.median is not None else stats.mean
        if not stats.data and center is not None:
            run.note("some benchmarks have no single rounds: their median is the only value")
            summary = _summary(stats).times(1e9)
            parsed.add({TIME: center * 1e9}, stats.iterations, {TIME.name: summary})
        for value in stats.data or []:
            time_ns = value * 1e9 if isinstance(value, float) else math.nan
            parsed.add({TIME: time_ns}, stats.iterations)
    run.provenance = _provenance(source, file)
    return run


def _summary(stats: PytestStats) -> Summary:
    return Summary(
        center="mean" if stats.median is None else "median",
        n=stats.rounds,
        standard_deviation=stats.stddev,
        q1=stats.q1,
        q3=stats.q3,
        minimum=stats.min,
        maximum=stats.max,
    )


def _base(entry: PytestEntry) -> str:
    name = entry.fullname or entry.name
    return name.partition("[")[0] if entry.params else name


def _provenance(source: SourceFile, file: PytestBenchmarkFile) -> Provenance:
    host = source.optional_as(file.machine_info, PytestMachine) or PytestMachine()
    cpu = host.cpu or PytestCpu()
    commit = source.optional_as(file.commit_info, PytestCommit) or PytestCommit()
    return Provenance(
        cpu_model=cpu.brand_raw or cpu.brand or host.processor or host.machine,
        cores=max(0, cpu.count),
        system=f"{host.system} {host.release}".strip(),
        python=f"{host.python_implementation} {host.python_version}".strip(),
        host=host.node,
        created=file.datetime if isinstance(file.datetime, str) else "",
        revision=Revision(commit.id or "", commit.branch or "", bool(commit.dirty)),
    )


_LIKE_VERSION = "5.3.1"


def write_pytest_benchmark(run: Run) -> ExportedFile:
    """Write a run as a file of pytest-benchmark.

    Raises:
        UsageError: no case has a time.
    """
    metrics = [(figure, values_in_seconds(figure)) for figure in exported_metrics(run)]
    timed = [(figure, times_s) for figure, times_s in metrics if times_s is not None]
    require_values(timed, run, "pytest-benchmark JSON")
    names = unique_names([figure.full_name for figure, _ in timed])
    created = parse_utc(run.created)
    document = {
        "machine_info": _machine(run.machine),
        "commit_info": _commit(run.revision),
        "benchmarks": [
            _benchmark(figure, name, times_s, _group(figure.case, run))
            for (figure, times_s), name in zip(timed, names, strict=True)
        ],
        "datetime": created.isoformat() if created else "",
        "version": _LIKE_VERSION,
    }
    others = (figure.full_name for figure, times_s in metrics if times_s is None)
    return ExportedFile(indented_json(document), left_out_note(others, "as they are no times"))


def _function_of(name: str) -> str:
    """Return ``test_a[b::c]`` of ``tests/test_it.py::test_a[b::c]``."""
    path, bracket, param = name.partition("[")
    return path.rpartition("::")[2] + bracket + param


def _group(case: Case, run: Run) -> str | None:
    """Return the group of the original, by which a comparison puts benchmarks side by side."""
    if run.source == "veperf":
        return safe_text(case.suite)
    return safe_text(case.what) or None if run.source == TOOL else None


def _benchmark(
    figure: ExportedMetric, name: str, times_s: Sequence[float], group: str | None
) -> dict[str, Any]:
    params = figure.case.params if figure.is_time else {}
    return {
        "group": group,
        "name": _function_of(name),
        "fullname": name,
        "params": {
            safe_text(k): safe_text(v) if isinstance(v, str) else v for k, v in params.items()
        }
        or None,
        "param": name.partition("[")[2].removesuffix("]") or None,
        "extra_info": {"clock": figure.clock, "level": figure.case.level.value},
        "options": {},
        "stats": _stats(times_s, figure.loops * figure.operations) | _known_stats(figure),
    }


def _stats(times_s: Sequence[float], iterations: int) -> dict[str, Any]:
    ordered = sorted(times_s)
    middle, spread = mean(ordered), _deviation(ordered)
    q1, q3 = _quartiles(ordered)
    fence = 1.5 * (q3 - q1)
    inside = [t for t in ordered if q1 - fence <= t <= q3 + fence]
    far = sum(abs(t - middle) > spread for t in ordered)
    beyond = len(ordered) - len(inside)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": middle,
        "stddev": spread,
        "rounds": len(ordered),
        "median": median(ordered),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond,
        "stddev_outliers": far,
        "outliers": f"{far};{beyond}",
        "ld15iqr": inside[0],
        "hd15iqr": inside[-1],
        "ops": 1 / middle if middle else 0.0,
        "total": sum(ordered),
        "data": list(times_s),
        "iterations": iterations,
    }


def _quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """Return the quartiles as pytest-benchmark has them.

    Of an even number the medians of both halves, of an odd one means between neighbours:
    https://en.wikipedia.org/wiki/Quartile, methods 2 and 3.
    """
    n = len(ordered)
    if n == 1:
        return ordered[0], ordered[0]
    if n % 2 == 0:
        return median(ordered[: n // 2]), median(ordered[n // 2 :])
    k, rest = divmod(n, 4)
    low, high = (k - 1, 3 * k) if rest == 1 else (k, 3 * k + 1)
    near, far = (0.25, 0.75) if rest == 1 else (0.75, 0.25)
    return (
        near * ordered[low] + far * ordered[low + 1],
        far * ordered[high] + near * ordered[high + 1],
    )


def _known_stats(figure: ExportedMetric) -> dict[str, Any]:
    """Return what is known of rounds of which only the median is there; nothing where all are."""
    if figure.summary is None or figure.summary.center != "median":
        return {}
    known = figure.summary.times(convert(1.0, figure.metric.unit, "s"))
    stats = {
        "rounds": known.n,
        "stddev": known.standard_deviation,
        "q1": known.q1,
        "q3": known.q3,
        "min": known.minimum,
        "max": known.maximum,
    }
    stats = {name: value for name, value in stats.items() if value is not None}
    if known.q1 is not None and known.q3 is not None:
        stats["iqr"] = known.q3 - known.q1
    return stats | {"data": []}


def _deviation(times_s: Sequence[float]) -> float:
    """Return the sample standard deviation, scaled so that the squares don't overflow."""
    scale = max(map(abs, times_s))
    if len(times_s) < 2 or not scale:
        return 0.0
    return float(np.std(np.divide(times_s, scale), ddof=1)) * scale


def _machine(machine: Machine) -> dict[str, Any]:
    system, _, release = safe_text(machine.system).partition(" ")
    implementation, version = python_version(machine)
    return {
        "node": safe_text(machine.host or machine.name),
        "processor": safe_text(machine.cpu_model),
        "machine": safe_text(machine.name),
        "python_implementation": implementation,
        "python_version": version,
        "release": release,
        "system": system,
        "cpu": {"brand_raw": safe_text(machine.cpu_model), "count": machine.cores},
    }


def _commit(revision: Revision) -> dict[str, Any]:
    return {
        "id": safe_text(revision.commit),
        "branch": safe_text(revision.branch),
        "dirty": revision.dirty,
    }
