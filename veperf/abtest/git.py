"""Git repository of the current folder: its commits, and temporary worktrees of them."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from veperf.core.errors import MeasureError, UsageError

# Set by git in hooks; they would misdirect other calls of git.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def find_repository() -> Path:
    """Return the top folder of the checkout that the current folder is in.

    Raises:
        UsageError: it is in none.
    """
    top = _git(Path.cwd(), "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(
            f"{Path.cwd()} is in no git checkout; change to the one whose code you want to compare"
        )
    return Path(top).resolve()


def resolve_commit(repository: Path, ref: str) -> str:
    """Return the full hash of the commit that ``ref`` names.

    Raises:
        UsageError: it names none.
    """
    commit = None if ref.startswith("-") else find_commit(repository, ref)
    if commit is None:
        raise UsageError(
            f"{ref!r} is no commit in {repository}; `git log --oneline` lists the commits, and "
            "`git fetch --unshallow` gets those that a shallow clone lacks"
        )
    return commit


def find_commit(repository: Path, ref: str) -> str | None:
    """Return the full hash of the commit that ``ref`` names; None where it names none."""
    return _git(repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


def find_remote(folder: Path) -> str:
    """Return the address of the remote ``origin``; empty without one, or without git.

    It may hold a user and a password.
    """
    try:
        return _git(folder, "config", "--get", "remote.origin.url") or ""
    except UsageError:
        return ""


def is_ancestor(repository: Path, commit: str, other: str) -> bool:
    """Return whether ``commit`` is ``other``, or comes before it; False where there is none."""
    return _git(repository, "merge-base", "--is-ancestor", commit, other) is not None


@contextlib.contextmanager
def temporary_worktree(repository: Path, commit: str, folder: Path | None = None) -> Iterator[Path]:
    """Check ``commit`` out into a temporary folder, for the time of the block.

    Into a fresh ``folder`` where that is given: what is in it goes.

    Raises:
        MeasureError: git can't check it out, or its kernels can't be compiled.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="veperf-ab-")).resolve()
    else:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder = folder.resolve()
    tree = folder / repository.name
    try:
        # The repository's hooks must not run in a temporary checkout.
        words = ("-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", "--force")
        done = _run(repository, *words, str(tree), commit)
        if done.returncode != 0:
            raise MeasureError(f"git can't check {commit[:10]} out: {done.stderr.strip()}")
        _compile_kernels(tree, repository)
        yield tree
    finally:
        _run(repository, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(folder, ignore_errors=True)
        # Worktrees that killed processes left, but not those of another host on the repository.
        _run(repository, "worktree", "prune", "--expire", "1.day.ago")


def _compile_kernels(tree: Path, repository: Path) -> None:
    """Compile veperf's kernels in a checkout of veperf itself, if the repository's own has them.

    Both sides of a comparison then run in the same core.
    """
    script, kernels = "hatch_build.py", "veperf/_native"
    if not (tree / script).is_file() or not any((repository / kernels).glob("kernels.*.so")):
        return
    done = subprocess.run(  # noqa: S603 - the interpreter that is running
        [sys.executable, script], cwd=tree, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise MeasureError(f"{tree.name}: its kernels can't be compiled: {done.stderr.strip()}")


def _git(folder: Path, *words: str) -> str | None:
    done = _run(folder, *words)
    return done.stdout.strip() if done.returncode == 0 else None


def _run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    git = shutil.which("git")
    if git is None:
        raise UsageError("comparing commits takes git, which is not installed")
    return subprocess.run(  # noqa: S603 - no shell
        [git, "-C", str(folder), *words],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES},
    )
