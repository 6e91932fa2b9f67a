"""Workers that don't fit are named, and get nothing, before the first task is handed out."""

import threading
from importlib.metadata import distribution
from pathlib import Path

import pytest
from distributed import Client
from msgspec.structs import replace

from tests.support.clusters import ROOT, Cluster, instant, until
from veperf.archive.store import Archive
from veperf.cluster.installation import describe_installation
from veperf.cluster.load import cluster_launcher
from veperf.cluster.preflight import Preflight
from veperf.cluster.progress import NoWorkerError, SweepLines
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep import run_tasks
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import WORKER_RESOURCE, plan_sweep
from veperf.core.errors import MeasureError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
SPEC = SweepSpec("try", benchmarks=("a/x", "a/y"), machine_classes=("small", "large"))


class Said(SweepLines):
    """Takes down what is said, and waits for no worker."""

    def __init__(self, journal: SweepJournal) -> None:
        super().__init__(journal, wait_s=0.0)
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def with_versions(folder: Path, **versions: str) -> dict[str, str]:
    """The environment of a worker that has other versions, as their metadata say."""
    for name, version in versions.items():
        metadata = folder / f"{name}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        commands = distribution(name).read_text("entry_points.txt")  # `dask worker` is one
        metadata.with_name("entry_points.txt").write_text(commands or "")
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def without_veperf(folder: Path) -> dict[str, str]:
    """The environment of a worker on which veperf can't be imported."""
    (folder / "veperf").mkdir(parents=True)
    (folder / "veperf" / "__init__.py").write_text("raise ImportError('there is no veperf here')")
    return {"PYTHONPATH": str(folder)}


def wait_for(cluster: Cluster, count: int) -> None:
    with cluster.client() as client:
        client.wait_for_workers(count, timeout=60)


def test_a_worker_that_does_not_fit_gets_no_task(tmp_path: Path) -> None:
    """The others do theirs; of its class nothing is measured, and its host is the reason."""
    with Cluster(tmp_path) as cluster:
        cluster.start_worker("worker-1", "small")
        cluster.start_worker(
            "worker-3", "large",
            environment=with_versions(tmp_path / "old", distributed="2024.8.0", coincurve="1.0"),
        )  # fmt: skip
        wait_for(cluster, 2)
        plan = plan_sweep(SPEC, str)
        with SweepJournal.create(Archive(tmp_path / "archive"), plan) as journal:
            said = Said(journal)
            with pytest.raises(NoWorkerError, match=r"does not fit.*distributed 2024\.8\.0, here"):
                run_tasks(journal, cluster.client, said, work=instant)

        assert {"large"} == {task.machine_class for task in journal.missing()}
        assert said.lines[0].startswith("worker-3 (127.0.0.1): coincurve 1.0, here ")
        assert "; distributed 2024.8.0, here " in said.lines[0]
        assert 1 == sum("machine class 'large' fits; 2 tasks wait" in line for line in said.lines)


def test_one_without_veperf_is_named_and_another_takes_over(tmp_path: Path) -> None:
    """As soon as one that fits comes."""
    with Cluster(tmp_path, runs_in=tmp_path) as cluster:
        cluster.start_worker("bare", "small", environment=without_veperf(tmp_path / "bare-path"))
        wait_for(cluster, 1)
        plan = plan_sweep(SweepSpec("try", benchmarks=("a/x",)), str)
        with SweepJournal.create(Archive(tmp_path / "archive"), plan) as journal:
            said = Said(journal)
            said._wait_s = 60.0
            sweeping = threading.Thread(
                target=lambda: run_tasks(journal, cluster.client, said, work=instant)
            )
            sweeping.start()
            until(lambda: any("there is no veperf here" in line for line in said.lines))
            cluster.start_worker("good", "small", environment={"PYTHONPATH": str(ROOT)})
            sweeping.join(60)

            assert () == journal.missing()


def test_a_load_avoids_them_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Too few are left, and standard error says why; a client that fits has them back."""
    with Cluster(tmp_path) as cluster:
        cluster.start_worker("good", "small")
        cluster.start_worker(
            "old", "small", environment=with_versions(tmp_path / "older", msgspec="0.1")
        )
        wait_for(cluster, 2)
        launcher = cluster_launcher(cluster.address, 1, with_target=True)
        with pytest.raises(MeasureError, match="the scheduler has 1 "), launcher:
            pass

        assert "old (127.0.0.1): msgspec 0.1, here " in capsys.readouterr().err
        with cluster.client() as client:
            preflight = Preflight(client)
            preflight.examine()
            (unfit,) = preflight.unfit.values()
            assert {0, 1} == _resources(client)
            here = describe_installation()
            other = replace(here, versions=here.versions | {"msgspec": "0.1"})
            lines = Preflight(client, other).examine()

            assert unfit.name.startswith("old")
            assert ["good"] == [line.split(" ")[0] for line in lines]
            assert {0, 1} == _resources(client)


def _resources(client: Client) -> set[float]:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return {worker["resources"][WORKER_RESOURCE] for worker in workers}
