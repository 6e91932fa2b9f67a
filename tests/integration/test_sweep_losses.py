"""Sweeps whose workers are killed, by others and by what they measure."""

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest

from tests.support.clusters import Cluster, end, until
from tests.support.networks.held import held, lines
from veperf.archive.store import Archive
from veperf.cluster.progress import SweepLines
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep import run_tasks
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import plan_sweep

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
_PATIENCE_S = 120.0


class _Sweep(SweepLines):
    """One of held tasks, which goes on in a thread."""

    def __init__(self, cluster: Cluster, journal: SweepJournal) -> None:
        super().__init__(journal)
        self.said: list[str] = []
        self.failures = -1
        self._thread = threading.Thread(target=self._go, args=(cluster, journal), daemon=True)

    def _go(self, cluster: Cluster, journal: SweepJournal) -> None:
        self.failures = run_tasks(journal, cluster.client, self, work=held)

    def __enter__(self) -> "_Sweep":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive()

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler."""
    with Cluster(tmp_path) as started:
        yield started


def _journal(folder: Path, tasks: int) -> SweepJournal:
    spec = SweepSpec("held", benchmarks=("a/x",), repeats=tasks, machine_classes=("small",))
    return SweepJournal.create(Archive(folder / "archive"), plan_sweep(spec, str))


def _own_host(folder: Path, name: str) -> dict[str, str]:
    """The environment of a worker on a host of its own, in so far as that goes by its lock."""
    place = folder / f"tmp-{name}"
    place.mkdir()
    return {"HELD": str(folder), "TMPDIR": str(place)}


def _tasks(journal: SweepJournal) -> list[str]:
    """Which tasks have a run in the archive, a word a run."""
    return sorted(run.split("-")[1] for run in journal.archive.ids())


@pytest.mark.slow
@pytest.mark.parametrize("nanny", ["--nanny", "--no-nanny"])
def test_a_worker_is_killed(cluster: Cluster, tmp_path: Path, nanny: str) -> None:
    """Its task runs again, on the same worker once that is back, or on another.

    It is named with its task; one that had nothing to do is not.
    """
    idle = cluster.start_worker("idle", "large", environment=_own_host(tmp_path, "idle"))
    cluster.start_worker("first", "small", nanny=nanny, environment=_own_host(tmp_path, "first"))
    with cluster.client() as client:
        client.wait_for_workers(2, timeout=60)
    with _journal(tmp_path, 3) as journal:
        with _Sweep(cluster, journal) as sweep:
            until(lambda: len(lines(tmp_path, "begun")) == 1)
            end(idle)
            os.kill(int(str(lines(tmp_path, "begun")[0]["worker"])), signal.SIGKILL)
            if nanny == "--no-nanny":
                cluster.start_worker("second", "small", environment=_own_host(tmp_path, "second"))
            until(lambda: len(lines(tmp_path, "begun")) == 2)
            (tmp_path / "go").touch()

        assert 0 == sweep.failures
        assert ["0", "1", "2"] == _tasks(journal)
        (loss,) = [line for line in sweep.said if "was lost" in line]
        assert re.fullmatch(r"worker tcp://\S+ was lost; it had a/x on small #1", loss)


@pytest.mark.slow
def test_a_worker_freezes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection lives, but it says nothing any more: given up after a time that is set."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "6s")
    with Cluster(tmp_path) as cluster, _journal(tmp_path, 2) as journal:
        cluster.start_worker("first", "small", environment=_own_host(tmp_path, "first"))
        with _Sweep(cluster, journal) as sweep:
            until(lambda: len(lines(tmp_path, "begun")) == 1)
            frozen = int(str(lines(tmp_path, "begun")[0]["worker"]))
            os.kill(frozen, signal.SIGSTOP)
            cluster.start_worker("second", "small", environment=_own_host(tmp_path, "second"))
            until(lambda: len(lines(tmp_path, "begun")) == 2)
            os.kill(frozen, signal.SIGCONT)
            (tmp_path / "go").touch()

        assert 0 == sweep.failures
        assert ["0", "1"] == _tasks(journal)


@pytest.mark.slow
def test_a_task_that_kills_its_worker(cluster: Cluster, tmp_path: Path) -> None:
    """Is to blame after as many as dask allows and one; those that wait their turn are not."""
    (tmp_path / "poison-1").touch()
    (tmp_path / "go").touch()
    cluster.keep_worker("first", "small", _own_host(tmp_path, "first"))
    with _journal(tmp_path, 12) as journal:
        with _Sweep(cluster, journal) as sweep:
            pass

        assert 1 == sweep.failures
        assert [str(n) for n in sorted(range(12), key=str) if n != 1] == _tasks(journal)
        losses = 1 + int(dask.config.get("distributed.scheduler.allowed-failures"))
        assert any(f"{losses} workers were lost" in words for words in sweep.said)
        assert losses == Counter(line["task"] for line in lines(tmp_path, "begun"))[1]
