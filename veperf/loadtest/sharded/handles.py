"""Who does the work of a load, and where: the target and each shard are a process of their own."""

from collections.abc import Callable
from typing import Protocol

from veperf.loadtest.sharded.messages import Heard, Order

Hear = Callable[[Heard], object]


class Hand(Protocol):
    """One process that takes part in a load."""

    def stop(self) -> None:
        """Have a shard end its load; what it found until then is heard of it."""

    def drop(self) -> None:
        """End the process at once. Safe to call at any time."""

    def lost(self) -> str:
        """Why nothing will be heard of it any more, in words; empty while that is not known."""


class Place(Protocol):
    """Where such processes are started."""

    @property
    def listen(self) -> str:
        """Where a target is to listen there."""

    def start(self, order: Order, hear: Hear) -> Hand:
        """Have ``order`` done; ``hear`` is told what is heard of it, from any thread."""
