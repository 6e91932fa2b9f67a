"""Recording every allocation of a stretch of work, and adding the records up."""

import gc
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path

from memray import AllocationRecord, AllocatorType, FileReader, Tracker
from msgspec import Struct

from veperf.errors import MeasureError

_FREES = frozenset({AllocatorType.FREE, AllocatorType.MUNMAP, AllocatorType.PYMALLOC_FREE})
_OWN_THREAD = 1
"""The number that memray gives to the thread that starts it."""
_MARK_BYTES = 1_299_709
"""An allocation of so many bytes (and one) stands at either end of the stretch."""


class Tally(Struct, frozen=True):
    """What a stretch of work allocated."""

    total_bytes: int
    """Of all allocations, freed or not; a block that is moved to grow counts whole again."""
    allocations: int
    peak_bytes: int
    """The most that was held at one moment of what was allocated in the stretch."""


def capture(call: Callable[[], object], loops: int, *, multithreaded: bool = False) -> Tally:
    """What ``loops`` calls of ``call`` allocate, by Python's allocators and by malloc and mmap.

    Of the calling thread alone, unless the work is ``multithreaded``. What was there before does
    not count. Garbage is collected beforehand, and during the calls as Python does it.

    Raises:
        MeasureError: another Tracker is active, or the records can't be written or read.
        Whatever ``call`` does.
    """
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        path = Path(folder) / "records.bin"
        rounds = repeat(None, loops)
        # Made to grow in place, these allocate nothing but the mark.
        begin, end = bytearray(1), bytearray(1)
        gc.collect()
        with ExitStack() as tracking:
            _track(tracking, path)
            begin *= _MARK_BYTES
            for _ in rounds:
                call()
            end *= _MARK_BYTES
        return tally(path, multithreaded=multithreaded)


def _track(tracking: ExitStack, path: Path) -> None:
    try:
        tracking.enter_context(Tracker(path, trace_python_allocators=True))
    except (OSError, RuntimeError) as error:
        raise MeasureError(f"allocations can't be recorded: {error}") from error


def tally(path: Path, *, multithreaded: bool = False) -> Tally:
    """Add up the records in the file ``path``, which ``capture`` made.

    Raises:
        MeasureError: it can't be read, or is cut off.
    """
    try:
        with FileReader(path) as reader:
            found = _add_up(_between_marks(reader.get_allocation_records()), multithreaded)
    except OSError as error:
        raise MeasureError(f"the records of allocations can't be read: {error}") from error
    return found


def _between_marks(records: Iterable[AllocationRecord]) -> Iterator[AllocationRecord]:
    """The stretch itself, without what recording costs before and after it.

    Raises:
        MeasureError: it has no end: memray goes on in silence when its disk is full.
    """
    marks = 0
    for record in records:
        if record.size == _MARK_BYTES + 1 and record.tid == _OWN_THREAD:
            marks += 1
            if marks == 2:
                return
        elif marks:
            yield record
    raise MeasureError("the records of allocations are cut off; is the disk full?")


def _add_up(records: Iterable[AllocationRecord], multithreaded: bool) -> Tally:
    total = allocations = held = peak = 0
    sizes: dict[int, int] = {}
    for record in records:
        address, size = record.address, record.size
        if record.allocator in _FREES:
            # What was allocated before, or by others, is not known here.
            held -= sizes.pop(address, 0)
        elif multithreaded or record.tid == _OWN_THREAD:
            total += size
            allocations += 1
            held += size - sizes.get(address, 0)
            sizes[address] = size
            if held > peak:
                peak = held
    return Tally(total, allocations, peak)
