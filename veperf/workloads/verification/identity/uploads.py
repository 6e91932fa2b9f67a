"""Which envelopes an account may upload: none twice, and not too many.

Against replay the chain remembers the hash of every salt that an account has used, for good: an
envelope is signed with its salt, so the same one can't come back under another, and a copy can't
come back at all, not even after its scope was revoked. The limits count scopes in force only.
So what an account remembers is not bounded by the limits, but every salt in it was paid for with a
transaction. Salts are kept by account, of which the signatures speak: another account's salts are
no business of this one's, and nobody can use them up.
"""

from msgspec.structs import replace

from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.verification.envelope.errors import (
    DuplicateScopeError,
    OverLimitError,
    ReplayedError,
)
from veperf.workloads.verification.envelope.wire_format import Header
from veperf.workloads.verification.identity.errors import CorruptRecordError, ScopeMissingError
from veperf.workloads.verification.identity.keeper import get_record, require_record, set_record
from veperf.workloads.verification.identity.lifecycle import (
    check_open,
    new_record,
    with_scopes,
)
from veperf.workloads.verification.identity.record import (
    MAX_SCOPES,
    MAX_SCOPES_A_TYPE,
    ScopeRecord,
    ScopeRef,
    decode_scope,
    encode_record,
)


def scope_key(account: bytes, scope_id: str) -> bytes:
    """Where a scope of ``account`` is kept."""
    return b"\x21" + account + scope_id.encode()


def salt_key(account: bytes, salt_hash: bytes) -> bytes:
    """Where it is kept that ``account`` has used a salt."""
    return b"\x22" + account + salt_hash


def check_upload(state: KeyValueStore, header: Header) -> None:
    """Return if an envelope with ``header`` is new and within the limits; changes nothing.

    Raises:
        ReplayedError: its salt was used.
        DuplicateScopeError: the account has, or had, a scope with its id.
        OverLimitError: the account has 50 scopes, or 5 of its type.
        LockedError: the account's record is locked.
    """
    account = header.account
    if state.get(salt_key(account, header.upload.salt_hash)) is not None:
        raise ReplayedError("its salt was used before")
    if state.get(scope_key(account, header.scope_id)) is not None:
        raise DuplicateScopeError(f"there is a scope {header.scope_id!r}")
    record = get_record(state, account)
    if record is None:
        return
    check_open(record)
    if len(record.scopes) >= MAX_SCOPES:
        raise OverLimitError(f"an account has at most {MAX_SCOPES} scopes")
    same = sum(scope.type is header.scope_type for scope in record.scopes)
    if same >= MAX_SCOPES_A_TYPE:
        raise OverLimitError(
            f"an account has at most {MAX_SCOPES_A_TYPE} scopes of type {header.scope_type}"
        )


def record_upload(state: KeyValueStore, header: Header, height: int) -> ScopeRecord:
    """Write the scope of an envelope, which becomes one of its account's; makes its record first.

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
    set_record(state, with_scopes(record, scopes, height))
    state.set(scope_key(account, scope.id), encode_record(scope))
    state.set(salt_key(account, scope.salt_hash), height.to_bytes(8, "big"))
    return scope


def get_scope(state: KeyValueStore, account: bytes, scope_id: str) -> ScopeRecord | None:
    """The scope of ``account`` with this id, revoked or not.

    Raises:
        CorruptRecordError: what is there is no scope, or another one.
    """
    raw = state.get(scope_key(account, scope_id))
    if raw is None:
        return None
    scope = decode_scope(raw)
    if scope.id != scope_id:
        raise CorruptRecordError("the record of another scope")
    return scope


def revoke_scope(state: KeyValueStore, account: bytes, scope_id: str, height: int) -> ScopeRecord:
    """Take a scope out of force, which makes room for another; its id and salt stay used.

    Raises:
        ScopeMissingError: there is no such scope, or it is revoked.
        LockedError: the account's record is locked.
        ValueError: ``height`` is before the record's last change.
    """
    scope = get_scope(state, account, scope_id)
    if scope is None or scope.revoked:
        raise ScopeMissingError(f"there is no scope {scope_id!r} in force")
    record = require_record(state, account)
    scopes = tuple(kept for kept in record.scopes if kept.id != scope_id)
    set_record(state, with_scopes(record, scopes, height))
    revoked = replace(scope, revoked=True)
    state.set(scope_key(account, scope_id), encode_record(revoked))
    return revoked
