"""The verification of an identity: decrypt, extract, score, update.

It goes scope by scope, so that one payload at a time is in the clear. A refused scope is part of
the result, not an exception, and the other scopes are scored without it. A request without any
usable scope changes nothing, so that nobody can lower another's score with invalid scopes.

Only its validator can tell whether a wrapped key opens; where a client wrapped invalid keys for
some validators, they come to another result and are outvoted. None can be led to another
*payload*: the data key is committed to.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

import numpy as np
from msgspec import Struct
from msgspec.msgpack import Encoder
from nacl.public import PrivateKey
from numpy.typing import NDArray

from veperf.workloads.transaction.cache import Cache, KeyValueStore
from veperf.workloads.verification.envelope.errors import EnvelopeError
from veperf.workloads.verification.envelope.sealing import check_envelope, decrypt_envelope
from veperf.workloads.verification.envelope.signing import Clients
from veperf.workloads.verification.envelope.wire_format import Envelope, decode_envelope
from veperf.workloads.verification.features.builder import FeatureBuilder
from veperf.workloads.verification.features.vector import feature_hash, input_hash
from veperf.workloads.verification.identity.errors import LockedError
from veperf.workloads.verification.identity.keeper import (
    check_upload,
    get_record,
    record_upload,
    require_record,
    set_record,
)
from veperf.workloads.verification.identity.lifecycle import (
    begin_verification,
    complete_verification,
)
from veperf.workloads.verification.identity.record import MAX_SCOPES, IdentityRecord
from veperf.workloads.verification.scope import (
    Buffer,
    DecryptedScope,
    PayloadError,
    ScopeMetadata,
)
from veperf.workloads.verification.scoring.engine import ScoringEngine

_DOMAIN = b"virtengine/veid/result\0"
_encode = Encoder().encode

OK = "ok"


class VerificationOutcome(StrEnum):
    """The share of the evidence that was used."""

    SUCCESS = "success"
    PARTIAL = "partial"
    """Some scopes were refused; the others were scored."""
    FAILED = "failed"
    """No scope could be used; the state is as before."""


class ScopeOutcome(Struct, frozen=True, array_like=True, gc=False):
    """The outcome of one envelope."""

    scope_id: str
    """Empty if the envelope can't be decoded."""
    code: str
    """``ok``, or the reason for refusal: the code of an envelope's error, or ``bad_payload``."""


class VerificationResult(Struct, frozen=True, array_like=True):
    """The result of a verification."""

    account: bytes
    outcome: VerificationOutcome
    score: int
    """0 to 100; 0 if nothing was scored."""
    status: str
    """Status of the identity's record afterwards; empty if it has none."""
    tier: int
    model_hash: bytes
    """This and both hashes below are 32 bytes, or empty if nothing was scored."""
    input_hash: bytes
    feature_hash: bytes
    scopes: tuple[ScopeOutcome, ...]
    """In the order of the envelopes."""
    refusal: str = ""
    """Reason for refusing the whole request: ``no_scopes``, ``too_many_scopes``, ``locked``."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of all refusals, each once, in alphabetical order."""
        codes = {scope.code for scope in self.scopes} | {self.refusal}
        return tuple(sorted(codes - {OK, ""}))

    def hash(self) -> bytes:
        """Return the SHA-256 of the result, 32 bytes, for validators to compare."""
        return sha256(_DOMAIN + _encode(self)).digest()


BAD_PAYLOAD = "bad_payload"


class VerificationRequest(Struct, frozen=True):
    """A request of an account to be verified."""

    account: bytes
    envelopes: tuple[Buffer, ...]
    """The encoded envelopes."""


class BlockInfo(Struct, frozen=True):
    """Height and time of the block in which a verification takes place."""

    height: int
    time_s: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class IdentityVerifier:
    """A validator's key, approved clients and scoring engine."""

    key: PrivateKey
    clients: Clients
    engine: ScoringEngine


@dataclass(slots=True)
class _Collection:
    """The used scopes of a request so far, with the outcomes and the state that has them."""

    state: Cache
    builder: FeatureBuilder
    outcomes: list[ScopeOutcome]

    @property
    def used(self) -> int:
        """The number of used scopes."""
        return sum(outcome.code == OK for outcome in self.outcomes)


