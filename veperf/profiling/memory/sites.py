"""Allocation sites: the memory that each line of code allocates, holds and keeps."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from memray import AllocationRecord, FileReader
from msgspec import Struct

from veperf.profiling.memory.capture import FREES, OWN_THREAD, measured_records, open_records

_MAX_POINTS = 480


class Site(Struct, frozen=True):
    """A line that allocates."""

    function: str
    file: str
    line: int
    total_bytes: float
    """Bytes allocated by a call, freed or not."""
    allocations: float
    """Allocations by a call."""
    peak_bytes: int
    """Bytes held at the peak of all."""
    kept_bytes: float
    """Bytes that a call leaves behind when all garbage is collected; 0 if only some calls do. The
    last call does not count: the next one might replace what it leaves."""


class Detail(Struct, frozen=True):
    """The records of a number of calls, summed up by site and over time."""

    high_water_bytes: int
    """Peak of the memory that these calls allocated."""
    curve_bytes: tuple[int, ...]
    """Bytes held from the first allocation to the last: the peak in each of at most 480 parts."""
    sites: tuple[Site, ...]
    """Sites, the one that allocates most first."""


Location = tuple[str, str, int]


@dataclass(slots=True)
class _Counts:
    total_bytes: int = 0
    allocations: int = 0
    held_bytes: int = 0
    peak_bytes: int = 0


def read_detail(path: Path, calls: int, *, multithreaded: bool = False) -> Detail:
    """Sum up the records in ``path``, of so many ``calls``.

    Raises:
        MeasureError: they can't be read, or are cut off.
    """
    held_curve = _HeldCurve()
    with open_records(path) as reader:
        held_curve.follow(_steps(reader, multithreaded, _no_location, _HeldBlocks()))
    sites_book, kept = _SiteCounts(), _HeldBlocks()
    with open_records(path) as reader:
        sites_book.follow(_steps(reader, multithreaded, _Locations().of, kept), held_curve.peak_at)
    kept_bytes = kept.by_location(calls)
    sites = [
        _site(location, counts, calls, kept_bytes.get(location, 0.0))
        for location, counts in sites_book.counts.items()
        if not location[1].endswith("veperf/profiling/memory/capture.py")  # the loop itself
    ]
    sites.sort(key=lambda site: (-site.total_bytes, site.file, site.line, site.function))
    return Detail(held_curve.peak_bytes, held_curve.curve(), tuple(sites))


_NATIVE = "outside of Python", "", 0


class _Step(Struct, frozen=True):
    """An allocation, or the release of one."""

    location: Location
    change_bytes: int
    """Negative for a release."""
    is_release: bool


@dataclass(slots=True)
class _HeldBlocks:
    """The blocks that are held, by address."""

    blocks: dict[int, tuple[int, Location, int]] = field(default_factory=dict)
    """Size, location and number of the call that allocated it."""

    def by_location(self, calls: int) -> dict[Location, float]:
        """Return the bytes kept by each call but the last, of lines where every call keeps some."""
        calls_of: dict[Location, set[int]] = defaultdict(set)
        kept_bytes: dict[Location, int] = defaultdict(int)
        for size, location, call in self.blocks.values():
            if call < calls - 1:
                calls_of[location].add(call)
                kept_bytes[location] += size
        return {
            location: kept_bytes[location] / (calls - 1)
            for location, numbers in calls_of.items()
            if len(numbers) == calls - 1
        }


def _steps(
    reader: FileReader,
    multithreaded: bool,
    locate: Callable[[AllocationRecord], Location],
    kept: _HeldBlocks,
) -> Iterator[_Step]:
    """Yield the counted allocations, and the releases with their allocations' locations."""
    held, call = kept.blocks, 0
    for record in measured_records(reader.get_allocation_records()):
        if record is None:
            call += 1
        elif record.allocator in FREES:
            if (freed := held.pop(record.address, None)) is not None:
                yield _Step(freed[1], -freed[0], is_release=True)
        elif multithreaded or record.tid == OWN_THREAD:
            location = locate(record)
            held[record.address] = record.size, location, call
            yield _Step(location, record.size, is_release=False)


@dataclass(slots=True)
class _HeldCurve:
    """Memory held over the steps, and the step of its peak."""

    peak_bytes: int = 0
    peak_at: int = -1
    _held: int = 0
    _parts: list[int] = field(default_factory=list)
    _each: int = 1
    _steps: int = 0

    def follow(self, steps: Iterable[_Step]) -> None:
        for step in steps:
            self._held += step.change_bytes
            if self._held > self.peak_bytes:
                self.peak_bytes, self.peak_at = self._held, self._steps
            self._add_point()
            self._steps += 1

    def curve(self) -> tuple[int, ...]:
        return tuple(self._parts)

    def _add_point(self) -> None:
        if self._steps % self._each:
            self._parts[-1] = max(self._parts[-1], self._held)
            return
        if len(self._parts) == _MAX_POINTS:
            # Points are merged in pairs, so that any number of steps fits.
            pairs = zip(self._parts[::2], self._parts[1::2], strict=True)
            self._parts = [max(pair) for pair in pairs]
            self._each *= 2
        self._parts.append(self._held)


@dataclass(slots=True)
class _SiteCounts:
    """The counts of each line."""

    counts: dict[Location, _Counts] = field(default_factory=lambda: defaultdict(_Counts))

    def follow(self, steps: Iterable[_Step], peak_at: int) -> None:
        for number, step in enumerate(steps):
            counts = self.counts[step.location]
            counts.held_bytes += step.change_bytes
            if not step.is_release:
                counts.total_bytes += step.change_bytes
                counts.allocations += 1
            if number == peak_at:
                for site in self.counts.values():
                    site.peak_bytes = site.held_bytes


def _no_location(_: AllocationRecord) -> Location:
    return "", "", 0


class _Locations:
    """Lines of records, looked up once for each stack.

    Files are named relative to the import path, so that a profile has no paths of the machine.
    """

    def __init__(self) -> None:
        self._by_stack: dict[int, Location] = {}
        folders = {str(Path(entry or ".").resolve()) + "/" for entry in sys.path}
        self._folders = sorted(folders, key=len, reverse=True)

    def of(self, record: AllocationRecord) -> Location:
        if record.stack_id not in self._by_stack:
            stack = record.stack_trace(max_stacks=1)
            self._by_stack[record.stack_id] = self._named(stack[0]) if stack else _NATIVE
        return self._by_stack[record.stack_id]

    def _named(self, location: Location) -> Location:
        function, file, line = location
        for folder in self._folders:
            if file.startswith(folder):
                return function, file.removeprefix(folder), line
        return location


def _site(location: Location, counts: _Counts, calls: int, kept_bytes: float) -> Site:
    function, file, line = location
    return Site(
        function=function,
        file=file,
        line=line,
        total_bytes=counts.total_bytes / calls,
        allocations=counts.allocations / calls,
        peak_bytes=counts.peak_bytes,
        kept_bytes=kept_bytes,
    )
