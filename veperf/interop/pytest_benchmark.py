"""pytest-benchmark: what ``--benchmark-json``, ``--benchmark-save`` and ``autosave`` write."""

from typing import Any

from msgspec import Struct

from veperf.interop.collect import Collector, Facts
from veperf.interop.parameters import plain
from veperf.interop.source import Source
from veperf.model import TIME, Revision

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
