"""Everything about the memory of one callable, in the process that calls it."""

import gc
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from veperf.core.errors import MeasureError
from veperf.measure.complete_call import complete_call
from veperf.profiling.memory.capture import (
    capture,
    measured_records,
    open_records,
    record_allocations,
    track_allocations,
)
from veperf.profiling.memory.flamegraph_page import write_flamegraph
from veperf.profiling.memory.growth import Kept, kept_by_line
from veperf.profiling.memory.locations import Location, Locations
from veperf.profiling.memory.operation_memory import OperationMemory, measure_operation_memory
from veperf.profiling.memory.process_growth import ProcessGrowth, watch_calls
from veperf.profiling.memory.process_probes import children_rss_bytes
from veperf.profiling.memory.sites import Detail, read_detail

_CALLS = (300, 100, 30)
_TARGET_ALLOCATIONS, _TARGET_S = 50_000, 3.0
"""Allocations, and seconds if nothing is recorded, of the calls; they may be so many then."""
_FEWEST_CALLS = 3
"""Calls of which even 30 are too much."""
_MOST_OF_A_CALL = 100_000
"""A call that allocates more often is recorded once."""
ENOUGH_CALLS = 12
"""Calls that show a leak in every third of them."""
_MOST_ALLOCATIONS, _MOST_S = 1_500_000, 15.0
"""Of these."""


class CallableProfile(Struct, frozen=True):
    """The memory of one callable, in all and by line."""

    footprint: OperationMemory
    detail: Detail
    calls: int
    """Calls that were recorded for the detail."""
    operations: int
    """Operations in a call."""
    python: str
    kept_calls: int
    """Calls that were recorded to see what they keep."""
    growth: ProcessGrowth | None = None
    """Growth of the process over more calls; None if they would have taken too long."""
    starts_processes: bool = False
    """True if a call starts other processes, whose memory is not recorded."""


def profile_callable(
    call: Callable[[], object],
    operations: int,
    *,
    multithreaded: bool,
    flamegraph: Path | None,
    native: bool = False,
) -> CallableProfile:
    """Measure the memory of an operation, in all and by line; write a flamegraph if asked to.

    ``native`` names the function of C that allocates, beside the line of Python.

    Raises:
        MeasureError: allocations can't be recorded, or not read.
        StorageError: the flamegraph can't be written.
        Whatever ``call`` does.
    """
    allocations = max(capture(call, 1, multithreaded=multithreaded).allocations, 1)
    duration_s = _duration_s(call)
    calls = _calls(allocations, duration_s) if allocations <= _MOST_OF_A_CALL else 1
    is_bearable = (
        ENOUGH_CALLS * allocations <= _MOST_ALLOCATIONS and ENOUGH_CALLS * duration_s <= _MOST_S
    )
    kept_calls = max(calls, ENOUGH_CALLS if is_bearable else _FEWEST_CALLS)
    # First, as a block that grows by a share of itself is resized ever more rarely.
    kept = _kept_by_line(call, kept_calls, multithreaded=multithreaded, native=native)
    footprint = measure_operation_memory(call, operations, multithreaded=multithreaded)
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        counted, traced = (Path(folder) / name for name in ("counted.bin", "traced.bin"))
        record_allocations(call, calls + 1, counted, with_stacks=False)
        record_allocations(call, calls + 1, traced, with_stacks=True, native=native)
        if flamegraph is not None:
            _draw_flamegraph(call, calls, flamegraph, native=native)
        growth = watch_calls(call, duration_s)
        if growth is not None:
            kept = growth.confirmed(kept, kept_calls)
            if growth.blocks and not kept:
                # What only began after the recorded calls is found in as many more.
                late = _kept_by_line(call, kept_calls, multithreaded=multithreaded, native=native)
                kept = growth.confirmed(late, kept_calls)
        kept_bytes = {line: each.size_bytes for line, each in kept.items()}
        detail = read_detail(
            counted, traced, calls, kept_bytes, multithreaded=multithreaded, native=native
        )
    return CallableProfile(
        footprint, detail, calls, operations, platform.python_version(), kept_calls, growth
    )


def _kept_by_line(
    call: Callable[[], object], calls: int, *, multithreaded: bool, native: bool
) -> dict[Location, Kept]:
    """Record so many ``calls``, collecting garbage after each; return what lines keep of one."""
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        path = Path(folder) / "growth.bin"
        record_allocations(call, calls, path, with_stacks=True, native=native, collecting=True)
        with open_records(path) as reader:
            records = measured_records(reader.get_allocation_records())
            return kept_by_line(records, Locations(native=native), multithreaded=multithreaded)


def _calls(allocations: float, seconds: float) -> int:
    """Return how many calls are recorded for the lines, of so many allocations and seconds each."""
    most = min(_TARGET_ALLOCATIONS / allocations, _TARGET_S / seconds)
    return next((calls for calls in _CALLS if calls <= most), _FEWEST_CALLS)


def _duration_s(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return max(time.perf_counter() - started, 1e-9)


def _draw_flamegraph(call: Callable[[], object], calls: int, path: Path, *, native: bool) -> None:
    """Record so many ``calls`` once more, and write a flamegraph of memory at its peak."""
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        records = Path(folder) / "records.bin"
        gc.collect()
        with track_allocations(records, with_stacks=True, native=native):
            for _ in range(calls):
                call()
        with open_records(records) as reader:
            at_peak = reader.get_high_watermark_allocation_records(merge_threads=True)
            write_flamegraph(reader, at_peak, path, native=native)


def profile_after_fork_check(
    call: Callable[[], object],
    operations: int,
    multithreaded: bool,
    flamegraph: Path | None,
    *,
    native: bool = False,
) -> CallableProfile:
    """Profile as ``profile_callable``, after a call that shows whether the callable forks.

    Objects that live now are in no garbage collection any more: for processes that end with this.

    Raises:
        MeasureError: it forks and its child returns, or as ``profile_callable``.
        UsageError: it returns a generator.
        Whatever ``call`` does.
    """
    own, before = os.getpid(), _processes()
    with complete_call(call, call()) as work:
        if os.getpid() != own:
            raise MeasureError("it forks, and its child returns; end the child with os._exit()")
        starts_processes = _processes() != before
        gc.collect()
        gc.freeze()
        profile = profile_callable(
            work, operations, multithreaded=multithreaded, flamegraph=flamegraph, native=native
        )
    return replace(profile, starts_processes=starts_processes)


def _processes() -> tuple[int, bool]:
    """Return what changes when processes are started: page faults of ended ones; if any live."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt, children_rss_bytes() > 0
