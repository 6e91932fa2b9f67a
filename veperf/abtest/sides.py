"""Sides of a code comparison: the checkout that each imports from, and its interpreter."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veperf.abtest import git
from veperf.abtest.virtual_environments import dependencies, environment_interpreter
from veperf.core.ab_records import ABSide
from veperf.core.paths import project_folder
from veperf.ipc.child_process import OWN_FOLDER
from veperf.measure.machine import describe_revision
from veperf.measure.worker_client import CodeSource

WORKING_TREE = "working tree"


@dataclass(frozen=True, slots=True)
class PreparedSide:
    """Side of a comparison that is ready to run."""

    description: ABSide
    code: CodeSource
    tree: Path | None = None
    """Folder of its checkout; None where it has none of its own."""


@contextlib.contextmanager
def prepare_sides(base: str, head: str | None) -> Iterator[tuple[PreparedSide, PreparedSide]]:
    """Prepare ``base``, and ``head`` or, where that is None, the working tree.

    Both are commits of the repository of the current folder. A commit gets a worktree, which is
    removed afterwards.

    Raises:
        UsageError: there is no repository, or no such commit.
        DataError: a pyproject.toml is broken.
        MeasureError: a worktree or an environment can't be made.
    """
    top = git.find_repository()
    commits = [git.resolve_commit(top, ref) for ref in (base, head) if ref is not None]
    with contextlib.ExitStack() as stack:
        trees = [stack.enter_context(git.temporary_worktree(top, commit)) for commit in commits]
        if head is None:
            trees.append(top)
        yield _side(base, trees[0], top), _side(head or WORKING_TREE, trees[1], top)


def _side(name: str, tree: Path, top: Path) -> PreparedSide:
    python, packages = sys.executable, ""
    if dependencies(tree) != dependencies(top):
        python, packages = environment_interpreter(tree), "its own, as its dependencies differ"
    current = Path.cwd().resolve()
    outside = [
        entry
        for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if entry and not _is_within(Path(entry).resolve(), top)
    ]
    inside = [path for path in map(Path.resolve, map(Path, sys.path)) if _is_within(path, top)]
    root = [path for path in [project_folder()] if path.is_relative_to(top)]
    own = dict.fromkeys([current, *root, top, *inside])
    first = [tree / path.relative_to(top) for path in own]
    return PreparedSide(
        ABSide(name, describe_revision(tree), packages),
        CodeSource(
            interpreter=python,
            folder=first[0] if first[0].is_dir() else tree,
            environment={
                "PYTHONPATH": os.pathsep.join([*(str(p) for p in first if p.is_dir()), *outside])
            },
            hidden=() if tree == top else tuple(str(path) for path in dict.fromkeys(inside)),
            # Another interpreter has another one, and a checkout of veperf is itself the code.
            veperf=None if packages or _is_within(OWN_FOLDER, top) else OWN_FOLDER,
        ),
        tree,
    )


def _is_within(path: Path, top: Path) -> bool:
    """Return True where ``path`` is in the checkout ``top``, but not in its virtual environment."""
    environment = Path(sys.prefix).resolve()
    installed = environment != top and path.is_relative_to(environment)
    return path.is_relative_to(top) and not installed
