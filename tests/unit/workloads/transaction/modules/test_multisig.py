"""Multi-signatures have the addresses of cosmjs and the rules of the Cosmos SDK."""

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import account_signer
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.example_data import multisigned
from veperf.workloads.transaction.modules.multisig import (
    AccountKey,
    MultiSignature,
    SignatureData,
    SingleSignature,
    encode_amino_key,
    make_multisig_key,
    signature_checks_of,
    signing_keys,
    single_keys,
)
from veperf.workloads.transaction.modules.transactions import (
    decode_bits,
    decode_key,
    decode_signed,
    encode_bits,
    encode_key,
)
from veperf.workloads.transaction.signature import PublicKey, Scheme, verify_signature

VECTORS = json.loads((Path(__file__).parents[4] / "vectors" / "cosmjs_multisig.json").read_text())
# cosmjs, packages/amino/src/testutils.ts, made with wasmd: keys and groups of them.
TEST1, TEST2, TEST3 = (
    PublicKey(Scheme.SECP256K1, bytes.fromhex(text))
    for text in (
        "038cb598ee54130d34f8e0818e7787aa06139a0e2d0026cadb662b55cf16859a67",
        "02906f1bd9516c8cd3b52639322c801bf8724c1fa5e878c0e32b9bd6c0bb8b0f68",
        "03cc93519d61b686da6f0e8cff9431e356b45f91063ed6f81f79ddd898858800f3",
    )
)
GROUPS = [
    (
        2,
        (TEST1, TEST2, TEST3),
        "wasmpub1ytql0csgqgfzd666axrjzquvkkvwu4qnp5603cyp3emc02sxzwdqutgqym9dke3t2h83dpv6vufzd666ax"
        "rjzq5sdudaj5tv3nfm2f3exgkgqxlcwfxplf0g0rqwx2um6mqthzc0dqfzd666axrjzq7vjdge6cdksmdx7r5vl72r"
        "rc6kk30ezp376mup77wamzvgtzqq7v7aysdd",
    ),
    (
        1,
        (TEST1, TEST2, TEST3),
        "wasmpub1ytql0csgqyfzd666axrjzquvkkvwu4qnp5603cyp3emc02sxzwdqutgqym9dke3t2h83dpv6vufzd666ax"
        "rjzq5sdudaj5tv3nfm2f3exgkgqxlcwfxplf0g0rqwx2um6mqthzc0dqfzd666axrjzq7vjdge6cdksmdx7r5vl72r"
        "rc6kk30ezp376mup77wamzvgtzqq7vc4ejke",
    ),
    (
        2,
        (TEST3, TEST1),
        "wasmpub1ytql0csgqgfzd666axrjzq7vjdge6cdksmdx7r5vl72rrc6kk30ezp376mup77wamzvgtzqq7vfzd666ax"
        "rjzquvkkvwu4qnp5603cyp3emc02sxzwdqutgqym9dke3t2h83dpv6vujvg56k",
    ),
]
MESSAGE = b"\1\2\3\4"
SIGNERS = [account_signer(index) for index in range(5)]
KEYS: tuple[AccountKey, ...] = tuple(signer.public_key for signer in SIGNERS)
DIRECT, AMINO = wire.SIGN_MODE_DIRECT, wire.SIGN_MODE_LEGACY_AMINO_JSON


