"""An IAVL tree on disk: the commits of a chain that has one tree."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from veperf.core.errors import DataError
from veperf.workloads.transaction.commits import Commits
from veperf.workloads.transaction.iavl import ExportNode, Tree, import_nodes

_NAME = ""
"""Of the only store; its root hash is the app hash."""


class Store(Commits):
    """The commits of one tree in a folder, as ``Commits`` has them."""

    def __init__(self, path: Path, max_bytes: int = 1 << 34, keep: int | None = None) -> None:
        """Open the store in the folder ``path``, or create one; ``Commits`` has what is raised.

        ``max_bytes`` limits its size; it reserves address space, not disk. All versions but the
        last ``keep`` are pruned; None keeps all.
        """
        super().__init__(path, (_NAME,), _root_hash, max_bytes, keep)

    def load(self, version: int | None = None) -> Tree:
        """Load the tree of the last commit, or of an older one, as ``load_trees``."""
        return self.load_trees(version)[_NAME]

    def commit(self, tree: Tree) -> tuple[bytes, int]:
        """Save the working version of ``tree``, as ``commit_trees``; return root hash, number."""
        return self.commit_trees({_NAME: tree})

    def restore(
        self, nodes: Iterable[ExportNode], version: int, root_hash: bytes | None = None
    ) -> Tree:
        """Start an empty store with an exported ``version``; return its tree.

        Without a ``root_hash`` the caller compares the tree's with what can be trusted, and
        deletes the store if it is another.

        Raises:
            ValueError: the store has commits.
            DataError: the nodes are not such a version, or have another root hash.
            StorageError: the version can't be written.
        """
        if self.version:
            raise ValueError(f"the store has version {self.version} already")
        tree = import_nodes(nodes, version)
        if root_hash is not None and tree.root_hash != root_hash:
            raise DataError(
                f"the export has the root hash {tree.root_hash.hex()}, not {root_hash.hex()}"
            )
        self.start({_NAME: tree})
        return tree


def _root_hash(root_hashes: Mapping[str, bytes]) -> bytes:
    return root_hashes[_NAME]
