"""Recording every allocation of a stretch of work, and adding the records up."""

import gc
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path
from statistics import median_low

from memray import AllocationRecord, AllocatorType, FileReader, Tracker
from msgspec import Struct

from veperf.errors import MeasureError

FREES = frozenset({AllocatorType.FREE, AllocatorType.MUNMAP, AllocatorType.PYMALLOC_FREE})
OWN_THREAD = 1
"""The number that memray gives to the thread that starts it."""
_MARK_BYTES = 1_299_709
"""An allocation of so many bytes (and one) stands at either end of the stretch, and of garbage
collection after it."""
_REST_BYTES, _LAP_TIMES = 7_919, 13
"""Between two calls a block of so many bytes becomes so many times as long, and shrinks again."""
_LAP_BYTES = _REST_BYTES * _LAP_TIMES


class Tally(Struct, frozen=True):
    """What a stretch of work allocated."""

    total_bytes: int
    """Of all allocations, freed or not; a block that is moved to grow counts whole again."""
    allocations: int
    peak_bytes: int
    """The most that was held during a call, less what was held when it began, of what was
    allocated in the stretch: the median over the calls, of two the lower one."""


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
        record(call, loops, path)
        return tally(path, multithreaded=multithreaded)


def record(call: Callable[[], object], loops: int, path: Path) -> None:
    """Record what ``loops`` calls of ``call`` allocate, and free, in the new file ``path``.

    Raises:
        MeasureError: another Tracker is active, or the file can't be made.
        Whatever ``call`` does.
    """
    more = repeat(None, loops - 1)
    # Made to grow in place, these allocate nothing but the mark.
    begin, end, collected = bytearray(1), bytearray(1), bytearray(1)
    lap = bytearray(_REST_BYTES)
    rest = slice(_REST_BYTES, None)
    gc.collect()
    with tracking(path):
        begin *= _MARK_BYTES
        call()
        for _ in more:
            lap *= _LAP_TIMES
            del lap[rest]
            call()
        end *= _MARK_BYTES
        gc.collect()
        collected *= _MARK_BYTES


@contextmanager
def tracking(path: Path) -> Iterator[None]:
    """Record into the new file ``path``.

    Raises:
        MeasureError: another Tracker is active, or the file can't be made.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(Tracker(path, trace_python_allocators=True))
        except AssertionError as error:
            # memray's whole answer in a fork of a process in which one is active.
            raise MeasureError("allocations can't be recorded: a Tracker is active") from error
        except (OSError, RuntimeError) as error:
            raise MeasureError(f"allocations can't be recorded: {error}") from error
        yield


def tally(path: Path, *, multithreaded: bool = False) -> Tally:
    """Add up the records in the file ``path``, which ``capture`` made.

    Raises:
        MeasureError: it can't be read, or is cut off.
    """
    with reading(path) as reader:
        return _add_up(stretch(reader.get_allocation_records()), multithreaded)


@contextmanager
def reading(path: Path) -> Iterator[FileReader]:
    """A reader of the records in ``path``.

    Raises:
        MeasureError: it can't be read, also where that shows only within the context.
    """
    try:
        with FileReader(path) as reader:
            yield reader
    except OSError as error:
        raise MeasureError(f"the records of allocations can't be read: {error}") from error


def stretch(records: Iterable[AllocationRecord]) -> Iterator[AllocationRecord | None]:
    """The stretch itself, without what recording costs, and None between two calls.

    Last comes what is freed when garbage is collected after it.

    Raises:
        MeasureError: it has no end: memray goes on in silence when its disk is full.
    """
    marks = 0
    in_lap_mark = False
    for record in records:
        own, size = record.tid == OWN_THREAD, record.size
        if own and size == _MARK_BYTES + 1:
            marks += 1
            if marks == 3:
                return
        elif own and size == _LAP_BYTES + 1:
            in_lap_mark = True
        elif own and size == _REST_BYTES + 1 and in_lap_mark:
            in_lap_mark = False
            yield None
        elif marks == 1 or (marks == 2 and record.allocator in FREES):
            yield record
    raise MeasureError("the records of allocations are cut off; is the disk full?")


def _add_up(records: Iterable[AllocationRecord | None], multithreaded: bool) -> Tally:
    total = allocations = held = start = top = 0
    peaks: list[int] = []
    sizes: dict[int, int] = {}
    for record in records:
        if record is None:
            peaks.append(top - start)
            start = top = held
        elif record.allocator in FREES:
            # What was allocated before, or by others, is not known here.
            held -= sizes.pop(record.address, 0)
        elif multithreaded or record.tid == OWN_THREAD:
            size = record.size
            total += size
            allocations += 1
            held += size - sizes.get(record.address, 0)
            sizes[record.address] = size
            top = max(top, held)
    return Tally(total, allocations, median_low([*peaks, top - start]))
