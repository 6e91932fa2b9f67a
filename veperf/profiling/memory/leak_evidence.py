"""Evidence of a leak: the lines, native ones too, whose memory some work leaves behind."""

import gc
import tempfile
from collections import defaultdict
from collections.abc import Callable
from html import escape
from pathlib import Path

from memray import AllocationRecord
from msgspec import Struct

from veperf.core.text import format_bytes, format_count, format_duration, plural
from veperf.profiling.memory import charts
from veperf.profiling.memory.capture import open_records, track_allocations
from veperf.profiling.memory.flamegraph_page import write_flamegraph
from veperf.profiling.memory.retained_objects import ObjectCensus, RetainedObjects
from veperf.profiling.memory.sites import RelativeFiles, native_function

_MAX_SITES = 20
_MAX_ROWS = 8
_LEAST_SHARE = 0.01
"""Lines that left less of the whole are not shown."""
_MAX_CALLERS = 3
# The load's own bookkeeping, which ends with it.
_OWN = ("veperf/loadtest/", "veperf/progress/", "veperf/profiling/memory/", "veperf/runner/soak")


class LeakSite(Struct, frozen=True):
    """A line whose memory was not released."""

    function: str
    file: str
    line: int
    """0 where no Python code was running: ``function`` and ``file`` are native then."""
    callers: tuple[str, ...]
    """File, line and function of up to three callers, the nearest first."""
    native: str
    """The native function and library that called malloc; empty for objects of Python."""
    size_bytes: int
    blocks: int


class LeakEvidence(Struct, frozen=True):
    """Memory that a stretch of work left behind, of all threads of the process."""

    seconds: float
    """Duration of the stretch."""
    left_bytes: int
    left_blocks: int
    sites: tuple[LeakSite, ...]
    """Lines, the one that left most first."""
    objects: tuple[RetainedObjects, ...]
    flamegraph: str = ""
    """HTML file with the flamegraph of what was left; empty for none."""

    def __repr__(self) -> str:
        rows = [f"  {_left(site)} by {_place(site)}" for site in self._largest()]
        return "\n".join([self._summary(), *rows, *(f"  {_grown(item)}" for item in self.objects)])

    def _repr_html_(self) -> str:
        table = charts.plain_table(
            ("bytes", "blocks", "where", "called by"),
            [
                (
                    format_bytes(site.size_bytes),
                    format_count(site.blocks),
                    _place(site),
                    " from ".join(site.callers),
                )
                for site in self._largest()
            ],
        )
        objects = "".join(f"<li>{escape(_grown(item))}</li>" for item in self.objects)
        link = charts.file_link(self.flamegraph, "flamegraph") if self.flamegraph else ""
        return charts.html_card(self._summary(), table, f"<ul>{objects}</ul>", link)

    def _largest(self) -> list[LeakSite]:
        least = _LEAST_SHARE * self.left_bytes
        return [site for site in self.sites[:_MAX_ROWS] if site.size_bytes >= least]

    def _summary(self) -> str:
        return (
            f"left over after {format_duration(self.seconds)} more of the load: "
            f"{format_bytes(self.left_bytes)} in {plural(self.left_blocks, 'block')}"
        )


def record_leak(
    work: Callable[[], object], seconds: float, flamegraph: Path | None = None
) -> LeakEvidence:
    """Do ``work``, which takes about so many ``seconds``, and return the memory that it leaves.

    It is recorded in all threads, with native stacks, so that it is several times slower. Forked
    and other processes are not recorded.

    Raises:
        MeasureError: allocations can't be recorded, or not read.
        StorageError: the flamegraph can't be written.
        Whatever ``work`` does.
    """
    gc.collect()
    census = ObjectCensus()
    with tempfile.TemporaryDirectory(prefix="veperf-leak-") as folder:
        records = Path(folder) / "records.bin"
        with track_allocations(records, with_stacks=True, native=True):
            work()
            gc.collect()
        objects = census.grown()
        with open_records(records) as reader:
            left = list(reader.get_leaked_allocation_records(merge_threads=True))
            sites = _sites(left)
            if flamegraph is not None:
                write_flamegraph(reader, left, flamegraph, leaks=True, native=True)
    return LeakEvidence(
        seconds=seconds,
        left_bytes=sum(site.size_bytes for site in sites),
        left_blocks=sum(site.blocks for site in sites),
        sites=sites[:_MAX_SITES],
        objects=objects,
        flamegraph=str(flamegraph or ""),
    )


def _sites(left: list[AllocationRecord]) -> tuple[LeakSite, ...]:
    files = RelativeFiles()
    sums: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    examples: dict[tuple[str, str, int], tuple[int, AllocationRecord]] = {}
    for record in left:
        stack = record.stack_trace(max_stacks=1) or record.native_stack_trace(max_stacks=1)
        function, file, line = stack[0] if stack else ("outside of Python", "", 0)
        place = function, files.name(file), line
        if place[1].startswith(_OWN):
            continue
        counts = sums[place]
        counts[0] += record.size
        counts[1] += record.n_allocations
        if place not in examples or record.size > examples[place][0]:
            examples[place] = record.size, record
    sites = [
        LeakSite(*place, *_context(examples[place][1], files), size, blocks)
        for place, (size, blocks) in sums.items()
    ]
    return tuple(sorted(sites, key=lambda site: (-site.size_bytes, site.file, site.line)))


def _context(record: AllocationRecord, files: RelativeFiles) -> tuple[tuple[str, ...], str]:
    """Return the callers of a record's line, and the native function that called malloc."""
    callers = tuple(
        f"{files.name(file)}:{line} {function}"
        for function, file, line in record.stack_trace(max_stacks=1 + _MAX_CALLERS)[1:]
    )
    return callers, native_function(record)


def _left(site: LeakSite) -> str:
    return f"{format_bytes(site.size_bytes)} in {plural(site.blocks, 'block')}"


def _place(site: LeakSite) -> str:
    where = f"{site.file}:{site.line} {site.function}" if site.line else site.function
    return f"{where}, in {site.native}" if site.native else where


def _grown(item: RetainedObjects) -> str:
    held = f", held by {', '.join(item.held_by)}" if item.held_by else ""
    if item.is_container:
        return f"{plural(item.more, 'more item')} in a {item.kind}{held}"
    return f"{format_count(item.more)} more objects of type {item.kind}{held}"
