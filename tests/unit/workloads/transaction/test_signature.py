"""Signatures agree with other implementations; only the canonical form is accepted."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.secp256k1 import secp256k1 as oracle

from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.signature import (
    Ed25519Signer,
    PublicKey,
    Scheme,
    Secp256k1Signer,
    verify_signature,
)

ORDER = oracle.N
SIGNER = Secp256k1Signer(bytes(range(1, 33)))


def refusal(key: PublicKey, message: bytes, signature: bytes) -> Code:
    with pytest.raises(TransactionRefused) as caught:
        verify_signature(key, message, signature)
    return caught.value.code


def compact(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@settings(max_examples=5)
@given(st.integers(1, ORDER - 1), st.binary(max_size=100))
def test_secp256k1_as_py_ecc(secret: int, message: bytes) -> None:
    """Both make the same signature (RFC 6979, low S) and the same public key."""
    key = secret.to_bytes(32, "big")
    signer = Secp256k1Signer(key)
    _, r, s = oracle.ecdsa_raw_sign(sha256(message).digest(), key)
    x, y = oracle.privtopub(key)

    assert compact(r, s) == signer.sign(message)
    assert bytes([2 + y % 2]) + x.to_bytes(32, "big") == signer.public_key.data
    verify_signature(signer.public_key, message, compact(r, s))


@given(st.binary(max_size=100))
def test_the_high_twin_of_a_signature_is_refused(message: bytes) -> None:
    """(r, N - s) satisfies the same equation but has a code of its own."""
    signature = SIGNER.sign(message)
    s = int.from_bytes(signature[32:], "big")

    assert s <= ORDER // 2
    verify_signature(SIGNER.public_key, message, signature)
    twin = signature[:32] + (ORDER - s).to_bytes(32, "big")
    assert Code.HIGH_S is refusal(SIGNER.public_key, message, twin)


@pytest.mark.parametrize(
    ("s", "code"),
    [
        (ORDER // 2, Code.WRONG_SIGNATURE),
        (ORDER // 2 + 1, Code.HIGH_S),
        (ORDER - 1, Code.HIGH_S),
        (ORDER, Code.WRONG_SIGNATURE),
        (2**256 - 1, Code.WRONG_SIGNATURE),
        (0, Code.WRONG_SIGNATURE),
    ],
)
def test_the_bound_of_low_s(s: int, code: Code) -> None:
    """High S begins just over half the order and ends at the order."""
    assert code is refusal(SIGNER.public_key, b"", compact(1, s))


@pytest.mark.parametrize("r", [0, ORDER, 2**256 - 1])
def test_an_r_out_of_range_is_refused(r: int) -> None:
    """Zero and values from the order on are rejected, without a crash."""
    assert Code.WRONG_SIGNATURE is refusal(SIGNER.public_key, b"", compact(r, 1))


@pytest.mark.parametrize("signer", [SIGNER, Ed25519Signer(bytes(32))])
def test_any_other_bit_is_refused(signer: Secp256k1Signer | Ed25519Signer) -> None:
    """A flipped bit in the signature, another message or another length does not verify."""
    signature = signer.sign(b"message")
    wrong = {Code.WRONG_SIGNATURE, Code.HIGH_S}
    for bit in range(512):
        flipped = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
        assert refusal(signer.public_key, b"message", flipped) in wrong
    assert refusal(signer.public_key, b"massage", signature) in wrong
    for length in (0, 63, 65):
        cut = (signature + b"\0")[:length]
        assert Code.WRONG_SIGNATURE is refusal(signer.public_key, b"message", cut)


@pytest.mark.parametrize(
    "key",
    [
        PublicKey(Scheme.SECP256K1, b"\x02" + b"\xff" * 32),
        PublicKey(Scheme.SECP256K1, b"\x05" + SIGNER.public_key.data[1:]),
        PublicKey(Scheme.SECP256K1, SIGNER.public_key.data[:-1]),
        PublicKey(Scheme.SECP256K1, b""),
        PublicKey(Scheme.ED25519, bytes(31)),
    ],
)
def test_invalid_public_keys_are_refused(key: PublicKey) -> None:
    """The key is not on the curve, or has an unknown prefix or a wrong length."""
    assert Code.INVALID_PUBLIC_KEY is refusal(key, b"", SIGNER.sign(b""))


def test_an_uncompressed_key_is_refused() -> None:
    """The same point in another encoding would have another address."""
    x, y = oracle.privtopub(bytes(range(1, 33)))
    key = PublicKey(Scheme.SECP256K1, b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))

    assert Code.INVALID_PUBLIC_KEY is refusal(key, b"", SIGNER.sign(b""))


@pytest.mark.parametrize(
    ("seed", "key", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
            "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
            "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
            "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)
def test_ed25519_as_in_rfc_8032(seed: str, key: str, message: str, signature: str) -> None:
    """The first three test vectors of RFC 8032, section 7.1."""
    signer = Ed25519Signer(bytes.fromhex(seed))

    assert key == signer.public_key.data.hex()
    assert signature == signer.sign(bytes.fromhex(message)).hex()
    verify_signature(signer.public_key, bytes.fromhex(message), bytes.fromhex(signature))
