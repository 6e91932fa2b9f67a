"""The daemon under load: a queue, an engine with its checkpoints, and orders that arrive."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from veperf.model import Finished
from veperf.workloads.bidding import sample
from veperf.workloads.bidding.checkpoint import CheckpointFile
from veperf.workloads.bidding.daemon import Daemon
from veperf.workloads.bidding.engine import Engine, Outcome, Settings
from veperf.workloads.bidding.ledger import Ledger
from veperf.workloads.bidding.queue import EventQueue
from veperf.workloads.bidding.rate_limit import RateLimiter
from veperf.workloads.bidding.table import ProviderTable

_CAPACITY = 10_000
_UNLIMITED = 10**9
_NOTHING = Finished()


def engine_for(table: ProviderTable) -> Engine:
    """An engine of the example daemon that submits to a ledger of its own."""
    return Engine(
        Settings(sample.CHAIN_ID),
        table,
        sample.signer(),
        Ledger(sample.CHAIN_ID),
        RateLimiter(_UNLIMITED, _UNLIMITED),
    )


@dataclass(slots=True)
class _Burst:
    tag: int
    left: int
    failure: str = ""
    """The code of the last order in it that got no bid."""


class LoadedDaemon:
    """A daemon, as a load generator sees it (``veperf.registry.System``).

    An arrival is a burst of orders, and is finished when each of them has its bid. Every bid loses
    at once, so that capacity does not run out; checkpoints go to a folder for temporary files.
    """

    def __init__(self, table: ProviderTable, burst: int, capacity: int = _CAPACITY) -> None:
        self._burst = burst
        self._folder = Path(mkdtemp(prefix="veperf-bidding-"))
        self._engine = engine_for(table)
        self._queue = EventQueue(capacity)
        self._daemon = Daemon(
            self._engine, self._queue, CheckpointFile(self._folder / "checkpoint")
        )
        self._events = sample.events()
        self._waiting: deque[_Burst] = deque()

    def offer(self, tag: int) -> bool:
        """Put the next orders into the queue; False where there is no room for all of them."""
        if len(self._queue) + self._burst > self._queue.capacity:
            return False
        for _ in range(self._burst):
            self._queue.offer(next(self._events))
        self._waiting.append(_Burst(tag, self._burst))
        return True

    def step(self) -> Finished:
        """Handle one event; the burst that is finished by it."""
        decision = self._daemon.step()
        if decision is None:
            return _NOTHING
        burst = self._waiting[0]
        burst.left -= 1
        if decision.outcome is Outcome.BID:
            self._engine.reservations.release(decision.order_id)
        else:
            burst.failure = decision.outcome.name
        if burst.left:
            return _NOTHING
        self._waiting.popleft()
        return (
            Finished(failed={burst.tag: burst.failure}) if burst.failure else Finished([burst.tag])
        )

    def costs(self) -> dict[str, float]:
        """Not known by stage."""
        return {}

    def close(self) -> None:
        """Delete the checkpoints."""
        rmtree(self._folder)
