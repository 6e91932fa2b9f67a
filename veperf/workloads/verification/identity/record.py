"""Identity and scope records of the chain's state, and their encoding.

Records are MessagePack arrays with their fields in fixed order, integers only: the bytes are part
of the state's root hash, so a value has one canonical encoding, and no other is read.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.verification.envelope.wire_format import Account, ClientId, ScopeId, UnixTime
from veperf.workloads.verification.identity.errors import CorruptRecordError
from veperf.workloads.verification.scope import ScopeType

MAX_SCOPES = 50
"""The most scopes of one account, revoked ones not counted."""
MAX_SCOPES_PER_TYPE = 5
MAX_HISTORY = 8
"""The most scores in the history of a record."""

Height = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]  # as int64 in the Cosmos SDK
Points = Annotated[int, Meta(ge=0, le=100)]
_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Status(StrEnum):
    """Status of the verification of an identity."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Tier(IntEnum):
    """Trust tier of an identity; a higher number permits more."""

    UNVERIFIED = 0
    BASIC = 1
    STANDARD = 2
    PREMIUM = 3


class ScopeRef(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Reference to a scope of the identity that is in force."""

    id: ScopeId
    type: ScopeType


class ScoreEntry(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A former score, with its height and model."""

    height: Height
    score: Points
    model_hash: _Hash


class IdentityRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An identity."""

    account: Account
    created_height: Height
    updated_height: Height
    status: Status
    tier: Tier
    score: Points
    """The latest score; 0 before the first."""
    locked: bool
    """True if nothing but this field may change."""
    scopes: Annotated[tuple[ScopeRef, ...], Meta(max_length=MAX_SCOPES)]
    """Scopes in force, in the order of their uploads."""
    history: Annotated[tuple[ScoreEntry, ...], Meta(max_length=MAX_HISTORY)]
    """The last scores, oldest first."""

    def __post_init__(self) -> None:
        """Raise ValueError for values that contradict each other."""
        if self.updated_height < self.created_height:
            raise ValueError("updated before it was created")
        if self.score != (self.history[-1].score if self.history else 0):
            raise ValueError("the score is not the last one of the history")
        if len({scope.id for scope in self.scopes}) != len(self.scopes):
            raise ValueError("a scope is there twice")


class ScopeRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Record of an uploaded scope, without its ciphertext."""

    id: ScopeId
    type: ScopeType
    uploaded_height: Height
    captured_at_s: UnixTime
    client_id: ClientId
    salt_hash: _Hash
    payload_hash: _Hash
    """SHA-256 of the ciphertext."""
    revoked: bool


_encode = Encoder().encode
_identity_decoder = Decoder(IdentityRecord)
_scope_decoder = Decoder(ScopeRecord)
_Record = TypeVar("_Record", IdentityRecord, ScopeRecord)


def encode_record(record: IdentityRecord | ScopeRecord) -> bytes:
    """Return the bytes of ``record``."""
    return _encode(record)


def decode_identity(raw: bytes) -> IdentityRecord:
    """Decode an identity.

    Raises:
        CorruptRecordError: ``raw`` is not the canonical encoding of an identity.
    """
    return _decode(raw, _identity_decoder)


def decode_scope(raw: bytes) -> ScopeRecord:
    """Decode a scope.

    Raises:
        CorruptRecordError: ``raw`` is not the canonical encoding of a scope.
    """
    return _decode(raw, _scope_decoder)


def _decode(raw: bytes, decoder: Decoder[_Record]) -> _Record:
    try:
        record = decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptRecordError(f"not a record: {error}") from error
    if _encode(record) != raw:
        raise CorruptRecordError("a record that is not in its canonical encoding")
    return record
