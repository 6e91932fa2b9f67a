"""Messages in frames: a length of four bytes, big-endian, and a body of so many bytes.

``FrameReader`` splits a stream of bytes into frames; ``Channel`` sends and receives messages over
a socket that never blocks.
"""

import socket
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

_LENGTH_BYTES = 4
MAX_FRAME_BYTES = (1 << 32) - 1
_RECEIVE_BYTES = 1 << 18

Received = TypeVar("Received")


class FrameError(ValueError):
    """A frame that is longer than allowed."""


class PeerGoneError(ConnectionError):
    """The other side has closed the connection, died, or can't be reached any more."""


class BadMessageError(ValueError):
    """A message from the other side that is invalid or too long."""


def make_frame(body: bytes) -> bytes:
    """Return the frame of ``body``."""
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class FrameReader:
    """Assembles frames from pieces of a stream; it buffers at most one incomplete frame."""

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self.max_bytes = max_bytes
        """Longest body that is accepted."""
        self._buffer = bytearray()
        self._needed = _LENGTH_BYTES
        """Bytes that the buffer must hold before another frame can be complete."""

    def feed(self, data: bytes) -> list[memoryview]:
        """Take ``data`` and return the bodies of the frames that are complete now.

        Raises:
            FrameError: a frame is longer than ``max_bytes``.
        """
        self._buffer += data
        if len(self._buffer) < self._needed:
            return []
        view, start, frames = memoryview(self._buffer), 0, []
        self._needed = _LENGTH_BYTES
        while len(view) - start >= _LENGTH_BYTES:
            body = start + _LENGTH_BYTES
            size = int.from_bytes(view[start:body], "big")
            if size > self.max_bytes:
                raise FrameError(f"a frame of {size} bytes, where {self.max_bytes} are allowed")
            if len(view) < body + size:
                self._needed = _LENGTH_BYTES + size
                break
            frames.append(view[body : body + size])
            start = body + size
        # The frames are views of the old buffer, which therefore can't be resized.
        self._buffer = bytearray(view[start:])
        return frames


class Channel(Generic[Received]):
    """An end of a connection; it takes short messages until ``accept_long_messages`` is called."""

    def __init__(
        self,
        peer: socket.socket,
        encode: Callable[[Struct], bytes],
        decode: Callable[[memoryview], Received],
        *,
        first_bytes: int = MAX_FRAME_BYTES,
        max_bytes: int = MAX_FRAME_BYTES,
    ) -> None:
        """Wrap ``peer``, which is non-blocking.

        Args:
            peer: the socket.
            encode: makes the body of a frame.
            decode: reads the body of a frame strictly; raises what msgspec raises.
            first_bytes: the longest body that is accepted until ``accept_long_messages`` is called.
            max_bytes: the longest body that is accepted afterwards.
        """
        self._socket = peer
        self._encode = encode
        self._decode = decode
        self._max_bytes = max_bytes
        self._reader = FrameReader(first_bytes)
        self._unsent: deque[memoryview] = deque()
        self.unsent_bytes = 0
        """Bytes that wait for room in the socket."""
        self.received_bytes = 0
        """Bytes received so far, parts of messages included."""

    def fileno(self) -> int:
        """Return the socket's descriptor, for a selector."""
        return self._socket.fileno()

    def accept_long_messages(self) -> None:
        """Accept messages of full length from now on."""
        self._reader.max_bytes = self._max_bytes

    def send(self, message: Struct) -> None:
        """Queue ``message`` and send as much as the socket takes now.

        Raises:
            PeerGoneError: the other side is gone.
        """
        frame = make_frame(self._encode(message))
        self._unsent.append(memoryview(frame))
        self.unsent_bytes += len(frame)
        self.flush()

    def flush(self) -> None:
        """Send as much of what is queued as the socket takes now.

        Raises:
            PeerGoneError: the other side is gone.
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

    def receive(self) -> list[Received]:
        """Return the messages that have arrived.

        Raises:
            PeerGoneError: none has, and the other side is gone.
            BadMessageError: one of them is invalid or too long.
        """
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise PeerGoneError(error.strerror) from error
        if not data:
            raise PeerGoneError("it has closed the connection")
        self.received_bytes += len(data)
        try:
            return [self._decode(frame) for frame in self._reader.feed(data)]
        except (FrameError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadMessageError(str(error)) from error

    def close(self) -> None:
        """Close the connection. Safe to call twice."""
        self._socket.close()
