"""Whole messages over a socket that never blocks."""

import socket
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from veperf.loadtest.remote.messages import FIRST_FRAME_BYTES, FRAME_BYTES, encode

_LENGTH_BYTES = 4


class FrameError(ValueError):
    """A frame that is longer than allowed."""


def to_frame(body: bytes) -> bytes:
    """``body`` as it travels."""
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class FrameReader:
    """Puts frames together from whatever pieces arrive, holding one that is not whole at most."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        """That a frame may have."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take ``data``; the frames that are whole now, without their lengths.

        Raises:
            FrameError: a frame says that it is too long.
        """
        buffer = self._buffer
        buffer += data
        frames, start = [], 0
        while len(buffer) - start >= _LENGTH_BYTES:
            body = start + _LENGTH_BYTES
            size = int.from_bytes(buffer[start:body], "big")
            if size > self.most_bytes:
                raise FrameError(f"a frame of {size} bytes, where {self.most_bytes} are allowed")
            if len(buffer) < body + size:
                break
            frames.append(bytes(buffer[body : body + size]))
            start = body + size
        del buffer[:start]
        return frames


_RECEIVE_BYTES = 1 << 18

_Message = TypeVar("_Message")


class PeerGoneError(ConnectionError):
    """The other side has closed the connection, died, or can't be reached any more."""


class BadMessageError(ValueError):
    """The other side breaks the rules."""


class Channel(Generic[_Message]):
    """One side's end of a connection. Until ``trust`` only short messages are taken."""

    def __init__(self, peer: socket.socket, decode: Callable[[bytes], _Message]) -> None:
        """``peer`` is non-blocking, and ``decode`` strict: it raises what msgspec raises."""
        self._socket = peer
        self._decode = decode
        self._reader = FrameReader(FIRST_FRAME_BYTES)
        self._unsent: deque[memoryview] = deque()
        self.unsent_bytes = 0
        """That wait for room in the socket."""

    def fileno(self) -> int:
        """The socket, for a selector."""
        return self._socket.fileno()

    def trust(self) -> None:
        """Take messages of full length from now on."""
        self._reader.most_bytes = FRAME_BYTES

    def send(self, message: Struct) -> None:
        """Queue ``message`` and send what the socket takes now.

        Raises:
            PeerGoneError: nobody is there.
        """
        frame = to_frame(encode(message))
        self._unsent.append(memoryview(frame))
        self.unsent_bytes += len(frame)
        self.flush()

    def flush(self) -> None:
        """Send as much of what is queued as the socket takes now.

        Raises:
            PeerGoneError: nobody is there.
        """
        while self._unsent:
            first = self._unsent[0]
            try:
                sent = self._socket.send(first)
            except BlockingIOError:
                return
            except OSError as error:
                raise PeerGoneError(error.strerror) from error
            self.unsent_bytes -= sent
            if sent == len(first):
                self._unsent.popleft()
            else:
                self._unsent[0] = first[sent:]

    def receive(self) -> list[_Message]:
        """What has arrived.

        Raises:
            PeerGoneError: nothing has, and nobody is there.
            BadMessageError: something that is no message, or too long.
        """
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise PeerGoneError(error.strerror) from error
        if not data:
            raise PeerGoneError("it has closed the connection")
        try:
            return [self._decode(frame) for frame in self._reader.feed(data)]
        except (FrameError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadMessageError(str(error)) from error

    def close(self) -> None:
        """Safe to call twice."""
        self._socket.close()
