"""Announced orders that wait for the engine: so many at most, what is beyond is dropped."""

from collections import deque
from threading import Lock

from msgspec import Struct

from veperf.workloads.bidding.fields import check_kind, check_moment


class Event(Struct, frozen=True, gc=False):
    """An announced order as it came."""

    sequence: int
    """Its place in the chain's stream of events, from 1 on; always growing."""
    payload: bytes
    """The order as JSON; nobody has looked at it yet."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_moment("sequence", self.sequence)
        check_kind("payload", self.payload, bytes)


class EventQueue:
    """First in, first out; safe to use from several threads.

    A full queue drops the newcomer, as a Go channel with a default case does: who is late in a
    burst is bid on last anyway.
    """

    def __init__(self, capacity: int) -> None:
        """An empty queue.

        Raises:
            ValueError: there is no room for even one event.
        """
        if capacity < 1:
            raise ValueError(f"a queue for {capacity} events; give 1 or more")
        self.capacity = capacity
        self.offered = 0
        self.dropped = 0
        self._events: deque[Event] = deque()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._events)

    def offer(self, event: Event) -> bool:
        """Take ``event`` in; False where the queue is full and it was dropped."""
        with self._lock:
            self.offered += 1
            if len(self._events) >= self.capacity:
                self.dropped += 1
                return False
            self._events.append(event)
            return True

    def take(self) -> Event | None:
        """The event that has waited longest; None where none waits."""
        with self._lock:
            return self._events.popleft() if self._events else None
