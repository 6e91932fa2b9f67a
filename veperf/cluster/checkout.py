"""The code of a commit, on the host that measures it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from veperf.abtest import git
from veperf.cluster.spec import Spec
from veperf.core import paths
from veperf.core.errors import MeasureError, UsageError
from veperf.measure.machine import describe_revision


def resolver(spec: Spec) -> Callable[[str], str]:
    """What tells the full id of the commit that a ref means at this moment.

    Refs of runs are of the checkout that veperf is in, those of a comparison, as for ``veperf ab``,
    of the one that the current folder is in.

    Raises:
        UsageError: there is no such checkout (the function returned: no such commit), or the
            comparison is with what is checked out, which is not all committed.
    """
    if spec.ab is None:
        return _commit_of_veperf
    top = git.repository()
    if spec.ab.head is None and describe_revision(top).dirty:
        raise UsageError(
            f"{top} has changes that are not committed, and that no other host has: commit them, "
            "or name the new code (`--head REF`, or `head` in a specification)"
        )
    return lambda ref: git.commit_of(top, ref)


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A folder with the code of ``commit``, for the time of the block.

    Raises:
        MeasureError: there is no checkout here, or it has no such commit.
    """
    with git.worktree(checkout_with(commit), commit) as folder:
        yield folder


def checkout_with(*commits: str) -> Path:
    """The checkout that this process runs in, or that veperf is in: the first with ``commits``.

    Raises:
        MeasureError: neither has them.
    """
    places = [root for root in (paths.checkout(),) if root]
    with suppress(UsageError):
        places.insert(0, git.repository())
    for place in places:
        if all(git.has_commit(place, commit) for commit in commits):
            return place
    wanted = " and ".join(dict.fromkeys(commit[:12] for commit in commits))
    looked_in = " and ".join(map(str, dict.fromkeys(places))) or f"{Path.cwd()}, which is none"
    raise MeasureError(
        f"no checkout here has commit {wanted}: looked in {looked_in}; run `git fetch` in the one "
        "that the worker was started in"
    )


def _commit_of_veperf(ref: str) -> str:
    root = paths.checkout()
    if root is None:
        raise UsageError("`refs` needs a checkout of veperf, which this installation is not")
    return git.commit_of(root, ref)
