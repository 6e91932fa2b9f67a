"""A run's report, made where its archive is."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from veperf.archive import Archive
from veperf.archive.storage import LocalStorage, Location, Storage, place_of
from veperf.errors import UsageError
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
        raise UsageError(f"run {run.id} is in no archive; `veperf.keep` puts it into one")
    folder = archive.at(run.id)
    if isinstance(folder, LocalStorage):
        return render(run, folder.folder, baselines, known_misses)
    if archive.location.startswith(_OF_THIS_PROCESS):
        raise UsageError(
            f"a report is made by other processes, which don't see {archive.location}; copy the "
            "run to a folder first: `veperf.keep(run, folder)`"
        )
    with tempfile.TemporaryDirectory(prefix="veperf-") as made:
        page = render(run, Path(made), baselines, known_misses, archive=archive)
        _put(folder, Path(made), last=page)
        return place_of(folder, page.name)


def _put(folder: Storage, made: Path, last: Path) -> None:
    """The files in ``made``; ``last`` when all that it leads to is there."""
    files = sorted(path for path in made.rglob("*") if path.is_file() and path != last)
    for path in (*files, last):
        folder.write(path.relative_to(made).as_posix(), path.read_bytes())
