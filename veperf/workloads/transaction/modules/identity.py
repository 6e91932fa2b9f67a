"""Execution of the messages of identities, on the records of ``veperf.workloads.verification``.

The rules are those of VirtEngine's ``x/veid/keeper`` (``msg_server.go``, ``rate_limiter.go``,
``capture_validation.go``): an upload comes through an approved client and is signed by it and by
the account, no salt is used twice, an account uploads once in two blocks and a block has up to 50
uploads; only bonded validators give scores. To the keys of the identities' keeper come ::

    06 client id                 -> Ed25519 key of an approved client, 32 bytes
    23 account scope id          -> status of a scope, VirtEngine's number, 1 byte
    92 account / height          -> uploads of the account in a block, 4 bytes, big-endian
    93 height, 94 account        -> uploads in a block; height of the account's last upload

Three things differ: the user's signature is verified, where there only its length is checked; the
ciphertext is not kept in the state, whose record has its hash; salts are used up by account.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules.context import BlockContext, Stores
from veperf.workloads.transaction.modules.identity_messages import (
    RequestVerification,
    UpdateScore,
    UploadScope,
)
from veperf.workloads.transaction.modules.staking import is_bonded
from veperf.workloads.transaction.signature import (
    KEY_LENGTHS,
    PublicKey,
    Scheme,
    verify_signature,
)
from veperf.workloads.transaction.state import get_account
from veperf.workloads.verification.envelope.errors import (
    DuplicateScopeError,
    EnvelopeError,
    OverLimitError,
    ReplayedError,
)
from veperf.workloads.verification.envelope.wire_format import Header
from veperf.workloads.verification.identity import keeper
from veperf.workloads.verification.identity.errors import (
    IdentityError,
    LockedError,
    RecordMissingError,
)
from veperf.workloads.verification.identity.lifecycle import begin_verification

UPLOADS_PER_BLOCK = 50
UPLOADS_PER_ACCOUNT = 3
COOLDOWN_BLOCKS = 2
PENDING, IN_PROGRESS = b"\x01", b"\x02"

_CLIENT, _STATUS = b"\x06", b"\x23"
_ACCOUNT_UPLOADS, _BLOCK_UPLOADS, _LAST_UPLOAD = b"\x92", b"\x93", b"\x94"
_MAX_SCORE, _MAX_INPUT_SCORE = 100, 1_000
_CODES: dict[type[Exception], Code] = {
    ReplayedError: Code.SALT_USED,
    DuplicateScopeError: Code.SCOPE_EXISTS,
    OverLimitError: Code.TOO_MANY_SCOPES,
    LockedError: Code.IDENTITY_LOCKED,
    RecordMissingError: Code.NO_IDENTITY,
}


def approve_client(veid: KeyValueStore, client_id: str, key: bytes) -> None:
    """Approve of a client with this Ed25519 key, as a genesis does."""
    veid.set(_CLIENT + client_id.encode(), key)


def run_upload_scope(stores: Stores, message: UploadScope, block: BlockContext) -> None:
    """Record a scope, which is pending, and the account's identity if it is the first.

    Raises:
        TransactionRefused: ``RATE_LIMITED``, ``CLIENT_NOT_APPROVED``,
            ``INVALID_CLIENT_SIGNATURE``, ``INVALID_USER_SIGNATURE``, ``SALT_USED``,
            ``SCOPE_EXISTS``, ``TOO_MANY_SCOPES``, ``IDENTITY_LOCKED``.
    """
    veid, account = stores["veid"], message.signer.data
    _check_rate(veid, account, block.height)
    _verify_client(veid, message)
    _verify_user(stores["acc"], message)
    header = Header(
        account=account,
        user_key=b"",  # accounts sign with secp256k1, and the state has their keys
        scope_id=message.scope_id,
        scope_type=message.scope_type,
        upload=message.upload,
        ephemeral_key=message.payload.sender_key,
        nonce=message.payload.nonce,
        key_commitment=b"",
        recipients=(),
    )
    with _identity_codes():
        keeper.record_upload(veid, header, block.height)
    veid.set(_status_key(account, message.scope_id), PENDING)
    _count_upload(veid, account, block.height)


def run_request_verification(
    stores: Stores, message: RequestVerification, block: BlockContext
) -> None:
    """Set a pending scope, and with it the identity, in progress.

    Raises:
        TransactionRefused: ``SCOPE_NOT_FOUND``, ``SCOPE_REVOKED``, ``INVALID_TRANSITION``,
            ``IDENTITY_LOCKED``.
    """
    veid, account = stores["veid"], message.signer.data
    scope = keeper.get_scope(veid, account, message.scope_id)
    if scope is None:
        raise TransactionRefused(Code.SCOPE_NOT_FOUND, message.scope_id)
    if scope.revoked:
        raise TransactionRefused(Code.SCOPE_REVOKED, message.scope_id)
    key = _status_key(account, message.scope_id)
    if veid.get(key) != PENDING:
        raise TransactionRefused(Code.INVALID_TRANSITION, f"{message.scope_id} is not pending")
    with _identity_codes():
        record = begin_verification(keeper.require_record(veid, account), block.height)
    veid.set(key, IN_PROGRESS)
    keeper.set_record(veid, record)


def run_update_score(stores: Stores, message: UpdateScore, block: BlockContext) -> None:
    """Give an identity the score of a bonded validator.

    Raises:
        TransactionRefused: ``VALIDATORS_ONLY``, ``SCORE_OUT_OF_RANGE``, ``INVALID_SCORE``,
            ``NO_IDENTITY``, ``IDENTITY_LOCKED``.
    """
    if not is_bonded(stores["staking"], message.signer):
        raise TransactionRefused(Code.VALIDATORS_ONLY, message.signer.text)
    if message.score > _MAX_SCORE:
        # The message server and the keeper have two limits, each with its own code.
        over_both = message.score > _MAX_INPUT_SCORE
        code = Code.SCORE_OUT_OF_RANGE if over_both else Code.INVALID_SCORE
        raise TransactionRefused(code, f"{message.score}, the highest is {_MAX_SCORE}")
    model_hash = sha256(message.model.encode()).digest()
    account = message.account.data
    with _identity_codes():
        keeper.update_score(stores["veid"], account, message.score, model_hash, block.height)


# ---------------------------------------------------------------- signatures


def _verify_client(veid: KeyValueStore, message: UploadScope) -> None:
    key = veid.get(_CLIENT + message.upload.client_id.encode())
    if key is None:
        raise TransactionRefused(Code.CLIENT_NOT_APPROVED, message.upload.client_id)
    _verify(
        PublicKey(Scheme.ED25519, key),
        message.client_document,
        message.client_signature,
        Code.INVALID_CLIENT_SIGNATURE,
    )


def _verify_user(accounts: KeyValueStore, message: UploadScope) -> None:
    account = get_account(accounts, message.signer.data)
    # The ante handler recorded the key with which the transaction is signed; a multisig can't sign.
    if account is None or len(account.public_key) != KEY_LENGTHS[Scheme.SECP256K1]:
        raise TransactionRefused(Code.INVALID_USER_SIGNATURE, "the account has no single key")
    _verify(
        PublicKey(Scheme.SECP256K1, account.public_key),
        message.user_document,
        message.user_signature,
        Code.INVALID_USER_SIGNATURE,
    )


def _verify(key: PublicKey, document: bytes, signature: bytes, otherwise: Code) -> None:
    try:
        verify_signature(key, document, signature)
    except TransactionRefused as refused:
        raise TransactionRefused(otherwise, str(refused)) from refused


# ---------------------------------------------------------------- rates


def _check_rate(veid: KeyValueStore, account: bytes, height: int) -> None:
    if _count(veid, _account_uploads_key(account, height)) >= UPLOADS_PER_ACCOUNT:
        raise TransactionRefused(Code.RATE_LIMITED, f"{UPLOADS_PER_ACCOUNT} uploads in this block")
    if _count(veid, _block_uploads_key(height)) >= UPLOADS_PER_BLOCK:
        raise TransactionRefused(Code.RATE_LIMITED, f"a block has {UPLOADS_PER_BLOCK} uploads")
    last = veid.get(_LAST_UPLOAD + account)
    if last is not None and height - int.from_bytes(last, "big") < COOLDOWN_BLOCKS:
        raise TransactionRefused(
            Code.RATE_LIMITED,
            f"one upload in {COOLDOWN_BLOCKS} blocks, the last was in "
            f"{int.from_bytes(last, 'big')}",
        )


def _count_upload(veid: KeyValueStore, account: bytes, height: int) -> None:
    for key in (_account_uploads_key(account, height), _block_uploads_key(height)):
        veid.set(key, (_count(veid, key) + 1).to_bytes(4, "big"))
    veid.set(_LAST_UPLOAD + account, height.to_bytes(8, "big"))


def _count(veid: KeyValueStore, key: bytes) -> int:
    return int.from_bytes(veid.get(key) or b"", "big")


def _account_uploads_key(account: bytes, height: int) -> bytes:
    return _ACCOUNT_UPLOADS + account + b"/" + height.to_bytes(8, "big")


def _block_uploads_key(height: int) -> bytes:
    return _BLOCK_UPLOADS + height.to_bytes(8, "big")


def _status_key(account: bytes, scope_id: str) -> bytes:
    return _STATUS + account + scope_id.encode()


def scope_status(veid: KeyValueStore, account: Address, scope_id: str) -> int:
    """Return the status of a scope, VirtEngine's number; 0 for none."""
    return _count(veid, _status_key(account.data, scope_id))


@contextmanager
def _identity_codes() -> Iterator[None]:
    """Refuse with the transaction's code what the identity's keeper refuses."""
    try:
        yield
    except (EnvelopeError, IdentityError) as error:
        raise TransactionRefused(_CODES[type(error)], str(error)) from error
