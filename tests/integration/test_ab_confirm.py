"""What a recorded baseline suspects is decided side by side with the baseline's commit."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.helpers import TARGETS, plausible_run
from veperf.abtest.run import suspect_cases
from veperf.archive.baselines import save_baseline
from veperf.archive.store import Archive
from veperf.core.baseline import Baseline
from veperf.core.gate import GateDecision, Outcome
from veperf.core.run import Revision, Run
from veperf.core.target import TargetSet
from veperf.core.verdict import ChangeStatus, Verdict
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.verdict import run_verdict

ROOT = Path(__file__).parents[2]
NO_TARGETS = TargetSet("1", "none", 10, 20, ())
SUSPECT = "transaction/decode"


def run_git(repository: Path, *words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    done = subprocess.run(
        ["git", "-C", str(repository), *who, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """The code of the benchmark `mine/work`, in two commits that don't differ in it."""
    top: Path = tmp_path / "project"
    top.mkdir()
    run_git(top, "init", "-q")
    (top / "mine.py").write_text(
        (ROOT / "tests" / "support" / "planted.py").read_text().replace("planted/", "mine/")
    )
    for text in ("one", "two"):
        (top / "notes.txt").write_text(text)
        run_git(top, "add", "-A")
        run_git(top, "commit", "-q", "-m", text)
    monkeypatch.chdir(top)
    return top


def suspicious(run: Run, baselines: tuple[Baseline, ...]) -> Verdict:
    """The verdict on ``run``, of which one case is suspect."""
    changes = [
        replace(change, status=ChangeStatus.SUSPECT) if change.case == SUSPECT else change
        for change in run_verdict(run, NO_TARGETS, baselines).changes
    ]
    return Verdict(run.id, GateDecision(Outcome.WARN, 0, ""), (), tuple(changes), {})


@pytest.mark.parametrize(
    ("ran", "recorded", "expected"),
    [
        ("HEAD", "HEAD~1", [SUSPECT]),
        ("HEAD~1", "HEAD~1", []),
        ("HEAD", "", []),
        ("HEAD", "gone", []),
        ("HEAD", "dirty", []),
    ],
)
def test_only_what_can_be_run_again_is_confirmed(
    repository: Path, ran: str, recorded: str, expected: list[str]
):
    """The run is of the code that is here, and the baseline of a commit that is here, unchanged."""
    commits = {ref: run_git(repository, "rev-parse", ref) for ref in ("HEAD", "HEAD~1")}
    then = {
        "": Revision(),
        "gone": Revision("f" * 40),
        "dirty": Revision(commits["HEAD~1"], dirty=True),
    }.get(recorded, Revision(commits.get(recorded, "")))
    run = replace(bare(plausible_run()), revision=Revision(commits[ran]))
    baselines = baselines_of(replace(bare(plausible_run(seed=2, passes=12)), revision=then))

    actual = suspect_cases(run, suspicious(run, baselines), baselines)

    assert expected == [case for cases in actual.values() for case in cases]
    assert set(actual) <= {commits["HEAD~1"]}


def bare(run: Run) -> Run:
    """``run`` without targets."""
    return replace(run, cases=tuple(replace(case, targets={}) for case in run.cases))


def test_outside_a_checkout_nothing_is_confirmed(tmp_path, monkeypatch):
    """The suspicion stays a warning."""
    monkeypatch.chdir(tmp_path)
    run = bare(plausible_run())
    baselines = baselines_of(run)

    assert {} == suspect_cases(run, suspicious(run, baselines), baselines)


@pytest.mark.alone
def test_ci_confirms_by_itself(repository: Path, tmp_path: Path):
    """What the screen suspects is run side by side, and the pairs have the last word."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "VEPERF_ARCHIVE": str(tmp_path / "runs")}
    environment.pop("GITHUB_STEP_SUMMARY", None)

    def veperf(*words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "veperf", *words], cwd=repository, env=environment | more,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = veperf("run", "mine", "--module", "mine", PLANTED_SIZE="60000")
    assert 0 == done.returncode, done.stderr
    archive = Archive(tmp_path / "runs")
    # Of the project's code; what the run says is the checkout that veperf itself is from.
    here = Revision(run_git(repository, "rev-parse", "HEAD"))
    run = replace(archive.load(), id="20261123-here", revision=here)
    archive.save(run)
    # The machine was quicker on another day: all that was recorded then is a third of it.
    (now,) = baselines_of(run)
    commit = run_git(repository, "rev-parse", "HEAD~1")
    then = replace(
        now,
        revision=Revision(commit),
        yardstick_ns=tuple(t / 3 for t in now.yardstick_ns),
        series=tuple(
            replace(s, cpu=tuple(v / 3 for v in s.cpu), wall=tuple(v / 3 for v in s.wall))
            for s in now.series
        ),
    )
    save_baseline(tmp_path / "baselines", then)
    shutil.copy(TARGETS / "targets.json", tmp_path / "baselines")
    words = ("ci", "--run", run.id, "--baselines", str(tmp_path / "baselines"))

    done = veperf(*words, "--time-budget", "4s")

    assert "1 suspect" in done.stdout
    assert re.search(rf"working tree, .*against commit {commit[:10]}", done.stdout), (
        done.stdout + done.stderr
    )
    code = 4 if "time budget ran out" in done.stdout else 0
    assert code == done.returncode, done.stdout + done.stderr
