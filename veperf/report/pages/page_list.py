"""The pages that a run's report has, and the notebook that each is made of."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from veperf.core import paths
from veperf.core.case import MEMORY_NAMES
from veperf.core.run import Run
from veperf.report.pages.notebook_parameters import JSON
from veperf.workloads.suites import SUITES

INDEX, MEMORY, REGRESSION = "index", "memory", "regression"
_NAME = re.compile(r"[a-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class Page:
    """A page, before it is made."""

    name: str
    """The stem of its files."""
    title: str
    notebook: str
    """The stem of the notebook's file."""
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    """Those that only this page's notebook has."""
    suite: str = ""
    """The one that it is about, if it is about one."""

    @property
    def file(self) -> str:
        """The file of the page in the run's folder."""
        return f"{self.name}.html"


def pages(run: Run) -> tuple[Page, ...]:
    """The overview, a page a suite, memory where it was measured, and what has changed."""
    suites = list(_suites(run))
    files: dict[str, JSON] = {page.suite: page.file for page in suites}
    shared: dict[str, JSON] = {"pages": files}
    found = [Page(INDEX, "Overview", "run", shared), *suites]
    if any(metric.name in MEMORY_NAMES for case in run.cases for metric in case.metrics):
        found.append(Page(MEMORY, "Memory", "run_memory", shared))
    return (*found, Page(REGRESSION, "Changes", "run_regression", shared))


def _suites(run: Run) -> Iterator[Page]:
    taken = {INDEX, MEMORY, REGRESSION}
    for suite in dict.fromkeys(case.suite for case in run.cases):
        name = _free(suite, taken)
        taken.add(name)
        if suite in SUITES and (paths.notebooks() / f"{suite}.ipynb").exists():
            yield Page(name, suite, suite, suite=suite)
        else:
            yield Page(name, suite, "suite", {"suite": suite}, suite)


def _free(suite: str, taken: Iterable[str]) -> str:
    """A name for the suite's files: its own where that can be one."""
    name = suite if _NAME.fullmatch(suite) else "suite"
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 10_000))) if n not in taken)
