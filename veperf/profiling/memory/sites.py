"""Allocation sites: the memory that each line of code allocates, holds and keeps."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from memray import AllocationRecord, FileReader
from msgspec import Struct

from veperf.profiling.memory.alignment import Alignment, Key, align, read_events
from veperf.profiling.memory.capture import FREES, OWN_THREAD, measured_records, open_records
from veperf.profiling.memory.locations import Location, Locations

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
    """Bytes that a call leaves behind when all garbage is collected, if the line keeps more and
    more, be it in one block that grows; else 0. A cache of more results than two thirds of the
    calls looks like a leak."""


class Detail(Struct, frozen=True):
    """The records of a number of calls, summed up by site and over time."""

    high_water_bytes: int
    """Peak of the memory that these calls allocated."""
    curve_bytes: tuple[int, ...]
    """Bytes held from the first allocation to the last: the peak in each of at most 480 parts."""
    sites: tuple[Site, ...]
    """Sites, the one that allocates most first."""


@dataclass(slots=True)
class _Counts:
    total_bytes: int = 0
    allocations: int = 0
    held_bytes: int = 0
    peak_bytes: int = 0


def read_detail(
    counted: Path,
    traced: Path,
    calls: int,
    kept: Mapping[Location, float],
    *,
    multithreaded: bool = False,
    native: bool = False,
) -> Detail:
    """Sum up the records in ``traced``, which has stacks, to the counts of ``counted``.

    Both are of one call, which is left out, and so many ``calls``. Blocks of ``counted`` that can't
    be told in ``traced`` have a site of their own, so that the sites add up to the true counts.
    ``kept`` are the bytes that lines keep of a call.

    Raises:
        MeasureError: they can't be read, or are cut off.
    """
    alignment = _align_records(counted, traced, multithreaded)
    held_curve = _HeldCurve()
    with open_records(traced) as reader:
        held_curve.follow(_steps(reader, alignment.own, multithreaded, _no_location))
    sites_book = _SiteCounts()
    with open_records(traced) as reader:
        steps = _steps(reader, alignment.own, multithreaded, Locations(native=native).of)
        sites_book.follow(steps, held_curve.peak_at)
    sites_book.add_unplaced(alignment)
    # A block that grows is not resized in every recording.
    counts = {line: _Counts() for line in kept} | sites_book.counts
    sites = [_site(line, each, calls, kept.get(line, 0.0)) for line, each in counts.items()]
    sites.sort(key=lambda site: (-site.total_bytes, site.file, site.line, site.function))
    return Detail(held_curve.peak_bytes, held_curve.curve(), tuple(sites))


def _align_records(counted: Path, traced: Path, multithreaded: bool) -> Alignment:
    events: list[list[Key]] = []
    for path in (counted, traced):
        with open_records(path) as reader:
            records = measured_records(reader.get_allocation_records())
            events.append(read_events(records, multithreaded=multithreaded))
    return align(*events)


_UNPLACED = "not found again with the stacks", "", 0


class _Step(Struct, frozen=True):
    """An allocation, or the release of one."""

    location: Location
    change_bytes: int
    """Negative for a release."""
    is_release: bool


def _steps(
    reader: FileReader,
    own: bytes,
    multithreaded: bool,
    locate: Callable[[AllocationRecord], Location],
) -> Iterator[_Step]:
    """Yield the counted allocations, and the releases with their allocations' locations."""
    held: dict[int, tuple[int, Location]] = {}
    first_call, is_own = True, iter(own)
    for record in measured_records(reader.get_allocation_records()):
        if record is None:
            first_call = False
        elif first_call:
            continue
        elif record.allocator in FREES:
            if (freed := held.pop(record.address, None)) is not None:
                yield _Step(freed[1], -freed[0], is_release=True)
        elif multithreaded or record.tid == OWN_THREAD:
            if not next(is_own):
                continue
            location = locate(record)
            held[record.address] = record.size, location
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

    def add_unplaced(self, alignment: Alignment) -> None:
        """Add the blocks that have no place."""
        for size, _ in alignment.unplaced:
            self.counts[_UNPLACED].total_bytes += size
            self.counts[_UNPLACED].allocations += 1


def _no_location(_: AllocationRecord) -> Location:
    return "", "", 0


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
