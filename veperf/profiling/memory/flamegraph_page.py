"""memray's flamegraph of recorded memory, as a page that works without a network."""

import secrets
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from memray import AllocationRecord, FileReader
from memray.reporters.flamegraph import FlameGraphReporter

from veperf.core.errors import StorageError
from veperf.workloads.atomic_file import replace_file


def write_flamegraph(
    reader: FileReader,
    records: Iterable[AllocationRecord],
    path: Path,
    *,
    leaks: bool = False,
    native: bool = False,
) -> None:
    """Write a flamegraph of ``records``, from the file of ``reader``, to the HTML file ``path``.

    The file has about 4.5 MB, nearly all of it the page's own script: link it, don't inline it.

    Args:
        reader: of the recorded file.
        records: its merged records, such as those at the peak.
        path: the file to write; its folder is made.
        leaks: they are of memory that was not released.
        native: they have stacks of C code.

    Raises:
        StorageError: ``path`` can't be written.
    """
    page = StringIO()
    reporter = FlameGraphReporter.from_snapshot(
        records, memory_records=list(reader.get_memory_snapshots()), native_traces=native
    )
    reporter.render(
        outfile=page,
        metadata=reader.metadata,
        show_memory_leaks=leaks,
        merge_threads=True,
        inverted=False,
        no_web=True,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(error.errno, f"can't write {path}: {error.strerror}") from error
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    replace_file(path, page.getvalue().encode(), temporary)
