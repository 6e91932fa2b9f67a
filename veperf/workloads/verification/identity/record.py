"""What the chain's state holds of an identity, and its encoding.

Records are MessagePack arrays with their fields in fixed order, integers only: the bytes are part
of the state's root hash, so a value has one encoding, and no other is read.
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
"""Of one account, revoked ones not counted."""
MAX_SCOPES_A_TYPE = 5
MAX_HISTORY = 8
"""Scores that a record remembers."""

Height = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]  # as int64 in the Cosmos SDK
Points = Annotated[int, Meta(ge=0, le=100)]
_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]


class Status(StrEnum):
    """Where the verification of an identity stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Tier(IntEnum):
    """What an identity is good for; more is more."""

    UNVERIFIED = 0
    BASIC = 1
    STANDARD = 2
    PREMIUM = 3


class ScopeRef(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A scope of the identity that is in force."""

    id: ScopeId
    type: ScopeType


class ScoreEntry(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A score that was given, and by which model."""

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
    """The last one; 0 before the first."""
    locked: bool
    """Nothing may change but this."""
    scopes: Annotated[tuple[ScopeRef, ...], Meta(max_length=MAX_SCOPES)]
    """In the order in which they came."""
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
    """What is kept of an uploaded scope beside its ciphertext."""

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
    """The bytes of ``record``."""
    return _encode(record)


def decode_identity(raw: bytes) -> IdentityRecord:
    """The identity that ``raw`` encodes.

    Raises:
        CorruptRecordError: it encodes none, or in another way than ``encode_record``.
    """
    return _decode(raw, _identity_decoder)


def decode_scope(raw: bytes) -> ScopeRecord:
    """The scope that ``raw`` encodes.

    Raises:
        CorruptRecordError: it encodes none, or in another way than ``encode_record``.
    """
    return _decode(raw, _scope_decoder)


def _decode(raw: bytes, decoder: Decoder[_Record]) -> _Record:
    try:
        record = decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptRecordError(f"no record: {error}") from error
    if _encode(record) != raw:
        raise CorruptRecordError("a record that is not in its one encoding")
    return record
