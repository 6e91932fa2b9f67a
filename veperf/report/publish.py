"""A run's report, made where its archive is."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.location import Location
from veperf.archive.storage.opening import place_of
from veperf.archive.storage.protocol import Storage
from veperf.archive.store import Archive
from veperf.errors import ReportError, UsageError
from veperf.model import Run
from veperf.report.render import render

_OF_THIS_PROCESS = "memory://"


def publish(
    run: Run,
    archive: Archive | None,
    baselines: Path | None = None,
    known_misses: Sequence[str] = (),
) -> Location:
    """Write the report of ``run`` into its folder in ``archive``; return where its first page is.

    Where the archive is elsewhere, the notebooks run in a temporary folder first.

    Raises:
        VeperfError: as ``render``.
        UsageError: there is no archive, or only in the memory of this process: notebooks have
            others.
    """
    if archive is None:
        raise UsageError(
            f"run {run.id} is in no archive; "
            "`veperf.archive.Archive(folder).keep(result.run)` puts it into one"
        )
    folder = archive.at(run.id)
    if isinstance(folder, LocalStorage):
        return render(run, folder.folder, baselines, known_misses)
    if archive.location.startswith(_OF_THIS_PROCESS):
        raise UsageError(
            f"a report is made by other processes, which don't see {archive.location}; copy the "
            "run to a folder first: `veperf.archive.Archive(folder).keep(result.run)`"
        )
    folder.require_writable()
    with tempfile.TemporaryDirectory(prefix="veperf-") as made:
        try:
            page = render(run, Path(made), baselines, known_misses, archive=archive)
        except ReportError as error:
            _put(folder, Path(made), "*.ipynb")
            error.add_note(
                f"that folder was a temporary one; the notebooks are in {folder.location}"
            )
            raise
        _put(folder, Path(made), "*.ipynb")
        _put(folder, Path(made), "*.html", last=page)
        return place_of(folder, page.name)


def _put(folder: Storage, made: Path, pattern: str, last: Path | None = None) -> None:
    """The files in ``made``; ``last`` when all that it leads to is there."""
    for path in sorted(made.glob(pattern), key=lambda path: (path == last, path)):
        folder.write(path.name, path.read_bytes())
