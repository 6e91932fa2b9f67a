"""The overview of a run that is still being measured."""

import re
from pathlib import Path
from shutil import disk_usage

import pytest
from msgspec.structs import replace

from tests.support.helpers import TARGETS, baselines_in, hostile_run, plausible_run, with_load
from tests.support.pages import without_own_script
from veperf.archive.baselines import load_targets
from veperf.archive.store import Archive
from veperf.core.run import Failure, Run
from veperf.report.pages import preliminary
from veperf.report.pages.preliminary import PreliminaryPage

REFRESH = re.compile(r'<meta http-equiv="refresh" content="\d+">')


def _begun(run: Run, passes: int) -> Run:
    return replace(run, passes=run.passes[:passes])


@pytest.fixture
def write(tmp_path: Path):
    """Writes the page on a run, and returns it with what was said."""
    said: list[str] = []

    def write(run: Run, stopped: str = "", baselines: Path = TARGETS) -> tuple[str, list[str]]:
        run = replace(run, id="run-1")
        (tmp_path / "a" / run.id).mkdir(parents=True, exist_ok=True)
        page = PreliminaryPage(Archive(tmp_path / "a").storage, run, baselines, said.append)
        page.write(run, stopped)
        return page.file.read_text() if page.file and page.file.exists() else "", said

    return write


@pytest.mark.parametrize("passes", range(7))
def test_a_page_says_how_far_the_run_is(write, passes: int):
    """It names the pass that is measured, refreshes by itself, and gives no verdict."""
    html, said = write(_begun(plausible_run(), passes))

    title = f"Preliminary: pass {passes + 1} of 6 is being measured" if passes < 6 else "Measured"
    assert title in html
    assert f"{passes} of 6 passes." in html
    assert REFRESH.search(html)
    rest = without_own_script(html)
    assert not re.search(r"<script|vp-banner vp-(pass|fail|warn)", rest)
    assert [] == said


def test_a_page_has_every_target_case_and_failure_so_far(write):
    """Targets that nothing answers yet, too; loads and cases that fail as well."""
    run = with_load(plausible_run(failing={"transaction/decode": Failure("raised", "planted")}))
    html, _ = write(_begun(run, 1))

    asked = [t.id for t in load_targets(TARGETS).targets if t.id.startswith("transaction/")]
    assert [] == [id for id in asked if id.partition("/")[2] not in html]
    assert [] == [case.id for case in run.cases if case.id not in html]
    assert "planted" in html


def test_a_page_of_an_interrupted_run_says_so(write):
    """And how to go on; it does not refresh any more."""
    html, _ = write(_begun(plausible_run(), 2), "2 of 6 passes are kept; `veperf run` continues")

    assert "Interrupted" in html
    assert "2 of 6 passes are kept; <code>veperf run</code> continues." in html
    assert not REFRESH.search(html)


def test_a_page_of_a_hostile_run_is_harmless(write):
    """Names and messages that are markup are shown as text."""
    html, said = write(hostile_run())

    assert [] == said
    assert not re.search(r"<script|<img", without_own_script(html))


def test_a_page_that_cannot_be_written_stops_no_run(write, tmp_path: Path):
    """A baseline that is broken is told once, and the run goes on without the page."""
    baselines, run, said = baselines_in(tmp_path), plausible_run(), list[str]()
    (baselines / "targets.json").write_text("{")
    (tmp_path / run.id).mkdir()
    page = PreliminaryPage(Archive(tmp_path).storage, run, baselines, said.append)
    for passes in range(3):
        page.write(_begun(run, passes))

    assert 1 == len(said)
    assert "targets.json" in said[0]


def test_the_page_leaves_the_last_of_a_disk_to_the_passes(write, tmp_path, monkeypatch):
    """It is not written, and makes room where it was."""
    write(_begun(plausible_run(), 1))
    monkeypatch.setattr(preliminary, "disk_usage", lambda _: disk_usage(tmp_path)._replace(free=9))

    assert ("", []) == write(_begun(plausible_run(), 2))


def test_an_archive_elsewhere_has_no_page():
    """Each write would be a transfer while the run waits."""
    storage = Archive("memory://preliminary").storage
    page = PreliminaryPage(storage, plausible_run(), TARGETS, print)
    page.write(plausible_run())

    assert page.file is None
    assert [] == storage.names()
