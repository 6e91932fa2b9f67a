"""vitest: files of ``vitest bench --outputJson``.

Files with groups with benchmarks, in the words of tinybench: times in ms, ``moe`` half the width of
the 95 % interval of the mean (json-formatter.ts of vitest-dev/vitest). Samples are left out unless
the option ``includeSamples`` is set. A benchmark that threw is left out, or has no mean.
"""

import math

from msgspec import Struct

from veperf.core.case import TIME
from veperf.core.run import Summary
from veperf.formats.imported import ParsedBenchmark, ParsedRun
from veperf.formats.source import SourceFile

TOOL = "vitest"

_NS = 1e6
_CONFIDENCE = 0.95


class VitestBenchmark(Struct, frozen=True, rename="camel"):
    """A benchmark; times in ms."""

    name: str
    mean: float | None = None
    sd: float | None = None
    moe: float | None = None
    min: float | None = None
    max: float | None = None
    sample_count: float | None = None
    samples: list[float | None] | None = None


class VitestGroup(Struct, frozen=True, rename="camel"):
    """A suite: ``test/sort.bench.ts > sort``."""

    benchmarks: list[VitestBenchmark]
    full_name: str = ""


class VitestFile(Struct, frozen=True):
    """A test file."""

    groups: list[VitestGroup]


class VitestReport(Struct, frozen=True):
    """A file of vitest."""

    files: list[VitestFile]


def is_vitest_file(source: SourceFile) -> bool:
    """Return whether the first of its files has groups."""
    return isinstance(source.first_of("files").get("groups"), list)


def read_vitest(source: SourceFile) -> ParsedRun:
    """Read the run in a file of vitest."""
    run = ParsedRun(TOOL)
    report = source.document_as(VitestReport)
    entries = [
        (group.full_name, benchmark)
        for file in report.files
        for group in file.groups
        for benchmark in group.benchmarks
    ]
    for number, (group_name, entry) in source.account.each("benchmark", entries):
        _add(run, run.benchmark(TOOL, " > ".join(filter(None, (group_name, entry.name)))), entry)
        source.account.take(number)
    return run


def _add(run: ParsedRun, parsed: ParsedBenchmark, entry: VitestBenchmark) -> None:
    for value in entry.samples or ():
        parsed.add({TIME: math.nan if value is None else value * _NS})
    if entry.samples:
        return
    if entry.mean is None:
        parsed.failure = "it has no mean: it failed"
        return
    run.note("some benchmarks have no samples: their mean is the only value")
    n, half = entry.sample_count, entry.moe
    summary = Summary(
        center="mean",
        n=int(n) if n is not None and 0 < n < 1 << 53 else None,
        low=None if half is None else entry.mean - half,
        high=None if half is None else entry.mean + half,
        confidence=None if half is None else _CONFIDENCE,
        standard_deviation=entry.sd,
        minimum=entry.min,
        maximum=entry.max,
    )
    parsed.add({TIME: entry.mean * _NS}, 1, {TIME.name: summary.times(_NS)})
