"""Rendering of a run's report: notebooks are executed and converted to pages."""

import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Event

from jupyter_core.utils import ensure_event_loop

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import path_or_url
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.core import paths
from veperf.core.baseline import Baseline
from veperf.core.case import Better
from veperf.core.errors import ReportError, UsageError
from veperf.core.escape import as_html
from veperf.core.gate import GateDecision
from veperf.core.log_suppression import NOTEBOOK_LOGGERS, suppress_logging
from veperf.core.policy import GatePolicy, find_policy
from veperf.core.project import find_project
from veperf.core.run import Run
from veperf.core.verdict import Verdict
from veperf.report.case_history import read_case_history
from veperf.report.html.page import Sibling, html_page
from veperf.report.pages.kernel import Kernel
from veperf.report.pages.notebook_cells import render_cells
from veperf.report.pages.notebook_parameters import JsonValue
from veperf.report.pages.notebook_runner import run_notebook
from veperf.report.pages.page_list import (
    INDEX,
    REGRESSION,
    ReportPage,
    report_pages,
    suite_files,
)
from veperf.report.site.build import INDEX as SITE
from veperf.report.tables import status
from veperf.report.view import ReportView
from veperf.verdicts.verdict import (
    decision_on_changes,
    run_verdict,
    verdict_of_suite,
    with_comparisons,
)

_TIMEOUT_S = 300.0
# To start a kernel and import what a report takes costs as much CPU time as four notebooks; and
# more kernels at once would need more memory than a small machine has.
_MOST_KERNELS = 4


