"""``veperf init``: what it writes, and what it leaves alone."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from veperf.archive.baselines import load_targets
from veperf.cli.main import veperf
from veperf.core.errors import StorageError, UsageError
from veperf.core.project import find_project

WRITTEN = [
    ".github/workflows/performance.yml",
    ".gitignore",
    "data/baselines/targets.json",
    "veperf.toml",
    "veperf_benchmarks.py",
]
WRITTEN_FOR_GO = [
    ".github/workflows/performance-comment.yml",
    ".github/workflows/performance.yml",
    ".gitignore",
    "veperf.toml",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*options: str) -> Result:
    return CliRunner().invoke(veperf, ["init", *options])


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def test_it_writes_a_benchmark_targets_a_workflow_and_settings(folder: Path) -> None:
    """The benchmark answers the target, the settings name the module."""
    result = init()

    assert (0, WRITTEN) == (result.exit_code, files(folder)), result.output
    (target,) = load_targets(folder / "data" / "baselines").targets
    benchmark = (folder / "veperf_benchmarks.py").read_text()
    assert f'targets={{"time": "{target.id}"}}' in benchmark
    assert ("veperf_benchmarks",) == find_project().options.modules
    assert (target.id.partition("/")[0],) == find_project().options.select
    assert tomllib.loads((folder / "veperf.toml").read_text())["gate"]


def test_a_go_repository_gets_workflows_and_settings(folder: Path) -> None:
    """Nothing of Python; a second call changes nothing, and the other kind is refused."""
    result = init("--go")

    assert (0, WRITTEN_FOR_GO) == (result.exit_code, files(folder)), result.output
    assert () == find_project().options.modules == find_project().options.select
    assert {"fail_over": "10%"} == tomllib.loads((folder / "veperf.toml").read_text())["gate"]
    assert "nothing was written" in init("--go").output
    assert isinstance(init().exception, UsageError)
    assert files(folder) == WRITTEN_FOR_GO


def test_it_completes_what_it_was_stopped_at_and_writes_over_nothing(folder: Path) -> None:
    """Another file of that name stays, and nothing is written beside it."""
    init()
    (folder / "veperf.toml").unlink()
    assert ["wrote veperf.toml"] == init().output.splitlines()[:1]
    assert "nothing was written" in init().output

    (folder / "veperf.toml").unlink()
    (folder / "data" / "baselines" / "targets.json").write_text(json.dumps({}))
    result = init()
    assert isinstance(result.exception, UsageError)
    assert "targets.json is there already" in str(result.exception)
    assert not (folder / "veperf.toml").exists()


@pytest.mark.parametrize("link", ["data", ".github/workflows", "veperf_benchmarks.py"])
def test_it_follows_no_link(folder: Path, tmp_path_factory: pytest.TempPathFactory, link: str):
    """A repository of somebody else's may hold one, and what it leads to is not ours."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(elsewhere / "file" if link.endswith(".py") else elsewhere)

    result = init()

    assert isinstance(result.exception, StorageError | ValueError), result.output
    assert [] == files(elsewhere)
    assert [] == [name for name in WRITTEN if (folder / name).exists()]


def test_the_settings_that_are_there_stay_the_ones_that_count(folder: Path) -> None:
    """A veperf.toml beside [tool.veperf] would switch that table off."""
    table = '[tool.veperf]\nselect = ["shop"]\narchive = "kept"\n'
    (folder / "pyproject.toml").write_text(table)

    result = init()

    assert 0 == result.exit_code, result.output
    assert not (folder / "veperf.toml").exists()
    assert (table, ("shop",)) == (
        (folder / "pyproject.toml").read_text(),
        find_project().options.select,
    )
    assert "the settings are those in pyproject.toml" in result.output
    assert "add 'veperf_benchmarks' to the modules" in result.output


def test_git_is_told_of_runs_and_reports(folder: Path) -> None:
    """In a .gitignore of its own, or else the user is; a second call changes nothing."""
    (folder / ".gitignore").write_text("*.pyc\n")
    assert "add the line reports/ to .gitignore" in init().output
    (folder / ".gitignore").write_text("*.pyc\n/reports\n")

    again = init().output

    assert "nothing was written" in again
    assert "wrote" not in again.replace("nothing was written", "")
    assert "add the line" not in again
    (folder / ".gitignore").unlink()
    assert "wrote .gitignore" in init().output
    assert "reports/\n" == (folder / ".gitignore").read_text()


def test_it_belongs_at_the_root_of_a_repository(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub looks nowhere else for workflows."""
    (folder / "inner").mkdir()
    monkeypatch.chdir(folder / "inner")

    result = init()

    assert isinstance(result.exception, UsageError)
    assert f"in the project {folder}" in str(result.exception)
    assert [] == files(folder)
