"""Sweeps on real schedulers and workers, some of which are killed on the way."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

import veperf
from tests.support.clusters import ROOT, Cluster, end, instant, until
from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import Task, make_plan
from veperf.cluster.progress import Lines
from veperf.cluster.run import conduct
from veperf.cluster.spec import Spec
from veperf.cluster.sweep_journal import sweeps
from veperf.cluster.task_result import Found
from veperf.cluster.task_worker import measure
from veperf.core.errors import MeasureError, UnknownBenchmarkError, UnknownRunError, UsageError

PLANTED = Spec("try", benchmarks=("planted/work",), modules=("tests.support.planted",))
SMALL = replace(PLANTED, machine_classes=("small",), repeats=3)
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


class Watched(Lines):
    """Takes down what is said."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.hosts: Counter[str] = Counter()
        self.said: list[str] = []
        self.started = threading.Event()

    def running(self, task: str, host: str, words: str) -> None:
        if "pass" in words:
            self.started.set()

    def came(self, task: Task, host: str, found: Found) -> None:
        super().came(task, host, found)
        self.hosts[task.id] += 1

    def say(self, words: str) -> None:
        self.said.append(words)


def _ledger(folder: Path, spec: Spec) -> Ledger:
    return Ledger.begin(Archive(folder / "archive"), make_plan(spec, str))


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
        assert {p.name for p in plain.folder.iterdir()} == {
            p.name for p in (tmp_path / run.id).iterdir()
        }


def test_what_does_not_exist_is_said_before_anything_runs(tmp_path: Path) -> None:
    """And no sweep is begun."""
    with pytest.raises(UnknownBenchmarkError):
        veperf.sweep(Spec("try", benchmarks=("no/such",)), archive=tmp_path)
    assert [] == sweeps(Archive(tmp_path))


def test_a_worker_is_lost(tmp_path: Path) -> None:
    """Its task runs again on another of its class; all come back, and each once."""
    with (
        Cluster(tmp_path) as cluster,
        _ledger(tmp_path, SMALL) as ledger,
    ):
        victim = cluster.start_worker("first", "small")
        cluster.start_worker("other-class", "large")
        watcher = Watched(ledger)

        def strike() -> None:
            watcher.started.wait(60)
            cluster.start_worker("second", "small")
            end(victim)

        striking = threading.Thread(target=strike)
        striking.start()
        failed = conduct(ledger, cluster.client, watcher)
        striking.join()

        assert 0 == failed
        assert () == ledger.missing()
        assert [1, 1, 1] == list(watcher.hosts.values())
        assert 3 == len(ledger.archive.ids())


def test_the_scheduler_is_lost(tmp_path: Path) -> None:
    """What came back is kept, the rest is done when there is a scheduler again."""
    with (
        Cluster(tmp_path) as cluster,
        _ledger(tmp_path, SMALL) as ledger,
    ):
        worker = cluster.start_worker("first", "small")
        watcher = Watched(ledger)

        def strike() -> None:
            until(lambda: watcher.done > 0)
            end(cluster.scheduler)
            end(worker)
            cluster.start_scheduler()
            cluster.start_worker("second", "small")

        striking = threading.Thread(target=strike)
        striking.start()
        failed = conduct(ledger, cluster.client, watcher)
        striking.join()

        assert 0 == failed
        assert any("scheduler is gone" in words for words in watcher.said)
        assert [1, 1, 1] == list(watcher.hosts.values())
        assert 3 == len(ledger.archive.ids())


def test_a_task_that_fails(tmp_path: Path) -> None:
    """Costs itself alone, and says why."""
    with (
        Cluster(tmp_path) as cluster,
        _ledger(tmp_path, replace(PLANTED, benchmarks=("planted/work", "no/such"))) as ledger,
    ):
        cluster.start_worker("first", "small")
        watcher = Watched(ledger)

        assert 1 == conduct(ledger, cluster.client, watcher)
        assert ["no/such"] == [task.job.words for task in ledger.missing()]
        assert any("no benchmark matches" in words for words in watcher.said)


