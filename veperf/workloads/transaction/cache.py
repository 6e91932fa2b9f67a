"""A write cache in front of a key-value store, as the Cosmos SDK's ``cachekv``."""

from collections.abc import Iterator, Sequence
from heapq import merge
from operator import itemgetter
from typing import Protocol

Changes = Sequence[tuple[bytes, bytes | None]]
"""Keys, sorted and without repeats, with their new values; None: the key is removed."""


class KeyValueStore(Protocol):
    """The store behind a cache: a tree, or another cache."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``."""

    def set(self, key: bytes, value: bytes) -> object:
        """Set ``key``."""

    def remove(self, key: bytes) -> object:
        """Remove ``key``, whether it is there or not."""

    def apply(self, changes: Changes) -> None:
        """Apply many changes, as ``set`` and ``remove`` would one by one."""

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over keys and values from ``start`` (included) to ``end`` (excluded)."""


class Cache:
    """A buffer of changes that reach the parent store only when they are written.

    Values that were read are cached, too: nothing else may write to the parent meanwhile. Caches
    nest: one of a transaction over one of a block over the tree.
    """

    __slots__ = ("_changed", "_known", "_parent")

    def __init__(self, parent: KeyValueStore) -> None:
        self._parent = parent
        self._known: dict[bytes, bytes | None] = {}  # None: no such key
        self._changed: set[bytes] = set()

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key`` with the changes of this cache."""
        known = self._known
        if key in known:
            return known[key]
        value = known[key] = self._parent.get(key)
        return value

    def set(self, key: bytes, value: bytes) -> None:
        """Set ``key``."""
        self._known[key] = value
        self._changed.add(key)

    def remove(self, key: bytes) -> None:
        """Remove ``key``, whether it is there or not."""
        self._known[key] = None
        self._changed.add(key)

    def apply(self, changes: Changes) -> None:
        """Set each key to its value, or remove it where that is None."""
        for key, value in changes:
            self._known[key] = value
            self._changed.add(key)

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the current keys and values from ``start`` (included) to ``end`` (excluded).

        Descending order goes through the same range backwards.
        """
        changes = {
            key: self._known[key]
            for key in self._changed
            if (start is None or start <= key) and (end is None or key < end)
        }
        below = self._parent.iterate(start, end, ascending=ascending)
        unchanged = ((key, value) for key, value in below if key not in changes)
        changed = (
            (key, value)
            for key in sorted(changes, reverse=not ascending)
            if (value := changes[key]) is not None
        )
        return merge(unchanged, changed, key=itemgetter(0), reverse=not ascending)

    def __len__(self) -> int:
        """Return the number of cached keys."""
        return len(self._known)

    def changes(self) -> Changes:
        """Return the change set that ``write`` would apply, in the order of the keys.

        The order is part of consensus: it decides how an IAVL tree is balanced.
        """
        return [(key, self._known[key]) for key in sorted(self._changed)]

    def write(self) -> None:
        """Apply the changes to the parent store."""
        self._parent.apply(self.changes())
        self.mark_written()

    def mark_written(self) -> None:
        """Mark the changes as applied to the parent; their values stay cached."""
        self._changed.clear()
