"""Connections that come while a target is made or a load goes on: held for a moment, unread."""

import selectors
import socket
import threading
import time
from typing import Self

from veperf.loadtest.remote.target_socket import Listener

MOST_UNIDENTIFIED = 64
"""Connections of whoever has not proved who it is, at a time: the oldest goes for a new one."""
INTRODUCTION_S = 5.0
"""Time that it has for that; a shard that is sent away comes again."""
_RETRY_S = 0.1


class WaitingRoom:
    """A thread that holds connections, for the time of the block; all are closed at its end.

    Whoever sends something is closed at once: nobody may speak before the target's greeting.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._held: dict[socket.socket, float] = {}
        """The time at which each came (``time.monotonic``), oldest first."""
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._selector.register(self._listener.socket, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._wake.close()
        self._thread.join()
        for peer in (*self._held, self._woken):
            peer.close()
        self._selector.close()

    def _run(self) -> None:
        while True:
            oldest = next(iter(self._held.values()), None)
            wait_s = (
                None if oldest is None else max(0.0, oldest + INTRODUCTION_S - time.monotonic())
            )
            for key, _ in self._selector.select(wait_s):
                if key.fileobj is self._woken:
                    return
                if key.fileobj is self._listener.socket:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._held:
                    self._close(key.fileobj)
            for peer, came_at in list(self._held.items()):
                if time.monotonic() >= came_at + INTRODUCTION_S:
                    self._close(peer)

    def _accept(self) -> None:
        peer = self._listener.accept()
        if peer is None:  # there may be no descriptors left
            time.sleep(_RETRY_S)
            return
        if len(self._held) >= MOST_UNIDENTIFIED:
            self._close(next(iter(self._held)))
        self._held[peer] = time.monotonic()
        self._selector.register(peer, selectors.EVENT_READ)

    def _close(self, peer: socket.socket) -> None:
        self._selector.unregister(peer)
        del self._held[peer]
        peer.close()
