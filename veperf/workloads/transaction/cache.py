"""A write cache in front of a key-value store, as the Cosmos SDK's ``cachekv``."""

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Protocol


class KeyValueStore(Protocol):
    """What a cache stands in front of: a tree, or another cache."""

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key``."""

    def set(self, key: bytes, value: bytes) -> object:
        """Set ``key``."""

    def remove(self, key: bytes) -> object:
        """Remove ``key``, whether it is there or not."""

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values from ``start`` (included) to ``end`` (excluded)."""


class Cache:
    """Changes that the store behind doesn't see until they are written; dropped by forgetting it.

    Caches nest: one a transaction over one a block over the tree.
    """

    __slots__ = ("_changes", "_parent")

    def __init__(self, parent: KeyValueStore) -> None:
        self._parent = parent
        self._changes: dict[bytes, bytes | None] = {}  # None: removed

    def get(self, key: bytes) -> bytes | None:
        """The value of ``key`` with the changes made here."""
        try:
            return self._changes[key]
        except KeyError:
            return self._parent.get(key)

    def set(self, key: bytes, value: bytes) -> None:
        """Set ``key``."""
        self._changes[key] = value

    def remove(self, key: bytes) -> None:
        """Remove ``key``, whether it is there or not."""
        self._changes[key] = None

    def iterate(
        self, start: bytes | None = None, end: bytes | None = None, *, ascending: bool = True
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values from ``start`` (included) to ``end`` (excluded), as they are now.

        Descending order goes through the same range backwards.
        """
        changes = {
            key: value
            for key, value in self._changes.items()
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

    def write(self) -> None:
        """Pass the changes on to the store behind, in the order of their keys, and forget them.

        The order is part of consensus: it decides how an IAVL tree is balanced.
        """
        parent = self._parent
        for key, value in sorted(self._changes.items()):
            if value is None:
                parent.remove(key)
            else:
                parent.set(key, value)
        self._changes.clear()
