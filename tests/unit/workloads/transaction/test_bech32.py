"""Addresses: bech32 as in BIP-173, hashes as in Bitcoin and CometBFT."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction import bech32
from veperf.workloads.transaction.address import (
    Address,
    address_from_bytes,
    choose_ripemd160,
    ed25519_address,
    parse_account_address,
    secp256k1_address,
)
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import FEE_COLLECTOR
from veperf.workloads.transaction.ripemd160 import ripemd160

LONG_PREFIX = "characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio"
VALID = (
    "A12UEL5L",
    "a12uel5l",
    f"an83{LONG_PREFIX}1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
)
INVALID = (
    "\x201nwldj5",
    "\x7f1axkwrx",
    "\x801eym55h",
    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "de1lg7wt\xff",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
    "A12uEL5L",
    "",
)


@pytest.mark.parametrize("text", VALID)
def test_valid_texts_of_bip_173(text: str) -> None:
    """BIP-173's valid texts decode, and encode again to themselves in lower case."""
    assert text.lower() == bech32.bech32_encode(*bech32.bech32_decode(text))


@pytest.mark.parametrize("text", INVALID)
def test_invalid_texts_of_bip_173(text: str) -> None:
    """BIP-173's invalid texts are rejected."""
    with pytest.raises(bech32.Bech32Error):
        bech32.bech32_decode(text)


@given(st.binary(max_size=40))
def test_encoding_and_back(data: bytes) -> None:
    """Decoding returns any encoded bytes."""
    assert ("virtengine", data) == bech32.bech32_decode(bech32.bech32_encode("virtengine", data))


@given(st.binary(min_size=20, max_size=20), st.data())
def test_every_single_mistake_is_found(data: bytes, draw: st.DataObject) -> None:
    """A wrong character anywhere behind the prefix makes the text invalid (BIP-173 finds four)."""
    text = bech32.bech32_encode("virtengine", data)
    place = draw.draw(st.integers(len("virtengine1"), len(text) - 1))
    others = "".join(c for c in "qpzry9x8gf2tvdw0s3jn54khce6mua7l" if c != text[place])
    wrong = text[:place] + draw.draw(st.sampled_from(others)) + text[place + 1 :]

    with pytest.raises(bech32.Bech32Error):
        bech32.bech32_decode(wrong)


def test_data_that_is_no_whole_number_of_bytes_is_refused() -> None:
    """A set bit in the padding, as in BIP-173's last invalid example, is refused."""
    with pytest.raises(bech32.Bech32Error, match="padded"):
        bech32.bech32_decode("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv")


@pytest.mark.parametrize("prefix", ["", "A", "a b"])
def test_a_prefix_that_is_not_allowed_is_refused(prefix: str) -> None:
    """No empty, upper-case or unprintable prefix can be written."""
    with pytest.raises(bech32.Bech32Error):
        bech32.bech32_encode(prefix, b"")


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"),
        (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (b"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
        (b"abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc"),
        (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
    ],
)
def test_ripemd160_by_its_authors(message: bytes, digest: str) -> None:
    """The digests that the authors of RIPEMD-160 publish."""
    assert digest == ripemd160(message).hex()


@given(st.binary(max_size=200))
def test_ripemd160_as_openssl(message: bytes) -> None:
    """Where OpenSSL has the hash, both agree on any message."""
    try:
        expected = hashlib.new("ripemd160", message).digest()
    except ValueError:
        pytest.skip("this OpenSSL has no RIPEMD-160")

    assert expected == ripemd160(message)


def test_the_python_hash_replaces_a_missing_openssl_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL 3 without its legacy provider raises ValueError for the name."""

    def new(name: str, data: bytes = b"") -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", new)

    assert ripemd160 is choose_ripemd160()


def test_address_of_a_key() -> None:
    """The key of secret 1 has the hash that BIP-173 gives; Ed25519 as CometBFT documents."""
    key = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")

    assert "751e76e8199196d454941c45d1b3a323f1433bd6" == secp256k1_address(key).hex()
    assert hashlib.sha256(key[1:]).hexdigest()[:40] == ed25519_address(key[1:]).hex()


def test_address_of_the_fee_collector() -> None:
    """The module account has the bytes that it has on every Cosmos chain."""
    known = "cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta"

    assert ("cosmos", FEE_COLLECTOR.data) == bech32.bech32_decode(known)


def test_an_address_is_read_in_either_case() -> None:
    """Upper case is the same address, stored in lower case."""
    text = address_from_bytes(bytes(20)).text

    assert Address(bytes(20), text) == parse_account_address(text.upper())


@pytest.mark.parametrize(
    "text",
    [
        "virtengine1",
        bech32.bech32_encode("cosmos", bytes(20)),
        bech32.bech32_encode("virtengine", bytes(19)),
        "Virtengine" + bech32.bech32_encode("virtengine", bytes(20))[10:],
    ],
)
def test_invalid_addresses(text: str) -> None:
    """Other texts, another chain's addresses, a wrong length and mixed case are rejected."""
    with pytest.raises(TransactionRefused) as caught:
        parse_account_address(text)

    assert Code.INVALID_ADDRESS is caught.value.code
