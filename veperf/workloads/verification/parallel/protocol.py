"""What a pool and its verifier processes say to each other, as MessagePack over a pipe.

::

    pool                                       verifier
    Settings  once                        ->
    Job       one request, and the state  ->
              it reads
              <-                               Done      its result, and what it changes
"""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.verification.envelope import EnvelopeError, decode_envelope
from veperf.workloads.verification.identity import (
    identity_key,
    salt_key,
    scope_key,
)
from veperf.workloads.verification.pipeline import Moment, Request, Result
from veperf.workloads.verification.scope import Buffer

MAX_MESSAGE_BYTES = 1 << 28
"""50 envelopes of the longest kind are half of it."""

Items = list[tuple[bytes, bytes | None]]
"""Keys in order, with their values; None where there is none."""


class Settings(Struct, frozen=True, array_like=True):
    """What a verifier process works with."""

    key: bytes
    """The validator's X25519 private key."""
    clients: dict[str, bytes]
    engine: str


class Job(Struct, frozen=True, array_like=True):
    """A request to verify."""

    account: bytes
    envelopes: tuple[Buffer, ...]
    moment: Moment
    state: Items


class Done(Struct, frozen=True, array_like=True):
    """A verified request."""

    result: Result
    changes: Items
    cpu_ns: int
    """CPU time that verifying took."""


encode = Encoder().encode
decode_settings = Decoder(Settings).decode
decode_done = Decoder(Done).decode


class _Received(Struct, frozen=True, array_like=True):
    """``Job`` as it is read: envelopes are views into the message."""

    account: bytes
    envelopes: list[memoryview]
    moment: Moment
    state: Items


_decode_job = Decoder(_Received).decode


def decode_job(raw: bytes) -> tuple[Request, Moment, Items]:
    """The request, block and state of an encoded ``Job``."""
    job = _decode_job(raw)
    return Request(job.account, tuple(job.envelopes)), job.moment, job.state


def state_for(state: KeyValueStore, request: Request) -> Items:
    """All of ``state`` that verifying ``request`` reads."""
    keys = {identity_key(request.account)}
    for raw in request.envelopes:
        try:
            header = decode_envelope(raw).header
        except EnvelopeError:
            continue
        keys.add(salt_key(header.account, header.upload.salt_hash))
        keys.add(scope_key(header.account, header.scope_id))
    return [(key, state.get(key)) for key in sorted(keys)]
