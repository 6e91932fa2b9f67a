"""What a pipeline and its verifier processes say to each other over a stream socket.

A frame is the length of what follows (4 bytes, big-endian), one byte for the encoding, and the
message in that encoding: ``M`` for msgpack, ``J`` for JSON where a message holds an amount of more
than 64 bits, which msgpack can't say.

::

    pipeline                              verifier
    Chunk     raw transactions      ->
              <-                          Ask       for account numbers it doesn't know
    Numbers   of those accounts     ->
              <-                          Checked   the outcomes, in order

Chunks may be sent ahead; each is answered in its turn.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from veperf.workloads.transaction.pipeline.verification import Outcome

_LENGTH_BYTES = 4


class Chunk(Struct, frozen=True, array_like=True, tag="chunk"):
    """Encoded transactions to verify."""

    chain_id: str
    raws: list[bytes]


class Numbers(Struct, frozen=True, array_like=True, tag="numbers"):
    """The account numbers that were asked for, in that order; ``check.UNKNOWN`` for none."""

    numbers: list[int]


class Ask(Struct, frozen=True, array_like=True, tag="ask"):
    """Which account numbers do these addresses have?"""

    addresses: list[bytes]


class Checked(Struct, frozen=True, array_like=True, tag="checked"):
    """The outcomes of a chunk, and what it cost."""

    outcomes: list[Outcome]
    decode_ns: int
    verify_ns: int
    transport_ns: int
    """CPU time of the verifier since its last answer that is neither of the above."""


Request = Chunk | Numbers
Reply = Ask | Checked

_to_msgpack, _to_json = msgspec.msgpack.Encoder().encode, msgspec.json.Encoder().encode
_requests: dict[int, Callable[[memoryview], Request]] = {
    ord("M"): msgspec.msgpack.Decoder(Request).decode,
    ord("J"): msgspec.json.Decoder(Request).decode,
}
_replies: dict[int, Callable[[memoryview], Reply]] = {
    ord("M"): msgspec.msgpack.Decoder(Reply).decode,
    ord("J"): msgspec.json.Decoder(Reply).decode,
}


def to_frame(message: Request | Reply) -> bytes:
    """``message`` as it travels."""
    try:
        body = b"M" + _to_msgpack(message)
    except OverflowError:
        body = b"J" + _to_json(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def to_request(frame: memoryview) -> Request:
    """The request in ``frame``, which comes without its length."""
    return _requests[frame[0]](frame[1:])


def to_reply(frame: memoryview) -> Reply:
    """The reply in ``frame``, which comes without its length."""
    return _replies[frame[0]](frame[1:])


class FrameReader:
    """Puts frames together from whatever pieces arrive."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._missing = _LENGTH_BYTES
        """Bytes that must arrive before there can be another frame."""

    def feed(self, data: bytes) -> list[memoryview]:
        """Take ``data``; the frames that are complete now, without their lengths."""
        self._pieces.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return []
        buffer = memoryview(b"".join(self._pieces))
        frames = []
        while len(buffer) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(buffer[:_LENGTH_BYTES], "big")
            if len(buffer) < end:
                break
            frames.append(buffer[_LENGTH_BYTES:end])
            buffer = buffer[end:]
        else:
            end = _LENGTH_BYTES
        self._pieces = [bytes(buffer)]
        self._missing = end - len(buffer)
        return frames
