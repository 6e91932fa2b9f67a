"""Messages between a pipeline and its verifier processes over a stream socket.

A frame is the length of what follows (4 bytes, big-endian), one byte for the encoding, and the
message in that encoding: ``M`` for msgpack, ``J`` for JSON where a message holds an amount of more
than 64 bits, which msgpack can't say.

::

    pipeline                               verifier
    CheckChunk      raw transactions  ->
                    <-                     GetAccountNumbers  of signers it doesn't know
    AccountNumbers  of those signers  ->
                    <-                     ChunkChecked       the results, in order

Chunks may be sent ahead; they are answered in order.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from veperf.workloads.transaction.pipeline.checks import CheckResult


class CheckChunk(Struct, frozen=True, array_like=True, tag="chunk"):
    """Encoded transactions to verify."""

    chain_id: str
    raws: list[bytes]


class AccountNumbers(Struct, frozen=True, array_like=True, tag="numbers"):
    """The requested account numbers in order; ``NO_ACCOUNT`` for addresses without an account."""

    numbers: list[int]


class GetAccountNumbers(Struct, frozen=True, array_like=True, tag="ask"):
    """A request for the account numbers of these addresses."""

    addresses: list[bytes]


class ChunkChecked(Struct, frozen=True, array_like=True, tag="checked"):
    """The results of a chunk, and its CPU time."""

    results: list[CheckResult]
    decode_ns: int
    verify_ns: int
    transport_ns: int
    """CPU time of the verifier since its last answer, less the two above."""


Request = CheckChunk | AccountNumbers
Reply = GetAccountNumbers | ChunkChecked

_to_msgpack, _to_json = msgspec.msgpack.Encoder().encode, msgspec.json.Encoder().encode
_requests: dict[int, Callable[[memoryview], Request]] = {
    ord("M"): msgspec.msgpack.Decoder(Request).decode,
    ord("J"): msgspec.json.Decoder(Request).decode,
}
_replies: dict[int, Callable[[memoryview], Reply]] = {
    ord("M"): msgspec.msgpack.Decoder(Reply).decode,
    ord("J"): msgspec.json.Decoder(Reply).decode,
}


def encode_message(message: Struct) -> bytes:
    """Return ``message``, a request or a reply, as the body of a frame."""
    try:
        return b"M" + _to_msgpack(message)
    except OverflowError:
        return b"J" + _to_json(message)


def to_request(frame: memoryview) -> Request:
    """Return the request in ``frame``, which is without its length."""
    return _requests[frame[0]](frame[1:])


def to_reply(frame: memoryview) -> Reply:
    """Return the reply in ``frame``, which is without its length."""
    return _replies[frame[0]](frame[1:])
