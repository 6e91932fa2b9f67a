"""Chromium, and pages of every kind with a bit of everything and long words in them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import change
from tests.support.fleets import at, fleet, lacking
from tests.support.helpers import TARGETS, baselines_in, plausible_run, with_load
from tests.support.runs import timed_run
from veperf.abtest.fleet_result import FleetResult
from veperf.archive.store import Archive
from veperf.core.case import MEMORY_METRICS, Level
from veperf.core.run import Failure, Run
from veperf.core.verdict import ChangeStatus, Severity
from veperf.report.pages.render import render_report
from veperf.report.site.build import build_site

if TYPE_CHECKING:
    from playwright.sync_api import BrowserType

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]
TRACE = Failure("raised", "ValueError: " + "long" * 60, "Traceback\n" + "  wide line " * 60)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """The folder of a run with a bit of everything and long words; a site around its report."""
    project = tmp_path_factory.mktemp("project")
    baselines = baselines_in(project)
    archive = Archive(project / "reports")
    for index in range(24):
        archive.save(_earlier(index))
    plain = plausible_run(
        slower={"transaction/decode": 1.4, "transaction/sign": 1.08},
        failing={"transaction/encode": TRACE},
    )
    run = with_load(_with_memory(plain), invalid=[(1, 5_000), (0, 10_000)])
    archive.save(run)
    build_site(archive, TARGETS, baselines)
    render_report(run, archive.folder / run.id, baselines)
    build_site(archive, TARGETS, baselines)
    (project / "reports" / "fleet.html").write_text(_fleet().page())
    return archive.folder / run.id


def _fleet() -> FleetResult:
    """A bit of everything on more machine classes than there is room for, one of a long name."""
    slower = change("shop/hash", ChangeStatus.SLOWER, ratio=1.3, severity=Severity.FAIL)
    faster = change("shop/hash", ChangeStatus.FASTER, ratio=0.8)
    every = [change(f"shop/{'long' * 9}_{status.name}", status) for status in ChangeStatus]
    broken = replace(change("shop/pay", ChangeStatus.ERROR), failure=TRACE)
    some = [at(f"class-{n}", change("shop/hash", ChangeStatus.OK), *every) for n in range(7)]
    return fleet(
        at("l" * 64, slower, broken), at("small", faster), *some, lacking("gpu", "why " * 40)
    )


def _earlier(index: int) -> Run:
    """One of a series whose second half is slower."""
    dice = Random(index)
    level = 400 if index < 12 else 480
    return timed_run(
        {"shop/hash": [level * dice.normalvariate(1, 0.005) for _ in range(6)]},
        id=f"202610{index + 1:02}-000000-abc1234",
        created=f"2026-10-{index + 1:02}T00:00:00+00:00",
    )


def _with_memory(run: Run) -> Run:
    """``run`` with what its operations hold and allocate, as though it had been measured."""
    held = {metric.name: 1_000.0 * (n + 1) for n, metric in enumerate(MEMORY_METRICS)}
    return replace(
        run,
        cases=tuple(
            replace(c, metrics=(*c.metrics, *MEMORY_METRICS)) if c.level is not Level.LOAD else c
            for c in run.cases
        ),
        passes=tuple(
            replace(
                pass_,
                results=tuple(
                    r if r.failure else replace(r, figures=r.figures | held) for r in pass_.results
                ),
            )
            for pass_ in run.passes
        ),
    )


@pytest.fixture(scope="session")
def chromium() -> "Iterator[BrowserType]":
    """What launches Chromium; there can be but one a process."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        yield p.chromium


@pytest.fixture(scope="session")
def browser(chromium, tmp_path_factory) -> Iterator[object]:
    """Chromium with an empty profile."""
    profile = tmp_path_factory.mktemp("profile")
    context = chromium.launch_persistent_context(str(profile), executable_path=CHROMIUM, args=FLAGS)
    yield context
    context.close()
