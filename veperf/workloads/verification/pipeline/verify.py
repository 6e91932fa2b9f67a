"""One verification: decrypt, extract, score, update.

Scope by scope, so that one payload at a time is in the clear. A scope that is refused is part of
the result, not an exception, and the rest is scored without it. A request of which nothing can be
used changes nothing, so that nobody lowers another's score with rubbish.

Whether a wrapped key opens only its validator can tell; where a client wrapped rubbish for some,
these come to another result and are outvoted. None can be led to another *payload*: the data key is
committed to.
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
from veperf.workloads.verification.envelope import (
    Clients,
    Envelope,
    EnvelopeError,
    check_envelope,
    decode_envelope,
    decrypt,
)
from veperf.workloads.verification.features import FeatureBuilder, feature_hash, input_hash
from veperf.workloads.verification.identity import (
    MAX_SCOPES,
    IdentityRecord,
    LockedError,
    begin,
    check_upload,
    complete,
    get_record,
    record_upload,
    require_record,
    set_record,
)
from veperf.workloads.verification.scope import (
    Buffer,
    DecryptedScope,
    PayloadError,
    ScopeMetadata,
)
from veperf.workloads.verification.scoring.engine import Engine

_DOMAIN = b"virtengine/veid/result\0"
_encode = Encoder().encode

OK = "ok"


class Outcome(StrEnum):
    """How much of the evidence was used."""

    SUCCESS = "success"
    PARTIAL = "partial"
    """Some of it was refused; the rest was scored."""
    FAILED = "failed"
    """None could be used; the state is as before."""


class ScopeOutcome(Struct, frozen=True, array_like=True, gc=False):
    """What became of one envelope."""

    scope_id: str
    """Empty where the envelope could not be read so far."""
    code: str
    """``ok``, or why it was refused: the code of an envelope's error, or ``bad_payload``."""


class Result(Struct, frozen=True, array_like=True):
    """A verification."""

    account: bytes
    outcome: Outcome
    score: int
    """0 to 100; 0 where nothing was scored."""
    status: str
    """Of the identity's record afterwards; empty where it has none."""
    tier: int
    model_hash: bytes
    """These three are empty where nothing was scored, otherwise 32 bytes."""
    input_hash: bytes
    feature_hash: bytes
    scopes: tuple[ScopeOutcome, ...]
    """In the order of the envelopes."""
    refusal: str = ""
    """Why the request as a whole was refused: ``no_scopes``, ``too_many_scopes``, ``locked``."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of all that was refused, each once, in alphabetical order."""
        codes = {scope.code for scope in self.scopes} | {self.refusal}
        return tuple(sorted(codes - {OK, ""}))

    def hash(self) -> bytes:
        """SHA-256 of all of it, 32 bytes, for validators to compare."""
        return sha256(_DOMAIN + _encode(self)).digest()


BAD_PAYLOAD = "bad_payload"


class Request(Struct, frozen=True):
    """An account wants to be verified."""

    account: bytes
    envelopes: tuple[Buffer, ...]
    """Encoded."""


class Moment(Struct, frozen=True):
    """The block in which it happens."""

    height: int
    time_s: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a validator verifies with."""

    key: PrivateKey
    clients: Clients
    engine: Engine


@dataclass(slots=True)
class _Collected:
    """What was collected of a request so far, and the state that has it."""

    state: Cache
    builder: FeatureBuilder
    outcomes: list[ScopeOutcome]

    @property
    def used(self) -> int:
        """How many scopes were used."""
        return sum(outcome.code == OK for outcome in self.outcomes)


def verify(state: KeyValueStore, request: Request, verifier: Verifier, moment: Moment) -> Result:
    """Verify ``request`` and write its account's record to ``state``.

    Raises:
        CorruptRecordError: ``state`` holds something else in a record's place.
        ValueError: the account's record was changed at a greater height.
    """
    refusal = _refusal(state, request)
    if refusal:
        return _failed(state, request, (), refusal)
    collected = _Collected(Cache(state), FeatureBuilder(), [])
    for raw in request.envelopes:
        _take(collected, raw, request.account, verifier, moment)
    if not collected.used:
        return _failed(state, request, tuple(collected.outcomes))
    features = collected.builder.vector()
    score = verifier.engine.score(features).value
    record = update(collected.state, request.account, score, verifier.engine.model_hash, moment)
    collected.state.write()
    return _scored(record, features, collected)


def _take(
    collected: _Collected, raw: Buffer, account: bytes, verifier: Verifier, moment: Moment
) -> None:
    """Add one envelope's scope to ``collected``, or why it is refused."""
    scope_id = ""
    try:
        envelope = decode_envelope(raw)
        scope_id = envelope.header.scope_id
        check_envelope(envelope, account, verifier.clients, moment.time_s)
        check_upload(collected.state, envelope.header)
        collected.builder.add(open_scope(envelope, verifier.key, moment))
        record_upload(collected.state, envelope.header, moment.height)
    except EnvelopeError as error:
        code = error.code
    except PayloadError:
        code = BAD_PAYLOAD
    else:
        code = OK
    collected.outcomes.append(ScopeOutcome(scope_id, code))


def open_scope(envelope: Envelope, key: PrivateKey, moment: Moment) -> DecryptedScope:
    """The scope in a checked envelope.

    Raises:
        EnvelopeError: it does not open.
    """
    header = envelope.header
    age_s = max(0, moment.time_s - header.upload.captured_at_s)
    return DecryptedScope(header.scope_type, decrypt(envelope, key), ScopeMetadata(age_s))


def update(
    state: KeyValueStore, account: bytes, score: int, model_hash: bytes, moment: Moment
) -> IdentityRecord:
    """Write what a verification came to: the account's score, status and tier.

    Raises:
        RecordMissingError: the account has no record.
        LockedError: its record is locked.
    """
    record = begin(require_record(state, account), moment.height)
    record = complete(record, score, model_hash, moment.height)
    set_record(state, record)
    return record


def _refusal(state: KeyValueStore, request: Request) -> str:
    if not request.envelopes:
        return "no_scopes"
    if len(request.envelopes) > MAX_SCOPES:
        return "too_many_scopes"
    record = get_record(state, request.account)
    return LockedError.code if record is not None and record.locked else ""


def _failed(
    state: KeyValueStore, request: Request, scopes: tuple[ScopeOutcome, ...], refusal: str = ""
) -> Result:
    record = get_record(state, request.account)
    return Result(
        account=request.account,
        outcome=Outcome.FAILED,
        score=0,
        status=record.status if record else "",
        tier=record.tier if record else 0,
        model_hash=b"",
        input_hash=b"",
        feature_hash=b"",
        scopes=scopes,
        refusal=refusal,
    )


def _scored(record: IdentityRecord, features: NDArray[np.float32], collected: _Collected) -> Result:
    outcomes = collected.outcomes
    return Result(
        account=record.account,
        outcome=Outcome.SUCCESS if collected.used == len(outcomes) else Outcome.PARTIAL,
        score=record.score,
        status=record.status,
        tier=record.tier,
        model_hash=record.history[-1].model_hash,
        input_hash=input_hash(features),
        feature_hash=feature_hash(features),
        scopes=tuple(outcomes),
    )
