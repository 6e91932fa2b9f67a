"""The gate in a repository that is not veperf's, with veperf installed from its wheel."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GATE = ROOT / "docs" / "ci" / "gate-requirements.txt"
# memray brings rich along, so that no install lacks it.
NOT_BLOCKED = {"rich"}


def requirements(lines: list[str]) -> dict[str, str]:
    """The requirement by the name of its package."""
    return {re.split(r"[<>=]", line)[0]: line for line in lines if line and line[0] != "#"}


def all_requirements() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return requirements(project["dependencies"])


def gate_requirements() -> dict[str, str]:
    return requirements(GATE.read_text().splitlines())


def test_the_gate_requires_some_of_what_veperf_requires() -> None:
    """Each as pyproject.toml bounds it; neither JupyterLab nor what only draws is among it."""
    assert gate_requirements().items() <= all_requirements().items()
    assert set() == {"jupyterlab", "matplotlib", "seaborn"} & gate_requirements().keys()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with veperf's program; the environment holds its wheel and this one's packages."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*pip, *build], check=True)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (environment / "share").mkdir(exist_ok=True)  # nbconvert's templates
    (environment / "share" / "jupyter").symlink_to(Path(sys.prefix) / "share" / "jupyter")
    install = ["--python", str(environment / "bin" / "python"), "install", "--no-deps", str(wheel)]
    subprocess.run([*pip, *install, "--no-index", "--ignore-installed"], check=True)
    return environment / "bin"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder.resolve()


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A folder of modules that can't be imported, one for each package that no gate needs."""
    folder = tmp_path / "blocked"
    names = all_requirements().keys() - gate_requirements().keys() - NOT_BLOCKED
    assert {"jupyterlab", "matplotlib"} <= names
    for name in sorted(names):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise ImportError('no gate needs {name}')\n")
    return folder


@pytest.mark.slow
def test_the_tutorial_in_a_repository_of_ones_own(
    installed: Path, repository: Path, blocked: Path
) -> None:
    """All is found from where the user stands, and a planted slowdown fails the gate.

    Neither JupyterLab nor matplotlib can be imported all the while, nor anything else that
    docs/ci/gate-requirements.txt does not list.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VEPERF_ARCHIVE", "GITHUB_STEP_SUMMARY")
    } | {"PYTHONPATH": str(blocked)}

    def veperf(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [installed / "veperf", *words],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def expect(code: int, *words: str, folder: Path = repository) -> str:
        done = veperf(folder, *words)
        assert code == done.returncode, done.stdout + done.stderr
        return done.stdout

    expect(0, "init")
    _git(repository, "add", "-A")
    _git(repository, "commit", "-q", "-m", "benchmarks")
    head = _git(repository, "rev-parse", "HEAD")
    inner = repository / "docs"
    inner.mkdir()

    expect(0, "run", "--processes", "3", folder=inner)
    (run,) = repository.glob("reports/*/run.json")
    assert head == json.loads(run.read_text())["revision"]["commit"]
    report = expect(0, "report", "last")
    assert "1 of 1 met" in report
    assert "mine/digest" in (run.parent / "index.html").read_text()
    expect(0, "baseline", "record", "last")
    (recorded,) = repository.glob("data/baselines/*/mine.json")
    assert head == json.loads(recorded.read_text())["revision"]["commit"]

    benchmarks = repository / "veperf_benchmarks.py"
    once = "sha256(message).digest()"
    benchmarks.write_text(benchmarks.read_text().replace(once, f"({once}, {once})"))
    expect(
        1, "ci", "--against", "HEAD", "--budget", "60s", "--export", "junit", "../junit.xml",
        "mine/digest", folder=inner,
    )  # fmt: skip
    failed = ET.parse(repository / "junit.xml").getroot().iter("failure")
    assert any("slower" in str(failure.get("message")) for failure in failed)
    (pairs,) = repository.glob("reports/ab-*/ab.json")
    assert "mine/digest" in pairs.read_text()
    assert not (inner / "reports").exists()


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
