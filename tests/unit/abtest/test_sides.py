"""Each side imports its own code, and gets an environment of its own only where it must."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from veperf.abtest import git
from veperf.abtest.sides import prepare_sides
from veperf.abtest.virtual_environments import dependencies, environment_interpreter
from veperf.core.errors import DataError, MeasureError, UsageError
from veperf.measure.worker_client import CURRENT_CODE

ROOT = Path(__file__).parents[3]


def run_git(repository: Path, *words: str) -> None:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    subprocess.run(["git", "-C", str(repository), *who, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """A repository whose last commit has two files; a third is new in the working tree."""
    top: Path = tmp_path / "project"
    (top / "src").mkdir(parents=True)
    run_git(tmp_path, "init", "-q", str(top))
    (top / "src" / "changed.py").write_text("WHO = 'base'\n")
    (top / "gone.py").write_text("WHO = 'base'\n")
    run_git(top, "add", "-A")
    run_git(top, "commit", "-q", "-m", "base")
    (top / "src" / "changed.py").write_text("WHO = 'new'\n")
    (top / "gone.py").unlink()
    (top / "fresh.py").write_text("WHO = 'new'\n")
    monkeypatch.chdir(top)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(top / "src"), str(top), str(ROOT)]))
    monkeypatch.setattr(sys, "path", [str(top / "src"), str(top), *sys.path])
    return top


def imported(side, module: str) -> str:
    """What a process of ``side`` finds in ``module``: run as a worker would be."""
    (*start, flag, last) = side.command()
    script = f"try:\n import {module}; print({module}.WHO)\nexcept ImportError:\n print('none')"
    # The worker's own start, less the worker.
    before = last.rpartition("runpy.run_module")[0] if flag == "-c" else ""
    done = subprocess.run(
        [*start[:1], "-c", f"{before}\n{script}"],
        cwd=side.folder, env=os.environ | side.environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_each_side_imports_its_own_code(checkout: Path) -> None:
    """Changed, deleted and new modules: neither sees the other's, whatever is on the path."""
    with prepare_sides("HEAD", None) as (base, new):
        actual = {
            module: (imported(base.code, module), imported(new.code, module))
            for module in ("changed", "gone", "fresh")
        }

    assert {
        "changed": ("base", "new"),
        "gone": ("base", "none"),
        "fresh": ("none", "new"),
    } == actual


def test_a_worktree_of_another_host_stays(checkout: Path, tmp_path: Path) -> None:
    """Where hosts share a repository, a worktree that can't be seen from here is not removed."""
    commit = git.resolve_commit(checkout, "HEAD")
    with git.temporary_worktree(checkout, commit) as theirs:
        theirs.rename(tmp_path / "unseen")
        with git.temporary_worktree(checkout, commit):
            pass
        (tmp_path / "unseen").rename(theirs)

        assert commit == git.find_commit(theirs, "HEAD")


def test_a_worktree_is_gone_afterwards(checkout: Path) -> None:
    """Nothing stays, neither in the temporary folder nor in git's list, whatever happened."""
    folders: list[Path] = []

    def interrupted() -> None:
        with prepare_sides("HEAD", "HEAD") as sides:
            folders.extend(side.code.folder for side in sides if side.code.folder is not None)
            assert [True, True] == [folder.is_dir() for folder in folders]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [False, False] == [folder.exists() for folder in folders]
    listed = subprocess.run(["git", "worktree", "list"], capture_output=True, text=True, check=True)
    assert 1 == len(listed.stdout.splitlines())


def test_names_and_revisions_say_what_was_compared(checkout: Path) -> None:
    """The commit, and that the working tree has more than it."""
    with prepare_sides("HEAD", None) as (base, new):
        assert ("HEAD", "working tree") == (base.description.name, new.description.name)
        assert base.description.revision.commit == new.description.revision.commit
        assert (False, True) == (base.description.revision.dirty, new.description.revision.dirty)


