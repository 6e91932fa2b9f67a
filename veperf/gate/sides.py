"""The two sides of a comparison of code: where each imports from, and what runs it."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veperf.gate import git
from veperf.gate.environment import dependencies, interpreter
from veperf.measure.machine import describe_revision
from veperf.measure.side import Side
from veperf.model import ABSide

WORKING_TREE = "working tree"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A side that can be run."""

    said: ABSide
    side: Side


@contextlib.contextmanager
def prepared(base: str, head: str | None) -> Iterator[tuple[Prepared, Prepared]]:
    """The commit ``base`` and the commit ``head``, or, where that is None, the working tree.

    Both are of the repository that the current folder is in. A commit gets a worktree, which is
    removed afterwards.

    Raises:
        UsageError: there is no repository, or no such commit.
        DataError: a pyproject.toml is broken.
        MeasureError: a worktree or an environment can't be made.
    """
    top = git.repository()
    commits = [git.commit_of(top, ref) for ref in (base, head) if ref is not None]
    with contextlib.ExitStack() as stack:
        trees = [stack.enter_context(git.worktree(top, commit)) for commit in commits]
        if head is None:
            trees.append(top)
        yield _side(base, trees[0], top), _side(head or WORKING_TREE, trees[1], top)


def _side(name: str, tree: Path, top: Path) -> Prepared:
    python, packages = sys.executable, ""
    if dependencies(tree) != dependencies(top):
        python, packages = interpreter(tree), "its own, as its dependencies differ"
    here = Path.cwd().resolve()
    elsewhere = [
        entry
        for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if entry and not _is_within(Path(entry).resolve(), top)
    ]
    ours = [path for path in map(Path.resolve, map(Path, sys.path)) if _is_within(path, top)]
    first = [tree / path.relative_to(top) for path in dict.fromkeys([here, top, *ours])]
    return Prepared(
        ABSide(name, describe_revision(tree), packages),
        Side(
            interpreter=python,
            folder=first[0] if first[0].is_dir() else tree,
            environment={
                "PYTHONPATH": os.pathsep.join([*(str(p) for p in first if p.is_dir()), *elsewhere])
            },
            hidden=() if tree == top else tuple(str(path) for path in dict.fromkeys(ours)),
        ),
    )


def _is_within(path: Path, top: Path) -> bool:
    """Whether ``path`` holds code of the checkout ``top``; a virtual environment in it does not."""
    environment = Path(sys.prefix).resolve()
    installed = environment != top and path.is_relative_to(environment)
    return path.is_relative_to(top) and not installed
