"""The pages of a run's report, and the notebook of each."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from veperf.core import paths
from veperf.core.case import MEMORY_NAMES
from veperf.core.registry import SUITES
from veperf.core.run import Run
from veperf.report.pages.notebook_parameters import JsonValue
from veperf.report.sections.packages import has_one_page

INDEX, MEMORY, REGRESSION = "index", "operation_memory", "regression"
_NAME = re.compile(r"[a-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A page to be rendered."""

    name: str
    """The stem of its files."""
    title: str
    notebook: str
    """The stem of the notebook's file."""
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    """Parameters that only this page's notebook has."""
    suite: str = ""
    """The suite that it is about, if any."""
    is_executed: bool = True
    """False where it is rendered from its notebook's cells without a kernel."""

    @property
    def file(self) -> str:
        """The file of the page in the run's folder."""
        return f"{self.name}.html"


def report_pages(run: Run) -> tuple[ReportPage, ...]:
    """Return the overview, a page for each suite, memory where it was measured, and changes.

    A run of veperf has a few suites, and an executed notebook for each. What another tool measured
    may have hundreds: each package is one. The overview holds them all where they are many, and
    no notebook is executed for it.
    """
    is_one = has_one_page(run)
    suites = [] if is_one else list(_suites(run))
    shared: dict[str, JsonValue] = {"pages": dict[str, JsonValue](suite_files(run, suites))}
    is_executed = run.source == "veperf" or not is_one
    page_list = [ReportPage(INDEX, "Overview", "run", shared, is_executed=is_executed), *suites]
    if any(metric.name in MEMORY_NAMES for case in run.cases for metric in case.metrics):
        title = "Memory of operations"
        page_list.append(ReportPage(MEMORY, title, "run_memory", shared, is_executed=is_executed))
    changes = ReportPage(REGRESSION, "Changes", "run_regression", shared, is_executed=is_executed)
    return (*page_list, changes)


def suite_files(run: Run, page_list: Iterable[ReportPage]) -> dict[str, str]:
    """Return the file that holds each suite of ``run``: its own page, or the overview."""
    files = {page.suite: page.file for page in page_list if page.suite}
    return files or {case.suite: f"{INDEX}.html" for case in run.cases}


def _suites(run: Run) -> Iterator[ReportPage]:
    used = {INDEX, MEMORY, REGRESSION}
    is_executed = run.source == "veperf"
    for suite in dict.fromkeys(case.suite for case in run.cases):
        name = _free_name(suite, used)
        used.add(name)
        if suite in SUITES and (paths.notebooks_folder() / f"{suite}.ipynb").exists():
            yield ReportPage(name, suite, suite, suite=suite, is_executed=is_executed)
        else:
            yield ReportPage(name, suite, "suite", {"suite": suite}, suite, is_executed)


def _free_name(suite: str, used: Iterable[str]) -> str:
    """Return an unused name for the suite's files: its own where that is a valid file name."""
    name = suite if _NAME.fullmatch(suite) else "suite"
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 10_000))) if n not in used)
