"""Signatures of envelopes: the approved client signs the header, the user header and signature.

As in ``x/veid`` the user's signature covers the client's, which makes them a chain. Each has its
own domain, so that neither can pass for the other, nor for a signature over anything else.
"""

from collections.abc import Mapping

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.verification.envelope.errors import (
    ClientSignatureError,
    UnapprovedClientError,
    UserSignatureError,
    WrongAccountError,
)
from veperf.workloads.verification.envelope.wire_format import (
    PREAMBLE,
    Envelope,
    Header,
    encode_header,
)

_CLIENT_DOMAIN = b"virtengine/veid/upload/client\0" + PREAMBLE
_USER_DOMAIN = b"virtengine/veid/upload/user\0" + PREAMBLE

Clients = Mapping[str, bytes]
"""The Ed25519 public keys of approved clients, by their ids."""


def client_message(header: Header) -> bytes:
    """Return the bytes that the client signs."""
    return _CLIENT_DOMAIN + encode_header(header)


def user_message(header: Header, client_signature: bytes) -> bytes:
    """Return the bytes that the user signs."""
    return _USER_DOMAIN + client_signature + encode_header(header)


def sign_envelope(
    header: Header, ciphertext: memoryview, client: SigningKey, user: SigningKey
) -> Envelope:
    """Return the envelope of ``header`` and ``ciphertext``, signed by both."""
    client_signature = client.sign(client_message(header)).signature
    user_signature = user.sign(user_message(header, client_signature)).signature
    return Envelope(header, client_signature, user_signature, ciphertext)


def verify_signatures(envelope: Envelope, account: bytes, clients: Clients) -> None:
    """Check that an approved client and the owner of ``account`` signed the header.

    Raises:
        WrongAccountError: it is another account's, or the key is not that of the account.
        UnapprovedClientError: the client is not one of ``clients``.
        ClientSignatureError: the client did not sign this.
        UserSignatureError: the user did not sign this.
    """
    header = envelope.header
    if header.account != account:
        raise WrongAccountError("the envelope belongs to another account")
    if ed25519_address(header.user_key) != account:
        raise WrongAccountError("the key is not that of the account")
    client_key = clients.get(header.upload.client_id)
    if client_key is None:
        raise UnapprovedClientError(f"{header.upload.client_id!r} is not an approved client")
    if not _is_signature(client_key, client_message(header), envelope.client_signature):
        raise ClientSignatureError("the client's signature does not verify")
    message = user_message(header, envelope.client_signature)
    if not _is_signature(header.user_key, message, envelope.user_signature):
        raise UserSignatureError("the user's signature does not verify")


def _is_signature(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(key).verify(message, signature)
    except CryptoError:
        return False
    return True
