"""A versioned key-value tree with a root hash: the state of a Cosmos chain."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt

from veperf.workloads.transaction.iavl import edit
from veperf.workloads.transaction.iavl.edit import update_existing
from veperf.workloads.transaction.iavl.node import EMPTY_ROOT_HASH, TreeNode, fill_hashes

Change = tuple[bytes, bytes | None]
"""A key and its new value; None: it is removed."""


class Tree:
    """An IAVL tree: a working version that changes, and saved versions, which do not.

    Keys and values are bytes, keys in bytewise order. Branching off and reading saved versions
    costs nothing, since versions share their common nodes.
    """

    __slots__ = ("_changes", "_root", "_versions", "version")

    def __init__(self, root: TreeNode | None = None, version: int = 0) -> None:
        """Make a tree whose last saved version is ``version``, with ``root``; empty by default.

        All nodes below ``root`` must have their hashes.
        """
        self._root = root
        self._changes: list[Change] = []
        self._versions: dict[int, TreeNode | None] = {version: root}
        self.version = version
        """The last saved version."""

    @classmethod
    def from_sorted(cls, items: Iterable[tuple[bytes, bytes]]) -> "Tree":
        """Build an unsaved tree of ``items``, in the order of their keys and without repeats.

        It is the tree that setting them breadth first would give, so no rotation is ever needed:
        much faster than setting one by one, for large initial states.

        Raises:
            ValueError: the keys are not in strictly ascending order.
        """
        leaves = [TreeNode(key, value, 1) for key, value in items]
        if not _ascends([leaf.key for leaf in leaves]):
            raise ValueError("keys must be in strictly ascending order")
        tree = cls()
        if leaves:
            tree._root = _balanced(leaves, 0, len(leaves))
        return tree

    @property
    def root(self) -> TreeNode | None:
        """Root of the working version; None when it is empty."""
        return self._root

    @property
    def changes(self) -> Sequence[Change]:
        """The changes since the last saved version in their order, repeats included.

        Replayed on that version, in the same order, they give this tree node for node. The items
        of ``from_sorted`` are not among them.
        """
        return self._changes

    @property
    def root_hash(self) -> bytes:
        """Root hash of the working version, 32 bytes."""
        if self._root is None:
            return EMPTY_ROOT_HASH
        fill_hashes(self._root)
        return self._root.hash

    def __len__(self) -> int:
        """Return the number of keys in the working version."""
        return self._root.size if self._root is not None else 0

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key`` in the working version; None if there is no such key."""
        node = self._root
        if node is None:
            return None
        # edit.find inlined: reads are frequent.
        while node.height:
            node = node.left if key < node.key else node.right
        return node.value if node.key == key else None

    def set(self, key: bytes, value: bytes) -> bool:
        """Set ``key`` and return whether it was there before.

        As in cosmos/iavl, setting the present value again makes a new leaf nevertheless.

        Raises:
            TypeError: the key or value is not bytes.
        """
        # Hashing would notice it, too late: it would be in the tree for good.
        if type(key) is not bytes or type(value) is not bytes:
            raise TypeError(f"keys and values are bytes: {type(key)}, {type(value)}")
        version = self.version + 1
        if self._root is None:
            self._root, updated = TreeNode(key, value, version), False
        else:
            self._root, updated = edit.set_value(self._root, key, value, version)
        self._changes.append((key, value))
        return updated

    def remove(self, key: bytes) -> bytes | None:
        """Remove ``key`` and return its value; None and no change if there is no such key."""
        if self._root is None:
            return None
        self._root, value = edit.remove(self._root, key, self.version + 1)
        self._changes.append((key, None))
        return value

    def apply(self, changes: Sequence[Change]) -> None:
        """Set each key to its value, or remove it where that is None.

        ``changes`` are in the order of their keys, without repeats. The result is that of applying
        them one by one, but faster.

        Raises:
            ValueError: the keys are not in strictly ascending order.
        """
        if not _ascends([key for key, _ in changes]):
            raise ValueError("keys must be in strictly ascending order")
        logged = len(self._changes)
        keys = [key for key, value in changes if value is not None]
        values = [value for _, value in changes if value is not None]
        left: Iterable[Change] = changes
        if self._root is not None and keys:
            self._root, absent = update_existing(self._root, keys, values, self.version + 1)
            removed = [change for change in changes if change[1] is None]
            left = sorted([(keys[i], values[i]) for i in absent] + removed)
        for key, value in left:
            if value is None:
                self.remove(key)
            else:
                self.set(key, value)
        # They were applied in another order, with the same result.
        self._changes[logged:] = changes

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the current keys and values from ``start`` (included) to ``end`` (excluded).

        Descending order goes through the same range backwards.
        """
        if self._root is None:
            return iter(())
        # With its hashes known later changes copy the working tree instead of altering it.
        fill_hashes(self._root)
        return _walk(self._root, start, end, ascending)

    def save_version(self) -> tuple[bytes, int]:
        """Save the working version; return its root hash and its number, one more than the last."""
        root_hash = self.root_hash
        self.version += 1
        self._versions[self.version] = self._root
        self._changes = []
        return root_hash, self.version

    @property
    def versions(self) -> list[int]:
        """Saved, unpruned versions, oldest first; 0 is the empty tree before the first."""
        return sorted(self._versions)

    def prune(self, version: int) -> None:
        """Drop all saved versions up to ``version``; the later ones are unchanged.

        Raises:
            ValueError: the last version can't be dropped.
        """
        if version >= self.version:
            raise ValueError(f"{version} can't be pruned: {self.version} is the last version")
        self._versions = {saved: root for saved, root in self._versions.items() if saved > version}

    def at(self, version: int) -> "Tree":
        """Return a branch off the saved ``version``.

        Raises:
            LookupError: that version was not saved in this tree.
        """
        if version not in self._versions:
            raise LookupError(f"version {version} is not kept; there are {self.versions}")
        return Tree(self._versions[version], version)

    def branch(self) -> "Tree":
        """Return an independent tree that starts from this one, unsaved changes included.

        Costs nothing where all is saved. Of the saved versions the branch has only the last.
        """
        other = self.at(self.version)
        if self._root is not None:
            fill_hashes(self._root)
        other._root = self._root
        other._changes = [*self._changes]
        return other


def _ascends(keys: Sequence[bytes]) -> bool:
    return all(map(lt, keys, islice(keys, 1, None)))


def _balanced(leaves: list[TreeNode], start: int, end: int) -> TreeNode:
    if end - start == 1:
        return leaves[start]
    middle = (start + end + 1) // 2
    left = _balanced(leaves, start, middle)
    right = _balanced(leaves, middle, end)
    height = 1 + max(left.height, right.height)
    return TreeNode(leaves[middle].key, b"", 1, height, end - start, left, right)


def _walk(
    root: TreeNode, start: bytes | None, end: bytes | None, ascending: bool
) -> Iterator[tuple[bytes, bytes]]:
    stack = [root]
    while stack:
        node = stack.pop()
        if not node.height:
            if (start is None or start <= node.key) and (end is None or node.key < end):
                yield node.key, node.value
            continue
        near = start is None or start < node.key
        far = end is None or node.key < end
        if ascending:
            stack += [node.right] * far + [node.left] * near
        else:
            stack += [node.left] * near + [node.right] * far
