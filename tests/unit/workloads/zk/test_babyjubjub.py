"""Signatures on BabyJubjub are circomlib's; nothing false, and no second form, is taken."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.babyjubjub.blake512 import blake512
from veperf.workloads.zk.babyjubjub.curve import (
    BASE8,
    COFACTOR,
    IDENTITY,
    BabyPoint,
    L,
    baby_add,
    baby_multiply,
    baby_negate,
    baby_point,
    is_low_order,
    pack_baby_point,
    unpack_baby_point,
)
from veperf.workloads.zk.babyjubjub.eddsa import (
    EddsaSignature,
    SigningKey,
    new_signing_key,
    verify_eddsa,
)
from veperf.workloads.zk.field import PointError, R

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "zk" / "eddsa.json").read_text())
"""Made with circomlibjs and blake-hash."""
ORDER = int(R)
KEY = SigningKey(bytes(range(32)))
MESSAGE = 20_261_201
SIGNATURE = KEY.sign(MESSAGE)
# EIP-2494's generator of the whole group, of 8 L points.
GENERATOR = baby_point(
    995203441582195749578291179787384436505546430278305826713579947235728471134,
    5472060717959818805561601436314318772137091100104008585924551046643952123905,
)
LOW_ORDER = baby_multiply(GENERATOR, int(L))
SCALARS = st.integers(0, 2**256)


@pytest.mark.parametrize("size", VECTORS["blake512_of_zeros"])
def test_blake_512_is_the_published_hash(size: str) -> None:
    """Of lengths at which a block is filled, begun and padded."""
    assert VECTORS["blake512_of_zeros"][size] == blake512(bytes(int(size))).hex()


@pytest.mark.parametrize("vector", VECTORS["signatures"])
def test_signatures_are_those_of_circomlib(vector: dict[str, Any]) -> None:
    """Keys, signatures and their packed forms, both ways."""
    key = SigningKey(bytes.fromhex(vector["private_key"]))
    message = int(vector["message"])
    signature = key.sign(message)
    packed = bytes.fromhex(vector["public_packed"])

    assert vector["public_key"] == [str(coordinate) for coordinate in key.public_key]
    assert (packed, key.public_key) == (pack_baby_point(key.public_key), unpack_baby_point(packed))
    assert vector["packed"] == signature.to_bytes().hex()
    assert signature == EddsaSignature.from_bytes(bytes.fromhex(vector["packed"]))
    assert verify_eddsa(key.public_key, message, signature)


def test_base_points_are_those_of_the_standard() -> None:
    """Base8 is 8 times the generator, and of order L; the generator is of order 8 L."""
    assert BASE8 == baby_multiply(GENERATOR, COFACTOR)
    assert IDENTITY == baby_multiply(BASE8, int(L))
    assert IDENTITY != baby_multiply(GENERATOR, 4 * int(L))
    assert is_low_order(LOW_ORDER)
    assert not is_low_order(GENERATOR)


@given(SCALARS, SCALARS)
@settings(max_examples=10)
def test_multiples_add_up(a: int, b: int) -> None:
    """(a + b) G = a G + b G, and packed points are read as they were, low order included."""
    p, q = baby_multiply(GENERATOR, a), baby_multiply(GENERATOR, b)

    assert baby_multiply(GENERATOR, a + b) == baby_add(p, q)
    assert IDENTITY == baby_add(p, baby_negate(p))
    assert p == baby_point(*p) == unpack_baby_point(pack_baby_point(p))


@pytest.mark.parametrize("multiple", range(8))
def test_points_of_low_order_are_packed(multiple: int) -> None:
    """x is 0 in two of them, which has no sign."""
    point = baby_multiply(LOW_ORDER, multiple)

    assert point == unpack_baby_point(pack_baby_point(point))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(31),
        bytes(33),
        ORDER.to_bytes(32, "little"),  # y of the point (x, 0), once more
        (1 | 1 << 255).to_bytes(32, "little"),  # -0
        (2).to_bytes(32, "little"),
    ],
)
def test_other_bytes_are_no_point(data: bytes) -> None:
    """Each point has one encoding."""
    with pytest.raises(PointError):
        unpack_baby_point(data)


def other_signatures() -> list[tuple[str, BabyPoint, int, EddsaSignature]]:
    key, s = KEY.public_key, SIGNATURE
    return [
        ("s and the order", key, MESSAGE, replace(s, s=s.s + int(L))),
        ("negative s", key, MESSAGE, replace(s, s=s.s - int(L))),
        ("another message", key, MESSAGE + 1, s),
        ("the message again, modulo r", key, MESSAGE + ORDER, s),
        ("another key", new_signing_key().public_key, MESSAGE, s),
        ("the key and a point of low order", baby_add(key, LOW_ORDER), MESSAGE, s),
        ("R8 and a point of low order", key, MESSAGE, replace(s, r8=baby_add(s.r8, LOW_ORDER))),
        ("R8 off the curve", key, MESSAGE, replace(s, r8=(s.r8[0], s.r8[1] + 1))),
        ("R8 again, modulo r", key, MESSAGE, replace(s, r8=(s.r8[0] + ORDER, s.r8[1]))),
        ("a key off the curve", (1, 1), MESSAGE, s),
        ("a key that is no point", (None, 1), MESSAGE, s),  # type: ignore[list-item]
    ]


@pytest.mark.parametrize(
    ("key", "message", "signature"),
    [case[1:] for case in other_signatures()],
    ids=[case[0] for case in other_signatures()],
)
def test_nothing_else_is_a_signature(
    key: BabyPoint, message: int, signature: EddsaSignature
) -> None:
    """What is not what was signed, and second forms of what was."""
    assert verify_eddsa(KEY.public_key, MESSAGE, SIGNATURE)
    assert not verify_eddsa(key, message, signature)


@pytest.mark.parametrize("multiple", range(8))
def test_nobody_signs_under_keys_of_low_order(multiple: int) -> None:
    """S B8 = R8 holds there for any message; circomlib's function takes that."""
    forged = EddsaSignature(baby_multiply(BASE8, 12345), 12345)

    assert not verify_eddsa(baby_multiply(LOW_ORDER, multiple), MESSAGE, forged)


def test_long_s_is_not_read() -> None:
    """S of the order or more, a length that is not 64, no point."""
    packed = SIGNATURE.to_bytes()
    twin = packed[:32] + (int(SIGNATURE.s) + int(L)).to_bytes(32, "little")
    for data in (twin, packed[:-1], packed + b"\0", b"\xff" * 31 + b"\x7f" + packed[32:]):
        with pytest.raises(CorruptFileError):
            EddsaSignature.from_bytes(data)


def test_keys_are_not_shown() -> None:
    """Nor made from too few bytes; messages are field elements."""
    private = bytes(range(32))

    assert private.hex() not in repr(KEY)
    assert str(KEY._scalar) not in f"{KEY!r} {KEY}"
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        SigningKey(private[1:])
    for message in (-1, ORDER):
        with pytest.raises(ValueError, match="field element"):
            KEY.sign(message)
