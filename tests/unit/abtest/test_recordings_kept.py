"""Recordings of what benchmarks execute: made once, failed ones too, and never half of one."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest

from tests.unit.abtest.test_affected import side
from veperf.abtest.affected import unaffected
from veperf.abtest.affected.recorded_code import Recordings, record_code
from veperf.abtest.affected.unaffected import EffectOfChange, find_unaffected
from veperf.abtest.discovery import needed_modules
from veperf.core.case import Case, Level
from veperf.core.registry import SUITES

SUITE = '''
"""Benchmarks of a project."""

from project import setup_cache
from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


@benchmark("project/cached", level=Level.MICRO)
def cached() -> Task:
    """Does something else where its set-up is in the cache."""
    setup_cache.load()
    return Task(lambda: None)
'''
CACHE = """
import os


def load() -> None:
    if os.environ["VEPERF_SETUP_CACHE"] != "off":
        os._exit(1)
"""
LEAVING = """
import os
import tempfile


def load() -> None:
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "made"), "w+") as file:
        file.read()
    os.listdir(os.path.dirname(os.path.realpath(__file__)))
"""
CASE = Case("project/cached", "project/cached", "project", Level.MICRO, "")
FAILED = "what it executes could not be recorded"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project whose benchmark can't be recorded with a cache of set-ups."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = tmp_path / "tree" / "project"
    package.mkdir(parents=True)
    for name, text in (("__init__", ""), ("suite", SUITE), ("setup_cache", CACHE)):
        (package / f"{name}.py").write_text(text)
    return tmp_path / "tree"


def effect(tree: Path, until: float | None = None) -> EffectOfChange:
    return find_unaffected(side(tree), side(tree), ("project.suite",), [CASE], 20, until)


@pytest.mark.slow
def test_a_failed_recording_is_kept_until_a_file_changes(
    tree: Path, monkeypatch: pytest.MonkeyPatch
):
    """One of which a round is missing has failed; the rounds that there are prove nothing."""
    tried = 0

    def record(*arguments: object) -> Recordings:
        nonlocal tried
        tried += 1
        return record_code(*arguments)  # type: ignore[arg-type]  # as they are

    monkeypatch.setattr(unaffected, "record_code", record)

    assert [{CASE.id: FAILED}] * 2 == [effect(tree).affected for _ in range(2)]
    assert 1 == tried
    (tree / "project" / "setup_cache.py").write_text("def load(): pass")
    assert {CASE.id} == effect(tree).unaffected.keys()
    assert {CASE.id} == effect(tree).unaffected.keys()
    assert 2 == tried


@pytest.mark.slow
def test_a_recording_is_kept_wherever_the_checkout_lies(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each comparison has a checkout of its own; files that the benchmark makes are no input."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tree / "project" / "setup_cache.py").write_text(LEAVING)
    other = tmp_path / "elsewhere" / "tree"
    shutil.copytree(tree, other, copy_function=shutil.copy2)

    assert {CASE.id} == effect(tree).unaffected.keys()
    assert any(temporary.iterdir()), "it has left a folder behind"
    shutil.rmtree(temporary)
    temporary.mkdir()
    shutil.rmtree(tree)
    monkeypatch.setattr(unaffected, "record_code", None)  # not called again
    assert {CASE.id} == effect(other).unaffected.keys()


def test_recording_ends_with_its_time(tree: Path, monkeypatch: pytest.MonkeyPatch):
    """What is not recorded by then is compared, and is recorded by the next comparison."""
    reason = "there was no time to record what it executes"

    assert {CASE.id: reason} == effect(tree, time.monotonic()).affected
    limit = time.monotonic() + 0.05  # the interpreter alone takes longer to start
    assert {CASE.id: reason} == effect(tree, limit).affected
    monkeypatch.setattr(
        unaffected, "record_code", lambda *_: Recordings(None, {}, is_cut_off=False)
    )
    assert {CASE.id: FAILED} == effect(tree).affected


def test_a_worker_imports_the_suites_that_are_compared():
    """And every module that is none of the built-in suites, as it may define any benchmark."""
    modules = (SUITES["transaction"], SUITES["bidding"], "mine.benchmarks")
    case = Case("bidding/match", "bidding/match", "bidding", Level.MICRO, "")

    assert (SUITES["bidding"], "mine.benchmarks") == needed_modules(modules, [case])
    assert ("mine.benchmarks",) == needed_modules(modules, [CASE])
