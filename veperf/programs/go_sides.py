"""Sides of a Go comparison: checkout, toolchain, packages and their test binaries."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veperf.abtest import git
from veperf.abtest.pair import LETTERS, SideLetter
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sides import WORKING_TREE
from veperf.core.ab_records import ABSide
from veperf.core.errors import UsageError
from veperf.core.text import plural
from veperf.measure.cpus import usable_cpus
from veperf.measure.machine import describe_revision
from veperf.programs.go_build import (
    BuiltPackage,
    binaries_folder,
    build_package,
    cache_folder,
    go_worktree,
    require_same_platform,
)
from veperf.programs.go_packages import GoPackage, GoSelection, find_packages
from veperf.programs.go_toolchain import GoToolchain, find_go, read_toolchain

FEWEST_LAYOUTS = 12
"""Fewer layouts are no sample of all: tests of so few values can't find a slowdown among many
benchmarks, and the pairs are taken for independent, which leaves some of the layouts' bias."""
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True)
class GoSettings:
    """Packages, and how they are built and run."""

    selection: GoSelection
    processors: tuple[int, ...]
    """Values of GOMAXPROCS, each of which is compared."""
    layouts: tuple[int, ...]
    """Numbers of the linker's orders, a binary each."""


@dataclass(frozen=True, slots=True)
class GoSide:
    """Checkout of a side, and its packages with benchmarks."""

    name: str
    repository: Path
    tree: Path
    commit: str
    """Commit whose binaries are kept; empty for the working tree."""
    toolchain: GoToolchain
    packages: Mapping[str, GoPackage]
    """By import path."""

    def count_layouts(self, settings: GoSettings) -> int:
        """Return how many binaries a package has."""
        return len(settings.layouts) if self.toolchain.can_draw_layouts else 1

    def describe(self, settings: GoSettings) -> ABSide:
        """Return the side as a comparison records it."""
        toolchain = f"{self.toolchain}, {plural(self.count_layouts(settings), 'layout')}"
        if settings.selection.tags:
            toolchain += f", tags {settings.selection.tags}"
        return ABSide(self.name, describe_revision(self.tree), toolchain=toolchain)

    @contextlib.contextmanager
    def build(
        self, paths: Sequence[str], settings: GoSettings, progress: ComparisonProgress
    ) -> Iterator[Mapping[str, BuiltPackage]]:
        """Build the packages of these import paths; the binaries are there within the block.

        Raises:
            StorageError: the cache can't be written.
        """
        built: dict[str, BuiltPackage] = {}
        with binaries_folder(self.repository, self.commit) as folder:
            for path in paths:
                progress.planned([f"building {path} of {self.name}"])
                package = self.packages[path]
                flags = settings.selection.tag_flags
                built[path] = build_package(
                    self.toolchain, package, settings.layouts, flags, folder
                )
            yield built


@contextlib.contextmanager
def prepare_go_sides(
    base: str, head: str | None, settings: GoSettings
) -> Iterator[Mapping[SideLetter, GoSide]]:
    """Check both sides out, the new one from the working tree without ``head``, and list packages.

    Raises:
        UsageError: no repository, commit or toolchain, or no package has a benchmark.
        MeasureError: a side can't be checked out, or `go list` fails.
    """
    top = git.find_repository()
    find_go()
    commits = [git.resolve_commit(top, ref) for ref in (base, head) if ref is not None]
    with contextlib.ExitStack() as stack:
        trees = [(commit, stack.enter_context(go_worktree(top, commit))) for commit in commits]
        if head is None:
            trees.append(("", top))
        names = (base, head or WORKING_TREE)
        sides: dict[SideLetter, GoSide] = {}
        for letter, name, (commit, tree) in zip(LETTERS, names, trees, strict=True):
            # It may not be there on one of the sides.
            current = tree / Path.cwd().resolve().relative_to(top)
            toolchain = read_toolchain(current if current.is_dir() else tree)
            require_same_platform(toolchain)
            packages = find_packages(toolchain, tree, current, settings.selection)
            # Binaries name the folder that they were built in: elsewhere they aren't found again.
            kept = commit if tree.is_relative_to(cache_folder().resolve()) else ""
            sides[letter] = GoSide(name, top, tree, kept, toolchain, packages)
        if not any(side.packages for side in sides.values()):
            patterns = ", ".join(settings.selection.patterns)
            raise UsageError(
                f"no package in {patterns} has a Go benchmark that fits "
                f"{settings.selection.bench!r}, on either side; patterns are relative to this "
                "folder, as those of `go list`"
            )
        yield sides


def default_processors() -> int:
    """Return the number of processors that Go itself chooses: $GOMAXPROCS, CPUs, their quota."""
    value = os.environ.get("GOMAXPROCS", "")
    if value.isascii() and value.isdigit() and int(value) > 0:
        return int(value)
    cpus = len(usable_cpus()) or os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        # Since Go 1.25: the quota of a control group, rounded up, and at least two.
        quota, period = _CPU_QUOTA.read_text(encoding="ascii").split()
        cpus = min(cpus, max(2, -(-int(quota) // int(period))))
    return cpus
