"""Evidence of a leak: the lines, native ones too, whose memory some work leaves behind."""

import gc
import sysconfig
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from memray import AllocationRecord
from msgspec import Struct

from veperf.core.text import format_bytes, format_count, format_duration, plural
from veperf.profiling.memory import charts
from veperf.profiling.memory.capture import open_records, track_allocations
from veperf.profiling.memory.flamegraph_page import write_flamegraph
from veperf.profiling.memory.locations import RelativeFiles, native_function
from veperf.profiling.memory.process_probes import read_resident
from veperf.profiling.memory.retained_objects import ObjectCensus, RetainedObjects

_MAX_SITES = 20
_MAX_ROWS = 8
_LEAST_SHARE = 0.01
"""Lines that left less of the whole are not shown."""
_MAX_CALLERS = 3
_DEEPEST = 10_000
"""Frames of a stack that are read; without a number, memray leaves out those of the caller."""
_OWN_GROWTH = 4 * 2**20
"""Memory that recording takes itself."""
_PACKAGE, _WORK = "veperf/", "veperf/workloads/"
_SHARED = ("veperf/core/", "veperf/ipc/")
"""Parts that the workloads use, too: who calls them says whose memory it is."""
_CALLING = (
    "veperf/loadtest/generator.py",
    "veperf/runner/continued_load.py",
    "veperf/profiling/memory/leak_evidence.py",
)
"""Files that call the system under load, or other work."""
_LIBRARIES = ("<", *(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib")))
"""Prefixes of files of the standard library, and of what is in no file."""
_INSTALLED = "site-packages", "dist-packages"
_LEAST_UNEXPLAINED = 0.2
"""A smaller share of the growth is not looked for: recording takes some memory itself."""


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
    called_from: str = ""
    """Where the line is a library's: the nearest caller outside of libraries, as file, line and
    function. Empty if there is none."""


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
    grown_bytes: int = 0
    """Growth of the memory that the process had asked for, during the stretch."""
    mapped_bytes: int = 0
    """Growth of the resident pages of files and of shared memory."""
    more_threads: int = 0
    """Threads that the stretch started, and that run on."""
    threads_from: str = ""
    """The line that started most of them, as ``LeakSite.called_from``; empty if not known."""

    @property
    def unexplained_bytes(self) -> int:
        """Growth that no recorded allocation explains; 0 if that is a small part of it."""
        rest = self.grown_bytes - self.left_bytes
        return rest if rest > max(_LEAST_UNEXPLAINED * self.grown_bytes, _OWN_GROWTH) else 0

    def __repr__(self) -> str:
        rows = [f"  {_left(site)} by {_place(site)}" for site in self._largest()]
        objects = [f"  {text}" for text in self._grown()]
        return "\n".join([*self._summary(), *rows, *objects])

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
        objects = "".join(f"<li>{escape(text)}</li>" for text in self._grown())
        link = charts.file_link(self.flamegraph, "flamegraph") if self.flamegraph else ""
        head, *others = self._summary()
        explained = "".join(f"<p>{escape(text)}</p>" for text in others)
        return charts.html_card(head, explained, table, f"<ul>{objects}</ul>", link)

    def _largest(self) -> list[LeakSite]:
        least = _LEAST_SHARE * max(self.left_bytes, self.grown_bytes)
        return [site for site in self.sites[:_MAX_ROWS] if site.size_bytes >= least]

    def _grown(self) -> list[str]:
        started = f", started by {self.threads_from}" if self.threads_from else ""
        threads = f"{plural(self.more_threads, 'more thread')}{started}"
        return [*([threads] if self.more_threads else []), *map(_grown, self.objects)]

    def _summary(self) -> list[str]:
        grown, mapped = format_bytes(self.grown_bytes), format_bytes(self.mapped_bytes)
        lines = [
            f"left over after {format_duration(self.seconds)} more of the load: "
            f"{format_bytes(self.left_bytes)} in {plural(self.left_blocks, 'block')}; "
            f"resident memory grew by {grown}"
        ]
        if self.unexplained_bytes:
            lines.append(
                f"recorded allocations explain {format_bytes(self.left_bytes)} of these {grown}; "
                "the rest is native memory that memray doesn't see (malloc by a pointer that "
                "ctypes looked up, stacks of threads), or blocks from before that filled up: "
                "heaptrack or `valgrind --tool=massif` would tell"
            )
        elif self.left_bytes < self.grown_bytes / 2:
            lines.append(
                f"recorded allocations explain {format_bytes(self.left_bytes)} of these {grown}; "
                f"the rest may be what recording takes itself, up to {format_bytes(_OWN_GROWTH)}, "
                "or native memory, such as stacks of threads: a longer soak would tell"
            )
        if self.left_bytes - self.grown_bytes > max(self.left_bytes / 2, _OWN_GROWTH):
            lines.append(
                "more is left than memory grew by: it replaced what had been there, or is a block "
                "that was enlarged, which counts whole"
            )
        if self.mapped_bytes > _OWN_GROWTH:
            lines.append(
                f"{mapped} more of mapped files and shared memory are resident, which is no heap"
            )
        return lines


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
    census, before, threads = ObjectCensus(), read_resident(), threading.active_count()
    with tempfile.TemporaryDirectory(prefix="veperf-leak-") as folder:
        records = Path(folder) / "records.bin"
        with track_allocations(records, with_stacks=True, native=True):
            work()
            gc.collect()
            after = read_resident()
            more_threads = max(threading.active_count() - threads, 0)
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
        grown_bytes=max(after.own_bytes - before.own_bytes, 0),
        mapped_bytes=max(after.mapped_bytes - before.mapped_bytes, 0),
        more_threads=more_threads,
        threads_from=_starter(sites) if more_threads else "",
    )


def _starter(sites: Iterable[LeakSite]) -> str:
    """Return the line outside of libraries that started most threads, by what they keep."""
    started: Counter[str] = Counter()
    for site in sites:
        if site.called_from and site.function == "start" and site.file.endswith("threading.py"):
            started[site.called_from] += site.blocks
    return max(started, key=lambda place: started[place], default="")


def _sites(left: list[AllocationRecord]) -> tuple[LeakSite, ...]:
    files = RelativeFiles()
    sums: dict[tuple[str, str, int, str], list[int]] = defaultdict(lambda: [0, 0])
    examples: dict[tuple[str, str, int, str], tuple[int, AllocationRecord]] = {}
    for record in left:
        stack = record.stack_trace(max_stacks=1) or record.native_stack_trace(max_stacks=1)
        function, file, line = stack[0] if stack else ("outside of Python", "", 0)
        if _is_own(record, files):
            continue
        place = function, files.name(file), line, _called_from(record, files)
        counts = sums[place]
        counts[0] += record.size
        counts[1] += record.n_allocations
        if place not in examples or record.size > examples[place][0]:
            examples[place] = record.size, record
    sites = [
        LeakSite(*place[:3], *_context(examples[place][1], files), size, blocks, place[3])
        for place, (size, blocks) in sums.items()
    ]
    return tuple(sorted(sites, key=lambda site: (-site.size_bytes, site.file, site.line)))


def _called_from(record: AllocationRecord, files: RelativeFiles) -> str:
    """Return the nearest caller outside of libraries; empty if it is the line itself, or none."""
    for depth, (function, file, line) in enumerate(record.stack_trace(max_stacks=_DEEPEST)):
        if not _is_library(file):
            return f"{files.name(file)}:{line} {function}" if depth else ""
    return ""


def _is_library(file: str) -> bool:
    return file.startswith(_LIBRARIES) or any(f"/{name}/" in file for name in _INSTALLED)


def _is_own(record: AllocationRecord, files: RelativeFiles) -> bool:
    """Return whether veperf allocated it to watch, and neither the system nor a workload.

    The package's file that is nearest to the allocation decides: a library that it calls allocates
    for it, but the system that it loads, and the work, allocate for themselves.
    """
    for depth, (_, file, _) in enumerate(record.stack_trace(max_stacks=_DEEPEST)):
        name = files.name(file)
        if not name.startswith(_PACKAGE) or name.startswith(_SHARED):
            continue
        is_system = depth > 0 and name.startswith(_CALLING)
        return not (is_system or name.startswith(_WORK))
    return False


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
    native = f", in {site.native}" if site.native else ""
    return where + native + (f", called from {site.called_from}" if site.called_from else "")


def _grown(item: RetainedObjects) -> str:
    held = f", held by {', '.join(item.held_by)}" if item.held_by else ""
    if item.is_container:
        return f"{plural(item.more, 'more item')} in a {item.kind}{held}"
    return f"{format_count(item.more)} more objects of type {item.kind}{held}"
