"""hyperfine: files of ``--export-json``."""

from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.formats.imported import ParsedRun, plain_params
from veperf.formats.source import SourceFile

TOOL = "hyperfine"

_MEMORY = Metric("memory", "B")


class HyperfineCommand(Struct, frozen=True):
    """A command; times in seconds."""

    command: str
    times: list[float] | None = None
    median: float | None = None
    mean: float | None = None
    memory_usage_byte: list[float | None] | None = None
    exit_codes: list[int | None] | None = None
    parameters: dict[str, Any] | None = None


class HyperfineFile(Struct, frozen=True):
    """A file of hyperfine."""

    results: list[HyperfineCommand]


def is_hyperfine_file(source: SourceFile) -> bool:
    """Return whether the first result has a command."""
    return "command" in source.first_of("results")


def read_hyperfine(source: SourceFile) -> ParsedRun:
    """Read the run in a file of hyperfine."""
    run = ParsedRun(TOOL)
    counts: dict[str, int] = {}
    for entry in source.document_as(HyperfineFile).results:
        counts[entry.command] = counts.get(entry.command, 0) + 1
        again = f" ({counts[entry.command]})" if counts[entry.command] > 1 else ""
        parsed = run.benchmark(TOOL, entry.command + again, params=plain_params(entry.parameters))
        times = entry.times or []
        if not times:
            middle = entry.median if entry.median is not None else entry.mean
            times = [] if middle is None else [middle]
            run.note("some commands have no single times: their median is the only value")
        memory = entry.memory_usage_byte or []
        for index, seconds in enumerate(times):
            figures = {TIME: seconds * 1e9}
            if len(memory) == len(times) and (used := memory[index]) is not None:
                figures[_MEMORY] = used
            parsed.add(figures)
        if any(entry.exit_codes or []):
            run.note(f"{parsed.name} failed in some runs; their times count nevertheless")
    return run
