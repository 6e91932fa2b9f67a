"""Everything about the memory of one callable, in the process that calls it."""

import gc
import os
import platform
import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from memray.reporters.flamegraph import FlameGraphReporter
from msgspec import Struct

from veperf.core.errors import MeasureError, StorageError
from veperf.profiling.memory.capture import open_records, record_allocations, track_allocations
from veperf.profiling.memory.operation_memory import OperationMemory, measure_operation_memory
from veperf.profiling.memory.sites import Detail, read_detail


def write_flamegraph(call: Callable[[], object], calls: int, path: Path) -> None:
    """Record so many ``calls`` once more, and write a flamegraph of memory at its peak.

    The file has about 4.5 MB, nearly all of it the page's own script: link it, don't inline it.

    Raises:
        MeasureError: allocations can't be recorded, or not read.
        StorageError: ``path`` can't be written.
        Whatever ``call`` does.
    """
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        records = Path(folder) / "records.bin"
        gc.collect()
        with track_allocations(records, with_stacks=True):
            for _ in range(calls):
                call()
        page = StringIO()
        with open_records(records) as reader:
            snapshots = list(reader.get_memory_snapshots())
            reporter = FlameGraphReporter.from_snapshot(
                reader.get_high_watermark_allocation_records(merge_threads=True),
                memory_records=snapshots,
                native_traces=False,
            )
            reporter.render(
                outfile=page,
                metadata=reader.metadata,
                show_memory_leaks=False,
                merge_threads=True,
                inverted=False,
                no_web=True,
            )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.getvalue(), encoding="utf-8")
    except OSError as error:
        raise StorageError(error.errno, f"can't write {path}: {error.strerror}") from error


_TARGET_ALLOCATIONS = 50_000
_MAX_CALLS = 10


class CallableProfile(Struct, frozen=True):
    """The memory of one callable, in all and by line."""

    footprint: OperationMemory
    detail: Detail
    calls: int
    """Calls that were recorded for the detail."""
    operations: int
    """Operations in a call."""
    python: str


def profile_callable(
    call: Callable[[], object], operations: int, *, multithreaded: bool, flamegraph: Path | None
) -> CallableProfile:
    """Measure the memory of an operation, in all and by line; write a flamegraph if asked to.

    Raises:
        MeasureError: allocations can't be recorded, or not read.
        StorageError: the flamegraph can't be written.
        Whatever ``call`` does.
    """
    footprint = measure_operation_memory(call, operations, multithreaded=multithreaded)
    each = max(footprint.allocations * operations, 1.0)
    calls = max(2, min(_MAX_CALLS, int(_TARGET_ALLOCATIONS / each)))
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        records = Path(folder) / "records.bin"
        record_allocations(call, calls, records, with_stacks=True)
        detail = read_detail(records, calls, multithreaded=multithreaded)
    if flamegraph is not None:
        write_flamegraph(call, calls, flamegraph)
    return CallableProfile(footprint, detail, calls, operations, platform.python_version())


def profile_after_fork_check(
    call: Callable[[], object], operations: int, multithreaded: bool, flamegraph: Path | None
) -> CallableProfile:
    """Profile as ``profile_callable``, after a call that shows whether the callable forks.

    Raises:
        MeasureError: it forks and its child returns, or as ``profile_callable``.
        Whatever ``call`` does.
    """
    own = os.getpid()
    call()
    if os.getpid() != own:
        raise MeasureError("it forks, and its child returns; end the child with os._exit()")
    return profile_callable(call, operations, multithreaded=multithreaded, flamegraph=flamegraph)
