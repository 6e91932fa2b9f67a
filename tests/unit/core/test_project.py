"""The project that the user stands in: its root, its settings, and its modules."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from veperf.core import paths
from veperf.core.errors import CorruptFileError
from veperf.core.project import find_project, project_modules, project_selection

ROOT = Path(__file__).parents[3]
BENCHMARK = '''
from veperf.core.case import Level
from veperf.core.registry import Task, benchmark

@benchmark("shop/price", level=Level.MICRO)
def price() -> Task:
    """The price of a basket."""
    return Task(lambda: sum(range(10)))
'''


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path.resolve()


def test_a_repository_is_a_project_with_the_usual_folders(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From wherever in it; where there is none, the current folder is one."""
    monkeypatch.delenv("VEPERF_ARCHIVE", raising=False)
    for folder, root in (("a/b", "."), (".", ".")):
        monkeypatch.chdir(repository / folder)
        assert repository / root == paths.project_folder()
        assert repository / "reports" == paths.archive_location()
        assert repository / "data" / "baselines" == paths.default_baselines_folder()
    (repository / ".git").rmdir()
    assert repository / "a" == find_project(repository / "a").root


@pytest.mark.parametrize(
    ("file", "prefix"), [("veperf.toml", ""), ("pyproject.toml", "[tool.veperf]\n")]
)
def test_the_nearest_file_says_where_things_are(
    repository: Path, monkeypatch: pytest.MonkeyPatch, file: str, prefix: str
) -> None:
    """Folders are counted from it; an archive may be elsewhere, and $VEPERF_ARCHIVE wins."""
    (repository / "veperf.toml").write_text("archive = 'above'\n")
    (repository / "a" / file).write_text(
        f"{prefix}modules = ['m', 'n']\nselect = ['shop']\nbaselines = 'limits'\narchive = 'runs'\n"
    )
    monkeypatch.delenv("VEPERF_ARCHIVE", raising=False)
    monkeypatch.chdir(repository / "a" / "b")

    assert repository / "a" / "runs" == paths.archive_location()
    assert repository / "a" / "limits" == paths.default_baselines_folder()
    assert ("m", "n", "o") == project_modules(["o", "m"])
    assert (("shop",), ("other",)) == (project_selection(), project_selection(["other"]))

    (repository / "a" / file).write_text(f"{prefix}archive = 's3://bucket/folder'\n")
    assert "s3://bucket/folder" == paths.archive_location()
    monkeypatch.setenv("VEPERF_ARCHIVE", "elsewhere")
    assert "elsewhere" == paths.archive_location()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("module = ['m']", "module is unknown; there are modules, select, archive"),
        ("modules = 'm'", "modules"),
        ("modules = [1]", "modules"),
        ("modules = ['']", "modules"),
        ("archive = ''", "archive"),
        ("archive = 1", "archive"),
        ("gate = 1", "gate must be a table"),
        ("modules = [", "is no TOML file"),
    ],
)
def test_a_broken_file_is_named_with_the_setting(repository: Path, text: str, fault: str) -> None:
    """Whatever asks for the project."""
    (repository / "veperf.toml").write_text(text)

    with pytest.raises(CorruptFileError, match=fault) as caught:
        find_project(repository / "a")
    assert "veperf.toml" in str(caught.value)


def test_targets_are_veperfs_own_where_a_project_has_none(repository: Path) -> None:
    """In a checkout as in an install, which has them in another place."""
    folder = repository / "data" / "baselines"
    published = ROOT / "data" / "baselines" / "targets.json"
    assert published == paths.published_file(folder, "targets.json")

    folder.mkdir(parents=True)
    (folder / "targets.json").write_text("{}")
    assert folder / "targets.json" == paths.published_file(folder, "targets.json")


def veperf(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as its script does: without the current folder on the path."""
    code = "import sys; sys.path[:1] = []; from veperf.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_modules_are_found_in_the_current_folder_and_from_the_root(repository: Path) -> None:
    """Those of the file without being named; what is nowhere is missed with the place."""
    (repository / "shop").mkdir()
    (repository / "shop" / "bench.py").write_text(BENCHMARK)

    for folder in (repository, repository / "a"):
        listed = veperf(folder, "list", "--module", "shop.bench", "shop")
        assert (0, True) == (listed.returncode, "shop/price" in listed.stdout), listed.stderr
    missed = veperf(repository / "a", "list", "--module", "none.bench", "none")
    assert (2, True) == (missed.returncode, f"is it in {repository / 'a'}" in missed.stderr)

    (repository / "veperf.toml").write_text("modules = ['shop.bench']\nselect = ['shop']\n")
    listed = veperf(repository / "a" / "b", "list")
    assert 0 == listed.returncode, listed.stderr
    assert ["shop/price"] == [line.split()[0] for line in listed.stdout.splitlines()[2:]]
