"""Multi-signatures: k of n keys, as the Cosmos SDK's ``LegacyAminoPubKey`` has them."""

from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.iavl.node import uvarint
from veperf.workloads.transaction.signature import PublicKey, Scheme

MULTISIG_URL = "/cosmos.crypto.multisig.LegacyAminoPubKey"

# Amino's prefixes of the types tendermint/PubKey..., those of fixed length with their length.
_AMINO_PREFIXES = {
    Scheme.SECP256K1: bytes.fromhex("eb5ae98721"),
    Scheme.ED25519: bytes.fromhex("1624de6420"),
}
_AMINO_MULTISIG = bytes.fromhex("22c1f7e2")
_THRESHOLD_FIELD, _KEY_FIELD = b"\x08", b"\x12"


class MultisigKey(Struct, frozen=True):
    """A key of which ``threshold`` of the ``keys`` have to sign; these can be such keys, too."""

    threshold: int
    keys: tuple["AccountKey", ...]

    def address(self) -> bytes:
        """Return the 20 bytes of the key's address: the start of SHA256(Amino encoding)."""
        return sha256(encode_amino_key(self)).digest()[:20]


AccountKey = PublicKey | MultisigKey


class SingleSignature(Struct, frozen=True):
    """A signature by one key."""

    mode: int
    """How the signed bytes were made, a value of the SDK's SignMode."""
    signature: bytes


class MultiSignature(Struct, frozen=True):
    """The signatures by some keys of a ``MultisigKey``, in the keys' order."""

    signers: tuple[bool, ...]
    """For each key, if it signed."""
    signatures: tuple["SignatureData", ...]


SignatureData = SingleSignature | MultiSignature
SignatureCheck = tuple[PublicKey, bytes, bytes]
"""A key, the bytes that it signed, and the signature."""


def make_multisig_key(threshold: int, keys: tuple[AccountKey, ...]) -> MultisigKey:
    """Make a key of ``keys`` in this order, which is part of the address.

    Raises:
        TransactionRefused: ``INVALID_PUBLIC_KEY``: the threshold is under 1 or over the number of
            keys.
    """
    if not 1 <= threshold <= len(keys):
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, f"{threshold} of {len(keys)} keys can't sign"
        )
    return MultisigKey(threshold, keys)


def encode_amino_key(key: AccountKey) -> bytes:
    """Encode a key in Amino, with the prefix of its type."""
    if isinstance(key, PublicKey):
        return _AMINO_PREFIXES[key.scheme] + key.data
    encoded = [_AMINO_MULTISIG, _THRESHOLD_FIELD, uvarint(key.threshold)]
    for part in map(encode_amino_key, key.keys):
        encoded += (_KEY_FIELD, uvarint(len(part)), part)
    return b"".join(encoded)


def single_keys(key: AccountKey) -> list[PublicKey]:
    """Return the keys that ``key`` is made of, at any depth."""
    if isinstance(key, PublicKey):
        return [key]
    return [single for part in key.keys for single in single_keys(part)]


def signing_keys(key: AccountKey, signature: SignatureData) -> list[PublicKey]:
    """Return the keys whose signatures ``signature`` has, at any depth.

    Raises:
        TransactionRefused: ``WRONG_SIGNATURE``: it does not have the form of the key.
    """
    if isinstance(key, PublicKey):
        if isinstance(signature, SingleSignature):
            return [key]
        raise _wrong_form("a multi-signature for a single key")
    return [
        signer
        for part, data in _signed_parts(key, signature)
        for signer in signing_keys(part, data)
    ]


def signature_checks_of(
    key: AccountKey, signature: SignatureData, sign_bytes: Callable[[int], bytes]
) -> list[SignatureCheck]:
    """Return what ``verify_signature`` has to accept for the signature of an account to be good.

    ``sign_bytes`` returns the signed bytes by sign mode. All signatures of a multi-signature have
    to verify, also those beyond the threshold.

    Raises:
        TransactionRefused: ``WRONG_SIGNATURE`` for another form than the key's, and for too few
            signatures; the codes of ``sign_bytes``.
    """
    if isinstance(key, PublicKey):
        if not isinstance(signature, SingleSignature):
            raise _wrong_form("a multi-signature for a single key")
        return [(key, sign_bytes(signature.mode), signature.signature)]
    return [
        check
        for part, data in _signed_parts(key, signature)
        for check in signature_checks_of(part, data, sign_bytes)
    ]


def _signed_parts(
    key: MultisigKey, signature: SignatureData
) -> list[tuple[AccountKey, SignatureData]]:
    """Pair the signatures with the keys that they are by, after the checks of the SDK."""
    if not isinstance(signature, MultiSignature):
        raise _wrong_form("one signature for a key of several")
    if len(signature.signers) != len(key.keys):
        raise _wrong_form(f"{len(signature.signers)} bits for {len(key.keys)} keys")
    keys = [part for part, signed in zip(key.keys, signature.signers, strict=True) if signed]
    if len(keys) != len(signature.signatures):
        raise _wrong_form(f"{len(signature.signatures)} signatures by {len(keys)} keys")
    if len(keys) < key.threshold:
        raise _wrong_form(f"{len(keys)} signatures, at least {key.threshold} are needed")
    return list(zip(keys, signature.signatures, strict=True))


def _wrong_form(reason: str) -> TransactionRefused:
    return TransactionRefused(Code.WRONG_SIGNATURE, reason)
