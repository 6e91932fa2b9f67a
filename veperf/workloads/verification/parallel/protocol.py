"""Messages between a pool and its verifier processes, as MessagePack over a pipe.

::

    pool                                                 verifier
    VerifierSettings  once                            ->
    VerifyIdentity    a request and the state of it   ->
                      <-                                 IdentityVerified  result and changes
"""

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.verification.envelope.errors import EnvelopeError
from veperf.workloads.verification.envelope.wire_format import decode_envelope
from veperf.workloads.verification.identity.keeper import identity_key, salt_key, scope_key
from veperf.workloads.verification.pipeline import (
    BlockInfo,
    VerificationRequest,
    VerificationResult,
)
from veperf.workloads.verification.scope import Buffer

MAX_MESSAGE_BYTES = 1 << 28
"""The longest message, more than twice as long as 50 envelopes of the maximum size."""

Items = list[tuple[bytes, bytes | None]]
"""Keys in order, with their values; None for a key without one."""


class VerifierSettings(Struct, frozen=True, array_like=True):
    """The key, clients and engine of a verifier process."""

    key: bytes
    """The validator's X25519 private key."""
    clients: dict[str, bytes]
    engine: str


class VerifyIdentity(Struct, frozen=True, array_like=True):
    """A request to verify, with the state that it reads."""

    account: bytes
    envelopes: tuple[Buffer, ...]
    block: BlockInfo
    state: Items


class IdentityVerified(Struct, frozen=True, array_like=True):
    """The result of a request, with its changes to the state."""

    result: VerificationResult
    changes: Items
    cpu_ns: int
    """CPU time of the verification, in ns."""


encode = Encoder().encode
decode_settings = Decoder(VerifierSettings).decode
decode_result = Decoder(IdentityVerified).decode


class _ReceivedRequest(Struct, frozen=True, array_like=True):
    """``VerifyIdentity`` as it is decoded: envelopes are views into the message."""

    account: bytes
    envelopes: list[memoryview]
    block: BlockInfo
    state: Items


_decode_request = Decoder(_ReceivedRequest).decode


def decode_request(raw: bytes) -> tuple[VerificationRequest, BlockInfo, Items]:
    """Return the request, block and state of an encoded ``VerifyIdentity``."""
    message = _decode_request(raw)
    request = VerificationRequest(message.account, tuple(message.envelopes))
    return request, message.block, message.state


def state_for(state: KeyValueStore, request: VerificationRequest) -> Items:
    """Return the part of ``state`` that verifying ``request`` reads."""
    keys = {identity_key(request.account)}
    for raw in request.envelopes:
        try:
            header = decode_envelope(raw).header
        except EnvelopeError:
            continue
        keys.add(salt_key(header.account, header.upload.salt_hash))
        keys.add(scope_key(header.account, header.scope_id))
    return [(key, state.get(key)) for key in sorted(keys)]
