"""Uploads, requests and scores as transactions: signatures, salts, rates, and who may score."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from veperf.workloads.transaction.address import PREFIX
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import CHAIN, account_signer
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import example_virtengine as virtengine
from veperf.workloads.transaction.modules.blocks import deliver_block
from veperf.workloads.transaction.modules.example_traffic import Signing
from veperf.workloads.transaction.modules.identity import scope_status
from veperf.workloads.transaction.modules.identity_messages import UploadScope
from veperf.workloads.transaction.modules.messages import Message, pack_message, unpack_message
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.verification.identity import keeper
from veperf.workloads.verification.identity.lifecycle import lock_record
from veperf.workloads.verification.identity.record import Status

USER, VALIDATOR = 0, 1
PENDING, IN_PROGRESS = 1, 2


class Identities:
    """A chain with the messages of its accounts, a block for each call of ``block``."""

    def __init__(self, accounts: int = 4) -> None:
        self.stores: MultiStore = chain.genesis(accounts)
        self._signing = Signing()

    def block(self, *entries: tuple[int, Message]) -> list[Code]:
        """Deliver a transaction for each signer and message; return the codes."""
        raws = [self._signing.sign(*entry) for entry in entries]
        return [result.code for result in deliver_block(self.stores, raws, CHAIN, 1).results]

    def record(self) -> Any:
        """Return the user's identity."""
        return keeper.get_record(self.stores.trees["veid"], chain.example_address(USER).data)

    def status(self) -> int:
        """Return the status of the user's first scope."""
        return scope_status(self.stores.trees["veid"], chain.example_address(USER), "scope-0")


@pytest.fixture
def identities() -> Identities:
    return Identities()


def test_an_upload_is_requested_and_scored(identities: Identities) -> None:
    """The scope is pending, then in progress; a validator's score is the identity's."""
    upload = virtengine.example_upload(USER)

    assert [Code.OK] == identities.block((USER, upload))
    assert [PENDING, Status.PENDING] == [identities.status(), identities.record().status]
    assert [Code.OK, Code.INVALID_TRANSITION] == identities.block(
        (USER, virtengine.verification(USER)), (USER, virtengine.verification(USER))
    )
    assert [IN_PROGRESS, Status.IN_PROGRESS] == [identities.status(), identities.record().status]
    assert [Code.OK] == identities.block((VALIDATOR, virtengine.example_score(VALIDATOR, USER, 91)))
    (entry,) = identities.record().history
    assert (91, sha256(virtengine.MODEL.encode()).digest()) == (entry.score, entry.model_hash)
    scope = keeper.get_scope(
        identities.stores.trees["veid"], chain.example_address(USER).data, "scope-0"
    )
    assert scope is not None
    assert upload.upload.payload_hash == scope.payload_hash


def test_only_bonded_validators_score(identities: Identities) -> None:
    """The accounts beyond the operators have none; the score has two limits."""
    many = Identities(accounts=chain.OPERATORS + 1)
    many.block((USER, virtengine.example_upload(USER)))
    entries = [
        (chain.OPERATORS, virtengine.example_score(chain.OPERATORS, USER, 91)),
        *((VALIDATOR, virtengine.example_score(VALIDATOR, USER, n)) for n in (101, 1_000, 1_001)),
        (VALIDATOR, virtengine.example_score(VALIDATOR, 2, 91)),
    ]

    assert [
        Code.VALIDATORS_ONLY,
        Code.INVALID_SCORE,
        Code.INVALID_SCORE,
        Code.SCORE_OUT_OF_RANGE,
        Code.NO_IDENTITY,
    ] == many.block(*entries)
    assert () == many.record().history


def test_signatures_bind_the_upload_to_client_account_and_payload(identities: Identities) -> None:
    """Another's signature, salt, device or payload is refused, and nothing is recorded."""
    upload = virtengine.example_upload(USER)
    other = virtengine.example_upload(USER, 1)
    signature = account_signer(2).sign(upload.user_document)
    salted = replace(upload.upload, salt=bytes(32))
    renamed = replace(upload.upload, client_id="another-app")
    tampered: list[tuple[UploadScope, Code]] = [
        (replace(upload, client_signature=bytes(64)), Code.INVALID_CLIENT_SIGNATURE),
        (replace(upload, user_signature=signature), Code.INVALID_USER_SIGNATURE),
        (replace(upload, user_signature=other.user_signature), Code.INVALID_USER_SIGNATURE),
        (replace(upload, upload=salted), Code.INVALID_CLIENT_SIGNATURE),
        (replace(upload, upload=renamed), Code.CLIENT_NOT_APPROVED),
        (replace(upload, signer=chain.example_address(2)), Code.INVALID_USER_SIGNATURE),
    ]
    outcomes = [
        identities.block((2 if message.signer != upload.signer else USER, message))
        for message, _ in tampered
    ]

    assert [[code] for _, code in tampered] == outcomes
    assert identities.record() is None
    assert [Code.OK] == identities.block((USER, upload))


