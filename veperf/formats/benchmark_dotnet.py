"""BenchmarkDotNet: JSON reports, brief or full, compressed or not.

JsonExporterBase of dotnet/BenchmarkDotNet writes times in ns of an operation: ``OriginalValues`` of
the statistics, and in a full report the measurements, of which those of the stage ``Result`` are
results without overhead. A benchmark without statistics has failed. Bytes of MemoryDiagnoser are
one figure a benchmark. A name is ``FullName``, which has the parameters, and the job, unless that
is the default one, whatever else is in the report: ``Shop.Sorting.Sort(N: 10): Job-A(Jit=Llvm)``.
"""

import math
import re
from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric, Params
from veperf.core.run import Summary
from veperf.formats.imported import (
    ParsedBenchmark,
    ParsedRun,
    Provenance,
    named_with,
    plain_params,
)
from veperf.formats.source import SourceFile

TOOL = "benchmark-dotnet"

_ALLOCATED = Metric("allocated", "B/op")
_DEFAULT_JOB = "DefaultJob"
# Parameters are joined by &, which may be in a value, too.
_NEXT_PARAMETER = re.compile(r"&(?=[^\W\d]\w{0,200}=)")
_WHOLE_NUMBER = re.compile(r"-?\d{1,15}", re.ASCII)


class DotNetStatistics(Struct, frozen=True, rename="pascal"):
    """Statistics of a benchmark, in ns."""

    original_values: list[float | None] | None = None
    n: float | None = None
    median: float | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    q1: float | None = None
    q3: float | None = None
    min: float | None = None
    max: float | None = None


class DotNetMeasurement(Struct, frozen=True, rename="pascal"):
    """An iteration; in older reports its mode alone says that it is a result."""

    iteration_mode: str = ""
    iteration_stage: str = ""
    operations: float | None = None
    nanoseconds: float | None = None

    @property
    def is_result(self) -> bool:
        """True of iterations that count."""
        return "Result" in (self.iteration_mode, self.iteration_stage)


class DotNetMemory(Struct, frozen=True, rename="pascal"):
    """Figures of MemoryDiagnoser."""

    bytes_allocated_per_operation: float | None = None


class DotNetBenchmark(Struct, frozen=True, rename="pascal"):
    """A benchmark of the report."""

    display_info: str | None = None
    full_name: str | None = None
    type: str | None = None
    method: str | None = None
    parameters: str | None = None
    statistics: DotNetStatistics | None = None
    memory: DotNetMemory | None = None
    measurements: list[DotNetMeasurement] | None = None

    @property
    def own_name(self) -> str:
        """Name with the parameters, without the job: ``Shop.Sorting.Sort(N: 10)``."""
        plain = ".".join(filter(None, (self.type, self.method)))
        return self.full_name or named_with(plain, self.settings)

    @property
    def settings(self) -> Params:
        """Parameters, whole numbers as such."""
        pairs = (item.partition("=") for item in _NEXT_PARAMETER.split(self.parameters or ""))
        return plain_params(
            {
                key: int(value) if _WHOLE_NUMBER.fullmatch(value) else value
                for key, equals, value in pairs
                if key and equals
            }
        )

    @property
    def job(self) -> str:
        """Name of the job; empty if it is the default one, or not known."""
        # Such as "Sorting.Sort: Job-A(Jit=Llvm) [N=10]".
        _, _, job = (self.display_info or "").partition(": ")
        job = (job.partition(" [")[0] if job.endswith("]") else job).strip()
        return "" if job == _DEFAULT_JOB else job


class DotNetHost(Struct, frozen=True, rename="pascal"):
    """The machine."""

    processor_name: str | None = None
    logical_core_count: int | None = None
    os_version: str | None = None


class DotNetReport(Struct, frozen=True, rename="pascal"):
    """A report of BenchmarkDotNet."""

    benchmarks: list[DotNetBenchmark]
    host_environment_info: Any = None


def is_benchmark_dotnet_report(source: SourceFile) -> bool:
    """Return whether the file has the keys of a report."""
    return {"HostEnvironmentInfo", "Benchmarks"} <= source.keys


def read_benchmark_dotnet(source: SourceFile) -> ParsedRun:
    """Read the run in a report."""
    run = ParsedRun(TOOL)
    add_benchmark_dotnet(run, source)
    return run


def add_benchmark_dotnet(run: ParsedRun, source: SourceFile) -> None:
    """Add the benchmarks of a report to ``run``, such as one of several in a folder."""
    report = source.document_as(DotNetReport)
    facts = source.optional_as(report.host_environment_info, DotNetHost) or DotNetHost()
    run.provenance = Provenance(
        cpu_model=facts.processor_name or "",
        cores=max(0, facts.logical_core_count or 0),
        system=facts.os_version or "",
    )
    for number, entry in source.account.each("benchmark", report.benchmarks):
        own_name, params = entry.own_name, entry.settings
        if not own_name:
            source.account.refuse(number, "a benchmark without a name")
            continue
        name = f"{own_name}: {entry.job}" if entry.job else own_name
        if entry.job:
            params["job"] = entry.job
        benchmark = own_name.partition("(")[0]
        _add(run, run.benchmark(TOOL, name, benchmark=benchmark, params=params), entry)
        source.account.take(number)


def _add(run: ParsedRun, parsed: ParsedBenchmark, entry: DotNetBenchmark) -> None:
    statistics = entry.statistics
    if statistics is None:
        parsed.failure = "it has no statistics: it failed, or was not measured"
        return
    values = [math.nan if v is None else v for v in statistics.original_values or ()] or [
        _time(m) for m in entry.measurements or () if m.is_result
    ]
    memory = entry.memory.bytes_allocated_per_operation if entry.memory else None
    once = {} if memory is None else {_ALLOCATED: memory}
    for value in values:
        parsed.add({TIME: value, **once})
        once = {}
    if values:
        return
    center = statistics.median if statistics.median is not None else statistics.mean
    run.note("some benchmarks have no single values: their median is the only one")
    summary = _summary(statistics)
    parsed.add({TIME: math.nan if center is None else center, **once}, 1, {TIME.name: summary})


def _time(measurement: DotNetMeasurement) -> float:
    operations, time_ns = measurement.operations, measurement.nanoseconds
    return math.nan if time_ns is None or not operations else time_ns / operations


def _summary(statistics: DotNetStatistics) -> Summary:
    n = statistics.n
    return Summary(
        center="mean" if statistics.median is None else "median",
        n=int(n) if n is not None and 0 < n < 1 << 53 else None,
        standard_deviation=statistics.standard_deviation,
        q1=statistics.q1,
        q3=statistics.q3,
        minimum=statistics.min,
        maximum=statistics.max,
    )
