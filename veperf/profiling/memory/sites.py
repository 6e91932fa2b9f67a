"""Where in the code memory is allocated, held and kept: the records of a capture, line by line."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from memray import AllocationRecord, FileReader
from msgspec import Struct

from veperf.profiling.memory.capture import FREES, OWN_THREAD, reading, stretch

_MOST_POINTS = 480


class Site(Struct, frozen=True):
    """A line that allocates."""

    function: str
    file: str
    line: int
    total_bytes: float
    """Allocated by a call, freed or not."""
    allocations: float
    """By a call."""
    peak_bytes: int
    """Held when most was held."""
    kept_bytes: float
    """That a call leaves behind when all garbage is collected; 0 where only some calls do. The last
    call counts for nothing: what it leaves may be what the next one would replace."""


class Detail(Struct, frozen=True):
    """What the records of a stretch of calls say."""

    high_water_bytes: int
    """The most that was held at one moment, of what was allocated in the stretch."""
    curve_bytes: tuple[int, ...]
    """Held from the first allocation to the last: the most in each of at most 480 parts."""
    sites: tuple[Site, ...]
    """The one that allocates most first."""


Location = tuple[str, str, int]


@dataclass(slots=True)
class _Counts:
    total_bytes: int = 0
    allocations: int = 0
    held_bytes: int = 0
    peak_bytes: int = 0


def read_detail(path: Path, calls: int, *, multithreaded: bool = False) -> Detail:
    """What the records in ``path``, of a stretch of so many ``calls``, say.

    Raises:
        MeasureError: it can't be read, or is cut off.
    """
    heights = _Heights()
    with reading(path) as reader:
        heights.follow(_steps(reader, multithreaded, _nowhere, _Kept()))
    book, kept = _Book(), _Kept()
    with reading(path) as reader:
        book.follow(_steps(reader, multithreaded, _Locations().of, kept), heights.peak_at)
    kept_bytes = kept.by_location(calls)
    sites = [
        _site(location, counts, calls, kept_bytes.get(location, 0.0))
        for location, counts in book.counts.items()
        if not location[1].endswith("veperf/profiling/memory/capture.py")  # the loop itself
    ]
    sites.sort(key=lambda site: (-site.total_bytes, site.file, site.line, site.function))
    return Detail(heights.peak_bytes, heights.curve(), tuple(sites))


_NATIVE = "outside of Python", "", 0


class _Step(Struct, frozen=True):
    """An allocation, or the release of one."""

    location: Location
    change_bytes: int
    """Negative for a release."""
    is_release: bool


@dataclass(slots=True)
class _Kept:
    """The blocks that are held, by address."""

    blocks: dict[int, tuple[int, Location, int]] = field(default_factory=dict)
    """Size, place and number of the call that made it."""

    def by_location(self, calls: int) -> dict[Location, float]:
        """Bytes that each call but the last has left behind, where every one of them has."""
        made_in: dict[Location, set[int]] = defaultdict(set)
        left: dict[Location, int] = defaultdict(int)
        for size, location, call in self.blocks.values():
            if call < calls - 1:
                made_in[location].add(call)
                left[location] += size
        return {
            location: left[location] / (calls - 1)
            for location, numbers in made_in.items()
            if len(numbers) == calls - 1
        }


def _steps(
    reader: FileReader,
    multithreaded: bool,
    locate: Callable[[AllocationRecord], Location],
    kept: _Kept,
) -> Iterator[_Step]:
    """What counts of the records, each release with the place of its allocation."""
    held, call = kept.blocks, 0
    for one in stretch(reader.get_allocation_records()):
        if one is None:
            call += 1
        elif one.allocator in FREES:
            if (freed := held.pop(one.address, None)) is not None:
                yield _Step(freed[1], -freed[0], is_release=True)
        elif multithreaded or one.tid == OWN_THREAD:
            location = locate(one)
            held[one.address] = one.size, location, call
            yield _Step(location, one.size, is_release=False)


@dataclass(slots=True)
class _Heights:
    """How much is held, step by step, and where the highest point is."""

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
            self._draw()
            self._steps += 1

    def curve(self) -> tuple[int, ...]:
        return tuple(self._parts)

    def _draw(self) -> None:
        if self._steps % self._each:
            self._parts[-1] = max(self._parts[-1], self._held)
            return
        if len(self._parts) == _MOST_POINTS:
            # Two become one, so that a stretch of any length fits.
            pairs = zip(self._parts[::2], self._parts[1::2], strict=True)
            self._parts = [max(pair) for pair in pairs]
            self._each *= 2
        self._parts.append(self._held)


@dataclass(slots=True)
class _Book:
    """Keeps the counts of each line."""

    counts: dict[Location, _Counts] = field(default_factory=lambda: defaultdict(_Counts))

    def follow(self, steps: Iterable[_Step], peak_at: int) -> None:
        for number, step in enumerate(steps):
            counts = self.counts[step.location]
            counts.held_bytes += step.change_bytes
            if not step.is_release:
                counts.total_bytes += step.change_bytes
                counts.allocations += 1
            if number == peak_at:
                for one in self.counts.values():
                    one.peak_bytes = one.held_bytes


def _nowhere(_: AllocationRecord) -> Location:
    return "", "", 0


class _Locations:
    """The line of a record, looked up once for each stack.

    Files are named from where they are imported, so that a profile says nothing of the machine.
    """

    def __init__(self) -> None:
        self._known: dict[int, Location] = {}
        folders = {str(Path(entry or ".").resolve()) + "/" for entry in sys.path}
        self._folders = sorted(folders, key=len, reverse=True)

    def of(self, record: AllocationRecord) -> Location:
        if record.stack_id not in self._known:
            stack = record.stack_trace(max_stacks=1)
            self._known[record.stack_id] = self._named(stack[0]) if stack else _NATIVE
        return self._known[record.stack_id]

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
