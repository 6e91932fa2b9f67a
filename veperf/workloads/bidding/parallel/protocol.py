"""What a pool and its engine processes say to each other over a stream socket.

A frame is the length of what follows (4 bytes, big-endian) and a message in msgpack. The pool
says once with whose providers to bid (``Start``, answered by ``Done`` without outcomes), then
sends ``Batch`` after ``Batch``, each answered by ``Done``.
"""

from collections.abc import Sequence
from io import BufferedRWPair
from struct import pack, unpack
from typing import TypeVar

import msgspec
from msgspec import Struct

from veperf.workloads.bidding.queue import Event

_MAX_FRAME_BYTES = 64 << 20

Message = TypeVar("Message")


class Start(Struct, tag=True):
    """Bid for so many of the example providers."""

    providers: int


class Batch(Struct, tag=True):
    """Handle these events."""

    events: Sequence[Event]


class Done(Struct, tag=True):
    """How often each outcome came up, by name."""

    outcomes: dict[str, int]


Request = Start | Batch


class Ended(Exception):  # noqa: N818  # how a connection ends, not an error
    """The other side has closed the connection, or is gone."""


def send(stream: BufferedRWPair, message: Request | Done) -> None:
    """Send ``message``.

    Raises:
        Ended: nobody is there.
    """
    body = msgspec.msgpack.encode(message)
    try:
        stream.write(pack(">I", len(body)) + body)
        stream.flush()
    except ConnectionError as error:
        raise Ended from error


def receive(stream: BufferedRWPair, decoder: msgspec.msgpack.Decoder[Message]) -> Message:
    """The next message.

    Raises:
        Ended: there is none, or it was cut off.
        DecodeError: it is none that is known, or too long.
    """
    (length,) = unpack(">I", _read(stream, 4))
    if length > _MAX_FRAME_BYTES:
        raise msgspec.DecodeError(f"a message of {length} bytes")
    return decoder.decode(_read(stream, length))


def _read(stream: BufferedRWPair, length: int) -> bytes:
    try:
        data = stream.read(length)
    except ConnectionError as error:
        raise Ended from error
    if len(data) < length:
        raise Ended
    return data
