"""Identities in the state: what was written is read, uploads are new and few enough."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree, prove_key, verify_membership
from veperf.workloads.transaction.tree_store import Store
from veperf.workloads.verification import example_data
from veperf.workloads.verification.envelope.errors import (
    DuplicateScopeError,
    OverLimitError,
    ReplayedError,
)
from veperf.workloads.verification.envelope.wire_format import Header, decode_envelope
from veperf.workloads.verification.identity.errors import (
    CorruptRecordError,
    LockedError,
    RecordExistsError,
    RecordMissingError,
    ScopeMissingError,
)
from veperf.workloads.verification.identity.keeper import (
    check_upload,
    create_record,
    get_record,
    get_scope,
    identity_key,
    record_upload,
    revoke_scope,
    set_record,
    set_status,
    update_score,
)
from veperf.workloads.verification.identity.lifecycle import lock_record
from veperf.workloads.verification.identity.record import ScopeRef, Status, Tier, encode_record
from veperf.workloads.verification.scope import ScopeType

ACCOUNT = example_data.account_address(0)
MODEL = bytes(32)
HEADER = decode_envelope(
    example_data.example_envelopes(example_data.evidence_specs(1, 600))[0]
).header


def header(number: int, scope_type: ScopeType = ScopeType.SELFIE) -> Header:
    upload = replace(HEADER.upload, salt=number.to_bytes(32, "big"))
    return replace(HEADER, scope_id=f"scope-{number}", scope_type=scope_type, upload=upload)


@pytest.fixture
def state() -> Cache:
    return Cache(Tree())


def test_create_and_get(state: Cache) -> None:
    """A record is there once, after it was made."""
    assert get_record(state, ACCOUNT) is None
    record = create_record(state, ACCOUNT, 5)

    assert record == get_record(state, ACCOUNT)
    assert (Status.PENDING, Tier.UNVERIFIED, 0) == (record.status, record.tier, record.score)
    with pytest.raises(RecordExistsError):
        create_record(state, ACCOUNT, 6)
    with pytest.raises(ValueError, match="20 bytes"):
        create_record(state, ACCOUNT[1:], 6)
    with pytest.raises(ValueError, match="height"):
        create_record(state, example_data.account_address(1), -1)


def test_score_and_status(state: Cache) -> None:
    """Changes are written, and need a record."""
    with pytest.raises(RecordMissingError):
        update_score(state, ACCOUNT, 90, MODEL, 1)
    create_record(state, ACCOUNT, 5)
    set_status(state, ACCOUNT, Status.IN_PROGRESS, 6)
    update_score(state, ACCOUNT, 90, MODEL, 6)
    record = set_status(state, ACCOUNT, Status.VERIFIED, 7)

    assert record == get_record(state, ACCOUNT)
    assert (90, Tier.PREMIUM, 7) == (record.score, record.tier, record.updated_height)


def test_records_are_proved_by_the_root_hash(tmp_path: Path) -> None:
    """Committed durably they come back from disk, and ICS-23 proofs hold for their bytes."""
    tree = Tree()
    state = Cache(tree)
    record = create_record(state, ACCOUNT, 1)
    record_upload(state, header(1), 1)
    state.write()
    with Store(tmp_path) as store:
        root_hash, _ = store.commit(tree)
    with Store(tmp_path) as store:
        loaded = store.load()

    stored = get_record(loaded, ACCOUNT)
    assert replace(record, scopes=(ScopeRef("scope-1", ScopeType.SELFIE),)) == stored
    key = identity_key(ACCOUNT)
    assert verify_membership(root_hash, prove_key(loaded, key), key, encode_record(stored))


def test_an_envelope_is_taken_once(state: Cache) -> None:
    """Its salt is used up for good, even after its scope was revoked, and so is its id."""
    record_upload(state, header(1), 1)
    with pytest.raises(ReplayedError):
        record_upload(state, header(1), 2)
    with pytest.raises(ReplayedError):
        check_upload(state, replace(header(1), scope_id="another"))
    with pytest.raises(DuplicateScopeError):
        check_upload(state, replace(header(2), scope_id="scope-1"))
    revoke_scope(state, ACCOUNT, "scope-1", 3)
    with pytest.raises(ReplayedError):
        check_upload(state, header(1))
    with pytest.raises(DuplicateScopeError):
        check_upload(state, replace(header(2), scope_id="scope-1"))


def test_salts_are_the_accounts_own(state: Cache) -> None:
    """Nobody can use up another account's."""
    record_upload(state, header(1), 1)
    check_upload(state, replace(header(1), account=example_data.account_address(1)))


def test_limits(state: Cache) -> None:
    """5 scopes a type and 50 an account; a revoked one makes room, for another."""
    kinds = list(ScopeType)
    for number in range(5 * len(kinds)):
        record_upload(state, header(number, kinds[number // 5]), 1)
    for kind in kinds:
        with pytest.raises(OverLimitError, match=kind):
            check_upload(state, header(99, kind))
    revoke_scope(state, ACCOUNT, "scope-0", 2)
    record_upload(state, header(99, kinds[0]), 2)
    with pytest.raises(OverLimitError):
        check_upload(state, header(100, kinds[0]))


def test_the_limit_of_an_account(state: Cache) -> None:
    """Holds however many types there are: the 51st scope is refused for that."""
    record = create_record(state, ACCOUNT, 1)
    scopes = tuple(ScopeRef(f"old-{i}", list(ScopeType)[i % 9]) for i in range(49))
    set_record(state, replace(record, scopes=scopes[:49]))
    with pytest.raises(OverLimitError, match="selfie"):
        check_upload(state, header(1))
    scopes += (ScopeRef("old-49", ScopeType.AD_SSO),)
    set_record(state, replace(record, scopes=scopes))
    with pytest.raises(OverLimitError, match="at most 50 scopes"):
        check_upload(state, header(1))


def test_a_scope_is_kept(state: Cache) -> None:
    """With what was signed of it; revoked, it is still there."""
    scope = record_upload(state, header(1), 4)

    assert scope == get_scope(state, ACCOUNT, "scope-1")
    assert HEADER.upload.payload_hash == scope.payload_hash
    assert revoke_scope(state, ACCOUNT, "scope-1", 5) == get_scope(state, ACCOUNT, "scope-1")
    with pytest.raises(ScopeMissingError):
        revoke_scope(state, ACCOUNT, "scope-1", 6)
    with pytest.raises(ScopeMissingError):
        revoke_scope(state, ACCOUNT, "scope-2", 6)


def test_a_locked_record_takes_no_scope(state: Cache) -> None:
    """And gives none up."""
    record_upload(state, header(1), 1)
    record = get_record(state, ACCOUNT)
    assert record is not None
    set_record(state, lock_record(record, 2))
    with pytest.raises(LockedError):
        record_upload(state, header(2), 3)
    with pytest.raises(LockedError):
        revoke_scope(state, ACCOUNT, "scope-1", 3)


def test_damage_is_named(state: Cache) -> None:
    """Garbage, or another account's record, is not taken for a record."""
    state.set(identity_key(ACCOUNT), b"garbage")
    with pytest.raises(CorruptRecordError):
        get_record(state, ACCOUNT)
    other = create_record(state, example_data.account_address(1), 1)
    state.set(identity_key(ACCOUNT), encode_record(other))
    with pytest.raises(CorruptRecordError, match="another account"):
        get_record(state, ACCOUNT)
