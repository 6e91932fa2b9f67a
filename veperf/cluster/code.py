"""The code of a commit, on the host that measures it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from veperf import paths
from veperf.errors import MeasureError, UsageError
from veperf.gate import git


def resolve(ref: str) -> str:
    """The full id of the commit that ``ref`` names in this checkout, at this moment.

    Raises:
        UsageError: this is no checkout, or it has no such commit.
    """
    root = paths.checkout()
    if root is None:
        raise UsageError("`refs` needs a checkout of veperf, which this installation is not")
    return git.commit_of(root, ref)


@contextmanager
def checked_out(commit: str) -> Iterator[Path | None]:
    """A folder with the code of ``commit``, for the time of the block; None for no commit.

    Raises:
        MeasureError: there is no checkout here, or it has no such commit.
    """
    root = paths.checkout()
    if not commit:
        yield None
    elif root is None or git.has_commit(root, commit) is None:
        raise MeasureError(
            f"there is no commit {commit[:12]} in {root or 'this installation'}; "
            "run `git fetch` in the checkout that the worker runs from"
        )
    else:
        with git.worktree(root, commit) as folder:
            yield folder
