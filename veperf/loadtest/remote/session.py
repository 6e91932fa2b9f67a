"""A load that has started: items go from the shards to the target, results go back."""

import math
import selectors
import time
from collections.abc import Callable, Sequence

from veperf.core.errors import MeasureError, VeperfError
from veperf.core.load import Finished
from veperf.core.registry import Target
from veperf.ipc.channel import BadMessageError, PeerGoneError
from veperf.loadtest.remote.host_conditions import look_around
from veperf.loadtest.remote.messages import (
    Done,
    Ended,
    FromShard,
    Items,
    Over,
    Ping,
    Results,
    Start,
)
from veperf.loadtest.remote.peer import Guest

_LEAD_NS = 500_000_000
"""From the word to the start: far more than the word takes to arrive."""
_IDLE_S = 0.1
_UNSENT_S = 0.001
_FAREWELL_S = 10.0
_SILENCE_S = 30.0
"""After which a shard that says nothing is lost, once another is done: they have one schedule."""


class Running:
    """The load of ``guests``, the shards in order, on ``target``.

    An item that the shard k of n calls t is t n + k to the target, so that tags are unique, and
    tell whose they are.
    """

    def __init__(self, target: Target, guests: Sequence[Guest]) -> None:
        self._target = target
        self._all = len(guests)
        self._guests = {guest.shard: guest for guest in guests}
        """Those that are still here."""
        self._in_target = 0
        self._selector = selectors.DefaultSelector()
        for guest in guests:
            self._selector.register(guest, selectors.EVENT_READ)
        self._silence_from = math.inf
        """When the first shard was done (``time.monotonic``)."""
        self.committed = 0
        self.failed = 0
        self.rejected = 0
        self.lost: list[int] = []
        """Shards that went away before they were done."""

    def run(self, stop: Callable[[], bool]) -> None:
        """From the start until the last shard has left; all of them are told how it ends.

        Raises:
            MeasureError: ``stop`` said yes.
            Exception: whatever the target raises.
        """
        try:
            look_again = look_around()
            self._tell(Start(time.perf_counter_ns() + _LEAD_NS))
            while not all(guest.is_done for guest in self._guests.values()):
                if stop():
                    raise MeasureError("it was told to end")
                self._pass()
            self._tell(Over(dict(self._target.costs()), self.lost, look_again()))
            self._see_off(stop)
        except BaseException as error:
            words = (
                str(error) if isinstance(error, VeperfError) else f"{type(error).__name__}: {error}"
            )
            self._tell(Ended(f"the target has ended the load: {words}"[:500]))
            raise
        finally:
            for guest in self._guests.values():
                guest.channel.close()
            self._selector.close()

    def _pass(self) -> None:
        """Once through: what arrived, the target's own work, what is finished."""
        self._listen(0 if self._in_target else self._patience_s())
        for guest in self._guests.values():
            self._hand_in(guest)
        if self._in_target:
            self._deliver(self._target.step())
        self._flush()
        silent_since = time.monotonic() - _SILENCE_S
        if silent_since > self._silence_from:
            self._lose(silent_since)

    def _lose(self, silent_since: float) -> None:
        for guest in list(self._guests.values()):
            if not guest.is_done and guest.heard_at < silent_since:
                self._drop(guest)

    def _see_off(self, stop: Callable[[], bool]) -> None:
        """Tell shards the time until they have left, but not for ever."""
        until = time.monotonic() + _FAREWELL_S
        while self._guests and time.monotonic() < until and not stop():
            self._listen(self._patience_s())
            self._flush()

    def _patience_s(self) -> float:
        """How long to wait for something to arrive, where the target has nothing to do."""
        unsent = any(guest.channel.unsent_bytes for guest in self._guests.values())
        return _UNSENT_S if unsent else _IDLE_S

    def _listen(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            guest = key.fileobj
            assert isinstance(guest, Guest), "nothing else is registered"
            guest.heard_at = time.monotonic()
            try:
                for message in guest.channel.receive():
                    self._hear(guest, message)
            except (PeerGoneError, BadMessageError):
                self._drop(guest)

    def _hear(self, guest: Guest, message: FromShard) -> None:
        match message:
            case Items() if not guest.is_done:
                guest.take(message)
            case Ping():
                guest.tell_time()
            case Done():
                guest.is_done = True
                self._silence_from = min(self._silence_from, time.monotonic())
            case _:
                raise BadMessageError(f"{type(message).__name__} out of turn")

    def _hand_in(self, guest: Guest) -> None:
        """Offer the target what waits, in order, until it has no room for more."""
        waiting, offer = guest.waiting, self._target.offer
        while waiting:
            tag, item = waiting[0]
            if not offer(tag * self._all + guest.shard, item):
                return
            waiting.popleft()
            self._in_target += 1

    def _deliver(self, done: Finished) -> None:
        """Tell each shard what is finished of its own items."""
        count = len(done.committed) + len(done.failed) + len(done.rejected)
        if not count:
            return
        self._in_target -= count
        self.committed += len(done.committed)
        self.failed += len(done.failed)
        self.rejected += len(done.rejected)
        committed = self._by_shard(done.committed)
        failed = self._by_shard(list(done.failed))
        rejected = self._by_shard(done.rejected)
        for shard, guest in list(self._guests.items()):
            tags = failed[shard]
            reasons = {tag: done.failed[tag * self._all + shard] for tag in tags}
            results = Results(committed[shard], reasons, rejected[shard])
            finished = len(results.committed) + len(tags) + len(results.rejected)
            if finished:
                guest.in_flight -= finished
                self._send(guest, results)

    def _by_shard(self, tags: Sequence[int]) -> list[list[int]]:
        """The shards' own tags, in the same order."""
        found: list[list[int]] = [[] for _ in range(self._all)]
        for tag in tags:
            own, shard = divmod(tag, self._all)
            found[shard].append(own)
        return found

    def _tell(self, message: Start | Over | Ended) -> None:
        for guest in list(self._guests.values()):
            self._send(guest, message)

    def _send(self, guest: Guest, message: Results | Start | Over | Ended) -> None:
        try:
            guest.tell(message)
        except (PeerGoneError, BadMessageError):
            self._drop(guest)

    def _flush(self) -> None:
        for guest in list(self._guests.values()):
            try:
                guest.channel.flush()
            except PeerGoneError:
                self._drop(guest)

    def _drop(self, guest: Guest) -> None:
        """It is gone, or has to go. What the target has of it is finished, for nobody."""
        del self._guests[guest.shard]
        self._selector.unregister(guest)
        guest.channel.close()
        if not guest.is_done:
            self.lost.append(guest.shard)