def test_a_hook_s_variables_lead_nowhere(checkout: Path, monkeypatch) -> None:
    """Called from a hook, git itself is told of another index; that one stays as it is."""
    monkeypatch.setenv("GIT_DIR", str(checkout / "no such folder"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(checkout / "index"))
    with prepare_sides("HEAD", None) as (base, _):
        assert "base" == imported(base.code, "gone")

    assert not (checkout / "index").exists()


@pytest.mark.parametrize("ref", ["nonsense", "--help", "", "HEAD~7", "HEAD:gone.py"])
def test_what_is_no_commit_is_refused(checkout: Path, ref: str) -> None:
    """In words, before anything is made."""
    with pytest.raises(UsageError, match="is no commit"), prepare_sides(ref, None):
        pass


def test_outside_a_checkout_there_is_nothing_to_compare(tmp_path, monkeypatch) -> None:
    """The current folder decides."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no git checkout"):
        git.find_repository()


def test_dependencies_are_those_of_the_lock_without_comments(tmp_path: Path) -> None:
    """The lock where there is one; else requirements.txt and the project's own list."""
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\ndependencies = ["numpy>=2"]\n[tool.ruff]\nline-length = 99\n')
    assert ("numpy>=2",) == dependencies(tmp_path)
    (tmp_path / "requirements.txt").write_text("# ours\nattrs==1 # pinned\n\n")
    assert ("attrs==1", "numpy>=2") == dependencies(tmp_path)
    (tmp_path / "requirements.lock").write_text("attrs==2\n")
    assert ("attrs==2",) == dependencies(tmp_path)
    assert () == dependencies(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "text", ["dependencies = [", "project = 3", "[project]\ndependencies = [1]", "[project]\nd\xff"]
)
def test_a_broken_project_file_is_named(tmp_path: Path, text: str) -> None:
    """As such, not as a traceback."""
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))

    with pytest.raises(DataError, match="pyproject"):
        dependencies(tmp_path)


def test_an_environment_of_its_own_has_the_rest_from_here(tmp_path, monkeypatch) -> None:
    """Made once; veperf and its packages are found in it, and it is not this interpreter's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "requirements.lock").write_text("# nothing\n")
    python = environment_interpreter(tmp_path)
    marks = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob(".ready")}
    script = "import sys, msgspec, numpy; print(sys.prefix)"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() not in (sys.prefix, "")
    assert CURRENT_CODE.interpreter != python
    assert python == environment_interpreter(tmp_path)
    assert marks == {p: p.stat().st_mtime_ns for p in (tmp_path / "cache").rglob(".ready")}


@pytest.mark.parametrize(("is_built", "expected"), [(True, ["kernels.here.so"]), (False, [])])
def test_a_checkout_of_veperf_compiles_its_kernels(
    checkout: Path, is_built: bool, expected: list[str]
) -> None:
    """As the repository has them, so that both sides run in the same core."""
    native = Path("veperf/_native")
    native.mkdir(parents=True)
    (native / "core.py").write_text("")
    Path("hatch_build.py").write_text(f"open('{native}/kernels.here.so', 'w').close()\n")
    run_git(checkout, "add", "-A")
    run_git(checkout, "commit", "-q", "-m", "kernels")
    if is_built:
        (native / "kernels.abi3.so").write_text("")
    with git.temporary_worktree(checkout, "HEAD") as tree:
        assert expected == [path.name for path in (tree / native).glob("*.so")]


def test_kernels_that_cannot_be_compiled_end_it(checkout: Path) -> None:
    """A side in another core would be judged by its core, not by its code."""
    native = Path("veperf/_native")
    native.mkdir(parents=True)
    Path("hatch_build.py").write_text("import sys; sys.exit('no compiler')\n")
    run_git(checkout, "add", "-A")
    run_git(checkout, "commit", "-q", "-m", "kernels")
    (native / "kernels.abi3.so").write_text("")
    with (
        pytest.raises(MeasureError, match="no compiler"),
        git.temporary_worktree(checkout, "HEAD"),
    ):
        pass
