"""Recording of every allocation of some calls, and sums of the records."""

import gc
import inspect
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path
from statistics import median_low

from memray import AllocationRecord, AllocatorType, FileReader, Tracker
from msgspec import Struct

from veperf.core.errors import MeasureError
from veperf.measure.complete_call import AwaitedCall

FREES = frozenset({AllocatorType.FREE, AllocatorType.MUNMAP, AllocatorType.PYMALLOC_FREE})
OWN_THREAD = 1
"""Number that memray gives to the thread that starts it."""
_BEGIN_MARK_BYTES = 1_299_709
"""The first allocation of so many bytes, plus one, is the last before the calls."""
_MARK_BYTES, _LAP_TIMES, _END_TIMES = 7_919, 13, 17
"""A block of so many bytes grows by a factor and shrinks again between two calls, and by another
factor after the last. A release of the block makes a mark, whatever else has its size."""


class Tally(Struct, frozen=True):
    """Allocations of the recorded calls."""

    total_bytes: int
    """Bytes of all allocations, freed or not; a block that moves to grow counts whole again."""
    allocations: int
    peak_bytes: int
    """Peak during a call, less the bytes held when it began, of memory allocated in these calls:
    the median over the calls, the lower one of two."""
    other_bytes: int = 0
    """Bytes of allocations by other threads, which are not counted above; 0 if all are."""
    other_threads: int = 0
    """Number of these threads: the most in a call."""


def capture(
    call: Callable[[], object], loops: int, *, multithreaded: bool = False, uncounted: int = 0
) -> Tally:
    """Return what ``loops`` calls of ``call`` allocate by Python's allocators, malloc and mmap.

    Only the calling thread counts, unless the work is ``multithreaded``. Memory allocated before
    does not count, nor do the allocations of ``uncounted`` more calls, which come first. Garbage is
    collected beforehand, and during the calls as Python does it.

    Raises:
        MeasureError: another Tracker is active, or the records can't be written or read.
        Whatever ``call`` does.
    """
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        path = Path(folder) / "records.bin"
        record_allocations(call, uncounted + loops, path, with_stacks=False)
        return tally(path, multithreaded=multithreaded, uncounted=uncounted)


def record_allocations(
    call: Callable[[], object],
    loops: int,
    path: Path,
    *,
    with_stacks: bool,
    native: bool = False,
    collecting: bool = False,
) -> None:
    """Record the allocations and releases of ``loops`` calls of ``call`` in the new file ``path``.

    All calls of an ``AwaitedCall`` are awaited in one task, which is none of the work. Garbage is
    collected after the last call; if ``collecting``, after each one. ``with_stacks`` and ``native``
    as for ``track_allocations``.

    Raises:
        MeasureError: another Tracker is active, or the file can't be made.
        Whatever ``call`` does.
    """
    # Objects that grow in place allocate nothing but the marks.
    begin, block = bytearray(1), bytearray(_MARK_BYTES)
    gc.collect()
    with track_allocations(path, with_stacks=with_stacks, native=native):
        begin *= _BEGIN_MARK_BYTES
        if isinstance(call, AwaitedCall):
            call.loop.run_until_complete(_await_calls(call.call, loops, block, collecting))
        else:
            _make_calls(call, loops, block, collecting)
        gc.collect()
        block *= _END_TIMES


_EXCESS = slice(_MARK_BYTES, None)


def _make_calls(call: Callable[[], object], loops: int, block: bytearray, collecting: bool) -> None:
    """Make so many calls, each after a mark, and the mark of the end."""
    for _ in repeat(None, loops):
        block *= _LAP_TIMES
        del block[_EXCESS]
        call()
        if collecting:
            gc.collect()
    block *= _END_TIMES
    del block[_EXCESS]


async def _await_calls(
    call: Callable[[], Awaitable[object]], loops: int, block: bytearray, collecting: bool
) -> None:
    """Make the calls of ``_make_calls``, and await what they return.

    The object of a coroutine is made within the mark: it is to an ``async def`` what a frame is to
    a function, and none of its work.
    """
    makes_coroutine = inspect.iscoroutinefunction(call)
    for _ in repeat(None, loops):
        block *= _LAP_TIMES
        coroutine = call() if makes_coroutine else None
        del block[_EXCESS]
        await (coroutine or call())
        if collecting:
            gc.collect()
    block *= _END_TIMES
    del block[_EXCESS]


