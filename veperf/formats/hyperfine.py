"""hyperfine: what ``--export-json`` writes."""

from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.formats.collector import Collector, plain
from veperf.formats.source import Source

TOOL = "hyperfine"

_MEMORY = Metric("memory", "B")


class Entry(Struct, frozen=True):
    """One command; times in seconds."""

    command: str
    times: list[float] | None = None
    median: float | None = None
    mean: float | None = None
    memory_usage_byte: list[float | None] | None = None
    exit_codes: list[int | None] | None = None
    parameters: dict[str, Any] | None = None


class File(Struct, frozen=True):
    """The whole file."""

    results: list[Entry]


def matches(source: Source) -> bool:
    """Whether the first result has a command."""
    if "results" not in source.keys or not isinstance(source.document, dict):
        return False
    found = source.document["results"]
    return (
        isinstance(found, list)
        and bool(found)
        and isinstance(found[0], dict)
        and "command" in found[0]
    )


def read(source: Source) -> Collector:
    """The run in the file."""
    run = Collector(TOOL)
    counts: dict[str, int] = {}
    for entry in source.document_as(File).results:
        counts[entry.command] = counts.get(entry.command, 0) + 1
        again = f" ({counts[entry.command]})" if counts[entry.command] > 1 else ""
        one = run.benchmark(TOOL, entry.command + again, params=plain(entry.parameters))
        times = entry.times or []
        if not times:
            middle = entry.median if entry.median is not None else entry.mean
            times = [] if middle is None else [middle]
            run.note("no single times for some commands: their median is the one value there is")
        memory = entry.memory_usage_byte or []
        for index, seconds in enumerate(times):
            figures = {TIME: seconds * 1e9}
            if len(memory) == len(times) and (used := memory[index]) is not None:
                figures[_MEMORY] = used
            one.add(figures)
        if any(entry.exit_codes or []):
            run.note(f"{one.name} ended with a failure in some runs; their times count")
    return run
