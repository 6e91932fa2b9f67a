"""The recipes of docs/sweeps.md, run: a sweep's tasks by number, handed out by something else."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import veperf
from tests.support.actions_matrix import Workflow
from tests.support.clusters import until
from tests.support.slurm import is_slurm_installed, slurm
from veperf.archive.store import Archive

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sweeps.md").read_text()
SPEC = """
name = "nightly"
benchmarks = ["planted/work"]
modules = ["tests.support.planted"]
processes = 2
machine_classes = ["small"]
"""
pytestmark = pytest.mark.slow


def block(language: str, mark: str) -> str:
    """The page's code that has these words in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (code,) = [code for code in blocks if mark in code]
    return str(code)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a specification, and `veperf` in the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "veperf"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m veperf "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("VEPERF_ARCHIVE", str(tmp_path / "archive"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "nightly.toml").write_text(SPEC)
    return tmp_path


def run(*words: str, project: Path, code: int = 0, **environment: Any) -> str:
    """What a command prints, in the project."""
    done = subprocess.run(
        words,
        cwd=project,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert code == done.returncode, done.stdout + done.stderr
    return done.stdout


def two_tasks(project: Path) -> None:
    (project / "nightly.toml").write_text((project / "nightly.toml").read_text() + "repeats = 2\n")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_task_that_is_killed(project: Path, how: signal.Signals) -> None:
    """Leaves no run that goes on, and none that counts; its number runs again."""
    seed = os.getpid()
    (project / "nightly.toml").write_text(f"{SPEC}seed = {seed}\n")
    run("veperf", "sweep", "nightly.toml", "--plan", "json", project=project)
    words = [sys.executable, "-m", "veperf", "sweep", "nightly.toml", "--task", "0"]
    with subprocess.Popen(words, cwd=project, stdout=subprocess.DEVNULL) as killed:
        until(lambda: _runs_with(seed) != "")
        killed.send_signal(how)
    until(lambda: _runs_with(seed) == "")

    assert "missing: 0" in run("veperf", "sweep", "--collect", project=project, code=3)
    run("veperf", "sweep", "nightly.toml", "--task", "0", project=project)
    run("veperf", "sweep", "--collect", project=project)
    assert 1 == len(Archive(os.environ["VEPERF_ARCHIVE"]).ids())


def _runs_with(seed: int) -> str:
    """Ids of the processes that make a run with this seed."""
    command = ["pgrep", "-f", f"run --seed {seed} "]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_words_that_make_no_sense(project: Path) -> None:
    """Are wrong usage, and plan nothing."""
    for words in (
        ["--plan", "json"],
        ["--task", "0"],
        ["nightly.toml", "--plan", "json", "--task", "0"],
        ["nightly.toml", "--plan", "json", "--local"],
        ["nightly.toml", "--task", "0", "--scheduler", "tcp://127.0.0.1:1"],
        ["nightly.toml", "--task", "0", "--show"],
        ["nightly.toml", "--collect"],
        ["--collect", "--local"],
        ["nightly.toml", "--task", "0"],
    ):
        run("veperf", "sweep", *words, project=project, code=2)
    run("veperf", "sweep", "nightly.toml", "--plan", "json", project=project)
    run("veperf", "sweep", "nightly.toml", "--task", "1", project=project, code=2)
    assert [] == Archive(os.environ["VEPERF_ARCHIVE"]).ids()


def test_a_matrix_of_github_actions(project: Path) -> None:
    """Its jobs are the tasks; one that is lost is named, fails the workflow, and runs again."""
    two_tasks(project)
    text = block("yaml", ".github/workflows/sweep.yml")
    archive = os.environ["VEPERF_ARCHIVE"]
    workflow = Workflow.read(text, project, {"VEPERF_ARCHIVE": archive})

    assert [0] == workflow.run("plan")
    assert [0] == workflow.run("task", only=1)
    assert [3] == workflow.run("collect")
    assert [0, 0] == workflow.run("task")
    assert [0] == workflow.run("collect")

    assert "missing" in workflow.summary
    assert 2 == len(Archive(archive).ids())
    assert [0, 1] == sorted(
        veperf.load(name, archive).run.config.seed for name in Archive(archive).ids()
    )


@pytest.mark.skipif(not is_slurm_installed(), reason="slurm-wlm and munge are not installed")
def test_an_array_of_slurm(project: Path) -> None:
    """A real controller runs the page's script; what does not fit its plan fails the job."""
    two_tasks(project)
    (project / "sweep.sh").write_text(block("bash", "# sweep.sh:"))

    with slurm(project / "slurm") as found_by:
        environment: dict[str, Any] = found_by | {"PATH": f"{project / 'bin'}:{found_by['PATH']}"}
        run("bash", "sweep.sh", "nightly.toml", project=project, **environment)

        (project / "nightly.toml").write_text(SPEC)
        run(
            "sbatch", "--wait", "--array=0-1", "--output=changed-%a.log", "--wrap",
            'exec veperf sweep nightly.toml --task "$SLURM_ARRAY_TASK_ID"',
            project=project, code=2, **environment,
        )  # fmt: skip

    result = (project / "sweep-result.log").read_text()
    assert "missing" not in result
    for name in Archive(os.environ["VEPERF_ARCHIVE"]).ids():
        assert name in result
    assert 2 == len(Archive(os.environ["VEPERF_ARCHIVE"]).ids())
    assert "is not what nightly-" in (project / "changed-1.log").read_text()


def test_parallel_of_gitlab(project: Path) -> None:
    """More jobs than tasks: each task is run once, and the rest has nothing to do."""
    two_tasks(project)
    pipeline = yaml.safe_load(block("yaml", ".gitlab-ci.yml"))

    def job(name: str, **environment: Any) -> str:
        script = "\n".join(pipeline[name]["script"])
        return run("bash", "-e", "-c", script, project=project, **environment)

    job("plan")
    for index in range(1, 4):
        job("task", CI_NODE_INDEX=str(index), CI_NODE_TOTAL="3")
    job("collect")

    assert 2 == len(Archive(os.environ["VEPERF_ARCHIVE"]).ids())


def test_steps_of_buildkite(project: Path) -> None:
    """The plan becomes steps, as many jobs as tasks."""
    agent = project / "bin" / "buildkite-agent"
    agent.write_text('#!/bin/sh\ncat > steps.json; echo "$@" > agent-words\n')
    agent.chmod(0o755)
    (project / "sweep.sh").write_text(block("bash", "# .buildkite/sweep.sh"))
    run("bash", "sweep.sh", "nightly.toml", project=project)
    steps: dict[str, Any] = json.loads((project / "steps.json").read_text())
    task, collect = steps["steps"]

    assert "pipeline upload --no-interpolation" in (project / "agent-words").read_text()
    assert 1 == task["parallelism"]
    run("bash", "-c", collect["command"], project=project, code=3)
    run("bash", "-c", task["command"], project=project, BUILDKITE_PARALLEL_JOB="0")
    run("bash", "-c", collect["command"], project=project)


@pytest.mark.skipif(shutil.which("envsubst") is None, reason="gettext is not installed")
def test_the_indexed_job_of_kubernetes(project: Path) -> None:
    """Its container's command runs the task of its index, of the sweep that it was made for."""
    plan = json.loads(run("veperf", "sweep", "nightly.toml", "--plan", "json", project=project))
    named: dict[str, Any] = {"SWEEP": plan["sweep"], "COUNT": str(plan["count"])}
    (project / "job.yml").write_text(block("yaml", "sweep-job.yml"))
    text = run("sh", "-c", "envsubst '$SWEEP $COUNT' < job.yml", project=project, **named)
    job = yaml.safe_load(text)["spec"]
    (container,) = job["template"]["spec"]["containers"]

    assert ("Indexed", 1, 1) == (job["completionMode"], job["completions"], job["maxFailedIndexes"])
    environment: dict[str, Any] = {
        e["name"]: e["value"] for e in container["env"] if e["name"] == "SWEEP"
    }
    run(*container["command"], project=project, JOB_COMPLETION_INDEX="0", **environment)
    run("veperf", "sweep", "--collect", plan["sweep"], project=project)