def test_many_small_tasks(tmp_path: Path) -> None:
    """None is lost, and none comes twice."""
    with (
        Cluster(tmp_path) as cluster,
        _ledger(tmp_path, Spec("try", benchmarks=("x",), repeats=60)) as ledger,
    ):
        cluster.start_worker("first", "small")
        watcher = Watched(ledger)

        assert 0 == conduct(ledger, cluster.client, watcher, work=instant)
        assert 60 == len(ledger.archive.ids()) == len(watcher.hosts)


def test_no_scheduler(tmp_path: Path) -> None:
    """Says so, and how to go on."""
    with Cluster(tmp_path) as cluster, _ledger(tmp_path, PLANTED) as ledger:
        end(cluster.scheduler)
        with pytest.raises(MeasureError, match=f"--resume {ledger.sweep}"):
            conduct(ledger, cluster.client, Watched(ledger), patience_s=0.1)


def test_interrupted_and_resumed(tmp_path: Path) -> None:
    """Ctrl-C ends the run on the worker, too, and keeps what is done; --resume does the rest."""
    spec = tmp_path / "try.toml"
    spec.write_text(
        'name = "try"\nbenchmarks = ["planted/work"]\nmodules = ["tests.support.planted"]\nrepeats = 3\n'
    )
    archive = tmp_path / "archive"
    command = [sys.executable, "-m", "veperf", "sweep", "--local", "--archive", str(archive)]
    with subprocess.Popen([*command, str(spec)], cwd=ROOT, stderr=subprocess.PIPE) as first:
        until(lambda: len(Archive(archive).ids()) > 0)
        os.kill(first.pid, signal.SIGINT)
        _, said = first.communicate(timeout=60)
    kept = len(Archive(archive).ids())

    assert 130 == first.returncode
    assert b"--resume try-" in said
    assert kept in (1, 2)
    again = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, check=True)
    assert 3 == len(Archive(archive).ids())
    assert b"are done already" in again.stderr


def test_a_cancelled_run_ends() -> None:
    """As soon as nobody wants it any more, and leaves nothing that goes on."""
    task = make_plan(replace(PLANTED, seed=os.getpid()), str).tasks[0]
    told: list[str] = []
    left: list[str] = []

    def unwanted() -> bool:
        left.append(_processes(task.seed))
        return any("pass" in words for words in told)

    assert measure(task, unwanted, told.append) is None
    assert left[-1] != ""
    assert "" == _processes(task.seed)


def _processes(seed: int) -> str:
    """Ids of those that make a run with this seed."""
    command = ["pgrep", "-f", f"run --seed {seed} "]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_a_sweep_can_be_looked_at(tmp_path: Path) -> None:
    """While it is at work, with what is missing or failed; nothing is measured for that."""
    with _ledger(tmp_path, SMALL) as ledger:
        assert ledger.keep(ledger.plan.tasks[0], timed_run({"a/x": [5.0]}, id="r1"), "box")
        ledger.fail(ledger.plan.tasks[1], "it crashed")
        command = [sys.executable, "-m", "veperf", "sweep", "--archive", str(ledger.archive.folder)]
        shown = subprocess.run(
            [*command, "--show"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        found = veperf.load_sweep("try", ledger.archive.folder)

    assert 3 == shown.returncode == found.exit_code()
    for said in ("r1", "box", "it crashed", "missing", f"--resume {ledger.sweep}"):
        assert said in shown.stdout
    assert 2 == found.failed
    assert ["", "it crashed", "missing"] == list(found.frame()["failure"])
    assert "| planted/work |" in found._repr_markdown_().replace("\\", "")
    with pytest.raises(UsageError, match="made runs"):
        veperf.load_fleet(ledger.sweep, ledger.archive.folder)
    with pytest.raises(UnknownRunError, match="no comparison"):
        veperf.load_fleet(archive=ledger.archive.folder)
