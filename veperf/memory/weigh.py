"""Everything about the memory of one callable, in the process that calls it."""

import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from veperf.errors import MeasureError
from veperf.memory.capture import record
from veperf.memory.flame import write_flamegraph
from veperf.memory.footprint import Footprint, measure_footprint
from veperf.memory.sites import Detail, read_detail

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
