"""One connection of a target: a stranger first, then a shard."""

import time
from collections import deque
from dataclasses import dataclass, field

from veperf.ipc.channel import BadMessageError, Channel
from veperf.loadtest.remote.messages import FromShard, FromTarget, Items, Pong

STRANGER = -1
_UNSENT_BYTES = 8 << 20


@dataclass(slots=True, eq=False)
class Guest:
    """What the target knows of it."""

    channel: Channel[FromShard]
    nonce: bytes
    heard_at: float
    """When it connected, or last said something since the start (``time.monotonic``)."""
    shard: int = STRANGER
    window: int = 0
    """Items that it may have on their way."""
    is_ready: bool = False
    is_done: bool = False
    next_tag: int = 0
    in_flight: int = 0
    """Its items that are here and not finished."""
    waiting: deque[tuple[int, bytes]] = field(default_factory=deque)
    """Those of them that the target has had no room for, each with its tag."""

    def fileno(self) -> int:
        """The socket, for a selector."""
        return self.channel.fileno()

    def tell(self, message: FromTarget) -> None:
        """Send ``message``, as soon as it is read.

        Raises:
            PeerGoneError: nobody is there.
            BadMessageError: what was sent before is not read.
        """
        self.channel.send(message)
        if self.channel.unsent_bytes > _UNSENT_BYTES:
            raise BadMessageError("it does not read what it is sent")

    def tell_time(self) -> None:
        """Answer a ping.

        Raises:
            PeerGoneError, BadMessageError: as ``tell`` does.
        """
        self.tell(Pong(time.perf_counter_ns(), time.time_ns()))

    def take(self, message: Items) -> None:
        """Have items wait for the target.

        Raises:
            BadMessageError: they are too many, or not new.
        """
        first, count = message.first_tag, len(message.items)
        if first < self.next_tag or self.in_flight + count > self.window:
            raise BadMessageError(f"{count} items from {first} on, which are not to be sent now")
        self.waiting.extend(enumerate(message.items, first))
        self.next_tag = first + count
        self.in_flight += count