def render_report(
    run: Run,
    folder: Path,
    baselines: Path | None = None,
    known_misses: Sequence[str] = (),
    policy: GatePolicy | None = None,
    better: Mapping[str, Better] | None = None,
    comparisons: Mapping[str, GateDecision] | None = None,
    *,
    archive: Archive | None = None,
    with_notebooks: bool = True,
) -> Path:
    """Write the report of ``run`` into its ``folder`` in the archive; return its first page.

    ``folder`` then holds the executed notebooks too, which can run again there: the paths in them
    are relative to it. The pages of another tool's suites have none, and with ``with_notebooks``
    False no page has one: they are rendered from the cells of veperf's notebooks.

    ``baselines`` is the folder of targets and recorded baselines, the project's own by default.
    ``archive`` is needed where ``folder`` is not in it. ``policy`` is the project's where there is
    none. ``better`` are the directions by unit that ``run`` was given after it was kept.
    ``comparisons`` are the A/B comparisons that decide with it, by id.

    Raises:
        KernelError, NotebookError: a notebook could not be run.
        DataError: a file of targets or baselines is broken.
        UnknownTargetError: ``known_misses`` names one that does not exist.
        StorageError: ``folder`` can't be written.
    """
    place = LocalStorage(folder.parent).at(folder.name)
    place.require_writable()
    # Once for all notebooks, which would otherwise each do the same.
    store = archive or Archive(folder.parent)
    load_summary(store)
    known = baselines or paths.default_baselines_folder()
    recorded = load_baselines(known, sorted({case.suite for case in run.cases}))
    gate = find_policy() if policy is None else policy
    targets = load_targets(known)
    whole_verdict = run_verdict(run, targets, recorded, known_misses, gate)
    beside = comparisons or {}
    whole_verdict = with_comparisons(whole_verdict, list(beside.values()), gate)
    page_list = report_pages(run)
    siblings = [_sibling(page, run, whole_verdict, recorded) for page in page_list]
    if store.storage.has(SITE):
        siblings.insert(0, Sibling(f"../{SITE}", "All runs"))
    parameters: dict[str, JsonValue] = {
        "run": run.id,
        "archive": archive.location if archive else os.path.relpath(folder.parent, folder),
        "baselines": _baselines_path(known, folder, archive),
        "known_misses": list(known_misses),
        "policy": gate.table(),
        "better": dict[str, JsonValue](better or {}),
        "same_machine": run.same_machine,
        "comparisons": list(beside),
    }

    def execute(pages: Sequence[ReportPage]) -> list[Future[None]]:
        """Run the notebooks of ``pages`` in one kernel; each is converted while the next runs."""
        conversions = []
        try:
            with Kernel() as kernel:
                for page in pages:
                    if is_stopped.is_set():
                        break
                    notebook = run_notebook(
                        paths.notebooks_folder() / f"{page.notebook}.ipynb",
                        folder / f"{page.name}.ipynb",
                        parameters | dict(page.parameters),
                        timeout_s=_TIMEOUT_S,
                        kernel=kernel,
                        archive=folder.parent,
                    )
                    conversions.append(converter.submit(convert, page, notebook))
        finally:
            ensure_event_loop().close()  # nbclient leaves the loop of this thread open
        return conversions

    def convert(page: ReportPage, notebook: Path) -> None:
        from veperf.report.html.notebook_page import notebook_to_html  # while the kernel starts

        title = f"{page.title} {run.id} · veperf"
        place.write(page.file, notebook_to_html(notebook, page.file, title, siblings))

    is_stopped = Event()
    executed = [page for page in page_list if page.is_executed and with_notebooks]
    kernels = max(1, min(_MOST_KERNELS, (os.cpu_count() or 1) // 2, len(executed)))
    parts = [executed[first::kernels] for first in range(kernels) if executed]
    with (
        suppress_logging(*NOTEBOOK_LOGGERS),
        ThreadPoolExecutor(1) as converter,
        ThreadPoolExecutor(kernels) as pool,
    ):
        running = pool.map(execute, parts)
        try:
            view = ReportView(
                run,
                whole_verdict,
                recorded,
                read_case_history(store, run),
                suite_files(run, page_list),
                store.at(run.id),
            )
            for page in page_list:
                if page not in executed:
                    part = view.of_suite(page.suite) if page.suite else view
                    place.write(page.file, _unexecuted_page(page, part, siblings))
            conversions = list(chain.from_iterable(running))
        except BaseException:  # Ctrl-C, too: not only after all notebooks
            is_stopped.set()
            raise
    for conversion in conversions:
        conversion.result()
    return folder / page_list[0].file


def _unexecuted_page(page: ReportPage, view: ReportView, siblings: Sequence[Sibling]) -> bytes:
    notebook = f"{page.notebook}.ipynb"
    parameters = {"run": view.run.id} | ({"suite": page.suite} if page.suite else {})
    setting = " ".join(f"-p {name} {shlex.quote(text)}" for name, text in parameters.items())
    body = render_cells(paths.notebooks_folder() / notebook, view) + (
        "<footer>This page was rendered without its notebook, which <code>papermill "
        f"{as_html(notebook)} out.ipynb {as_html(setting)}</code> executes.</footer>"
    )
    return html_page(page.title, body, siblings, page.file).encode()


def _baselines_path(baselines: Path, folder: Path, archive: Archive | None) -> str:
    """Return the path for the notebooks: relative to their folder, where they stay in it.

    Empty where they find it by themselves, in the project that their folder is in.
    """
    if find_project(folder).baselines == baselines:
        return ""
    return str(baselines.resolve()) if archive else os.path.relpath(baselines, folder)


def _sibling(
    page: ReportPage, run: Run, whole_verdict: Verdict, baselines: Sequence[Baseline]
) -> Sibling:
    if page.suite:
        verdict = verdict_of_suite(page.suite, run, whole_verdict, baselines)
        own = status.outcome_mark(verdict.decision.outcome)
        return Sibling(page.file, page.title, own)
    decision = whole_verdict.decision if page.name == INDEX else None
    if page.name == REGRESSION:
        decision = decision_on_changes(whole_verdict)
    mark = status.outcome_mark(decision.outcome) if decision else None
    return Sibling(page.file, page.title, mark)


_OF_THIS_PROCESS = "memory://"


def publish_run_report(
    run: Run,
    archive: Archive | None,
    baselines: Path | None = None,
    known_misses: Sequence[str] = (),
    policy: GatePolicy | None = None,
    better: Mapping[str, Better] | None = None,
    comparisons: Mapping[str, GateDecision] | None = None,
) -> Location:
    """Write the report of ``run``, as ``render_report``, into ``archive``; return its first page.

    Where the archive is not a local folder, the notebooks run in a temporary folder first.

    Raises:
        VeperfError: as ``render``.
        UsageError: there is no archive, or it is in the memory of this process, which the
            notebooks' kernels can't read.
    """
    if archive is None:
        raise UsageError(
            f"run {run.id} is in no archive; "
            "`veperf.archive.store.Archive(folder).save(result.run)` puts it into one"
        )
    folder = archive.at(run.id)
    settings = baselines, known_misses, policy, better, comparisons
    if isinstance(folder, LocalStorage):
        return render_report(run, folder.folder, *settings)
    if archive.location.startswith(_OF_THIS_PROCESS):
        raise UsageError(
            f"a report is rendered by other processes, which can't read {archive.location}; copy "
            "the run to a folder first: `veperf.archive.store.Archive(folder).save(result.run)`"
        )
    folder.require_writable()
    with tempfile.TemporaryDirectory(prefix="veperf-") as temporary:
        try:
            page = render_report(run, Path(temporary), *settings, archive=archive)
        except ReportError as error:
            _upload(folder, Path(temporary), "*.ipynb")
            error.add_note(f"that folder was temporary; the notebooks are in {folder.location}")
            raise
        _upload(folder, Path(temporary), "*.ipynb")
        _upload(folder, Path(temporary), "*.html", last=page)
        return path_or_url(folder, page.name)


def _upload(folder: Storage, source: Path, pattern: str, last: Path | None = None) -> None:
    """Copy the files in ``source`` to the archive, ``last`` after all that it links to."""
    for path in sorted(source.glob(pattern), key=lambda path: (path == last, path)):
        folder.write(path.name, path.read_bytes())
