"""A flamegraph of what is held when most is held: one HTML file that needs no network."""

import gc
import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from memray.reporters.flamegraph import FlameGraphReporter

from veperf.errors import StorageError
from veperf.memory.capture import reading, tracking


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
