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

from veperf.core.errors import MeasureError

FREES = frozenset({AllocatorType.FREE, AllocatorType.MUNMAP, AllocatorType.PYMALLOC_FREE})
OWN_THREAD = 1
"""The number that memray gives to the thread that starts it."""
_BEGIN_BYTES = 1_299_709
"""The first allocation of so many bytes (and one) is the last before the calls."""
_REST_BYTES, _LAP_TIMES, _END_TIMES = 7_919, 13, 17
"""A block of so many bytes grows to so many times that and shrinks again between two calls, and
otherwise after the last: whoever releases the block makes a mark, whatever else has its size."""


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
    # Made to grow in place, these allocate nothing but the marks.
    begin, block = bytearray(1), bytearray(_REST_BYTES)
    rest = slice(_REST_BYTES, None)
    gc.collect()
    with tracking(path):
        begin *= _BEGIN_BYTES
        block *= _LAP_TIMES
        del block[rest]
        call()
        for _ in more:
            block *= _LAP_TIMES
            del block[rest]
            call()
        block *= _END_TIMES
        del block[rest]
        gc.collect()
        block *= _END_TIMES


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
    began = in_mark = ended = False
    block_at: int | None = None
    for record in records:
        own, size = record.tid == OWN_THREAD, record.size
        if not began:
            began = in_mark = own and size == _BEGIN_BYTES + 1
        elif own and in_mark:
            if size == _END_TIMES * _REST_BYTES + 1:
                if ended:
                    return
                ended = True
            elif size == _REST_BYTES + 1:
                in_mark = False
                if block_at is not None and not ended:
                    yield None
                block_at = record.address
        elif own and record.address == block_at and record.allocator in FREES:
            in_mark = True
        elif not ended or record.allocator in FREES:
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
