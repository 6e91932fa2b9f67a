"""Messages of identities: their form, who signs them, and their checks.

Those of VirtEngine's ``virtengine.veid.v1`` (sources in ``virtengine_wire``). An upload is signed
twice inside: by the client, an app that the chain approves of, over

    SHA256(salt || device fingerprint || client id || payload hash)

and by the user over SHA256(these 32 bytes || the client's signature), as
``x/veid/types/upload.go`` has it.
"""

from hashlib import sha256
from typing import Any

from msgspec import Struct

from veperf.workloads.transaction.address import Address, parse_account_address
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import virtengine_wire as wire
from veperf.workloads.verification.envelope.wire_format import ALGORITHM, UploadMetadata
from veperf.workloads.verification.scope import ScopeType

HASH_BYTES = 32
_SCOPE_TYPES = dict(enumerate(ScopeType, start=1))
_NUMBERS = {scope_type: number for number, scope_type in _SCOPE_TYPES.items()}

_SALT_BYTES = range(16, 65)
_SIGNATURE_BYTES = 64
_NONCE_BYTES, _KEY_BYTES = 24, 32
_MAX_SCOPE_ID = 64
"""Characters, the most that a scope's record holds; VirtEngine allows twice as many bytes."""
_MAX_LENGTHS = {"client_id": 64, "device_fingerprint": 256, "geo_hint": 128}
_MAX_UNIX_TIME = 1 << 40


class Payload(Struct, frozen=True):
    """The encrypted evidence, with who can open it: an EncryptedPayloadEnvelope."""

    recipients: tuple[str, ...]
    """Fingerprints of the recipients' keys."""
    encrypted_keys: tuple[bytes, ...]
    nonce: bytes
    ciphertext: bytes
    sender_key: bytes
    sender_signature: bytes


class UploadScope(Struct, frozen=True):
    """A piece of evidence of who the signer is: MsgUploadScope."""

    signer: Address
    scope_id: str
    scope_type: ScopeType
    payload: Payload
    upload: UploadMetadata
    client_signature: bytes
    user_signature: bytes
    geo_hint: str = ""

    @property
    def client_document(self) -> bytes:
        """The 32 bytes that the client signs."""
        upload = self.upload
        texts = upload.device_fingerprint.encode() + upload.client_id.encode()
        return sha256(upload.salt + texts + upload.payload_hash).digest()

    @property
    def user_document(self) -> bytes:
        """The 32 bytes that the user signs."""
        return sha256(self.client_document + self.client_signature).digest()


class RequestVerification(Struct, frozen=True):
    """A request to verify one of the signer's scopes: MsgRequestVerification."""

    signer: Address
    scope_id: str


class UpdateScore(Struct, frozen=True):
    """A validator's score of an account: MsgUpdateScore."""

    signer: Address
    """The account of the validator's operator."""
    account: Address
    score: int
    model: str
    """Version of the model that made the score."""


def encode_upload_scope(message: UploadScope) -> Any:
    """Return ``message`` as a protobuf message, as the others do theirs."""
    payload, upload = message.payload, message.upload
    return wire.MsgUploadScope(
        sender=message.signer.text,
        scope_id=message.scope_id,
        scope_type=_NUMBERS[message.scope_type],
        encrypted_payload=wire.EncryptedPayloadEnvelope(
            version=1,
            algorithm_id=ALGORITHM,
            algorithm_version=1,
            recipient_key_ids=payload.recipients,
            encrypted_keys=payload.encrypted_keys,
            nonce=payload.nonce,
            ciphertext=payload.ciphertext,
            sender_signature=payload.sender_signature,
            sender_pub_key=payload.sender_key,
        ),
        salt=upload.salt,
        device_fingerprint=upload.device_fingerprint,
        client_id=upload.client_id,
        client_signature=message.client_signature,
        user_signature=message.user_signature,
        payload_hash=upload.payload_hash,
        capture_timestamp=upload.captured_at_s,
        geo_hint=message.geo_hint,
    )


def encode_request_verification(message: RequestVerification) -> Any:
    """Return ``message`` as a protobuf message."""
    return wire.MsgRequestVerification(sender=message.signer.text, scope_id=message.scope_id)


def encode_update_score(message: UpdateScore) -> Any:
    """Return ``message`` as a protobuf message."""
    return wire.MsgUpdateScore(
        sender=message.signer.text,
        account_address=message.account.text,
        new_score=message.score,
        score_version=message.model,
    )


