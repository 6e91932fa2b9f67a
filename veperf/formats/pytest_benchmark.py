"""pytest-benchmark: what ``--benchmark-json``, ``--benchmark-save`` and ``autosave`` write."""

from collections.abc import Sequence
from statistics import mean, median
from typing import Any

import numpy as np
from msgspec import Struct

from veperf.core.case import TIME
from veperf.core.run import Machine, Revision, Run
from veperf.formats.collector import Collector, Facts, plain
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

TOOL = "pytest-benchmark"


class Stats(Struct, frozen=True):
    """Times in seconds a call."""

    data: list[float] | None = None
    """A value a round; only where it was asked for."""
    median: float | None = None
    mean: float | None = None
    iterations: int = 1


class Entry(Struct, frozen=True):
    """One test."""

    name: str
    stats: Stats | None = None
    fullname: str | None = None
    params: dict[str, Any] | None = None


class Processor(Struct, frozen=True):
    """What py-cpuinfo says."""

    brand_raw: str = ""
    brand: str = ""
    count: int = 0


class Host(Struct, frozen=True):
    """The machine; all of it may be missing."""

    processor: str = ""
    machine: str = ""
    system: str = ""
    release: str = ""
    python_implementation: str = ""
    python_version: str = ""
    cpu: Processor | None = None


class Commit(Struct, frozen=True):
    """The code."""

    id: str | None = None
    branch: str | None = None
    dirty: bool | None = None


class File(Struct, frozen=True):
    """The whole file."""

    benchmarks: list[Entry]
    machine_info: Any = None
    commit_info: Any = None
    datetime: Any = None


def matches(source: Source) -> bool:
    """Whether the keys are those of pytest-benchmark."""
    return {"benchmarks", "machine_info"} <= source.keys


def read(source: Source) -> Collector:
    """The run in the file."""
    file = source.document_as(File)
    run = Collector(TOOL)
    for entry in file.benchmarks:
        one = run.benchmark(
            TOOL, entry.fullname or entry.name, benchmark=_base(entry), params=plain(entry.params)
        )
        stats = entry.stats or Stats()
        values = stats.data or []
        if not values:
            middle = stats.median if stats.median is not None else stats.mean
            values = [] if middle is None else [middle]
            run.note("no single rounds for some benchmarks: their median is the one value there is")
        for value in values:
            one.add({TIME: value * 1e9}, stats.iterations)
    run.facts = _facts(source, file)
    return run


def _base(entry: Entry) -> str:
    name = entry.fullname or entry.name
    return name.partition("[")[0] if entry.params else name


def _facts(source: Source, file: File) -> Facts:
    host = source.beside(file.machine_info, Host) or Host()
    cpu = host.cpu or Processor()
    commit = source.beside(file.commit_info, Commit) or Commit()
    return Facts(
        cpu_model=cpu.brand_raw or cpu.brand or host.processor or host.machine,
        cores=max(0, cpu.count),
        system=f"{host.system} {host.release}".strip(),
        python=f"{host.python_implementation} {host.python_version}".strip(),
        created=file.datetime if isinstance(file.datetime, str) else "",
        revision=Revision(commit.id or "", commit.branch or "", bool(commit.dirty)),
    )


_LIKE_VERSION = "5.3.1"


def write(run: Run) -> Written:
    """The file.

    Raises:
        UsageError: no case has a time.
    """
    found = [(figure, seconds(figure)) for figure in values_by_case(run)]
    timed = [(figure, times_s) for figure, times_s in found if times_s is not None]
    refuse_nothing(timed, run, "pytest-benchmark JSON")
    names = unique([figure.full_name for figure, _ in timed])
    when = moment(run.created)
    document = {
        "machine_info": _machine(run.machine),
        "commit_info": _commit(run.revision),
        "benchmarks": [
            _benchmark(figure, name, times_s)
            for (figure, times_s), name in zip(timed, names, strict=True)
        ],
        "datetime": when.isoformat() if when else "",
        "version": _LIKE_VERSION,
    }
    others = (figure.full_name for figure, times_s in found if times_s is None)
    return Written(json_text(document), left_out(others, "as they are no times"))


def _benchmark(figure: Figure, name: str, times_s: Sequence[float]) -> dict[str, Any]:
    params = figure.case.params if figure.is_time else {}
    return {
        "group": safe(figure.case.suite),
        "name": name,
        "fullname": name,
        "params": {safe(k): safe(v) if isinstance(v, str) else v for k, v in params.items()}
        or None,
        "param": None,
        "extra_info": {"clock": figure.clock, "level": figure.case.level.value},
        "options": {},
        "stats": _stats(times_s, figure.loops * figure.operations),
    }


def _stats(times_s: Sequence[float], iterations: int) -> dict[str, Any]:
    ordered = sorted(times_s)
    middle, spread = mean(ordered), _deviation(ordered)
    q1, q3 = np.quantile(ordered, [0.25, 0.75]).tolist()
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


def _deviation(times_s: Sequence[float]) -> float:
    """The standard deviation of a sample, whose squares may be beyond what a number can hold."""
    scale = max(map(abs, times_s))
    if len(times_s) < 2 or not scale:
        return 0.0
    return float(np.std(np.divide(times_s, scale), ddof=1)) * scale


def _machine(machine: Machine) -> dict[str, Any]:
    system, _, release = safe(machine.system).partition(" ")
    implementation, version = python(machine)
    return {
        "node": safe(machine.name),
        "processor": safe(machine.cpu_model),
        "machine": safe(machine.name),
        "python_implementation": implementation,
        "python_version": version,
        "release": release,
        "system": system,
        "cpu": {"brand_raw": safe(machine.cpu_model), "count": machine.cores},
    }


def _commit(revision: Revision) -> dict[str, Any]:
    return {
        "id": safe(revision.commit),
        "branch": safe(revision.branch),
        "dirty": revision.dirty,
    }
