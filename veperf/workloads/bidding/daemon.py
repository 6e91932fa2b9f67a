"""A queue, an engine and its checkpoints, working together."""

from veperf.workloads.bidding.checkpoint import CheckpointFile
from veperf.workloads.bidding.engine import Decision, Engine
from veperf.workloads.bidding.queue import EventQueue


class Daemon:
    """Takes events from the queue one by one, and notes on disk how far it got.

    A checkpoint follows every ``checkpoint_every`` events, after they were handled. A crash loses
    at most that many, and what was in the queue; so the stream of events is read again from
    ``engine.last_sequence`` + 1 on, and the engine sees to it that nothing is bid on twice. An
    event that a full queue dropped is not asked for again. What the rate limiter counts is noted at
    once.
    """

    def __init__(
        self,
        engine: Engine,
        queue: EventQueue,
        checkpoints: CheckpointFile,
        checkpoint_every: int = 100,
    ) -> None:
        """A daemon that goes on where ``engine`` stands."""
        self.engine = engine
        engine.on_bid = self._note_bid
        self.queue = queue
        self._checkpoints = checkpoints
        self._checkpoint_every = checkpoint_every
        self._unsaved = 0

    def step(self) -> Decision | None:
        """Handle the next event; None where there is none.

        Raises:
            StorageError: the checkpoint can't be written, and the event was handled; or its bid
                can't be noted, and was not placed.
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
        """Write a checkpoint now, as before an orderly end.

        Raises:
            StorageError: it can't be written.
        """
        self._checkpoints.save(self.engine.checkpoint())
        self._unsaved = 0

    def _note_bid(self, moment_ns: int) -> None:
        self._checkpoints.note_bid(moment_ns, self.engine.checkpoint)
