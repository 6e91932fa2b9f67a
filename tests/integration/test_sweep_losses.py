"""Sweeps whose workers are killed, by others and by what they measure."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clusters import Cluster, until
from tests.support.networks.held import held, lines
from veperf.archive.store import Archive
from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import make_plan
from veperf.cluster.progress import Lines
from veperf.cluster.retry_policy import MOST_LOSSES
from veperf.cluster.run import conduct
from veperf.cluster.spec import Spec

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
_PATIENCE_S = 120.0


class _Sweep(Lines):
    """One of held tasks, which goes on in a thread."""

    def __init__(self, cluster: Cluster, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.said: list[str] = []
        self.failures = -1
        self._thread = threading.Thread(target=self._go, args=(cluster, ledger), daemon=True)

    def _go(self, cluster: Cluster, ledger: Ledger) -> None:
        self.failures = conduct(ledger, cluster.client, self, work=held)

    def __enter__(self) -> "_Sweep":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive()

    def say(self, words: str) -> None:
        self.said.append(words)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler."""
    with Cluster(tmp_path) as started:
        yield started


def _ledger(folder: Path, tasks: int) -> Ledger:
    spec = Spec("held", benchmarks=("a/x",), repeats=tasks, machine_classes=("small",))
    return Ledger.begin(Archive(folder / "archive"), make_plan(spec, str))


def _own_host(folder: Path, name: str) -> dict[str, str]:
    """The environment of a worker on a host of its own, in so far as that goes by its lock."""
    place = folder / f"tmp-{name}"
    place.mkdir()
    return {"HELD": str(folder), "TMPDIR": str(place)}


def _tasks(ledger: Ledger) -> list[str]:
    """Which tasks have a run in the archive, a word a run."""
    return sorted(run.split("-")[1] for run in ledger.archive.ids())


@pytest.mark.parametrize("nanny", ["--nanny", "--no-nanny"])
def test_a_worker_is_killed(cluster: Cluster, tmp_path: Path, nanny: str) -> None:
    """Its task runs again, on the same worker once that is back, or on another."""
    cluster.start_worker("first", "small", nanny=nanny, environment=_own_host(tmp_path, "first"))
    with _ledger(tmp_path, 3) as ledger:
        with _Sweep(cluster, ledger) as sweep:
            until(lambda: len(lines(tmp_path, "begun")) == 1)
            os.kill(int(str(lines(tmp_path, "begun")[0]["worker"])), signal.SIGKILL)
            if nanny == "--no-nanny":
                cluster.start_worker("second", "small", environment=_own_host(tmp_path, "second"))
            until(lambda: len(lines(tmp_path, "begun")) == 2)
            (tmp_path / "go").touch()

        assert 0 == sweep.failures
        assert ["0", "1", "2"] == _tasks(ledger)
        assert 1 == sum("its worker is lost; it runs again" in words for words in sweep.said)


def test_a_worker_freezes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection lives, but it says nothing any more: given up after a time that is set."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "6s")
    with Cluster(tmp_path) as cluster, _ledger(tmp_path, 2) as ledger:
        cluster.start_worker("first", "small", environment=_own_host(tmp_path, "first"))
        with _Sweep(cluster, ledger) as sweep:
            until(lambda: len(lines(tmp_path, "begun")) == 1)
            frozen = int(str(lines(tmp_path, "begun")[0]["worker"]))
            os.kill(frozen, signal.SIGSTOP)
            cluster.start_worker("second", "small", environment=_own_host(tmp_path, "second"))
            until(lambda: len(lines(tmp_path, "begun")) == 2)
            os.kill(frozen, signal.SIGCONT)
            (tmp_path / "go").touch()

        assert 0 == sweep.failures
        assert ["0", "1"] == _tasks(ledger)


def test_a_task_that_kills_its_worker(cluster: Cluster, tmp_path: Path) -> None:
    """Is to blame after three of them; those that waited in line there are not."""
    (tmp_path / "poison-1").touch()
    (tmp_path / "go").touch()
    cluster.keep_worker("first", "small", _own_host(tmp_path, "first"))
    with _ledger(tmp_path, 12) as ledger:
        with _Sweep(cluster, ledger) as sweep:
            pass

        assert 1 == sweep.failures
        assert [str(n) for n in sorted(range(12), key=str) if n != 1] == _tasks(ledger)
        assert any(f"{MOST_LOSSES} workers were lost" in words for words in sweep.said)
        # It may begin once more before word of its beginning comes back.
        times = Counter(line["task"] for line in lines(tmp_path, "begun"))[1]
        assert times in (MOST_LOSSES, MOST_LOSSES + 1)
