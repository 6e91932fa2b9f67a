"""A target in another process as the system of a load generator."""

import time
from collections.abc import Iterator, Mapping
from itertools import chain

from veperf.core.errors import MeasureError
from veperf.core.load import Finished, finished_count
from veperf.loadtest.remote.messages import ITEM_BYTES, Items, Ping, Results
from veperf.loadtest.remote.shard_connection import ShardConnection

# Size of the items that are made before the load starts; the others are made during it.
_PREFETCH_BYTES = 100_000_000
_BATCH_BYTES = 1 << 16
_WAIT_MS = 1
_PING_AFTER_S = 5.0
_SILENCE_S = 30.0
_NOTHING = Finished()


class RemoteSystem:
    """A ``System`` that sends items to a target and receives their results.

    Latency is measured by the shard's own clock, from the scheduled arrival until the shard knows
    of the commit. It depends on no other host's clock, and includes both ways over the wire.
    """

    def __init__(self, connection: ShardConnection, source: Iterator[bytes], items: int) -> None:
        """Make the first ``items`` of ``source`` in advance, unless they are very many."""
        self._connection = connection
        self._items = _prefetch(source, items)
        self._window = connection.window
        self._in_flight = 0
        self._first_tag = 0
        self._batch: list[bytes] = []
        """Items offered and not yet sent, with tags from ``_first_tag`` on."""
        self._batch_bytes = 0
        self._last_heard_at = 0.0
        """Time of the target's last message while items were on their way."""
        self._has_pinged = False
        """True if it was pinged since."""

    def offer(self, tag: int) -> bool:
        """Send the next item soon; return False, and keep it, while the window is full.

        Raises:
            MeasureError: the target is gone, or has aborted the load; or the item is too long.
        """
        if self._in_flight >= self._window:
            return False
        if not self._in_flight:
            self._last_heard_at = time.monotonic()
        if tag != self._first_tag + len(self._batch):
            self._send()
            self._first_tag = tag
        item = next(self._items)
        if len(item) > ITEM_BYTES:
            raise MeasureError(f"an item of {len(item)} bytes, where {ITEM_BYTES} are allowed")
        self._batch.append(item)
        self._batch_bytes += len(item)
        self._in_flight += 1
        if self._batch_bytes >= _BATCH_BYTES:
            self._send()
        return True

    def step(self) -> Finished:
        """Send what was offered; return what is finished, after a wait of at most a millisecond.

        Raises:
            MeasureError: the target is gone, has aborted the load, or no longer answers.
        """
        self._send()
        messages = self._connection.channel.receive(_WAIT_MS)
        if messages:
            self._last_heard_at, self._has_pinged = time.monotonic(), False
            return self._finished([m for m in messages if isinstance(m, Results)])
        if self._in_flight:
            self._check_alive(time.monotonic() - self._last_heard_at)
        return _NOTHING

    def costs(self) -> Mapping[str, float]:
        """End the load: wait until all shards are done, and compare the clocks once more.

        Empty where that takes too long. Afterwards the connection has the clocks and lost shards.

        Raises:
            MeasureError: the target is gone, or has aborted the load.
        """
        self._send()
        return self._connection.finish()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _check_alive(self, silent_s: float) -> None:
        """Ping a silent target, as it may work on an item for long; raise if it stays silent."""
        if silent_s > _SILENCE_S:
            raise MeasureError(f"the target has not answered for {_SILENCE_S:g} s")
        if silent_s > _PING_AFTER_S and not self._has_pinged:
            self._connection.channel.send(Ping())
            self._has_pinged = True

    def _send(self) -> None:
        batch = self._batch
        if batch:
            self._connection.channel.send(Items(self._first_tag, batch))
            self._first_tag += len(batch)
            self._batch, self._batch_bytes = [], 0

    def _finished(self, results: list[Results]) -> Finished:
        if len(results) == 1:
            (result,) = results
            done = Finished(result.committed, result.failed, result.rejected)
        else:
            done = Finished(
                [tag for result in results for tag in result.committed],
                {tag: reason for result in results for tag, reason in result.failed.items()},
                [tag for result in results for tag in result.rejected],
            )
        self._in_flight -= finished_count(done)
        return done


def _prefetch(source: Iterator[bytes], items: int) -> Iterator[bytes]:
    prefetched: list[bytes] = []
    size = 0
    while len(prefetched) < items and size < _PREFETCH_BYTES:
        prefetched.append(next(source))
        size += len(prefetched[-1])
    return chain(prefetched, source)