def test_uploads_have_a_rate_and_no_salt_comes_back(identities: Identities) -> None:
    """One of an account in two blocks, fifty of all in one; refused ones don't count."""
    first, second = (virtengine.example_upload(USER, number) for number in (0, 1))
    same_salt = replace(first, scope_id="scope-9")

    assert [Code.OK, Code.RATE_LIMITED] == identities.block((USER, first), (USER, second))
    assert [Code.RATE_LIMITED] == identities.block((USER, second))
    assert [Code.SALT_USED] == identities.block((USER, same_salt))
    assert [Code.SCOPE_EXISTS] == identities.block((USER, replace(second, scope_id="scope-0")))
    assert [Code.OK] == identities.block((USER, second))
    many = Identities(accounts=51)
    uploads = [(index, virtengine.example_upload(index, size=16)) for index in range(51)]
    assert [Code.OK] * 50 + [Code.RATE_LIMITED] == many.block(*uploads)


def test_a_locked_identity_changes_in_no_way(identities: Identities) -> None:
    """Neither by its own requests nor by a validator."""
    identities.block((USER, virtengine.example_upload(USER)))
    keeper.set_record(identities.stores.trees["veid"], lock_record(identities.record(), 1))
    before = identities.record()
    identities.block()

    assert [Code.IDENTITY_LOCKED] * 3 == identities.block(
        (USER, virtengine.verification(USER)),
        (USER, virtengine.example_upload(USER, 1)),
        (VALIDATOR, virtengine.example_score(VALIDATOR, USER, 91)),
    )
    assert [before, PENDING] == [identities.record(), identities.status()]


def test_there_are_five_scopes_of_a_type(identities: Identities) -> None:
    """The sixth is one too many; a scope that nobody uploaded can't be verified."""
    outcomes = []
    for number in range(6):
        outcomes += identities.block((USER, virtengine.example_upload(USER, 9 * number)))
        identities.block()

    assert [Code.OK] * 5 + [Code.TOO_MANY_SCOPES] == outcomes
    assert [Code.SCOPE_NOT_FOUND] == identities.block((USER, virtengine.verification(USER, 45)))


CHANGES: list[tuple[Callable[[Any], None], Code]] = [
    (lambda m: setattr(m, "scope_id", ""), Code.INVALID_SCOPE),
    (lambda m: setattr(m, "scope_id", "s" * 65), Code.INPUT_TOO_LARGE),
    (lambda m: setattr(m, "client_id", "é" * 33), Code.INPUT_TOO_LARGE),
    (lambda m: setattr(m, "scope_type", 0), Code.INVALID_SCOPE_TYPE),
    (lambda m: setattr(m, "scope_type", 12), Code.INVALID_SCOPE_TYPE),
    (lambda m: setattr(m, "salt", bytes(15)), Code.INVALID_SALT),
    (lambda m: setattr(m, "device_fingerprint", ""), Code.INVALID_DEVICE),
    (lambda m: setattr(m, "user_signature", bytes(63)), Code.INVALID_USER_SIGNATURE),
    (lambda m: setattr(m, "client_signature", b""), Code.INVALID_CLIENT_SIGNATURE),
    (lambda m: setattr(m, "payload_hash", bytes(32)), Code.INVALID_PAYLOAD_HASH),
    (lambda m: setattr(m, "capture_timestamp", -1), Code.INVALID_SCOPE),
    (lambda m: setattr(m.encrypted_payload, "version", 2), Code.INVALID_PAYLOAD),
    (lambda m: setattr(m.encrypted_payload, "nonce", bytes(12)), Code.INVALID_PAYLOAD),
    (lambda m: m.encrypted_payload.ClearField("recipient_key_ids"), Code.INVALID_PAYLOAD),
    (lambda m: m.encrypted_payload.metadata.add(key="a"), Code.UNSUPPORTED),
    (lambda m: setattr(m.encrypted_payload, "ciphertext", b"x"), Code.INVALID_PAYLOAD_HASH),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_uploads_are_checked_without_the_state(
    change: Callable[[Any], None], expected: Code
) -> None:
    """Their form, sizes and hash."""
    packed = pack_message(virtengine.example_upload(USER, size=16))
    message, name, encoded, _ = unpack_message(packed, PREFIX)
    assert ("veid/MsgUploadScope", virtengine.example_upload(USER, size=16)) == (name, message)
    change(encoded)
    packed.value = encoded.SerializeToString()
    with pytest.raises(TransactionRefused) as caught:
        unpack_message(packed, PREFIX)

    assert expected is caught.value.code
