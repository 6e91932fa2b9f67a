"""The repository that the current folder is in: its commits, and trees of them to run."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from veperf.core.errors import MeasureError, UsageError

# In a hook, git says by these which files it is at work on; they would lead other calls astray.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def repository() -> Path:
    """The top folder of the checkout that the current folder is in.

    Raises:
        UsageError: it is in none.
    """
    top = _git(Path.cwd(), "rev-parse", "--show-toplevel")
    if top is None:
        raise UsageError(
            f"{Path.cwd()} is in no git checkout; go to the one whose code you want to compare"
        )
    return Path(top).resolve()


def commit_of(repository: Path, ref: str) -> str:
    """The full name of the commit that ``ref`` means.

    Raises:
        UsageError: it means none.
    """
    found = None if ref.startswith("-") else has_commit(repository, ref)
    if found is None:
        raise UsageError(
            f"{ref!r} is no commit in {repository}; `git log --oneline` shows what is, and "
            "`git fetch --unshallow` gets what a shallow clone lacks"
        )
    return found


def has_commit(repository: Path, ref: str) -> str | None:
    """The full name of the commit that ``ref`` means; None where it means none."""
    return _git(repository, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


@contextlib.contextmanager
def worktree(repository: Path, commit: str) -> Iterator[Path]:
    """A folder with the files of ``commit``, for as long as it is needed.

    Raises:
        MeasureError: git can't make it.
    """
    folder = Path(tempfile.mkdtemp(prefix="veperf-ab-")).resolve()
    tree = folder / repository.name
    try:
        # No hook of the repository's has any business in a checkout that nobody works in.
        words = ("-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", "--force")
        done = _run(repository, *words, str(tree), commit)
        if done.returncode != 0:
            raise MeasureError(f"git can't check {commit[:10]} out: {done.stderr.strip()}")
        yield tree
    finally:
        _run(repository, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(folder, ignore_errors=True)
        # What killed processes left; not what another host has that shares the repository.
        _run(repository, "worktree", "prune", "--expire", "1.day.ago")


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
        env={name: value for name, value in os.environ.items() if name not in _OF_HOOKS},
    )
