"""A provider daemon: a queue of announced orders, an engine and its checkpoints."""

from collections import deque
from threading import Lock

from veperf.workloads.bidding.checkpoint import CheckpointFile
from veperf.workloads.bidding.engine import BidEngine, Decision
from veperf.workloads.bidding.orders import OrderEvent


class EventQueue:
    """A bounded FIFO queue of announced orders; safe to use from several threads.

    A full queue drops the new event, as a Go channel with a default case does: the last orders of
    a burst get their bids last anyway.
    """

    def __init__(self, capacity: int) -> None:
        """Make an empty queue.

        Raises:
            ValueError: the capacity is below 1.
        """
        if capacity < 1:
            raise ValueError(f"a queue for {capacity} events; give 1 or more")
        self.capacity = capacity
        self.offered = 0
        self.dropped = 0
        self._events: deque[OrderEvent] = deque()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._events)

    def offer(self, event: OrderEvent) -> bool:
        """Append ``event``; False if the queue is full and the event was dropped."""
        with self._lock:
            self.offered += 1
            if len(self._events) >= self.capacity:
                self.dropped += 1
                return False
            self._events.append(event)
            return True

    def take(self) -> OrderEvent | None:
        """Remove and return the oldest event; None if the queue is empty."""
        with self._lock:
            return self._events.popleft() if self._events else None


class Daemon:
    """Handles events of the queue one by one, and writes checkpoints.

    A checkpoint follows every ``checkpoint_every`` events, after they were handled. A crash loses
    at most that many, and the events in the queue; so the stream of events is read again from
    ``engine.last_sequence`` + 1 on, and the engine ensures that nothing gets two bids. An event
    that a full queue dropped is not requested again. Bids that the rate limiter counts are recorded
    at once.
    """

    def __init__(
        self,
        engine: BidEngine,
        queue: EventQueue,
        checkpoints: CheckpointFile,
        checkpoint_every: int = 100,
    ) -> None:
        """Make a daemon that continues from the state of ``engine``."""
        self.engine = engine
        engine.on_bid = self._record_bid
        self.queue = queue
        self._checkpoints = checkpoints
        self._checkpoint_every = checkpoint_every
        self._unsaved = 0

    def step(self) -> Decision | None:
        """Handle the next event; None if there is none.

        Raises:
            StorageError: the checkpoint can't be written, and the event was handled; or its bid
                can't be recorded, and was not placed.
        """
        event = self.queue.take()
        if event is None:
            return None
        decision = self.engine.handle(event)
        self._unsaved += 1
        if self._unsaved >= self._checkpoint_every:
            self.save()
        return decision

    def save(self) -> None:
        """Write a checkpoint now, as before a shutdown.

        Raises:
            StorageError: it can't be written.
        """
        self._checkpoints.save(self.engine.checkpoint())
        self._unsaved = 0

    def _record_bid(self, sequence: int, moment_ns: int) -> None:
        self._checkpoints.record_bid(sequence, moment_ns, self.engine.checkpoint)
