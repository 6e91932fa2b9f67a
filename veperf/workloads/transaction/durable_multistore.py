"""A chain's stores on disk: a ``MultiStore`` whose commits survive the process and a power cut."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from veperf.workloads.transaction.commits import Commits
from veperf.workloads.transaction.multistore import MultiStore, app_hash

_IN_MEMORY = 2
"""Versions that stay in memory: most queries are about the last block or the one before."""


class DurableMultiStore(MultiStore):
    """The trees of a chain's modules in a folder, committed together: all have a version, or none.

    It opens at the last commit, and is the same as the store in memory to those who use it.
    ``with DurableMultiStore(path, names) as stores`` closes it.
    """

    def __init__(
        self, path: Path, names: Iterable[str], max_bytes: int = 1 << 34, keep: int | None = None
    ) -> None:
        """Open the stores of these names in the folder ``path``, or create them empty.

        Initial states go into ``trees`` before the first commit. ``max_bytes`` and ``keep`` are
        those of ``Commits``: the last ``keep`` versions can be proved, all if it is None.

        Raises:
            ValueError: there is no store, one has no name, or ``keep`` is under 1.
            StorageError: the folder can't be written, or another process has it open.
            DataError: it holds other stores, or another format.
            CorruptFileError: it is damaged, or a root hash or the app hash is not the commit's.
        """
        names = sorted(names)
        if not all(names):
            raise ValueError("a store of a multistore has a name")
        self._commits = Commits(path, names, app_hash, max_bytes, keep)
        try:
            super().__init__(self._commits.load_trees())
        except BaseException:
            self.close()
            raise

    @property
    def versions(self) -> list[int]:
        """The versions that ``at`` returns, oldest first."""
        return self._commits.versions

    def commit(self) -> tuple[bytes, int]:
        """Save the working version of all stores, on disk first; return app hash and number.

        Raises:
            StorageError: it can't be written; the stores are as before, and may be committed later.
        """
        committed = self._commits.commit_trees(self.trees)
        if self.version > _IN_MEMORY:
            for tree in self.trees.values():
                tree.prune(self.version - _IN_MEMORY)
        return committed

    def at(self, version: int) -> MultiStore:
        """Return the stores as they were at a committed ``version``, in memory.

        The last ones cost nothing, older ones a load from disk.

        Raises:
            LookupError: the version was never committed, or is pruned.
            CorruptFileError: records are missing or damaged, or a hash is not the commit's.
        """
        if version and all(version in tree.versions for tree in self.trees.values()):
            return super().at(version)
        return MultiStore(self._commits.load_trees(version))

    def prune(self, version: int) -> None:
        """Delete all versions up to ``version``, at once; the later ones are unchanged.

        Raises:
            ValueError: the last version can't be deleted.
            StorageError: the folder can't be written.
        """
        self._commits.prune(version)
        for tree in self.trees.values():
            tree.prune(version)

    def close(self) -> None:
        """Close the files."""
        self._commits.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
