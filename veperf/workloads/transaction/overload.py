"""A chain that is offered more than it does: clients that pay different fees, and try again.

A client has one transfer on its way at a time, and is told what became of it. One that is turned
away, evicted or expired has not used its sequence: the client offers the same transfer again when
its turn comes, so that no later one of it breaks. So the chain has no errors, however much is shed.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping

from veperf.core.errors import MeasureError
from veperf.core.load import GENERATOR, Finished
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.load import ChainTarget
from veperf.workloads.transaction.load_source import Sender, TransferSource
from veperf.workloads.transaction.pipeline import PipelineSettings

SETTINGS = PipelineSettings(hold_ns=500_000_000, time_to_live_ns=2_000_000_000)
"""Of a chain under overload: half a second of work at most, and none that is older than two."""

FEES = (1, 2, 5, 10)
"""Fees that clients pay, as multiples of the least."""
_FILLING_S = 2.0
_WARMUP_S = 0.25


class PayingClients(TransferSource):
    """Transfers of clients, each with one at a time, for a fee that is drawn anew for each."""

    def __init__(self, accounts: int, seed: int = 1) -> None:
        """Sign the first transfer of each client."""
        super().__init__(accounts, seed)
        next(self)  # a target warms up with the first transfer of the first sender
        self._ready = deque((sender, self._sign(sender)) for sender in self._senders)
        self._waiting: dict[int, tuple[Sender, bytes]] = {}

    def take_transfer(self, tag: int) -> bytes | None:
        """Return the transfer of the next client that has none on its way; None if all have one."""
        if not self._ready:
            return None
        self._waiting[tag] = client = self._ready.popleft()
        return client[1]

    def settle(self, done: Finished) -> None:
        """Tell clients that their sequences are used, or that they have to try again."""
        for tag in (*done.committed, *done.failed):
            sender, _ = self._waiting.pop(tag)
            sender.sequence += 1
            self._ready.append((sender, self._sign(sender)))
        self._ready.extend(self._waiting.pop(tag) for tag in done.shed)

    def _sign(self, sender: Sender) -> bytes:
        self._begin_turn()
        fee = self._random.choice(FEES) * example_data.FEE[0].amount
        return self._transfer(sender, sender.sequence, fee=fee)


class OverloadedChain:
    """A chain and its clients as a system under load (``veperf.core.registry.System``)."""

    def __init__(self, target: ChainTarget, clients: PayingClients) -> None:
        self._target = target
        self._clients = clients
        self._turned_away: dict[int, str] = {}
        self._signing_ns = 0
        self._committed = 0

    def offer(self, tag: int) -> bool:
        """Offer the next client's transfer; False if all clients wait for an answer."""
        raw = self._clients.take_transfer(tag)
        if raw is None:
            return False
        if not self._target.offer(tag, raw):
            self._turned_away[tag] = Code.MEMPOOL_FULL.name
        return True

    def step(self) -> Finished:
        """Let the chain work, and tell the clients what became of their transfers."""
        done = self._target.step()
        if self._turned_away:
            done = Finished(done.committed, done.failed, shed={**done.shed, **self._turned_away})
            self._turned_away = {}
        began = time.thread_time_ns()
        self._clients.settle(done)
        self._signing_ns += time.thread_time_ns() - began
        self._committed += len(done.committed)
        return done

    def costs(self) -> Mapping[str, float]:
        """Return the chain's costs, with the signing of new transfers as the generator's."""
        if not self._committed:
            return self._target.costs()
        return {GENERATOR: self._signing_ns / self._committed, **self._target.costs()}

    def close(self) -> None:
        """Close the chain."""
        self._target.close()


def measure_capacity(
    target: ChainTarget,
    clients: PayingClients,
    *,
    seconds: float = _FILLING_S,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return commits a second of ``target`` while it always has as much as it takes.

    From the first commit after a warm-up to the last one, in whole blocks.

    Raises:
        MeasureError: there were no two in that time.
    """
    start = clock()
    warm, end = start + _WARMUP_S * seconds, start + (1 + _WARMUP_S) * seconds
    tag = committed = 0
    first = last = 0.0
    while last < end:
        while (raw := clients.take_transfer(tag)) is not None and target.offer(tag, raw):
            tag += 1
        if raw is not None:
            clients.settle(Finished(shed={tag: ""}))
            tag += 1
        done = target.step()
        clients.settle(done)
        now = clock()
        if done.committed and first:
            committed, last = committed + len(done.committed), now
        elif done.committed and now >= warm:
            first = now
        if now >= end + seconds:
            break
    if not committed:
        raise MeasureError(f"the chain committed too little in {seconds:g} s to tell its capacity")
    return committed / (last - first)
