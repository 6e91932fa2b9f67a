"""What docs/scale.md tells people to write exists: settings, options, arguments."""

import ast
import inspect
import re
import shlex
import signal
from pathlib import Path
from typing import Any

import click
import dask.config
import pytest
import yaml
from distributed import Scheduler, SSHCluster, Worker
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker

from veperf.cli.main import veperf
from veperf.cluster.spec import load_spec
from veperf.cluster.sweep_plan import WORKER_RESOURCE

PAGE = (Path(__file__).parents[3] / "docs" / "scale.md").read_text()
COMMANDS: dict[str, click.Command] = {
    "dask worker": dask_worker,
    "dask scheduler": dask_scheduler,
} | {f"veperf {name}": veperf.commands[name] for name in ("ab", "load", "serve", "sweep")}


def blocks(language: str) -> list[str]:
    """The code in the page's blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """What is typed, and what a unit starts."""
    typed = [line[2:] for block in blocks("console") for line in block.splitlines()]
    started = re.findall(r"^ExecStart=\S*/(dask .*)$", PAGE, re.MULTILINE)
    others = ("pip ", "export ", "ssh ")
    return [line for line in [*typed, *started] if not line.startswith(others)]


def settings(tree: dict[str, Any], path: str = "") -> dict[str, object]:
    """The leaves of ``tree`` by their full names."""
    leaves: dict[str, object] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            leaves |= settings(value, f"{path}{name}.")
        else:
            leaves[path + name] = value
    return leaves


def calls(name: str) -> list[dict[str, ast.expr]]:
    """The keyword arguments of each call of ``name`` in the page's Python."""
    return [
        {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        for block in blocks("py")
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    ]


def parameters(what: object) -> set[str]:
    """The names that ``what`` takes."""
    assert callable(what)
    return set(inspect.signature(what).parameters)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_settings_exist(block: str) -> None:
    """In dask's own defaults, under the same names."""
    missing = object()
    unknown = [
        name
        for name in settings(yaml.safe_load(block))
        if dask.config.get(name, missing) is missing
    ]

    assert [] == unknown


@pytest.mark.parametrize("line", commands())
def test_options_exist(line: str) -> None:
    """Of dask's commands and of ours, with values that they take."""
    (name,) = [name for name in COMMANDS if line.startswith(name)]

    COMMANDS[name].make_context(name, shlex.split(line.removeprefix(name)))


@pytest.mark.parametrize("block", blocks("toml"))
def test_specifications_are_read(block: str, tmp_path: Path) -> None:
    """As `veperf sweep` reads them."""
    path = tmp_path / "spec.toml"
    path.write_text(block)

    assert load_spec(path).machine_classes


def test_resources_are_those_that_tasks_ask_for() -> None:
    """Wherever the page starts a worker."""
    words = re.findall(r"\bveperf=1,class:large=1\b", PAGE)
    (ssh,) = calls("SSHCluster")

    assert 4 == len(words)
    assert {WORKER_RESOURCE: 1, "class:large": 1} == (
        ast.literal_eval(ssh["worker_options"])["resources"]
    )


def test_no_deployer_opens_a_page_to_others() -> None:
    """Each binds dask's HTTP server to its own host; test_open_ports.py looks at the ports."""
    own = "127.0.0.1:0"
    for line in commands():
        assert not line.startswith("dask ") or f" --dashboard-address {own}" in line
    for name in ("SSHCluster", "SLURMCluster"):
        (cluster,) = calls(name)
        assert own == ast.literal_eval(cluster["scheduler_options"])["dashboard_address"]
    (ssh,) = calls("SSHCluster")
    assert own == ast.literal_eval(ssh["worker_options"])["dashboard_address"]
    (slurm,) = calls("SLURMCluster")
    assert own in [ast.literal_eval(e) for e in ast.walk(slurm["worker_extra_args"])
                   if isinstance(e, ast.Constant)]  # fmt: skip
    (kubernetes,) = [block for block in blocks("py") if "KubeCluster" in block]
    assert f'["--no-dashboard", "--dashboard-address", "{own}"]' in kubernetes


def test_arguments_of_the_ssh_cluster_exist() -> None:
    """And those that it hands on."""
    (ssh,) = calls("SSHCluster")

    assert ssh.keys() <= parameters(SSHCluster)
    assert ast.literal_eval(ssh["worker_options"]).keys() <= parameters(Worker)
    assert ast.literal_eval(ssh["scheduler_options"]).keys() <= parameters(Scheduler)


def test_arguments_of_the_slurm_cluster_exist() -> None:
    """Where dask-jobqueue is installed."""
    before = signal.getsignal(signal.SIGINT)
    jobqueue = pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    core = pytest.importorskip("dask_jobqueue.core")
    signal.signal(signal.SIGINT, before)  # importing it takes Ctrl-C over
    (slurm,) = calls("SLURMCluster")

    known = (
        parameters(jobqueue.slurm.SLURMJob)
        | parameters(core.Job)
        | parameters(core.JobQueueCluster)
    )
    assert slurm.keys() <= known


def test_arguments_of_the_kubernetes_cluster_exist() -> None:
    """Where dask-kubernetes is installed."""
    operator = pytest.importorskip(
        "dask_kubernetes.operator", reason="dask-kubernetes is not installed"
    )
    (spec,) = calls("make_cluster_spec")
    (cluster,) = calls("KubeCluster")

    assert spec.keys() <= parameters(operator.make_cluster_spec)
    assert cluster.keys() <= parameters(operator.KubeCluster)
