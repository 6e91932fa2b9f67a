"""A load that has started: items go from the shards to the target, results go back."""

import math
import selectors
import time
from collections.abc import Callable, Sequence

from veperf.core.errors import MeasureError, VeperfError
from veperf.core.load import Finished, finished_count
from veperf.core.remote_load import RemoteTarget
from veperf.ipc.channel import BadMessageError, PeerGoneError
from veperf.loadtest.remote.messages import (
    Aborted,
    AllShardsDone,
    FromShard,
    HostConditions,
    Items,
    Ping,
    Results,
    ShardDone,
    Start,
)
from veperf.loadtest.remote.rendezvous import Peer
from veperf.measure.clock import measure_calibration_run
from veperf.measure.contention import boot_id, watch_contention
from veperf.measure.machine import CpuTimes, frequency_mhz, load_average

# From the message to the start: far more than the message takes to arrive.
_LEAD_NS = 500_000_000
_IDLE_S = 0.1
_UNSENT_S = 0.001
_CLOSING_S = 10.0
# After so long without a message a shard is lost, once another is done: they have one schedule.
_SILENCE_S = 30.0


class LoadSession:
    """The load of ``peers``, the shards in order, on ``target``.

    The item with tag t of shard k of n has tag t n + k in the target, so that tags are unique and
    identify their shards.
    """

    def __init__(self, target: RemoteTarget, peers: Sequence[Peer]) -> None:
        self._target = target
        self._shards = len(peers)
        self._peers = {peer.shard: peer for peer in peers}
        """Those that are still connected."""
        self._in_target = 0
        self._selector = selectors.DefaultSelector()
        for peer in peers:
            self._selector.register(peer, selectors.EVENT_READ)
        self._first_done_at = math.inf
        """Time at which the first shard was done (``time.monotonic``)."""
        self.committed = 0
        self.failed = 0
        self.rejected = 0
        self.lost: list[int] = []
        """Shards that left before they were done."""

    def run(self, stop: Callable[[], bool]) -> None:
        """Serve from the start until the last shard has left; all of them are told how it ends.

        Raises:
            MeasureError: ``stop`` returned True.
            Exception: whatever the target raises.
        """
        try:
            conditions = read_host_conditions()
            self._broadcast(Start(time.perf_counter_ns() + _LEAD_NS))
            while not all(peer.is_done for peer in self._peers.values()):
                if stop():
                    raise MeasureError("it was stopped by a signal")
                self._turn()
            costs = dict(self._target.costs())
            self._broadcast(AllShardsDone(costs, self.lost, conditions()))
            self._answer_last_pings(stop)
        except BaseException as error:
            reason = (
                str(error) if isinstance(error, VeperfError) else f"{type(error).__name__}: {error}"
            )
            self._broadcast(Aborted(f"the target has ended the load: {reason}"[:500]))
            raise
        finally:
            for peer in self._peers.values():
                peer.channel.close()
            self._selector.close()

    def _turn(self) -> None:
        """Take what arrived, let the target work, and send what is finished."""
        self._receive(0 if self._in_target else self._idle_wait_s())
        for peer in self._peers.values():
            self._offer_waiting(peer)
        if self._in_target:
            self._send_results(self._target.step())
        self._flush()
        silent_since = time.monotonic() - _SILENCE_S
        if silent_since > self._first_done_at:
            self._drop_silent(silent_since)

    def _drop_silent(self, silent_since: float) -> None:
        for peer in list(self._peers.values()):
            if not peer.is_done and peer.last_heard_at < silent_since:
                self._drop(peer)

    def _answer_last_pings(self, stop: Callable[[], bool]) -> None:
        """Answer pings until all shards have left, but not for ever."""
        until = time.monotonic() + _CLOSING_S
        while self._peers and time.monotonic() < until and not stop():
            self._receive(self._idle_wait_s())
            self._flush()

    def _idle_wait_s(self) -> float:
        """Return how long to wait for messages while the target has nothing to do."""
        unsent = any(peer.channel.unsent_bytes for peer in self._peers.values())
        return _UNSENT_S if unsent else _IDLE_S

    def _receive(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            peer = key.fileobj
            assert isinstance(peer, Peer), "nothing else is registered"
            peer.last_heard_at = time.monotonic()
            try:
                for message in peer.channel.receive():
                    self._handle(peer, message)
            except (PeerGoneError, BadMessageError):
                self._drop(peer)

    def _handle(self, peer: Peer, message: FromShard) -> None:
        match message:
            case Items() if not peer.is_done:
                peer.accept(message)
            case Ping():
                peer.answer_ping()
            case ShardDone():
                peer.is_done = True
                self._first_done_at = min(self._first_done_at, time.monotonic())
            case _:
                raise BadMessageError(f"{type(message).__name__} out of turn")

    def _offer_waiting(self, peer: Peer) -> None:
        """Offer the target the peer's waiting items, in order, until it has no room for more."""
        waiting, offer = peer.waiting, self._target.offer
        while waiting:
            tag, item = waiting[0]
            if not offer(tag * self._shards + peer.shard, item):
                return
            waiting.popleft()
            self._in_target += 1

    def _send_results(self, done: Finished) -> None:
        """Send each shard the results of its own items."""
        count = finished_count(done)
        if not count:
            return
        self._in_target -= count
        # What is shed is an outcome of its own only where load and system share a process.
        failures = {**done.failed, **done.shed}
        self.committed += len(done.committed)
        self.failed += len(failures)
        self.rejected += len(done.rejected)
        committed = self._by_shard(done.committed)
        failed = self._by_shard(list(failures))
        rejected = self._by_shard(done.rejected)
        for shard, peer in list(self._peers.items()):
            tags = failed[shard]
            reasons = {tag: failures[tag * self._shards + shard] for tag in tags}
            results = Results(committed[shard], reasons, rejected[shard])
            finished = len(results.committed) + len(tags) + len(results.rejected)
            if finished:
                peer.in_flight -= finished
                self._send(peer, results)

    def _by_shard(self, tags: Sequence[int]) -> list[list[int]]:
        """Divide ``tags`` into the shards' own tags, in the same order."""
        shard_tags: list[list[int]] = [[] for _ in range(self._shards)]
        for tag in tags:
            own, shard = divmod(tag, self._shards)
            shard_tags[shard].append(own)
        return shard_tags

    def _broadcast(self, message: Start | AllShardsDone | Aborted) -> None:
        for peer in list(self._peers.values()):
            self._send(peer, message)

    def _send(self, peer: Peer, message: Results | Start | AllShardsDone | Aborted) -> None:
        try:
            peer.send(message)
        except (PeerGoneError, BadMessageError):
            self._drop(peer)

    def _flush(self) -> None:
        for peer in list(self._peers.values()):
            try:
                peer.channel.flush()
            except PeerGoneError:
                self._drop(peer)

    def _drop(self, peer: Peer) -> None:
        """Close a connection that is gone or broke the rules; its items finish without a reader."""
        del self._peers[peer.shard]
        self._selector.unregister(peer)
        peer.channel.close()
        if not peer.is_done:
            self.lost.append(peer.shard)


def read_host_conditions() -> Callable[[], HostConditions]:
    """Read the state of this host before a load; return a function to call after it."""
    load_before, calibration_ns, ticks = load_average(), measure_calibration_run(), CpuTimes.now()
    contention = watch_contention()
    return lambda: HostConditions(
        load_before=load_before,
        load_after=load_average(),
        frequency_mhz=frequency_mhz(),
        steal_ratio=ticks.steal_ratio(CpuTimes.now()),
        calibration_ns=calibration_ns,
        contention=contention(),
        boot_id=boot_id(),
    )
