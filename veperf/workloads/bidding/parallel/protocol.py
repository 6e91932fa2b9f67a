"""Messages between a pool and its engine processes over a stream socket.

A frame is the length of what follows (4 bytes, big-endian) and a message in msgpack. The pool
starts an engine once (``StartEngine``, answered by ``EventsHandled`` without outcomes), then sends
``HandleEvents`` requests, each answered by ``EventsHandled``.
"""

from collections.abc import Sequence
from io import BufferedRWPair
from struct import unpack
from typing import TypeVar

import msgspec
from msgspec import Struct

from veperf.ipc.channel import make_frame
from veperf.workloads.bidding.orders import OrderEvent

_MAX_FRAME_BYTES = 64 << 20

Message = TypeVar("Message")


class StartEngine(Struct, tag=True):
    """A request to bid for the daemon's own provider and others, this many in all."""

    providers: int


class HandleEvents(Struct, tag=True):
    """A request to handle these events."""

    events: Sequence[OrderEvent]


class EventsHandled(Struct, tag=True):
    """The answer: the number of events by name of the outcome."""

    outcomes: dict[str, int]


Request = StartEngine | HandleEvents


class EngineDisconnected(Exception):  # noqa: N818  # the normal end of a connection, not an error
    """The other side has closed the connection, or is gone."""


def send(stream: BufferedRWPair, message: Request | EventsHandled) -> None:
    """Send ``message``.

    Raises:
        EngineDisconnected: the other side is gone.
    """
    frame = make_frame(msgspec.msgpack.encode(message))
    try:
        stream.write(frame)
        stream.flush()
    except ConnectionError as error:
        raise EngineDisconnected from error


def receive(stream: BufferedRWPair, decoder: msgspec.msgpack.Decoder[Message]) -> Message:
    """Receive the next message.

    Raises:
        EngineDisconnected: there is none, or it was cut off.
        DecodeError: the message is unknown or too long.
    """
    (length,) = unpack(">I", _read(stream, 4))
    if length > _MAX_FRAME_BYTES:
        raise msgspec.DecodeError(f"a message of {length} bytes")
    return decoder.decode(_read(stream, length))


def _read(stream: BufferedRWPair, length: int) -> bytes:
    try:
        data = stream.read(length)
    except ConnectionError as error:
        raise EngineDisconnected from error
    if len(data) < length:
        raise EngineDisconnected
    return data
