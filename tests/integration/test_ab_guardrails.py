"""``veperf ab`` warns of changes that the low values of the time can't show."""

from pathlib import Path

import pytest

from tests.integration.test_ab import ROOT, run_git
from veperf.abtest.guardrails import guardrail_warnings
from veperf.abtest.run import ab
from veperf.core.ab_records import ABGuardrail
from veperf.core.gate import Outcome

OLD = '''
"""Benchmarks of a project."""

import time

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark

calls = 0


def spin(turns=1):
    return sum(i * i % 7 for i in range(40_000 * turns))


def prepare():
    pass


def tail():
    return spin()


def wait():
    return spin()


def memory():
    return spin()


@benchmark("mine/tail", level=Level.MICRO)
def tail_case() -> Task:
    """Works."""
    return Task(tail)


@benchmark("mine/wait", level=Level.MICRO)
def wait_case() -> Task:
    """Works."""
    return Task(wait)


@benchmark("mine/memory", level=Level.MICRO)
def memory_case() -> Task:
    """Works."""
    return Task(memory)


@benchmark("mine/setup", level=Level.MICRO)
def setup_case() -> Task:
    """Works."""
    prepare()
    return Task(spin)


@benchmark("mine/same", level=Level.MICRO)
def same_case() -> Task:
    """Works."""
    return Task(spin)
'''
CHANGES = {
    "def prepare():\n    pass": "def prepare():\n    time.sleep(0.3)",
    "def tail():\n": (
        "def tail():\n    global calls\n    calls += 1\n    if calls % 50 == 0:\n        spin(9)\n"
    ),
    "def wait():\n": (
        "def wait():\n    global calls\n    calls += 1\n"
        "    if calls % 4 == 0:\n        time.sleep(0.003)\n"
    ),
    "def memory():\n": "def memory():\n    bytearray(4_000_000)\n",
}


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A repository of two commits; the second has the four changes."""
    new = OLD
    for before, after in CHANGES.items():
        assert before in new
        new = new.replace(before, after)
    run_git(tmp_path, "init", "-q")
    for content in (OLD, new):
        (tmp_path / "mine.py").write_text(content)
        run_git(tmp_path, "add", "-A")
        run_git(tmp_path, "commit", "-q", "-m", "a version")
    return tmp_path


@pytest.mark.alone
@pytest.mark.timeout(900)
def test_four_planted_changes_are_warned_of(
    planted: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every 50th call ten times as long, a wait in every fourth, 0.3 s of set-up, 4 MB a call."""
    monkeypatch.chdir(planted)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    archive = tmp_path_factory.mktemp("archive")
    actual = ab(
        "HEAD~1", "mine", head="HEAD", modules=["mine"], max_pairs=24, archive=archive,
        compare_all=True, progress=False,
    )  # fmt: skip
    warnings: dict[str, dict[str, ABGuardrail]] = {
        change.case: {guardrail.name: guardrail for guardrail in guardrail_warnings(change)}
        for change in actual.ab.changes
    }

    assert 1.1 < (warnings["mine/tail"]["long_run_mean"].ratio or 0)
    assert 0.1 < (warnings["mine/wait"]["waits"].new or 0)
    assert 3e8 <= (warnings["mine/setup"]["setup"].new or 0)
    assert 4e6 <= (warnings["mine/memory"]["memory_total"].new or 0)
    assert {} == warnings["mine/same"]
    assert actual.decision.outcome in (Outcome.WARN, Outcome.INCONCLUSIVE, Outcome.FAIL)
    assert "mine/setup: set-up time from" in repr(actual)