@contextmanager
def track_allocations(path: Path, *, with_stacks: bool, native: bool = False) -> Iterator[None]:
    """Record allocations of all threads into the new file ``path``; forked children's are not.

    memray follows the stacks by a profile function, for which the interpreter makes an object of
    every frame: about 144 bytes and one allocation a Python call that the work itself doesn't
    make. Without stacks there are none of these, and the counts are exact. ``native`` stacks are
    those of C code as well, and take longer.

    Raises:
        MeasureError: another Tracker is active, or the file can't be made.
    """
    with ExitStack() as stack:
        try:
            tracker = Tracker(path, trace_python_allocators=True, native_traces=native)
            stack.enter_context(tracker)
        except AssertionError as error:
            # All that memray says in a fork of a process in which a Tracker is active.
            raise MeasureError("allocations can't be recorded: a Tracker is active") from error
        except (OSError, RuntimeError) as error:
            raise MeasureError(f"allocations can't be recorded: {error}") from error
        if not with_stacks:
            sys.setprofile(None)
            threading.setprofile(None)
        yield


def tally(path: Path, *, multithreaded: bool = False, uncounted: int = 0) -> Tally:
    """Add up the records in the file ``path``, which ``record_allocations`` made.

    The allocations of the first ``uncounted`` calls don't count; the peak is that of all calls.

    Raises:
        MeasureError: it can't be read, or is cut off.
    """
    with open_records(path) as reader:
        records = measured_records(reader.get_allocation_records())
        return _add_up(records, multithreaded, uncounted)


@contextmanager
def open_records(path: Path) -> Iterator[FileReader]:
    """Open the records in ``path``.

    Raises:
        MeasureError: they can't be read, also if that shows only within the context.
    """
    try:
        with FileReader(path) as reader:
            yield reader
    except OSError as error:
        raise MeasureError(f"the records of allocations can't be read: {error}") from error


def measured_records(records: Iterable[AllocationRecord]) -> Iterator[AllocationRecord | None]:
    """Yield the records of the calls, without the cost of recording, and None between two calls.

    The last ones are of memory that is released when garbage is collected after the calls.

    Raises:
        MeasureError: the end is missing: memray goes on in silence when its disk is full.
    """
    began = in_mark = ended = False
    block_at: int | None = None
    for record in records:
        own, size = record.tid == OWN_THREAD, record.size
        if not began:
            began = in_mark = own and size == _BEGIN_MARK_BYTES + 1
        elif own and in_mark:
            if size == _END_TIMES * _MARK_BYTES + 1:
                if ended:
                    return
                ended = True
            elif size == _MARK_BYTES + 1:
                in_mark = False
                if block_at is not None and not ended:
                    yield None
                block_at = record.address
        elif own and record.address == block_at and record.allocator in FREES:
            in_mark = True
        elif not ended or record.allocator in FREES:
            yield record
    raise MeasureError("the records of allocations are cut off; is the disk full?")


def _add_up(
    records: Iterable[AllocationRecord | None], multithreaded: bool, uncounted: int
) -> Tally:
    total = allocations = held = start = top = other_bytes = other_threads = 0
    peaks: list[int] = []
    sizes: dict[int, int] = {}
    others: set[int] = set()
    for record in records:
        if record is None:
            peaks.append(top - start)
            start = top = held
            others.clear()
            if len(peaks) == uncounted:
                total = allocations = other_bytes = other_threads = 0
        elif record.allocator in FREES:
            # Memory that was allocated before, or by other threads, is not known here.
            held -= sizes.pop(record.address, 0)
        elif multithreaded or record.tid == OWN_THREAD:
            size = record.size
            total += size
            allocations += 1
            held += size - sizes.get(record.address, 0)
            sizes[record.address] = size
            top = max(top, held)
        else:
            other_bytes += record.size
            others.add(record.tid)
            other_threads = max(other_threads, len(others))
    peak = median_low([*peaks, top - start])
    return Tally(total, allocations, peak, other_bytes, other_threads)