def read_upload_scope(message: Any, prefix: str) -> UploadScope:
    """Check a MsgUploadScope.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INPUT_TOO_LARGE``, ``INVALID_SCOPE``,
            ``INVALID_SCOPE_TYPE``, ``INVALID_SALT``, ``INVALID_DEVICE``,
            ``INVALID_CLIENT_SIGNATURE``, ``INVALID_USER_SIGNATURE``, ``INVALID_PAYLOAD``,
            ``INVALID_PAYLOAD_HASH``: it is not the ciphertext's; ``UNSUPPORTED``: public keys of
            recipients and metadata beside the envelope.
    """
    signer = parse_account_address(message.sender, prefix)
    _check_scope_id(message.scope_id)
    for name, most in _MAX_LENGTHS.items():
        if len(getattr(message, name).encode()) > most:
            raise TransactionRefused(Code.INPUT_TOO_LARGE, f"{name}: up to {most} bytes")
    scope_type = _SCOPE_TYPES.get(message.scope_type)
    if scope_type is None:
        raise TransactionRefused(Code.INVALID_SCOPE_TYPE, f"there is no {message.scope_type}")
    _check_upload(message)
    upload = UploadMetadata(
        salt=message.salt,
        client_id=message.client_id,
        device_fingerprint=message.device_fingerprint,
        captured_at_s=message.capture_timestamp,
        payload_hash=message.payload_hash,
    )
    return UploadScope(
        signer,
        message.scope_id,
        scope_type,
        _read_payload(message.encrypted_payload, upload.payload_hash),
        upload,
        message.client_signature,
        message.user_signature,
        message.geo_hint,
    )


def read_request_verification(message: Any, prefix: str) -> RequestVerification:
    """Check a MsgRequestVerification.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INVALID_SCOPE``, ``INPUT_TOO_LARGE``.
    """
    signer = parse_account_address(message.sender, prefix)
    _check_scope_id(message.scope_id)
    return RequestVerification(signer, message.scope_id)


def read_update_score(message: Any, prefix: str) -> UpdateScore:
    """Check a MsgUpdateScore, but for its score, of which the keeper says if it is too high.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``.
    """
    return UpdateScore(
        parse_account_address(message.sender, prefix),
        parse_account_address(message.account_address, prefix),
        message.new_score,
        message.score_version,
    )


def _check_scope_id(scope_id: str) -> None:
    if not scope_id:
        raise TransactionRefused(Code.INVALID_SCOPE, "its id is empty")
    if len(scope_id) > _MAX_SCOPE_ID:
        raise TransactionRefused(Code.INPUT_TOO_LARGE, f"scope id: up to {_MAX_SCOPE_ID}")


def _check_upload(message: Any) -> None:
    if len(message.salt) not in _SALT_BYTES:
        raise TransactionRefused(Code.INVALID_SALT, f"{len(message.salt)} bytes, not 16 to 64")
    if not message.device_fingerprint or not message.client_id:
        raise TransactionRefused(Code.INVALID_DEVICE, "device and client have a name")
    if len(message.client_signature) != _SIGNATURE_BYTES:
        raise TransactionRefused(Code.INVALID_CLIENT_SIGNATURE, "a signature has 64 bytes")
    if len(message.user_signature) != _SIGNATURE_BYTES:
        raise TransactionRefused(Code.INVALID_USER_SIGNATURE, "a signature has 64 bytes")
    if not 0 <= message.capture_timestamp < _MAX_UNIX_TIME:
        raise TransactionRefused(Code.INVALID_SCOPE, "captured at no time")


def _read_payload(envelope: Any, payload_hash: bytes) -> Payload:
    form = (envelope.version, envelope.algorithm_id, envelope.algorithm_version)
    if form != (1, ALGORITHM, 1):
        raise TransactionRefused(Code.INVALID_PAYLOAD, f"version and algorithm {form}")
    if not envelope.recipient_key_ids or not envelope.ciphertext or not envelope.sender_signature:
        raise TransactionRefused(Code.INVALID_PAYLOAD, "no recipient, ciphertext or signature")
    if (len(envelope.nonce), len(envelope.sender_pub_key)) != (_NONCE_BYTES, _KEY_BYTES):
        raise TransactionRefused(Code.INVALID_PAYLOAD, "the nonce has 24 bytes, the key 32")
    if envelope.recipient_public_keys or envelope.metadata:
        raise TransactionRefused(Code.UNSUPPORTED, "metadata and recipients' keys in an envelope")
    if sha256(envelope.ciphertext).digest() != payload_hash:
        raise TransactionRefused(Code.INVALID_PAYLOAD_HASH, "it is not that of the ciphertext")
    return Payload(
        tuple(envelope.recipient_key_ids),
        tuple(envelope.encrypted_keys),
        envelope.nonce,
        envelope.ciphertext,
        envelope.sender_pub_key,
        envelope.sender_signature,
    )