def verify_identity(
    state: KeyValueStore,
    request: VerificationRequest,
    verifier: IdentityVerifier,
    block: BlockInfo,
) -> VerificationResult:
    """Verify ``request`` and write its account's record to ``state``.

    Raises:
        CorruptRecordError: a value in ``state`` is not a record.
        ValueError: the account's record was changed at a greater height.
    """
    refusal = _refusal(state, request)
    if refusal:
        return _failed_result(state, request, (), refusal)
    collection = _Collection(Cache(state), FeatureBuilder(), [])
    for raw in request.envelopes:
        _collect(collection, raw, request.account, verifier, block)
    if not collection.used:
        return _failed_result(state, request, tuple(collection.outcomes))
    features = collection.builder.vector()
    score = verifier.engine.score(features).value
    record = update_identity(
        collection.state, request.account, score, verifier.engine.model_hash, block
    )
    collection.state.write()
    return _scored_result(record, features, collection)


def _collect(
    collection: _Collection,
    raw: Buffer,
    account: bytes,
    verifier: IdentityVerifier,
    block: BlockInfo,
) -> None:
    """Add one envelope's scope to ``collection``, or the reason for its refusal."""
    scope_id = ""
    try:
        envelope = decode_envelope(raw)
        scope_id = envelope.header.scope_id
        check_envelope(envelope, account, verifier.clients, block.time_s)
        check_upload(collection.state, envelope.header)
        collection.builder.add(decrypt_scope(envelope, verifier.key, block))
        record_upload(collection.state, envelope.header, block.height)
    except EnvelopeError as error:
        code = error.code
    except PayloadError:
        code = BAD_PAYLOAD
    else:
        code = OK
    collection.outcomes.append(ScopeOutcome(scope_id, code))


def decrypt_scope(envelope: Envelope, key: PrivateKey, block: BlockInfo) -> DecryptedScope:
    """Return the decrypted scope of a checked envelope.

    Raises:
        EnvelopeError: it does not open.
    """
    header = envelope.header
    age_s = max(0, block.time_s - header.upload.captured_at_s)
    return DecryptedScope(header.scope_type, decrypt_envelope(envelope, key), ScopeMetadata(age_s))


def update_identity(
    state: KeyValueStore, account: bytes, score: int, model_hash: bytes, block: BlockInfo
) -> IdentityRecord:
    """Write the account's score, status and tier after a verification.

    Raises:
        RecordMissingError: the account has no record.
        LockedError: its record is locked.
    """
    record = begin_verification(require_record(state, account), block.height)
    record = complete_verification(record, score, model_hash, block.height)
    set_record(state, record)
    return record


def _refusal(state: KeyValueStore, request: VerificationRequest) -> str:
    """Return the reason for refusing the whole request, or an empty string."""
    if not request.envelopes:
        return "no_scopes"
    if len(request.envelopes) > MAX_SCOPES:
        return "too_many_scopes"
    record = get_record(state, request.account)
    return LockedError.code if record is not None and record.locked else ""


def _failed_result(
    state: KeyValueStore,
    request: VerificationRequest,
    scopes: tuple[ScopeOutcome, ...],
    refusal: str = "",
) -> VerificationResult:
    record = get_record(state, request.account)
    return VerificationResult(
        account=request.account,
        outcome=VerificationOutcome.FAILED,
        score=0,
        status=record.status if record else "",
        tier=record.tier if record else 0,
        model_hash=b"",
        input_hash=b"",
        feature_hash=b"",
        scopes=scopes,
        refusal=refusal,
    )


def _scored_result(
    record: IdentityRecord, features: NDArray[np.float32], collection: _Collection
) -> VerificationResult:
    outcomes = collection.outcomes
    return VerificationResult(
        account=record.account,
        outcome=VerificationOutcome.SUCCESS
        if collection.used == len(outcomes)
        else VerificationOutcome.PARTIAL,
        score=record.score,
        status=record.status,
        tier=record.tier,
        model_hash=record.history[-1].model_hash,
        input_hash=input_hash(features),
        feature_hash=feature_hash(features),
        scopes=tuple(outcomes),
    )