def payload(text: str) -> bytes:
    """Return the bytes of a bech32 text that is longer than an address may be."""
    letters = text.rpartition("1")[2][:-6]
    bits = "".join(f"{'qpzry9x8gf2tvdw0s3jn54khce6mua7l'.index(letter):05b}" for letter in letters)
    return int(bits[: len(bits) // 8 * 8], 2).to_bytes(len(bits) // 8, "big")


def sign(index: int) -> SingleSignature:
    return SingleSignature(DIRECT, SIGNERS[index].sign(MESSAGE))


def signed_by(*indices: int, keys: int = 5) -> MultiSignature:
    bits = tuple(index in indices for index in range(keys))
    return MultiSignature(bits, tuple(sign(index) for index in sorted(indices)))


def verdict(key: AccountKey, signature: SignatureData) -> Code:
    try:
        for check in signature_checks_of(
            key, signature, lambda mode: MESSAGE if mode == DIRECT else b""
        ):
            verify_signature(*check)
    except TransactionRefused as refused:
        return refused.code
    return Code.OK


@pytest.mark.parametrize(("threshold", "keys", "text"), GROUPS)
def test_amino_encodings_are_those_of_cosmjs(
    threshold: int, keys: tuple[PublicKey, ...], text: str
) -> None:
    """The order of the keys is a part of them, as is the threshold."""
    assert payload(text) == encode_amino_key(make_multisig_key(threshold, keys))


def test_the_address_is_that_of_cosmjs() -> None:
    """Of a 2-of-3 key, in addresses.spec.ts there."""
    key = make_multisig_key(2, (TEST1, TEST2, TEST3))

    assert "0892a77fab2fa7e192c3b7b2741e6682f3abb72f" == key.address().hex()
    assert "wasm1pzf2wlat97n7rykrk7e8g8nxste6hde0r8jqsy" == (
        address_from_bytes(key.address(), "wasm").text
    )


@pytest.mark.parametrize(
    "vector", VECTORS["transactions"], ids=lambda v: f"{v['type']}/{v['sequence']}"
)
def test_transactions_of_groups_are_those_of_cosmjs(vector: dict[str, Any]) -> None:
    """To the last byte, signatures and all; and what each member signs is the same text."""
    expected = b64decode(vector["tx_bytes"])
    decoded = decode_signed(expected)
    number, sequence = vector["account_number"], vector["sequence"]
    document = decoded.sign_bytes(AMINO, VECTORS["chain_id"], number, sequence)

    assert vector["sign_doc"] == document.decode()
    assert expected == multisigned(
        decoded.messages, number, vector["members"], sequence, vector["memo"]
    )
    assert VECTORS["multisig_address"] == decoded.signers[0].text


@pytest.mark.parametrize(
    ("bits", "elems", "extra"),
    # makeCompactBitArray in cosmjs, packages/stargate/src/multisignature.spec.ts.
    [
        ([], "", 0),
        ([False], "00", 1),
        ([True, True, True], "e0", 3),
        ([True] * 8, "ff", 0),
        ([True] * 9, "ff80", 1),
        ([False] * 9 + [True], "0040", 2),
    ],
)
def test_bit_arrays_are_those_of_cosmjs(bits: list[bool], elems: str, extra: int) -> None:
    """The first bit is the highest one of the first byte."""
    encoded = encode_bits(bits)

    assert (elems, extra) == (encoded.elems.hex(), encoded.extra_bits_stored)


@given(st.lists(st.booleans(), max_size=40))
def test_bit_arrays_are_read_back(bits: list[bool]) -> None:
    """Of any length, through protobuf."""
    encoded = encode_bits(bits).SerializeToString()

    assert tuple(bits) == decode_bits(wire.CompactBitArray.FromString(encoded))


@pytest.mark.parametrize(("elems", "extra"), [(b"", 1), (b"\xff", 8), (b"\xff", 2**32 - 1)])
def test_bit_arrays_that_lie_about_their_size_are_refused(elems: bytes, extra: int) -> None:
    """They say that there are bits which aren't there."""
    with pytest.raises(TransactionRefused) as caught:
        decode_bits(wire.CompactBitArray(elems=elems, extra_bits_stored=extra))

    assert Code.MALFORMED is caught.value.code


def test_the_threshold_decides() -> None:
    """TestVerifyMultisignature of the SDK's crypto/keys/multisig/multisig_test.go, case by case."""
    key = make_multisig_key(2, KEYS)
    repeated = make_multisig_key(2, (KEYS[0], KEYS[0], KEYS[2]))
    both = MultiSignature((True, True, False), (sign(0), sign(0)))
    one = signed_by(0)

    assert Code.OK is verdict(key, signed_by(0, 3))
    assert Code.OK is verdict(key, signed_by(0, 1, 4))
    assert Code.OK is verdict(repeated, both)
    refused: list[SignatureData] = [
        signed_by(),
        one,
        MultiSignature(one.signers, (sign(0), sign(0))),  # duplicate signatures
        signed_by(0, 1, keys=3),  # wrong size of the bit array
        MultiSignature(signed_by(0, 1).signers, (sign(0), sign(2))),
        MultiSignature(signed_by(0, 1).signers, (sign(1), sign(0))),
        MultiSignature(signed_by(0, 1, 2).signers, (sign(0), sign(1), sign(3))),
        sign(0),
    ]
    assert [Code.WRONG_SIGNATURE] * len(refused) == [verdict(key, data) for data in refused]
    assert Code.WRONG_SIGNATURE is verdict(KEYS[0], signed_by(0, 1))


def test_keys_nest() -> None:
    """A key of keys of keys: each part has its own threshold, and gas counts those that signed."""
    inner = make_multisig_key(2, KEYS[:3])
    outer = make_multisig_key(2, (inner, KEYS[3], KEYS[4]))
    signature = MultiSignature((True, False, True), (signed_by(0, 2, keys=3), sign(4)))
    too_few = MultiSignature((True, False, True), (signed_by(2, keys=3), sign(4)))

    assert Code.OK is verdict(outer, signature)
    assert Code.WRONG_SIGNATURE is verdict(outer, too_few)
    assert list(KEYS) == single_keys(outer)
    assert [KEYS[0], KEYS[2], KEYS[4]] == signing_keys(outer, signature)
    assert outer == decode_key(encode_key(outer))


def nested(depth: int) -> AccountKey:
    key = KEYS[0]
    for _ in range(depth):
        key = make_multisig_key(1, (key,))
    return key


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_multisig_key(0, KEYS),
        lambda: make_multisig_key(6, KEYS),
        lambda: make_multisig_key(1, ()),
        lambda: decode_key(encode_key(nested(6))),
        lambda: decode_key(wire.AnyMessage(type_url="/cosmos.crypto.bls.PubKey")),
    ],
)
def test_keys_that_can_not_sign_are_refused(make: Callable[[], AccountKey]) -> None:
    """Thresholds that nobody or anybody reaches, keys in keys without end, unknown types."""
    with pytest.raises(TransactionRefused) as caught:
        make()

    assert Code.INVALID_PUBLIC_KEY is caught.value.code
