"""The commit that a change is compared with where the last green run is asked for."""

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from tests.support.helpers import TARGETS, plausible_run
from veperf.api.last_green import find_since
from veperf.archive.baselines import save_baseline
from veperf.archive.comparisons import save_ab
from veperf.archive.store import Archive
from veperf.core.ab_records import ABRun, ABSide
from veperf.core.errors import UnknownRunError, UsageError
from veperf.core.run import Revision
from veperf.core.verdict import ChangeStatus, Severity
from veperf.verdicts.baseline import baselines_of


def git(*words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    done = subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return four commits of a repository, the last of them on another branch."""
    top = tmp_path / "project"
    top.mkdir()
    monkeypatch.chdir(top)
    git("init", "-q", "-b", "main")
    made = []
    for text in ("one", "two", "three", "four"):
        if text == "four":
            git("checkout", "-q", "-b", "topic", "HEAD~1")
        (top / "notes.txt").write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", text)
        made.append(git("rev-parse", "HEAD"))
    git("checkout", "-q", "main")
    return made


def compared(number: int, commit: str, *, passes: bool = True, dirty: bool = False) -> ABRun:
    passed = change("mine/work", ChangeStatus.OK)
    failed = change("mine/work", ChangeStatus.SLOWER, ratio=1.5, severity=Severity.FAIL)
    return replace(
        ab_run(passed if passes else failed),
        id=f"20261123-12000{number}-abc1234-0123",
        new=ABSide("new", Revision(commit, "main", dirty=dirty)),
    )


def test_it_is_the_last_that_passed_of_a_commit_before_this_one(commits, tmp_path: Path):
    """Not one that failed, of uncommitted changes, of another branch, of other benchmarks."""
    archive = tmp_path / "archive"
    first, second, third, other = commits
    some = compared(5, third)
    some = replace(some, config=replace(some.config, select=("mine/other",)))
    runs = [
        compared(0, first),
        compared(1, second),
        compared(2, third, passes=False),
        compared(3, third, dirty=True),
        compared(4, other),
        some,
        compared(6, "0" * 40),
    ]
    for run in runs:
        save_ab(archive, run)

    assert second == find_since("green", archive=archive)
    assert third == find_since("green", ["mine/other"], archive=archive)
    assert first == find_since("green", head=first, archive=archive)
    assert other == find_since("green", head="topic", archive=archive)


def test_without_one_it_is_that_of_the_newest_baseline(commits, tmp_path: Path):
    """And without a baseline there is none, which is said."""
    archive, recorded = tmp_path / "archive", tmp_path / "project" / "data" / "baselines"
    with pytest.raises(UsageError, match="name the commit to compare with"):
        find_since("green", archive=archive)

    recorded.mkdir(parents=True)
    (recorded / "targets.json").write_bytes((TARGETS / "targets.json").read_bytes())
    for day, commit in enumerate(commits[:2]):
        for baseline in baselines_of(plausible_run()):
            date = f"2026-11-2{day}T12:00:00+00:00"
            save_baseline(recorded, replace(baseline, revision=Revision(commit), recorded=date))
    assert commits[1] == find_since("green", archive=archive)


def test_a_run_can_be_named(commits, tmp_path: Path):
    """Its commit must be known, and be all that it measured."""
    archive = Archive(tmp_path / "archive")
    clean = replace(plausible_run(), id="20261123-clean", revision=Revision(commits[0]))
    archive.save(clean)
    archive.save(replace(clean, id="20261124-dirty", revision=Revision(commits[0], dirty=True)))

    assert commits[0] == find_since("20261123", archive=tmp_path / "archive")
    with pytest.raises(UsageError, match="uncommitted changes"):
        find_since("last", archive=tmp_path / "archive")
    with pytest.raises(UnknownRunError):
        find_since("20250101", archive=tmp_path / "archive")
