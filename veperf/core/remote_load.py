"""Loads whose system is a process of its own, which gets its items from other processes.

A ``registry.System`` makes its items by itself, in the same thread. Here the two are apart: a
remote target takes what comes, and sources make the items, so that a benchmark can be put under
load from several processes, or by one as any other: ``SuppliedSystem`` puts them together again.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from veperf.core.load import GENERATOR, Finished


class RemoteTarget(Protocol):
    """A system in a process of its own, which is offered items over a socket."""

    def offer(self, tag: int, item: bytes) -> bool:
        """Accept ``item`` under the number ``tag``, or return False if the system is full."""

    def step(self) -> Finished:
        """As ``registry.System`` does."""

    def costs(self) -> Mapping[str, float]:
        """As ``registry.System`` does."""

    def close(self) -> None:
        """As ``registry.System`` does."""


_READY_AT_ONCE = 32


class SuppliedSystem:
    """A remote target and the items for it, combined into a system in one process."""

    def __init__(self, target: RemoteTarget, items: Iterator[bytes]) -> None:
        self._target = target
        self._items = items
        self._ready: deque[bytes] = deque()
        self._making_ns = 0
        self._accepted = 0

    def offer(self, tag: int) -> bool:
        """Offer the next item; a refused item is offered again under the next tag.

        If it were skipped, later items of the same sender could become invalid.
        """
        if not self._ready:
            began = time.thread_time_ns()
            self._ready.extend(islice(self._items, _READY_AT_ONCE))
            self._making_ns += time.thread_time_ns() - began
        if not self._target.offer(tag, self._ready[0]):
            return False
        self._ready.popleft()
        self._accepted += 1
        return True

    def step(self) -> Finished:
        """As ``registry.System`` does."""
        return self._target.step()

    def costs(self) -> Mapping[str, float]:
        """As ``registry.System`` does, with the making of the items as the generator's."""
        if not self._accepted:
            return self._target.costs()
        return {GENERATOR: self._making_ns / self._accepted, **self._target.costs()}

    def close(self) -> None:
        """As ``registry.System`` does."""
        self._target.close()


@dataclass(frozen=True, slots=True)
class RemoteLoad:
    """A load whose system is one process and whose items come from others, the shards."""

    target: Callable[[], RemoteTarget]
    """Makes the system."""
    source: Callable[[int, int], Iterator[bytes]]
    """The endless items of shard k of n. They are valid in their own order, however the items of
    other shards are interleaved with them."""
    capacity: int
    """Items that may be in flight at once, of all shards together."""
