"""A run's report: notebooks executed about it, and the pages made of them."""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_core.utils import ensure_event_loop

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import place_of
from veperf.archive.store import Archive
from veperf.archive.summary import summarise
from veperf.core import paths
from veperf.core.errors import ReportError, UsageError
from veperf.core.logs import quiet
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Verdict
from veperf.report.html.navigation import Sibling
from veperf.report.html.notebook_page import notebook_to_html
from veperf.report.pages.notebook_parameters import JSON
from veperf.report.pages.notebook_runner import execute
from veperf.report.pages.page_list import INDEX, Page, pages
from veperf.report.site.build import INDEX as SITE
from veperf.report.tables import status
from veperf.verdicts.suite_filter import verdict_of
from veperf.verdicts.verdict import verdict

_TIMEOUT_S = 300.0
# More kernels at once than that would want more memory than a small machine has.
_MOST_AT_ONCE = 4


def render(
    run: Run,
    folder: Path,
    baselines: Path | None = None,
    known_misses: Sequence[str] = (),
    *,
    archive: Archive | None = None,
) -> Path:
    """Write the report of ``run`` into its ``folder`` in the archive; return its first page.

    ``folder`` then holds the executed notebooks too, which run again where they lie: the paths in
    them are relative to it. ``baselines`` is the folder of targets and recorded baselines, the
    project's own when not given. ``archive`` is given where ``folder`` is not in it.

    Raises:
        KernelError, NotebookError: a notebook could not be run.
        DataError: a file of targets or baselines is broken.
        UnknownTargetError: ``known_misses`` names one that does not exist.
        StorageError: ``folder`` can't be written.
    """
    # Once for all notebooks, which else would each do the same.
    store = archive or Archive(folder.parent)
    summarise(store)
    known = baselines or paths.baselines()
    recorded = load_baselines(known, sorted({case.suite for case in run.cases}))
    whole = verdict(run, load_targets(paths.targets(known)), recorded, known_misses)
    wanted = pages(run)
    siblings = [_sibling(page, run, whole, recorded) for page in wanted]
    if store.storage.has(SITE):
        siblings.insert(0, Sibling(f"../{SITE}", "All runs"))
    parameters: dict[str, JSON] = {
        "run": run.id,
        "archive": archive.location if archive else os.path.relpath(folder.parent, folder),
        "baselines": _named(baselines, folder, archive) if baselines else "",
        "known_misses": list(known_misses),
    }

    def make(page: Page) -> Path:
        try:
            notebook = execute(
                paths.notebooks() / f"{page.notebook}.ipynb",
                folder / f"{page.name}.ipynb",
                parameters | dict(page.parameters),
                timeout_s=_TIMEOUT_S,
            )
        finally:
            ensure_event_loop().close()  # nbclient leaves that of this thread open
        title = f"{page.title} {run.id} · veperf"
        return notebook_to_html(notebook, folder / page.file, title, siblings)

    # Kernels are processes of their own. The longest of them, about everything, begins first.
    with quiet(), ThreadPoolExecutor(min(_MOST_AT_ONCE, os.cpu_count() or 1)) as pool:
        made = list(pool.map(make, wanted))
    return made[0]


def _named(baselines: Path, folder: Path, archive: Archive | None) -> str:
    """What the notebooks call it: relative to their folder, where they stay in that."""
    return str(baselines.resolve()) if archive else os.path.relpath(baselines, folder)


def _sibling(page: Page, run: Run, whole: Verdict, baselines: Sequence[Baseline]) -> Sibling:
    if page.suite:
        found = verdict_of(page.suite, run, whole, baselines)
        return Sibling(page.file, page.title, status.of_outcome(found.outcome))
    mark = status.of_outcome(whole.outcome) if page.name == INDEX else None
    return Sibling(page.file, page.title, mark)


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
