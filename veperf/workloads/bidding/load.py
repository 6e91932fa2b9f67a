"""The daemon as a load target, and bursts of orders for it."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from veperf.core.load import Finished
from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bids import BidStore
from veperf.workloads.bidding.checkpoint import Checkpoint, CheckpointFile
from veperf.workloads.bidding.daemon import Daemon, EventQueue
from veperf.workloads.bidding.engine import BidEngine, BidOutcome, EngineSettings
from veperf.workloads.bidding.orders import OrderEvent
from veperf.workloads.bidding.rate_limit import RateLimiter
from veperf.workloads.bidding.table import ProviderTable

CAPACITY = 10_000
"""Orders that may wait in the queue."""
_NOTHING = Finished()


def create_engine(table: ProviderTable) -> BidEngine:
    """Return an engine of the example daemon that submits to its own bid store."""
    settings = EngineSettings(example_data.CHAIN_ID)
    return BidEngine(
        settings,
        table,
        example_data.daemon_signer(),
        # As many bids as an engine remembers: memory does not grow with the length of a load.
        BidStore(example_data.CHAIN_ID, remembered=settings.remembered_orders),
        RateLimiter(None, None),
    )


def order_bursts(orders: int, shard: int = 0, shards: int = 1) -> Iterator[bytes]:
    """Yield bursts of ``orders`` announced orders, a line of JSON each, without end.

    They are those of shard k of n: no other shard has an order with the same id.
    """
    events = example_data.order_events(1 + shard, shards)
    while True:
        yield b"\n".join([event.payload for event in islice(events, orders)])


@dataclass(slots=True)
class _Burst:
    tag: int
    remaining: int
    """Number of orders that are not handled yet."""
    failure: str = ""
    """Outcome of the last order in it that got no bid."""


class _TimedCheckpointFile(CheckpointFile):
    """A checkpoint file that adds up the CPU time of saving."""

    spent_ns = 0

    def save(self, checkpoint: Checkpoint) -> None:
        started = time.thread_time_ns()
        super().save(checkpoint)
        self.spent_ns += time.thread_time_ns() - started


class DaemonTarget:
    """A daemon as the target of a load (``veperf.core.remote_load.RemoteTarget``).

    An item is a burst of orders, and is finished when each of them has its bid. Every bid loses
    at once, so that capacity does not run out; checkpoints go to a temporary folder.
    """

    def __init__(self, table: ProviderTable, capacity: int = CAPACITY) -> None:
        self._folder = Path(mkdtemp(prefix="veperf-bidding-"))
        self._engine = create_engine(table)
        self._queue = EventQueue(capacity)
        self._file = _TimedCheckpointFile(self._folder / "checkpoint")
        self._daemon = Daemon(self._engine, self._queue, self._file)
        self._sequence = count(1)
        self._waiting: deque[_Burst] = deque()
        self._finished = 0
        """Number of finished bursts."""
        self._enqueue_ns = 0
        self._step_ns = 0

    def offer(self, tag: int, item: bytes) -> bool:
        """Put the orders of ``item`` into the queue; False if there is no room for all."""
        payloads = item.split(b"\n")
        if len(self._queue) + len(payloads) > self._queue.capacity:
            return False
        events = [OrderEvent(next(self._sequence), payload) for payload in payloads]
        started = time.thread_time_ns()
        for event in events:
            self._queue.offer(event)
        self._enqueue_ns += time.thread_time_ns() - started
        self._waiting.append(_Burst(tag, len(events)))
        return True

    def step(self) -> Finished:
        """Handle an event; return the burst that it finished, if any."""
        if not self._waiting:
            return _NOTHING
        started = time.thread_time_ns()
        decision = self._daemon.step()
        self._step_ns += time.thread_time_ns() - started
        assert decision is not None, "orders of waiting bursts are in the queue"
        burst = self._waiting[0]
        burst.remaining -= 1
        if decision.outcome is BidOutcome.BID:
            self._engine.reservations.release(decision.order_id)
        else:
            burst.failure = decision.outcome.name
        if burst.remaining:
            return _NOTHING
        self._waiting.popleft()
        self._finished += 1
        return (
            Finished(failed={burst.tag: burst.failure}) if burst.failure else Finished([burst.tag])
        )

    def costs(self) -> dict[str, float]:
        """Return CPU time in ns for each burst: to enqueue it, to bid, and to write checkpoints."""
        if not self._finished:
            return {}
        spent = {
            "enqueue": self._enqueue_ns,
            "bid": self._step_ns - self._file.spent_ns,
            "checkpoint": self._file.spent_ns,
        }
        return {stage: ns / self._finished for stage, ns in spent.items()}

    def close(self) -> None:
        """Delete the checkpoints."""
        rmtree(self._folder)
