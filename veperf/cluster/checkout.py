"""Find or check out the code of a commit on the host that measures it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from veperf.abtest import git
from veperf.cluster.spec import SweepSpec
from veperf.core import paths
from veperf.core.errors import MeasureError, UsageError
from veperf.measure.machine import describe_revision


def commit_resolver(spec: SweepSpec) -> Callable[[str], str]:
    """Return a function from a ref to the full id of the commit that it means at this moment.

    They are of the checkout that the current folder is in, as for ``veperf ab``. The function
    raises a UsageError where there is no such checkout, or no such commit.

    Raises:
        UsageError: there is no such checkout, or the comparison is with the working tree, which has
            uncommitted changes.
    """
    if spec.ab is None:
        return lambda ref: git.resolve_commit(git.find_repository(), ref)
    top = git.find_repository()
    if spec.ab.head is None and describe_revision(top).dirty:
        raise UsageError(
            f"{top} has uncommitted changes, which no other host has: commit them, or name the new "
            "code (`--head REF`, or `head` in a specification)"
        )
    return lambda ref: git.resolve_commit(top, ref)


@contextmanager
def checked_out_commit(commit: str) -> Iterator[Path]:
    """Check ``commit`` out into a folder for the time of the block.

    Raises:
        MeasureError: there is no checkout on this host, or it has no such commit.
    """
    with git.temporary_worktree(find_checkout(commit), commit) as folder:
        yield folder


def find_checkout(*commits: str) -> Path:
    """Return the checkout of the current folder or of veperf: the first that has ``commits``.

    Raises:
        MeasureError: neither has them.
    """
    places = [root for root in (paths.checkout_folder(),) if root]
    with suppress(UsageError):
        places.insert(0, git.find_repository())
    for place in places:
        if all(git.find_commit(place, commit) for commit in commits):
            return place
    missing = " and ".join(dict.fromkeys(commit[:12] for commit in commits))
    searched = " and ".join(map(str, dict.fromkeys(places))) or f"{Path.cwd()}, which is none"
    raise MeasureError(
        f"no checkout on this host has commit {missing}: looked in {searched}; run `git fetch` in "
        "the one that the worker was started in"
    )
