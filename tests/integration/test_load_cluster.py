"""Loads whose target and shards are on workers of a dask scheduler, some of which are killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from distributed import Client

import veperf
from tests.support.clusters import ROOT, Cluster, end, until
from tests.support.processes import children, is_running
from veperf.cluster.load import cluster_launcher
from veperf.cluster.scheduler import connect_client
from veperf.core.errors import MeasureError, UsageError
from veperf.core.load import LoadPlan, LoadSoFar
from veperf.core.run import CaseResult
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.sharded.coordinator import run_sharded_load
from veperf.loadtest.sharded.messages import ShardedLoad

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
LOAD = ShardedLoad(
    benchmark="apart/load",
    params={"rate": 200, "kind": "counter"},
    modules=("tests.support.remote_loads",),
    plan=LoadPlan(passes=1, seconds=4.0, warmup_s=0.0, shards=2),
    seed=11,
    timeout_s=60,
    token="a token that nobody else has",
)


@pytest.fixture(autouse=True)
def a_host_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever else measures on this machine does not keep our workers from it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def with_workers(cluster: Cluster, *names: str) -> dict[str, "subprocess.Popen[bytes]"]:
    """Workers of these names, each of a machine class of its own, once the scheduler knows them."""
    workers = {name: cluster.start_worker(name, name) for name in names}
    with Client(cluster.address, timeout="60s", set_as_default=False) as client:
        client.wait_for_workers(len(names), timeout=60)
    return workers


@pytest.mark.alone
def test_a_load_on_a_cluster(tmp_path: Path) -> None:
    """Target and shards on three workers: a run like any other, of the target's machine."""
    with Cluster(tmp_path) as cluster:
        with_workers(cluster, "one", "two", "three")
        run = veperf.run_load(
            "apart/load", {"rate": 150}, seconds=2, warmup_s=0.5,
            modules=["tests.support.remote_loads"],
            archive=tmp_path / "archive", shards=2, scheduler=cluster.address,
            target_class="two", progress=False,
        )  # fmt: skip

        (result,) = run.run.passes[0].results
        assert "apart/load[rate=150,shards=2]" == result.case
        assert 2 == run.run.config.load.shards
        assert [1, 2] == [shard.number for shard in result.shards]
        assert 0 == result.figures["error_rate"]
        assert Latencies.merged([result.latencies]).count > 0
        assert run.run.machine.cores > 0
        assert run.run.passes[0].yardstick_ns


def test_too_few_workers(tmp_path: Path) -> None:
    """Say so at once, and what is missing; the cluster is none the worse for it."""
    with Cluster(tmp_path) as cluster:
        with_workers(cluster, "one", "two")
        with (
            pytest.raises(MeasureError, match=r"need 3 free workers.*has 2"),
            cluster_launcher(cluster.address, 2, with_target=True),
        ):
            pass
        with (
            pytest.raises(MeasureError, match="machine class 'big'"),
            cluster_launcher(cluster.address, 1, with_target=True, target_class="big"),
        ):
            pass
        with cluster_launcher(cluster.address, 1, with_target=True, target_class="two") as place:
            assert place.machine().cores > 0


@pytest.mark.alone
def test_no_scheduler_is_there() -> None:
    """Nobody answers, or somebody who takes the call and says nothing: neither is waited for."""
    with pytest.raises(MeasureError, match="no scheduler answers"):
        connect_client("tcp://127.0.0.1:1", timeout_s=1)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(
            MeasureError, match=r"does not answer as a dask scheduler|no scheduler answers"
        ),
    ):
        connect_client(f"tcp://127.0.0.1:{mute.getsockname()[1]}", timeout_s=1)


def test_no_address() -> None:
    """Is said at once."""
    with (
        pytest.raises(UsageError, match="no address"),
        cluster_launcher("carrier://pigeon", 1, with_target=True),
    ):
        pass


@pytest.mark.alone
@pytest.mark.parametrize("victim", ["target", "shard"])
def test_a_worker_is_killed_in_the_middle(victim: str, tmp_path: Path) -> None:
    """Without its target there is no result; without a shard there is one, which is invalid."""
    with Cluster(tmp_path) as cluster:
        workers = with_workers(cluster, "one", "two", "three")
        with cluster_launcher(cluster.address, 2, with_target=True, target_class="two") as place:
            todo = [end]

            def strike(_: LoadSoFar) -> bool:
                if todo:
                    todo.pop()(workers["two" if victim == "target" else "one"])
                return True

            result, _ = run_sharded_load("case", LOAD, place, strike)

    logs = [path.read_text() for path in tmp_path.glob("*.log")]
    assert logs
    assert not any(LOAD.token in log for log in logs)
    assert result.failure is not None
    if victim == "target":
        assert result.failure.message.startswith("the target on ")
        assert {} == result.figures
    else:
        assert "invalid" == result.failure.kind
        assert "it was lost" in result.failure.message
        assert result.figures["achieved"] > 0


@pytest.mark.alone
def test_the_scheduler_is_killed_in_the_middle(tmp_path: Path) -> None:
    """There is no result, no wait for one, and no process that goes on for nobody."""
    results: list[CaseResult] = []
    started: list[int] = []
    with Cluster(tmp_path) as cluster:
        workers = with_workers(cluster, "one", "two", "three")
        with cluster_launcher(cluster.address, 2, with_target=True) as place:
            todo = [end]

            def strike(_: LoadSoFar) -> bool:
                if todo:
                    started.extend(p for worker in workers.values() for p in children(worker.pid))
                    todo.pop()(cluster.scheduler)
                return True

            measuring = threading.Thread(
                target=lambda: results.append(run_sharded_load("case", LOAD, place, strike)[0]),
                daemon=True,
            )
            measuring.start()
            measuring.join(60)
        until(lambda: not any(is_running(pid) for pid in started), 20)

    assert 3 == len(started)

    assert 1 == len(results)
    assert results[0].failure is not None
    assert "the scheduler is gone" in results[0].failure.message


@pytest.mark.alone
def test_ctrl_c_ends_it_everywhere_and_keeps_it(tmp_path: Path) -> None:
    """Code 130, what was measured in the archive, and the workers have nothing more to do."""
    with Cluster(tmp_path) as cluster:
        with_workers(cluster, "one", "two", "three")
        command = [
            sys.executable, "-m", "veperf", "load", "apart/load",
            "--module", "tests.support.remote_loads",
            "--archive", str(tmp_path / "archive"), "--seconds", "600", "--warmup", "0",
            "--shards", "2", "--scheduler", cluster.address,
        ]  # fmt: skip
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            # The load has begun, and shows itself.
            while " of 10:00" not in process.stderr.readline():
                pass
            os.kill(process.pid, signal.SIGINT)
            message, _ = process.communicate(timeout=60)
        with cluster.client() as client:
            assert not any(client.processing().values())

    assert 130 == process.returncode, message
    assert "was stopped by hand" in message
    assert "Own lag p99" in message
