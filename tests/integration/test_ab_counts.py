"""Counts beside times: two versions of a small library, whose controls are the same in both."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from veperf.archive.comparisons import read_ab
from veperf.core.ab_records import ABChange, ABCount, ABRun
from veperf.core.verdict import ChangeStatus

ROOT = Path(__file__).parents[2]
BENCHMARKS = '''
"""Benchmarks of a library."""

import library

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


@benchmark("mine/control", level=Level.MICRO)
def control() -> Task:
    """Is the same in both versions."""
    return Task(library.control)


@benchmark("mine/sorting", level=Level.MICRO)
def sorting() -> Task:
    """Is the same in both versions, and mostly in C."""
    return Task(library.sorting)


@benchmark("mine/more", level=Level.MICRO)
def more() -> Task:
    """Does 5 % more in the second."""
    return Task(library.more)


@benchmark("mine/breaks", level=Level.MICRO)
def breaks() -> Task:
    """Breaks in the second."""
    return Task(library.breaks)
'''
BEFORE = '''
"""A library."""


def turns(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i % 7
    return total


def control() -> int:
    return turns(1000)


def sorting() -> int:
    return sorted(range(2000, 0, -1))[0]


def more() -> int:
    return turns(2000)


def breaks() -> int:
    return turns(10)
'''
# What an edit brings along moves the objects of the functions that it leaves alone.
AFTER = (
    BEFORE.replace("turns(2000)", "turns(2100)").replace("turns(10)", "1 // 0")
    + """

TABLE = {n: str(n) for n in range(1000)}


def other(n: int) -> dict[int, str]:
    return {i: str(i) for i in range(n)}
"""
)


def run_git(repository: Path, *words: str) -> None:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    subprocess.run(["git", "-C", str(repository), *who, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A commit before and one after; the working tree is as the second."""
    top: Path = tmp_path_factory.mktemp("project")
    run_git(top, "init", "-q")
    (top / "mine.py").write_text(BENCHMARKS)
    for content in (BEFORE, AFTER):
        (top / "library.py").write_text(content)
        run_git(top, "add", "-A")
        run_git(top, "commit", "-q", "-m", "a version")
    return top


def veperf_ab(
    cwd: Path, archive: Path, *words: str, path: str = os.environ["PATH"]
) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if k != "GITHUB_STEP_SUMMARY"}
    return subprocess.run(
        [sys.executable, "-m", "veperf", "ab", *words, "--archive", str(archive)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT), "PATH": path},
        check=False,
    )


def changes_of(run: ABRun) -> dict[str, ABChange]:
    return {change.case: change for change in run.changes}


def counts_of(change: ABChange) -> dict[str, ABCount]:
    return {count.witness: count for count in change.counts}


needs_valgrind = pytest.mark.skipif(
    shutil.which("valgrind") is None, reason="valgrind is not installed"
)


@needs_valgrind
@pytest.mark.slow
def test_instructions_find_five_percent_in_one_process_a_side(
    repository: Path, tmp_path: Path
) -> None:
    """Controls are the same within 0.5 %, 5 % more are found as that, and nothing is timed."""
    done = veperf_ab(
        repository, tmp_path, "HEAD~1", "--head", "HEAD", "--module", "mine",
        "mine/control", "mine/sorting", "mine/more", "--by", "instructions", "--fail-over", "6%",
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    run = read_ab(tmp_path)
    assert () == run.rounds
    actual = changes_of(run)
    expected = {"mine/control": 1.0, "mine/sorting": 1.0, "mine/more": 1.05}
    assert {case: pytest.approx(ratio, abs=0.005) for case, ratio in expected.items()} == {
        case: change.ratio for case, change in actual.items()
    }
    assert ChangeStatus.OK is actual["mine/control"].status
    assert ChangeStatus.SLOWER is actual["mine/more"].status
    # 11 bytecodes a turn.
    bytecodes = counts_of(actual["mine/more"])["bytecodes"]
    assert (bytecodes.base or 0) + 100 * 11 == bytecodes.new
    assert 1 == counts_of(actual["mine/control"])["bytecodes"].ratio
    assert "nothing was timed" in done.stdout


@needs_valgrind
@pytest.mark.slow
def test_a_benchmark_that_breaks_costs_only_itself(repository: Path, tmp_path: Path) -> None:
    """The next one gets a fresh process."""
    done = veperf_ab(
        repository, tmp_path, "HEAD~1", "--head", "HEAD", "--module", "mine",
        "mine/breaks", "mine/control", "--by", "instructions",
    )  # fmt: skip

    assert 3 == done.returncode, done.stderr
    actual = changes_of(read_ab(tmp_path))
    assert ChangeStatus.ERROR is actual["mine/breaks"].status
    assert "new code: ZeroDivisionError" in actual["mine/breaks"].reason
    assert ChangeStatus.OK is actual["mine/control"].status


@needs_valgrind
@pytest.mark.slow
def test_instructions_of_commands_are_those_of_all_their_processes(tmp_path: Path) -> None:
    """A process that a shell starts does the work; 10 % more of it are found."""
    turns = "sh -c 'i=0; while [ $i -lt {} ]; do i=$((i+1)); done'; true"
    done = veperf_ab(
        tmp_path, tmp_path / "archive", "--by", "instructions",
        "--command-a", turns.format(20_000), "--command-b", turns.format(22_000),
    )  # fmt: skip

    assert 1 == done.returncode, done.stderr
    (change,) = read_ab(tmp_path / "archive").changes
    assert change.ratio == pytest.approx(1.1, abs=0.02)


@pytest.mark.alone
def test_bytecodes_are_counted_beside_every_time(repository: Path, tmp_path: Path) -> None:
    """Without an option, exactly, and in few seconds; of what breaks there is none."""
    done = veperf_ab(
        repository, tmp_path, "HEAD~1", "--head", "HEAD", "--module", "mine",
        "mine/control", "mine/more", "mine/breaks", "--max-pairs", "6",
    )  # fmt: skip

    assert 3 == done.returncode, done.stderr
    actual = changes_of(read_ab(tmp_path))
    assert 1 == counts_of(actual["mine/control"])["bytecodes"].ratio
    assert counts_of(actual["mine/more"])["bytecodes"].ratio == pytest.approx(1.05, abs=0.001)
    assert () == actual["mine/breaks"].counts
    assert "bytecodes equal" in done.stdout


def test_without_valgrind_nothing_is_measured(repository: Path, tmp_path: Path) -> None:
    """The error says what to install, at once."""
    folder = tmp_path / "bin"
    folder.mkdir()
    git = shutil.which("git")
    assert git is not None
    (folder / "git").symlink_to(git)

    done = veperf_ab(
        repository, tmp_path / "archive", "HEAD~1", "--module", "mine", "mine/control",
        "--witness", "instructions", path=str(folder),
    )  # fmt: skip

    assert 3 == done.returncode
    assert "apt-get install valgrind" in done.stderr
    assert "pair 1" not in done.stderr
