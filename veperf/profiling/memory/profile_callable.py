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
from veperf.profiling.memory.capture import reading, record, tracking
from veperf.profiling.memory.footprint import Footprint, measure_footprint
from veperf.profiling.memory.sites import Detail, read_detail


def write_flamegraph(call: Callable[[], object], calls: int, path: Path) -> None:
    """Record so many ``calls`` once more, and draw where the memory was at its highest.

    The file has about 4.5 MB, nearly all of it the page's own script: link it, don't inline it.

    Raises:
        MeasureError: allocations can't be recorded, or not read.
        StorageError: ``path`` can't be written.
        Whatever ``call`` does.
    """
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        records = Path(folder) / "records.bin"
        gc.collect()
        with tracking(records):
            for _ in range(calls):
                call()
        page = StringIO()
        with reading(records) as reader:
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


_ENOUGH_ALLOCATIONS = 50_000
_MOST_CALLS = 10


class Weighed(Struct, frozen=True):
    """What was found of one callable."""

    footprint: Footprint
    detail: Detail
    calls: int
    """Of which the detail is."""
    operations: int
    """In a call."""
    python: str


def weigh(
    call: Callable[[], object], operations: int, *, multithreaded: bool, flamegraph: Path | None
) -> Weighed:
    """Memory of an operation, and which lines it goes to; and a flamegraph where one is wanted.

    Raises:
        MeasureError: allocations can't be recorded, or not read.
        StorageError: the flamegraph can't be written.
        Whatever ``call`` does.
    """
    footprint = measure_footprint(call, operations, multithreaded=multithreaded)
    each = max(footprint.allocations * operations, 1.0)
    calls = max(2, min(_MOST_CALLS, int(_ENOUGH_ALLOCATIONS / each)))
    with tempfile.TemporaryDirectory(prefix="veperf-memory-") as folder:
        records = Path(folder) / "records.bin"
        record(call, calls, records)
        detail = read_detail(records, calls, multithreaded=multithreaded)
    if flamegraph is not None:
        write_flamegraph(call, calls, flamegraph)
    return Weighed(footprint, detail, calls, operations, platform.python_version())


def weigh_checked(
    call: Callable[[], object], operations: int, multithreaded: bool, flamegraph: Path | None
) -> Weighed:
    """As ``weigh``, after one call that shows whether it forks and lets its child go on.

    Raises:
        MeasureError: it does, or as ``weigh``.
        Whatever ``call`` does.
    """
    own = os.getpid()
    call()
    if os.getpid() != own:
        raise MeasureError("it forks, and its child returns; end the child with os._exit()")
    return weigh(call, operations, multithreaded=multithreaded, flamegraph=flamegraph)
