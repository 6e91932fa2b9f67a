"""Identities in the chain's state: a key-value store, which may be a tree or a cache over one.

::

    0x20 account           -> IdentityRecord
    0x21 account scope id  -> ScopeRecord
    0x22 account salt hash -> height of the upload, 8 bytes, big endian

An account may upload no envelope twice, and not too many. Against replay the chain keeps the hash
of every salt that an account has used, for ever: an envelope is signed with its salt, so the same
one can't come back under another, and a copy can't come back at all, even after its scope was
revoked. The limits count scopes in force only, so they don't bound the salts of an account, but
every salt was paid for with a transaction. Salts are kept by account, to which the signatures
belong: another account's salts don't matter, and nobody else can use them up.
"""

from msgspec.structs import replace

from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.verification.envelope.errors import (
    DuplicateScopeError,
    OverLimitError,
    ReplayedError,
)
from veperf.workloads.verification.envelope.wire_format import Header
from veperf.workloads.verification.identity.errors import (
    CorruptRecordError,
    RecordExistsError,
    RecordMissingError,
    ScopeMissingError,
)
from veperf.workloads.verification.identity.lifecycle import (
    change_scopes,
    change_score,
    change_status,
    new_record,
    require_unlocked,
)
from veperf.workloads.verification.identity.record import (
    MAX_SCOPES,
    MAX_SCOPES_PER_TYPE,
    IdentityRecord,
    ScopeRecord,
    ScopeRef,
    Status,
    decode_identity,
    decode_scope,
    encode_record,
)


def identity_key(account: bytes) -> bytes:
    """Return the key of the record of ``account``."""
    return b"\x20" + account


def get_record(state: KeyValueStore, account: bytes) -> IdentityRecord | None:
    """Return the record of ``account``, or None.

    Raises:
        CorruptRecordError: the value is not a record, or another account's.
    """
    raw = state.get(identity_key(account))
    if raw is None:
        return None
    record = decode_identity(raw)
    if record.account != account:
        raise CorruptRecordError("the record of another account")
    return record


def require_record(state: KeyValueStore, account: bytes) -> IdentityRecord:
    """Return the record of ``account``.

    Raises:
        RecordMissingError: there is none.
        CorruptRecordError: the value is not a record, or another account's.
    """
    record = get_record(state, account)
    if record is None:
        raise RecordMissingError(f"account {account.hex()} has no identity record")
    return record


def set_record(state: KeyValueStore, record: IdentityRecord) -> None:
    """Write ``record``."""
    state.set(identity_key(record.account), encode_record(record))


def create_record(state: KeyValueStore, account: bytes, height: int) -> IdentityRecord:
    """Write the first record of ``account``.

    Raises:
        RecordExistsError: the account has one.
        ValueError: ``account`` is not 20 bytes, or ``height`` is below 0.
    """
    if state.get(identity_key(account)) is not None:
        raise RecordExistsError(f"account {account.hex()} has an identity record")
    record = new_record(account, height)
    set_record(state, record)
    return record


def update_score(
    state: KeyValueStore, account: bytes, score: int, model_hash: bytes, height: int
) -> IdentityRecord:
    """Give ``account`` another score; if it is verified, its tier follows.

    Raises:
        RecordMissingError: the account has no record.
        LockedError: the record is locked.
        ValueError: the score is not 0 to 100, the hash not 32 bytes, or ``height`` is before the
            last change.
    """
    record = change_score(require_record(state, account), score, model_hash, height)
    set_record(state, record)
    return record


def set_status(state: KeyValueStore, account: bytes, status: Status, height: int) -> IdentityRecord:
    """Give ``account`` another status; its tier follows.

    Raises:
        RecordMissingError: the account has no record.
        LockedError: the record is locked.
        TransitionError: its present status does not allow it.
        ValueError: ``height`` is before the last change.
    """
    record = change_status(require_record(state, account), status, height)
    set_record(state, record)
    return record


