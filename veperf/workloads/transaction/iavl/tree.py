"""A versioned key-value tree with a root hash: the state of a Cosmos chain."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import lt
from typing import TYPE_CHECKING, Any

from veperf._native.core import built_kernels, compiled_kernels
from veperf.workloads.transaction.iavl import edit
from veperf.workloads.transaction.iavl.edit import update_existing
from veperf.workloads.transaction.iavl.encoding import (
    Buffer,
    Change,
    build_tree,
    decode_changes,
)
from veperf.workloads.transaction.iavl.node import EMPTY_ROOT_HASH, TreeNode, inner_node

if TYPE_CHECKING:
    from veperf._native import kernels as _kernels
else:
    _kernels = built_kernels()  # there may be none, and then no native tree


class Tree:
    """An IAVL tree: a working version that changes, and saved versions, which do not.

    Keys and values are bytes, keys in bytewise order. Branching off and reading saved versions
    costs nothing, since versions share their common nodes. Where the compiled core is in use, a new
    tree is a ``NativeTree``, which is the same in all but time and memory.
    """

    __slots__ = ("_changes", "_root", "_versions", "version")

    def __new__(cls, root: TreeNode | None = None, version: int = 0) -> "Tree":  # noqa: ARG004
        """Choose the core: that of ``root``, or the one in use."""
        is_native = not isinstance(root, TreeNode) if root is not None else compiled_kernels()
        if is_native and cls is Tree:
            return object.__new__(NativeTree)
        return object.__new__(cls)

    def __init__(self, root: TreeNode | None = None, version: int = 0) -> None:
        """Make a tree whose last saved version is ``version``, with ``root``; empty by default.

        All nodes below ``root`` must have their hashes, and be of the tree's core.
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
        tree = cls()
        tree._root = tree._build(items)
        return tree

    def _build(self, items: Iterable[tuple[bytes, bytes]]) -> TreeNode | None:
        leaves = [TreeNode(key, value, 1) for key, value in items]
        if not _ascends([leaf.key for leaf in leaves]):
            raise ValueError("keys must be in strictly ascending order")
        return _balanced(leaves, 0, len(leaves)) if leaves else None

    @classmethod
    def load(
        cls, slices: Sequence[Buffer], version: int, change_sets: Sequence[Buffer] = ()
    ) -> "Tree":
        """Build a saved ``version`` of all its nodes in slices, and replay what follows.

        Returns the tree of the last version. Its root hash covers all that it was made of.

        Raises:
            ValueError: the bytes can't be read, or don't form an AVL tree.
        """
        return cls()._load(tuple(slices), version, tuple(change_sets))

    def _load(
        self, slices: tuple[Buffer, ...], version: int, change_sets: tuple[Buffer, ...]
    ) -> "Tree":
        root = build_tree(slices)
        if root is not None:
            root.fill_hashes()
        tree = self._with_root(root, version)
        tree.replay(change_sets)
        return tree

    @staticmethod
    def make_leaf(key: bytes, value: bytes, version: int) -> TreeNode:
        """Make a leaf in the tree's core, without a hash."""
        return TreeNode(key, value, version)

    @staticmethod
    def make_inner(left: TreeNode, right: TreeNode, key: bytes, version: int) -> TreeNode:
        """Make a node in the tree's core over two others; ``key`` is the smallest on the right."""
        return inner_node(left, right, key, version)

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
        root = self._root  # another thread may put its own in place
        if root is None:
            return EMPTY_ROOT_HASH
        root.fill_hashes()
        return root.hash

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

    def replay(self, change_sets: Sequence[Buffer]) -> None:
        """Apply encoded change sets, each as the next version.

        Of the saved versions only the last is left.

        Raises:
            ValueError: one can't be read.
        """
        for change_set in change_sets:
            for run in _ascending_runs(decode_changes(change_set)):
                self.apply(run)
            self.save_version()
            self.prune(self.version - 1)

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the current keys and values from ``start`` (included) to ``end`` (excluded).

        Descending order goes through the same range backwards.
        """
        if self._root is None:
            return iter(())
        # With its hashes known later changes copy the working tree instead of altering it.
        self._root.fill_hashes()
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
        return self._with_root(self._versions[version], version)

    def _with_root(self, root: Any, version: int) -> "Tree":
        """Return a new tree in the core of this one."""
        tree = object.__new__(type(self))
        Tree.__init__(tree, root, version)
        return tree

    def branch(self) -> "Tree":
        """Return an independent tree that starts from this one, unsaved changes included.

        Costs nothing where all is saved. Of the saved versions the branch has only the last.
        """
        other, root = self.at(self.version), self._root
        if root is not None:
            root.fill_hashes()
        other._root = root
        other._changes = [*self._changes]
        return other


class NativeTree(Tree):
    """A tree whose nodes are the compiled core's (``veperf/_native/src/tree_node.h``).

    Threads may share it as they may any tree: long loops let other threads run, which then wait
    only for what isn't saved yet.
    """

    __slots__ = ()

    _root: Any

    def _build(self, items: Iterable[tuple[bytes, bytes]]) -> Any:
        return _kernels.tree_from_sorted(items, 1)

    @staticmethod
    def make_leaf(key: bytes, value: bytes, version: int) -> Any:
        """As ``Tree.make_leaf``."""
        return _kernels.tree_leaf(key, value, version)

    @staticmethod
    def make_inner(left: Any, right: Any, key: bytes, version: int) -> Any:  # noqa: ARG004
        """As ``Tree.make_inner``; the node finds its key."""
        return _kernels.tree_inner(left, right, version)

    def get(self, key: bytes) -> bytes | None:
        """As ``Tree.get``."""
        return _kernels.tree_get(self._root, key)

    def set(self, key: bytes, value: bytes) -> bool:
        """As ``Tree.set``."""
        self._root, was_there = _kernels.tree_set(self._root, key, value, self.version + 1)
        self._changes.append((key, value))
        return was_there

    def remove(self, key: bytes) -> bytes | None:
        """As ``Tree.remove``."""
        if self._root is None:
            return None
        self._root, value = _kernels.tree_remove(self._root, key, self.version + 1)
        self._changes.append((key, None))
        return value

    def apply(self, changes: Sequence[Change]) -> None:
        """As ``Tree.apply``."""
        self._root = _kernels.tree_apply(self._root, changes, self.version + 1)
        self._changes += changes

    def replay(self, change_sets: Sequence[Buffer]) -> None:
        """As ``Tree.replay``."""
        sets = tuple(change_sets)
        if not sets:
            return
        try:
            self._root = _kernels.tree_replay(self._root, sets, self.version)
        except ValueError:
            _say_what_is_wrong((), sets)
            raise
        self.version += len(sets)
        self._versions, self._changes = {self.version: self._root}, []

    def _load(
        self, slices: tuple[Buffer, ...], version: int, change_sets: tuple[Buffer, ...]
    ) -> Tree:
        try:
            root = _kernels.tree_load(slices, change_sets, version)
        except ValueError:
            _say_what_is_wrong(slices, change_sets)
            raise
        return self._with_root(root, version + len(change_sets))

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """As ``Tree.iterate``."""
        if self._root is None:
            return iter(())
        return _kernels.tree_iterate(self._root, start, end, ascending)


def _say_what_is_wrong(slices: Sequence[Buffer], change_sets: Sequence[Buffer]) -> None:
    """Raise the error of Python's core for what the kernels refused: it says where it is."""
    build_tree(slices)
    for change_set in change_sets:
        decode_changes(change_set)


def _ascends(keys: Sequence[bytes]) -> bool:
    return all(map(lt, keys, islice(keys, 1, None)))


def _ascending_runs(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Split ``changes`` into the longest pieces in which keys strictly ascend."""
    start = 0
    for end in range(1, len(changes) + 1):
        if end == len(changes) or changes[end][0] <= changes[end - 1][0]:
            yield changes[start:end]
            start = end


def _balanced(leaves: list[TreeNode], start: int, end: int) -> TreeNode:
    if end - start == 1:
        return leaves[start]
    middle = (start + end + 1) // 2
    left = _balanced(leaves, start, middle)
    right = _balanced(leaves, middle, end)
    return inner_node(left, right, leaves[middle].key, 1)


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
