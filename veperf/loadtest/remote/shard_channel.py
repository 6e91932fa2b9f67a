"""A shard's end of the line to its target: what goes wrong on it is a ``MeasureError``."""

import contextlib
import select
import time
from collections import deque
from typing import NoReturn, TypeVar

from veperf.core.errors import MeasureError
from veperf.ipc.channel import BadMessageError, Channel, PeerGoneError
from veperf.loadtest.remote.messages import Ended, FromShard, FromTarget

_UNSENT_MS = 1

_Message = TypeVar("_Message", bound=FromTarget)


class Line:
    """Sends at once, and waits for answers for as long as it is told."""

    def __init__(self, channel: Channel[FromTarget], target: str) -> None:
        """``target`` is its address, for errors."""
        self._channel = channel
        self._target = target
        self._heard: deque[FromTarget] = deque()
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)

    def trust(self) -> None:
        """Take messages of full length from now on."""
        self._channel.trust()

    def send(self, message: FromShard) -> None:
        """Send ``message``, or as much of it as the socket takes now.

        Raises:
            MeasureError: the target is gone, or has ended the load.
        """
        try:
            self._channel.send(message)
        except PeerGoneError as error:
            self._fail(error)

    def listen(self, wait_ms: int) -> list[FromTarget]:
        """What the target says; waits at most so long for it where it says nothing.

        Raises:
            MeasureError: the target is gone, or has ended the load.
        """
        try:
            if self._channel.unsent_bytes:
                self._channel.flush()
                wait_ms = min(wait_ms, _UNSENT_MS)
            heard = self._channel.receive() if self._poll.poll(wait_ms) else []
        except (PeerGoneError, BadMessageError) as error:
            self._fail(error)
        for message in heard:
            if isinstance(message, Ended):
                raise MeasureError(message.reason)
        return heard

    def wait_for(self, kind: type[_Message], timeout_s: float) -> _Message | None:
        """The next message of ``kind``, whatever comes before it; None where it does not come.

        Raises:
            MeasureError: the target is gone, or has ended the load.
        """
        until = time.monotonic() + timeout_s
        while True:
            while self._heard:
                message = self._heard.popleft()
                if isinstance(message, kind):
                    return message
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._heard += self.listen(round(left * 1000) + 1)

    def close(self) -> None:
        """Safe to call twice."""
        self._channel.close()

    def _fail(self, error: PeerGoneError | BadMessageError) -> NoReturn:
        """Say why the line is no good any more; the target's last words, where there are any."""
        with contextlib.suppress(PeerGoneError, BadMessageError):
            while self._poll.poll(0):
                for message in self._channel.receive():
                    if isinstance(message, Ended):
                        raise MeasureError(message.reason) from error
        what = "sent nonsense" if isinstance(error, BadMessageError) else "is gone"
        raise MeasureError(f"the target at {self._target} {what}: {error}") from error