def scope_key(account: bytes, scope_id: str) -> bytes:
    """Return the key of a scope of ``account``."""
    return b"\x21" + account + scope_id.encode()


def salt_key(account: bytes, salt_hash: bytes) -> bytes:
    """Return the key that marks a salt as used by ``account``."""
    return b"\x22" + account + salt_hash


def check_upload(state: KeyValueStore, header: Header) -> None:
    """Check that an envelope with ``header`` is new and within the limits; changes nothing.

    Raises:
        ReplayedError: its salt was used.
        DuplicateScopeError: the account has, or had, a scope with its id.
        OverLimitError: the account has 50 scopes, or 5 of its type.
        LockedError: the account's record is locked.
    """
    account = header.account
    if state.get(salt_key(account, header.upload.salt_hash)) is not None:
        raise ReplayedError("the salt was used before")
    if state.get(scope_key(account, header.scope_id)) is not None:
        raise DuplicateScopeError(f"the account already has a scope {header.scope_id!r}")
    record = get_record(state, account)
    if record is None:
        return
    require_unlocked(record)
    if len(record.scopes) >= MAX_SCOPES:
        raise OverLimitError(f"an account has at most {MAX_SCOPES} scopes")
    same = sum(scope.type is header.scope_type for scope in record.scopes)
    if same >= MAX_SCOPES_PER_TYPE:
        raise OverLimitError(
            f"an account has at most {MAX_SCOPES_PER_TYPE} scopes of type {header.scope_type}"
        )


def record_upload(state: KeyValueStore, header: Header, height: int) -> ScopeRecord:
    """Write the scope of an envelope and add it to its account's record, created if missing.

    Raises:
        EnvelopeError: as ``check_upload``.
        LockedError: the account's record is locked.
        ValueError: ``height`` is before the record's last change.
    """
    check_upload(state, header)
    account, upload = header.account, header.upload
    scope = ScopeRecord(
        id=header.scope_id,
        type=header.scope_type,
        uploaded_height=height,
        captured_at_s=upload.captured_at_s,
        client_id=upload.client_id,
        salt_hash=upload.salt_hash,
        payload_hash=upload.payload_hash,
        revoked=False,
    )
    record = get_record(state, account) or new_record(account, height)
    scopes = (*record.scopes, ScopeRef(scope.id, scope.type))
    set_record(state, change_scopes(record, scopes, height))
    state.set(scope_key(account, scope.id), encode_record(scope))
    state.set(salt_key(account, scope.salt_hash), height.to_bytes(8, "big"))
    return scope


def get_scope(state: KeyValueStore, account: bytes, scope_id: str) -> ScopeRecord | None:
    """Return the scope of ``account`` with this id, revoked or not, or None.

    Raises:
        CorruptRecordError: the value is not a scope, or another one.
    """
    raw = state.get(scope_key(account, scope_id))
    if raw is None:
        return None
    scope = decode_scope(raw)
    if scope.id != scope_id:
        raise CorruptRecordError("the record of another scope")
    return scope


def revoke_scope(state: KeyValueStore, account: bytes, scope_id: str, height: int) -> ScopeRecord:
    """Revoke a scope, which makes room for another; its id and salt stay used.

    Raises:
        ScopeMissingError: there is no such scope, or it is revoked.
        LockedError: the account's record is locked.
        ValueError: ``height`` is before the record's last change.
    """
    scope = get_scope(state, account, scope_id)
    if scope is None or scope.revoked:
        raise ScopeMissingError(f"there is no scope {scope_id!r} in force")
    record = require_record(state, account)
    scopes = tuple(other for other in record.scopes if other.id != scope_id)
    set_record(state, change_scopes(record, scopes, height))
    revoked = replace(scope, revoked=True)
    state.set(scope_key(account, scope_id), encode_record(revoked))
    return revoked
