"""``veperf ab`` on the workers of a cluster: each class has its own verdict."""

import os
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import veperf
from tests.support.clusters import ROOT, Cluster, end, until
from veperf.abtest import git
from veperf.archive.comparisons import ab_ids, read_ab
from veperf.archive.store import Archive
from veperf.cluster.progress import SweepLines
from veperf.cluster.spec import ABSpec, SweepSpec
from veperf.cluster.sweep import run_tasks
from veperf.cluster.sweep_journal import SweepJournal, sweep_names
from veperf.cluster.sweep_plan import SweepTask, plan_sweep
from veperf.cluster.task_worker import TaskResult
from veperf.core.ab_records import ABRun
from veperf.core.gate import Outcome
from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import looks_up_to, schedule_looks

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

_BENCHMARK = '''
"""Benchmarks of a project."""

import os

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark

SIZE = 20_000


@benchmark("mine/work", level=Level.MICRO)
def work() -> Task:
    """Adds up."""
    numbers = list(range(SIZE))
    return Task(lambda: sum(numbers))
'''
_SLOWER = _BENCHMARK.replace(
    "SIZE = 20_000", 'SIZE = 40_000 if os.environ.get("HOST_IS") == "large" else 20_000'
)
_LARGE = {"HOST_IS": "large"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two commits, of which the second is slower on one class of machine."""
    top = tmp_path / "project"
    top.mkdir()
    _git(top, "init", "-q")
    for content in (_BENCHMARK, _SLOWER):
        (top / "mine.py").write_text(content)
        _git(top, "add", "-A")
        _git(top, "commit", "-q", "-m", "a version")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(top)
    return top


def _git(top: Path, *words: str) -> None:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    subprocess.run(["git", "-C", str(top), *who, *words], check=True, capture_output=True)


def _veperf(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "veperf", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _asked(cluster: Cluster, archive: Path, *classes: str) -> list[str]:
    named = [word for name in classes for word in ("--machine-class", name)]
    return [
        "HEAD~1", "mine/work", "--module", "mine", "--max-pairs", "8", "--scheduler",
        cluster.address, "--archive", str(archive), *named,
    ]  # fmt: skip


def _overlap(item: ABRun, other: ABRun) -> bool:
    """Whether pairs of both were measured at the same time; ``created`` is to the second."""

    def span(run: ABRun) -> tuple[datetime, datetime]:
        begin = datetime.fromisoformat(run.created)
        return begin, begin + timedelta(seconds=sum(each.seconds for each in run.rounds) - 1)

    (begin, done), (other_begin, other_done) = span(item), span(other)
    return begin < other_done and other_begin < done


class RecordedProgress(SweepLines):
    """Takes down what is said, and when pairs are being measured."""

    def __init__(self, journal: SweepJournal) -> None:
        super().__init__(journal)
        self.said: list[str] = []
        self.came_in: list[str] = []
        self.measuring = threading.Event()

    def task_running(self, task: str, host: str, message: str) -> None:
        if "undecided" in message:
            self.measuring.set()

    def task_done(self, task: SweepTask, host: str, result: TaskResult) -> None:
        super().task_done(task, host, result)
        self.came_in.append(task.id)

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.mark.alone
def test_each_class_has_its_own_verdict(project: Path, tmp_path: Path) -> None:
    """Slower on one, not on the other: said so in every form, and the worst is the exit code."""
    archive, junit, summary = (tmp_path / name for name in ("archive", "junit.xml", "summary.md"))
    with Cluster(tmp_path, project) as cluster:
        cluster.start_worker("one", "small")
        cluster.start_worker("two", "large", environment=_LARGE)
        done = _veperf(
            "ab", *_asked(cluster, archive, "small", "large"),
            "--export", "junit", str(junit), "--summary", str(summary),
        )  # fmt: skip

    fleet = veperf.load_fleet(archive=archive)
    small, large = (place.comparison for place in fleet.places)
    assert small is not None
    assert large is not None
    assert 1 == done.returncode == fleet.exit_code(), done.stderr
    assert Outcome.FAIL is fleet.decision.outcome
    assert ChangeStatus.SLOWER is large.changes[0].status
    assert ChangeStatus.SLOWER is not small.changes[0].status
    assert fleet.decision.headline.startswith("slower on large: mine/work +")
    assert 2 == small.config.comparisons == large.config.comparisons
    levels = schedule_looks(looks_up_to(8)).levels_change(0.05 / 2)
    assert levels == tuple(look.alpha_change for look in large.changes[0].path)
    assert not _overlap(small, large)
    assert {small.id, large.id} == set(ab_ids(Archive(archive).storage))
    assert large == veperf.load_ab(large.id, archive).ab

    assert "Slower on large: mine/work +" in done.stdout
    assert "Slower on large: mine/work +" in summary.read_text()
    (page,) = archive.glob("sweeps/*/index.html")
    assert str(page) in done.stdout
    assert page.read_text() == fleet.page()
    failed = [case for case in ET.parse(junit).iter("testcase") if case.find("failure") is not None]
    assert ["mine on large.ab"] == [case.get("classname") for case in failed]
    text = _veperf("sweep", "--show", "--archive", str(archive))
    assert 1 == text.returncode
    # A terminal's lines are wrapped, so only the words are the same.
    assert repr(fleet).split() == text.stdout.rpartition("\n\npage")[0].split()


@pytest.mark.alone
def test_a_worker_is_lost_in_the_middle(project: Path, tmp_path: Path) -> None:
    """Its comparison is made again on another of its class, and what it had begun ends."""
    head = git.resolve_commit(project, "HEAD")
    request = ABSpec(head, head, max_pairs=6, compare_all=True)
    spec = SweepSpec(
        "again",
        ("mine/work",),
        machine_classes=("small",),
        seed=os.getpid(),
        modules=("mine",),
        ab=request,
    )
    left: list[str] = []
    archive = Archive(tmp_path / "archive")
    with (
        Cluster(tmp_path, project) as cluster,
        SweepJournal.create(archive, plan_sweep(spec, str)) as journal,
    ):
        victim = cluster.start_worker("first", "small")
        progress = RecordedProgress(journal)

        def strike() -> None:
            progress.measuring.wait(60)
            left.append(_processes(spec.seed))
            end(victim)
            until(lambda: not _processes(spec.seed))
            cluster.start_worker("second", "small")

        striking = threading.Thread(target=strike)
        striking.start()
        assert 0 == run_tasks(journal, cluster.client, progress)
        striking.join()

        assert () == journal.missing()
    assert left != [""]
    assert [task.id for task in journal.plan.tasks] == progress.came_in
    (id,) = ab_ids(archive.storage)
    assert head == read_ab(archive.storage, id).new.revision.commit


def _processes(seed: int) -> str:
    """Ids of those that compare with this seed."""
    command = ["pgrep", "-f", f"ab --seed {seed} "]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.alone
def test_interrupted_and_resumed(project: Path, tmp_path: Path) -> None:
    """Ctrl-C says how to go on; what was found is kept, the rest is done then and only that."""
    archive = tmp_path / "archive"
    with Cluster(tmp_path, project) as cluster:
        cluster.start_worker("one", "small")
        command = [
            sys.executable,
            "-m",
            "veperf",
            "ab",
            *_asked(cluster, archive, "small", "large"),
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:
            assert first.stderr is not None
            while "1/2 " not in (line := first.stderr.readline()):
                assert line, "it ended"
            os.kill(first.pid, signal.SIGINT)
            _, message = first.communicate(timeout=60)
        assert 130 == first.returncode
        assert "1 of 2 tasks are done; `veperf sweep --resume fleet-" in message
        assert f" --scheduler {cluster.address} " in message

        partly = veperf.load_fleet(archive=archive)
        assert "not measured on large: no result yet" in partly.decision.headline
        assert 3 == partly.exit_code()
        cluster.start_worker("two", "large", environment=_LARGE)
        again = _veperf(
            "sweep", "--resume", "--scheduler", cluster.address, "--archive", str(archive)
        )

    assert 1 == again.returncode, again.stderr
    assert "1 of 2 are done already" in again.stderr
    whole = veperf.load_fleet(archive=archive)
    assert partly.places[0] == whole.places[0]
    assert 2 == len(ab_ids(Archive(archive).storage))


@pytest.mark.alone
def test_a_class_without_a_result_is_no_pass(project: Path, tmp_path: Path) -> None:
    """No worker, or one whose checkout lacks the commit: said with what to do, and code 3."""
    behind = tmp_path / "behind"
    subprocess.run(["git", "clone", "-q", str(project), str(behind)], check=True)
    (project / "mine.py").write_text(_BENCHMARK)
    _git(project, "commit", "-a", "-q", "-m", "not fetched")
    with Cluster(tmp_path, behind) as cluster:
        cluster.start_worker("one", "small")
        request = _asked(cluster, tmp_path / "archive", "small", "gpu")
        done = _veperf("ab", *request, "--wait", "1s")

    assert 3 == done.returncode
    assert "not measured on gpu: no worker came within 1.0\u202fs" in done.stdout
    assert f"looked in {behind}" in done.stdout
    assert "run `git fetch`" in done.stdout
    assert "`veperf sweep --resume fleet-" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["HEAD~1"], "has uncommitted changes"),
        (["HEAD~1", "--working-tree"], "--working-tree"),
        (["nonsense", "--head", "HEAD"], "'nonsense' is no commit"),
        (["HEAD~1", "--head", "HEAD", "--machine-class", "../x"], "machine_classes is"),
        (["--command-a", "true", "--command-b", "true"], "workers compare commits"),
        ([], "BASE is missing"),
    ],
)
def test_what_workers_can_t_compare_is_refused(
    project: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    """At once, without a scheduler, and no sweep is begun."""
    (project / "mine.py").write_text(_BENCHMARK + "# more\n")
    done = _veperf("ab", "--scheduler", "tcp://127.0.0.1:9", "--archive", str(tmp_path), *words)

    assert 2 == done.returncode
    assert message in done.stderr
    assert [] == sweep_names(Archive(tmp_path))


def test_classes_need_a_scheduler(project: Path) -> None:
    """Comparing here, and calling it a class, is not what was asked for."""
    done = _veperf("ab", "HEAD~1", "--machine-class", "small")

    assert 2 == done.returncode
    assert "--scheduler ADDRESS" in done.stderr
