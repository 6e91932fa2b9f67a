"""Bids are signed as RFC 8032 specifies, over bytes that are unique to each bid."""

from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.bidding.bids import (
    DOMAIN,
    Bid,
    BidSigner,
    SignedBid,
    canonical_bytes,
    verify_bid,
)
from veperf.workloads.bidding.decimals import format_decimal
from veperf.workloads.bidding.errors import SignatureError

# ---------------------------------------------------------------- Ed25519 by the book (RFC 8032)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    """Add two affine points by the formulas of section 5.1.4."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    x3 = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P)
    y3 = (y1 * y2 + x1 * x2) * pow(1 - t, -1, P)
    return x3 % P, y3 % P


def multiply(scalar: int, point: Point) -> Point:
    total: Point = (0, 1)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def decompress(data: bytes) -> Point:
    number = int.from_bytes(data, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    return (P - x if x & 1 != sign else x), y


def compress(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def hashed(*parts: bytes) -> int:
    return int.from_bytes(sha512(b"".join(parts)).digest(), "little")


def reference_sign(seed: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Return the public key and the signature."""
    digest = sha512(seed).digest()
    a = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    key = compress(multiply(a, BASE))
    r = hashed(digest[32:], message) % L
    point = compress(multiply(r, BASE))
    s = (r + hashed(point, key, message) * a) % L
    return key, point + s.to_bytes(32, "little")


def reference_verify(key: bytes, message: bytes, signature: bytes) -> bool:
    s = int.from_bytes(signature[32:], "little")
    h = hashed(signature[:32], key, message)
    expected = add(decompress(signature[:32]), multiply(h, decompress(key)))
    return s < L and multiply(s, BASE) == expected


# RFC 8032, section 7.1: tests 1, 2 and 3 as seed, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "key", "message", "signature"), VECTORS)
def test_the_reference_passes_the_rfc(seed: str, key: str, message: str, signature: str) -> None:
    """The reference gives the RFC's signatures, and the signer its public keys."""
    raw = bytes.fromhex
    assert (raw(key), raw(signature)) == reference_sign(raw(seed), raw(message))
    assert reference_verify(raw(key), raw(message), raw(signature))
    assert raw(key) == BidSigner(raw(seed)).public_key


# ---------------------------------------------------------------- bids

SIGNER = BidSigner(bytes(range(32)))
NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)
MOMENTS = st.integers(0, 2**63 - 1)
BIDS = st.builds(
    Bid,
    NAMES,
    NAMES,
    NAMES,
    st.integers(0, 2**315 - 1).map(format_decimal),
    NAMES,
    MOMENTS,
    MOMENTS,
)
BID = Bid("virtengine-1", "order", "provider", "1.500000000000000000", "uve", 2_000, 7)
SIGNED = SIGNER.sign(BID)


def is_valid(signed: SignedBid, key: bytes = SIGNER.public_key, chain: str = BID.chain_id) -> bool:
    try:
        verify_bid(signed, key, chain)
    except SignatureError:
        return False
    return True


@settings(max_examples=15)
@given(BIDS, st.binary(min_size=32, max_size=32))
def test_another_implementation_makes_and_takes_the_same_signature(bid: Bid, seed: bytes) -> None:
    """The bytes are equal, and the other implementation's signature verifies here."""
    signed = BidSigner(seed).sign(bid)
    key, signature = reference_sign(seed, canonical_bytes(bid))

    assert (key, signature) == (signed.public_key, signed.signature)
    assert reference_verify(key, canonical_bytes(bid), signed.signature)
    assert is_valid(SignedBid(bid, key, signature), key, bid.chain_id)


def test_the_signed_bytes_written_out() -> None:
    """They are as documented, so that any client can make them."""
    price = b"1.500000000000000000"
    expected = (
        (b"\0\0\0\x11" + DOMAIN + b"\0\0\0\x0cvirtengine-1" + b"\0\0\0\x05order")
        + (b"\0\0\0\x08provider" + b"\0\0\0\x14" + price + b"\0\0\0\x03uve")
        + (2_000).to_bytes(8, "big")
        + (7).to_bytes(8, "big")
    )

    assert expected == canonical_bytes(BID)


@given(BIDS, BIDS)
def test_different_bids_have_different_bytes(bid: Bid, other: Bid) -> None:
    """Moving a character from one field to the next changes them, too."""
    assert (bid == other) == (canonical_bytes(bid) == canonical_bytes(other))
    shifted = replace(bid, order_id=bid.order_id + bid.provider[0], provider=bid.provider[1:] + "x")
    assert canonical_bytes(bid) != canonical_bytes(shifted)


@pytest.mark.parametrize(
    "change",
    [
        {"order_id": "orders"},
        {"provider": "other"},
        {"price": "1.500000000000000001"},
        {"currency": "eur"},
        {"expires_ns": 2_001},
        {"nonce": 8},
    ],
    ids=str,
)
def test_every_field_is_signed(change: dict[str, str | int]) -> None:
    """A changed bid does not verify."""
    assert is_valid(SIGNED)
    assert not is_valid(replace(SIGNED, bid=replace(BID, **change)))


def test_a_bid_is_for_one_chain_and_of_one_key() -> None:
    """The verifier's expectation counts, not the names in the bid."""
    other = BidSigner(bytes(32))
    elsewhere = SIGNER.sign(replace(BID, chain_id="virtengine-2"))

    assert not is_valid(SIGNED, key=other.public_key)
    assert not is_valid(other.sign(BID))
    assert not is_valid(replace(SIGNED, public_key=other.public_key))
    assert not is_valid(replace(SIGNED, public_key=other.public_key), key=other.public_key)
    assert not is_valid(elsewhere)
    assert not is_valid(replace(elsewhere, bid=BID))
    assert is_valid(elsewhere, chain="virtengine-2")


@given(st.integers(0, 511))
def test_a_changed_bit_breaks_a_signature(bit: int) -> None:
    """Flipping any of the 512 bits does."""
    number = int.from_bytes(SIGNED.signature, "big") ^ 1 << bit

    assert not is_valid(replace(SIGNED, signature=number.to_bytes(64, "big")))


@given(st.binary(max_size=80))
def test_signatures_and_keys_of_any_length(data: bytes) -> None:
    """Wrong lengths raise SignatureError."""
    assert not is_valid(replace(SIGNED, signature=data))
    assert not is_valid(replace(SIGNED, public_key=data), key=data)


def test_a_signature_has_no_second_form() -> None:
    """S + L is the same number modulo the group's order, and rejected (RFC 8032, 5.1.7)."""
    s = int.from_bytes(SIGNED.signature[32:], "little") + L

    assert not is_valid(replace(SIGNED, signature=SIGNED.signature[:32] + s.to_bytes(32, "little")))


@pytest.mark.parametrize("key", [b"\1" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_keys_of_small_order_sign_nothing(key: bytes) -> None:
    """With such a key one signature would fit many messages."""
    neutral = b"\1" + bytes(31)

    assert not is_valid(SignedBid(BID, key, neutral + bytes(32)), key)
    assert not is_valid(SignedBid(BID, key, key + bytes(32)), key)


def test_a_seed_has_32_bytes() -> None:
    """A seed is not padded or cut off."""
    with pytest.raises(ValueError, match="32"):
        BidSigner(bytes(31))
