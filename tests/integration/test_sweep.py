"""Sweeps on real schedulers and workers, some of which are killed on the way."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import veperf
from tests.support.clusters import ROOT, Cluster, end, instant, until
from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.cluster.progress import SweepLines
from veperf.cluster.scheduler import connect_client
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep import run_tasks
from veperf.cluster.sweep_journal import SweepJournal, sweep_names
from veperf.cluster.sweep_plan import SweepTask, plan_sweep
from veperf.cluster.task_worker import TaskResult, measure_task
from veperf.core.errors import MeasureError, UnknownBenchmarkError, UnknownRunError, UsageError

PLANTED = SweepSpec("try", benchmarks=("planted/work",), modules=("tests.support.planted",))
SMALL = replace(PLANTED, machine_classes=("small",), repeats=3)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


class RecordedProgress(SweepLines):
    """Takes down what is said."""

    def __init__(self, journal: SweepJournal) -> None:
        super().__init__(journal)
        self.hosts: Counter[str] = Counter()
        self.said: list[str] = []
        self.started = threading.Event()

    def task_running(self, task: str, host: str, message: str) -> None:
        if "pass" in message:
            self.started.set()

    def task_done(self, task: SweepTask, host: str, result: TaskResult) -> None:
        super().task_done(task, host, result)
        self.hosts[task.id] += 1

    def say(self, message: str) -> None:
        self.said.append(message)


def _journal(folder: Path, spec: SweepSpec) -> SweepJournal:
    return SweepJournal.create(Archive(folder / "archive"), plan_sweep(spec, str))


@pytest.mark.slow
def test_a_sweep_on_this_machine(tmp_path: Path) -> None:
    """Each task is a run like any other, in the archive and in the table."""
    result = veperf.sweep(replace(PLANTED, repeats=2), archive=tmp_path)
    plain = veperf.run(
        "planted/work", modules=["tests.support.planted"], archive=tmp_path, progress=False
    )

    runs = [veperf.load(name, tmp_path).run for name in result.frame()["run"]]
    assert 0 == result.failed
    assert [0, 1] == [run.config.seed for run in runs]
    for run in runs:
        assert plain.run.cases == run.cases
        assert plain.run.machine == run.machine
        assert [p.index for p in plain.run.passes] == [p.index for p in run.passes]
        # The page that shows how far a run is.
        assert {p.name for p in plain.folder.iterdir()} - {"index.html"} == {
            p.name for p in (tmp_path / run.id).iterdir()
        }


def test_what_does_not_exist_is_said_before_anything_runs(tmp_path: Path) -> None:
    """And no sweep is begun."""
    with pytest.raises(UnknownBenchmarkError):
        veperf.sweep(SweepSpec("try", benchmarks=("no/such",)), archive=tmp_path)
    assert [] == sweep_names(Archive(tmp_path))


@pytest.mark.slow
def test_a_worker_is_lost(tmp_path: Path) -> None:
    """Its task runs again on another of its class; all come back, and each once."""
    with (
        Cluster(tmp_path) as cluster,
        _journal(tmp_path, SMALL) as journal,
    ):
        victim = cluster.start_worker("first", "small")
        cluster.start_worker("other-class", "large")
        progress = RecordedProgress(journal)

        def strike() -> None:
            progress.started.wait(60)
            cluster.start_worker("second", "small")
            end(victim)

        striking = threading.Thread(target=strike)
        striking.start()
        failed = run_tasks(journal, cluster.client, progress)
        striking.join()

        assert 0 == failed
        assert () == journal.missing()
        assert [1, 1, 1] == list(progress.hosts.values())
        assert 3 == len(journal.archive.ids())


@pytest.mark.slow
def test_the_scheduler_is_lost(tmp_path: Path) -> None:
    """What came back is kept, the rest is done when there is a scheduler again."""
    with (
        Cluster(tmp_path) as cluster,
        _journal(tmp_path, SMALL) as journal,
    ):
        worker = cluster.start_worker("first", "small")
        progress = RecordedProgress(journal)

        def strike() -> None:
            until(lambda: progress.done > 0)
            end(cluster.scheduler)
            end(worker)
            cluster.start_scheduler()
            cluster.start_worker("second", "small")

        striking = threading.Thread(target=strike)
        striking.start()
        failed = run_tasks(journal, cluster.client, progress)
        striking.join()

        assert 0 == failed
        assert any("scheduler is gone" in words for words in progress.said)
        assert [1, 1, 1] == list(progress.hosts.values())
        assert 3 == len(journal.archive.ids())


@pytest.mark.slow
def test_a_task_that_fails(tmp_path: Path) -> None:
    """Costs itself alone, and says why."""
    with (
        Cluster(tmp_path) as cluster,
        _journal(tmp_path, replace(PLANTED, benchmarks=("planted/work", "no/such"))) as journal,
    ):
        cluster.start_worker("first", "small")
        progress = RecordedProgress(journal)

        assert 1 == run_tasks(journal, cluster.client, progress)
        assert ["no/such"] == [task.job.description for task in journal.missing()]
        assert any("no benchmark matches" in words for words in progress.said)


@pytest.mark.slow
def test_many_small_tasks(tmp_path: Path) -> None:
    """None is lost, and none comes twice."""
    with (
        Cluster(tmp_path) as cluster,
        _journal(tmp_path, SweepSpec("try", benchmarks=("x",), repeats=60)) as journal,
    ):
        cluster.start_worker("first", "small")
        progress = RecordedProgress(journal)

        assert 0 == run_tasks(journal, cluster.client, progress, work=instant)
        assert 60 == len(journal.archive.ids()) == len(progress.hosts)


@pytest.mark.slow
def test_no_scheduler(tmp_path: Path) -> None:
    """Says so, and how to go on."""
    with Cluster(tmp_path) as cluster, _journal(tmp_path, PLANTED) as journal:
        end(cluster.scheduler)
        connect = partial(connect_client, cluster.address, 1.0)
        with pytest.raises(MeasureError, match=f"--resume {journal.sweep} --scheduler ADDRESS"):
            run_tasks(journal, connect, RecordedProgress(journal), patience_s=0.1)


@pytest.mark.slow
def test_interrupted_and_resumed(tmp_path: Path) -> None:
    """Ctrl-C ends the run on the worker, too, and keeps what is done; --resume does the rest."""
    spec = tmp_path / "try.toml"
    spec.write_text(
        'name = "try"\nbenchmarks = ["planted/work"]\n'
        'modules = ["tests.support.planted"]\nrepeats = 3\n'
    )
    archive = tmp_path / "archive"
    command = [sys.executable, "-m", "veperf", "sweep", "--local", "--archive", str(archive)]
    with subprocess.Popen([*command, str(spec)], cwd=ROOT, stderr=subprocess.PIPE) as first:
        until(lambda: len(Archive(archive).ids()) > 0)
        os.kill(first.pid, signal.SIGINT)
        _, message = first.communicate(timeout=60)
    kept = len(Archive(archive).ids())

    assert 130 == first.returncode
    assert b"--resume try-" in message
    assert kept in (1, 2)
    again = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, check=True)
    assert 3 == len(Archive(archive).ids())
    assert b"are done already" in again.stderr


def test_a_cancelled_run_ends() -> None:
    """As soon as nobody wants it any more, and leaves nothing that goes on."""
    task = plan_sweep(replace(PLANTED, seed=os.getpid()), str).tasks[0]
    messages: list[str] = []
    left: list[str] = []

    def unwanted() -> bool:
        left.append(_processes(task.seed))
        return any("pass" in words for words in messages)

    assert measure_task(task, unwanted, messages.append) is None
    assert left[-1] != ""
    assert "" == _processes(task.seed)


def _processes(seed: int) -> str:
    """Ids of those that make a run with this seed."""
    command = ["pgrep", "-f", f"run --seed {seed} "]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_a_sweep_can_be_looked_at(tmp_path: Path) -> None:
    """While it is at work, with what is missing or failed; nothing is measured for that."""
    with _journal(tmp_path, SMALL) as journal:
        assert journal.add_result(journal.plan.tasks[0], timed_run({"a/x": [5.0]}, id="r1"), "box")
        journal.add_failure(journal.plan.tasks[1], "it crashed")
        command = [
            sys.executable,
            "-m",
            "veperf",
            "sweep",
            "--archive",
            str(journal.archive.folder),
        ]
        text = subprocess.run(
            [*command, "--show"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        result = veperf.load_sweep("try", journal.archive.folder)

    assert 3 == text.returncode == result.exit_code()
    for message in ("r1", "box", "it crashed", "missing", f"--resume {journal.sweep} --sch"):
        assert message in text.stdout
    assert 2 == result.failed
    assert ["", "it crashed", "missing"] == list(result.frame()["failure"])
    assert "| planted/work |" in result._repr_markdown_().replace("\\", "")
    with pytest.raises(UsageError, match="made runs"):
        veperf.load_fleet(journal.sweep, journal.archive.folder)
    with pytest.raises(UnknownRunError, match="no comparison"):
        veperf.load_fleet(archive=journal.archive.folder)
