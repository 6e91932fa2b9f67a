"""Identities in the chain's state: a key-value store, which may be a tree or a cache before one.

::

    0x20 account           -> IdentityRecord
    0x21 account scope id  -> ScopeRecord
    0x22 account salt hash -> height of the upload, 8 bytes, big endian
"""

from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.verification.identity import lifecycle
from veperf.workloads.verification.identity.errors import (
    CorruptRecordError,
    RecordExistsError,
    RecordMissingError,
)
from veperf.workloads.verification.identity.record import (
    IdentityRecord,
    Status,
    decode_identity,
    encode_record,
)


def identity_key(account: bytes) -> bytes:
    """Where the record of ``account`` is kept."""
    return b"\x20" + account


def get_record(state: KeyValueStore, account: bytes) -> IdentityRecord | None:
    """The record of ``account``.

    Raises:
        CorruptRecordError: what is there is no record, or another account's.
    """
    raw = state.get(identity_key(account))
    if raw is None:
        return None
    record = decode_identity(raw)
    if record.account != account:
        raise CorruptRecordError("the record of another account")
    return record


def require_record(state: KeyValueStore, account: bytes) -> IdentityRecord:
    """The record of ``account``.

    Raises:
        RecordMissingError: there is none.
        CorruptRecordError: what is there is no record, or another account's.
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
        RecordExistsError: it has one.
        ValueError: ``account`` is not 20 bytes, or ``height`` is below 0.
    """
    if state.get(identity_key(account)) is not None:
        raise RecordExistsError(f"account {account.hex()} has an identity record")
    record = lifecycle.new_record(account, height)
    set_record(state, record)
    return record


def update_score(
    state: KeyValueStore, account: bytes, score: int, model_hash: bytes, height: int
) -> IdentityRecord:
    """Give ``account`` another score; where it is verified, its tier follows.

    Raises:
        RecordMissingError: it has no record.
        LockedError: the record is locked.
        ValueError: the score is not 0 to 100, the hash not 32 bytes, or ``height`` is before the
            last change.
    """
    record = lifecycle.rescore(require_record(state, account), score, model_hash, height)
    set_record(state, record)
    return record


def set_status(state: KeyValueStore, account: bytes, status: Status, height: int) -> IdentityRecord:
    """Move the verification of ``account`` on; its tier follows.

    Raises:
        RecordMissingError: it has no record.
        LockedError: the record is locked.
        TransitionError: the status it has does not allow it.
        ValueError: ``height`` is before the last change.
    """
    record = lifecycle.move(require_record(state, account), status, height)
    set_record(state, record)
    return record
