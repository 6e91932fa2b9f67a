"""A write cache in front of a key-value store, as the Cosmos SDK's ``cachekv``."""

from collections.abc import Iterator, Sequence
from heapq import merge
from operator import itemgetter
from typing import Protocol

Changes = Sequence[tuple[bytes, bytes | None]]
"""Keys, in their order and without repeats, with their new values; None: to be removed."""


class KeyValueStore(Protocol):
    """What a cache stands in front of: a tree, or another cache."""

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``."""

    def set(self, key: bytes, value: bytes) -> object:
        """Set ``key``."""

    def remove(self, key: bytes) -> object:
        """Remove ``key``, whether it is there or not."""

    def apply(self, changes: Changes) -> None:
        """Make many changes, as ``set`` and ``remove`` would one by one."""

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values from ``start`` (included) to ``end`` (excluded)."""


class Cache:
    """Changes that the store behind doesn't see until they are written; dropped by forgetting it.

    What was read is kept, too: nobody else may write to the store behind meanwhile. Caches nest:
    one a transaction over one a block over the tree.
    """

    __slots__ = ("_changed", "_known", "_parent")

    def __init__(self, parent: KeyValueStore) -> None:
        self._parent = parent
        self._known: dict[bytes, bytes | None] = {}  # None: not there
        self._changed: set[bytes] = set()

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key`` with the changes made here."""
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
        """Keys and values from ``start`` (included) to ``end`` (excluded), as they are now.

        Descending order goes through the same range backwards.
        """
        changes = {
            key: self._known[key]
            for key in self._changed
            if (start is None or start <= key) and (end is None or key < end)
        }
        behind = self._parent.iterate(start, end, ascending=ascending)
        kept = ((key, value) for key, value in behind if key not in changes)
        own = (
            (key, value)
            for key in sorted(changes, reverse=not ascending)
            if (value := changes[key]) is not None
        )
        return merge(kept, own, key=itemgetter(0), reverse=not ascending)

    def __len__(self) -> int:
        """How many keys are known."""
        return len(self._known)

    def changes(self) -> Changes:
        """What ``write`` would pass on, in the order of their keys.

        The order is part of consensus: it decides how an IAVL tree is balanced.
        """
        return [(key, self._known[key]) for key in sorted(self._changed)]

    def write(self) -> None:
        """Pass the changes on to the store behind."""
        self._parent.apply(self.changes())
        self.settle()

    def settle(self) -> None:
        """Take the changes for passed on, by whoever did that. They stay known."""
        self._changed.clear()
