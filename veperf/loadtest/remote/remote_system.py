"""A target in another process, as a load generator sees it."""

import time
from collections.abc import Iterator, Mapping
from itertools import chain

from veperf.core.errors import MeasureError
from veperf.core.load import Finished
from veperf.loadtest.remote.connection import Connection
from veperf.loadtest.remote.messages import ITEM_BYTES, Items, Ping, Results

_AHEAD_BYTES = 100_000_000
"""Of items that are made before the load starts; what goes beyond is made as it goes."""
_BATCH_BYTES = 1 << 16
_WAIT_MS = 1
_ASK_AFTER_S = 5.0
_SILENCE_S = 30.0
_NOTHING = Finished()


class RemoteSystem:
    """Sends items to a target and receives what became of them (``veperf.core.registry.System``).

    Latency is what the shard sees by its own clock: from the scheduled arrival until the commit is
    known here. No other host's clock is in it, and both ways over the wire are.
    """

    def __init__(self, connection: Connection, source: Iterator[bytes], items: int) -> None:
        """Make the first ``items`` of ``source`` already, unless they are very many."""
        self._connection = connection
        self._items = _prepared(source, items)
        self._window = connection.window
        self._in_flight = 0
        self._first_tag = 0
        self._batch: list[bytes] = []
        """Items that were offered and not sent, tags from ``_first_tag`` on."""
        self._batch_bytes = 0
        self._heard_at = 0.0
        """When the target last said something while items were on their way."""
        self._has_asked = False
        """Whether it was asked for a sign of life since."""

    def offer(self, tag: int) -> bool:
        """Send the next item soon; False, and it stays the next one, while the window is full.

        Raises:
            MeasureError: the target is gone, or has ended the load; or the item is too long.
        """
        if self._in_flight >= self._window:
            return False
        if not self._in_flight:
            self._heard_at = time.monotonic()
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
        """Send what was offered; what got finished, waiting for it for a millisecond at most.

        Raises:
            MeasureError: the target is gone, has ended the load, or says nothing any more.
        """
        self._send()
        heard = self._connection.line.listen(_WAIT_MS)
        if heard:
            self._heard_at, self._has_asked = time.monotonic(), False
            return self._finished([m for m in heard if isinstance(m, Results)])
        if self._in_flight:
            self._look_after(time.monotonic() - self._heard_at)
        return _NOTHING

    def costs(self) -> Mapping[str, float]:
        """End the load: wait until all shards are done, and compare the clocks once more.

        Empty where that takes too long. The connection knows the clocks and lost shards then.

        Raises:
            MeasureError: the target is gone, or has ended the load.
        """
        self._send()
        return self._connection.finish()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _look_after(self, silent_s: float) -> None:
        """A target may work on an item for long, but not be dead: it answers when it is asked."""
        if silent_s > _SILENCE_S:
            raise MeasureError(f"the target has said nothing for {_SILENCE_S:g} s")
        if silent_s > _ASK_AFTER_S and not self._has_asked:
            self._connection.line.send(Ping())
            self._has_asked = True

    def _send(self) -> None:
        batch = self._batch
        if batch:
            self._connection.line.send(Items(self._first_tag, batch))
            self._first_tag += len(batch)
            self._batch, self._batch_bytes = [], 0

    def _finished(self, results: list[Results]) -> Finished:
        if len(results) == 1:
            (only,) = results
            done = Finished(only.committed, only.failed, only.rejected)
        else:
            done = Finished(
                [tag for result in results for tag in result.committed],
                {tag: why for result in results for tag, why in result.failed.items()},
                [tag for result in results for tag in result.rejected],
            )
        self._in_flight -= len(done.committed) + len(done.failed) + len(done.rejected)
        return done


def _prepared(source: Iterator[bytes], items: int) -> Iterator[bytes]:
    made: list[bytes] = []
    made_bytes = 0
    while len(made) < items and made_bytes < _AHEAD_BYTES:
        made.append(next(source))
        made_bytes += len(made[-1])
    return chain(made, source)
