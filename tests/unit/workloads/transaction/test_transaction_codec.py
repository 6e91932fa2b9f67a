"""Transactions are encoded as in the Cosmos SDK, in a single form."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction import example_data
from veperf.workloads.transaction import protobuf as wire
from veperf.workloads.transaction.address import address_from_bytes, parse_account_address
from veperf.workloads.transaction.codec import (
    Coin,
    Send,
    decode_transaction,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
    format_coins,
    parse_coins,
    transaction_hash,
)
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.signature import PublicKey, Scheme
from veperf.workloads.transaction.validation import (
    validate_transaction,
    verify_transaction_signature,
)

COSMJS = json.loads((Path(__file__).parents[3] / "vectors" / "cosmjs_direct.json").read_text())
SIGNER = example_data.account_signer(0)
RAW = example_data.signed_transfer(SIGNER, 7, address_from_bytes(bytes(20)), 5, sequence=3)


def refusal(raw: bytes) -> Code:
    with pytest.raises(TransactionRefused) as caught:
        decode_transaction(raw)
    return caught.value.code


def changed(change: Callable[[Any, Any, Any], None]) -> bytes:
    """Return ``RAW`` with a change to its TxBody, AuthInfo or TxRaw."""
    outer = wire.TxRaw.FromString(RAW)
    body = wire.TxBody.FromString(outer.body_bytes)
    auth = wire.AuthInfo.FromString(outer.auth_info_bytes)
    change(body, auth, outer)
    outer.body_bytes = body.SerializeToString()
    outer.auth_info_bytes = auth.SerializeToString()
    return bytes(outer.SerializeToString())


def changed_send(change: Callable[[Any], None]) -> bytes:
    """Return ``RAW`` with a change to its MsgSend."""

    def apply(body: Any, auth: Any, outer: Any) -> None:
        message = wire.MsgSend.FromString(body.messages[0].value)
        change(message)
        body.messages[0].value = message.SerializeToString()

    return changed(apply)


@pytest.mark.parametrize("vector", COSMJS["transactions"])
def test_bytes_are_those_of_cosmjs(vector: dict[str, Any]) -> None:
    """Body, signer and fee, sign document and signed transaction are equal byte for byte."""
    sender, recipient = (
        parse_account_address(COSMJS[who], "cosmos") for who in ("sender", "recipient")
    )
    raw = bytes.fromhex(vector["signed_tx_bytes"])
    key = decode_transaction(raw, "cosmos").public_key
    body = encode_body([Send(sender, recipient, (Coin("ucosm", 1234567),))])
    auth_info = encode_auth_info(key, vector["sequence"], (Coin("ucosm", 2000),), 200000)
    document = encode_sign_doc(body, auth_info, COSMJS["chain_id"], COSMJS["account_number"])

    assert vector["body_bytes"] == body.hex()
    assert vector["auth_info_bytes"] == auth_info.hex()
    assert vector["sign_bytes"] == document.hex()
    assert raw == encode_raw(body, auth_info, bytes.fromhex(vector["signature"]))


@pytest.mark.parametrize("vector", COSMJS["transactions"])
def test_transactions_of_cosmjs_are_read_and_verified(vector: dict[str, Any]) -> None:
    """They decode to their fields, and verify for their own chain and account only."""
    transaction = decode_transaction(bytes.fromhex(vector["signed_tx_bytes"]), "cosmos")

    assert vector["sequence"] == transaction.sequence
    assert COSMJS["sender"] == transaction.signer.text
    assert (Coin("ucosm", 1234567),) == transaction.messages[0].amount
    assert ((Coin("ucosm", 2000),), 200000) == (transaction.fee, transaction.gas_limit)
    verify_transaction_signature(transaction, "simd-testing", 1)
    for chain_id, number in (("simd-testing", 2), ("simd-testing-2", 1)):
        with pytest.raises(TransactionRefused) as caught:
            verify_transaction_signature(transaction, chain_id, number)
        assert Code.WRONG_SIGNATURE is caught.value.code


def test_the_hash_is_sha256_of_the_bytes() -> None:
    """The digest is that of the encoded transaction."""
    assert sha256(RAW).digest() == transaction_hash(RAW)


@given(
    st.lists(st.integers(1, 2**256 - 1), min_size=1, max_size=3),
    st.text(max_size=20),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**63 - 1),
)
def test_decoding_returns_the_encoded_fields(
    amounts: list[int], memo: str, timeout_height: int, sequence: int, gas_limit: int
) -> None:
    """All fields are returned, at their extremes too."""
    sender, recipient = (
        address_from_bytes(SIGNER.public_key.address()),
        address_from_bytes(bytes(range(32))),
    )
    messages = tuple(Send(sender, recipient, (Coin("uve", amount),)) for amount in amounts)
    fee = (Coin("ibc/AB", 3), Coin("uve", 2**256 - 1))
    body = encode_body(messages, memo, timeout_height)
    auth_info = encode_auth_info(SIGNER.public_key, sequence, fee, gas_limit)
    actual = decode_transaction(encode_raw(body, auth_info, b"\1" * 64))

    assert (messages, memo, timeout_height) == (actual.messages, actual.memo, actual.timeout_height)
    assert (sequence, fee, gas_limit) == (actual.sequence, actual.fee, actual.gas_limit)
    assert SIGNER.public_key == actual.public_key
    assert (b"\1" * 64, body, auth_info) == (
        actual.signature,
        actual.body_bytes,
        actual.auth_info_bytes,
    )


def test_every_flipped_bit_is_refused() -> None:
    """No bit can be changed without the transaction being refused, with a code."""
    validate_transaction(RAW, example_data.CHAIN.id, 7)
    whole = int.from_bytes(RAW, "big")
    for bit in range(8 * len(RAW)):
        with pytest.raises(TransactionRefused):
            validate_transaction(
                (whole ^ 1 << bit).to_bytes(len(RAW), "big"), example_data.CHAIN.id, 7
            )


def test_every_truncation_is_refused() -> None:
    """A truncated one is malformed, or unsigned if a whole field is missing."""
    codes = [refusal(RAW[:length]) for length in range(len(RAW))]

    assert {Code.MALFORMED, Code.NO_SIGNATURES} == set(codes)
    assert codes.count(Code.NO_SIGNATURES) <= 2


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_code(raw: bytes) -> None:
    """Random bytes are never a transaction and never an unexpected error."""
    assert isinstance(refusal(raw), Code)


def test_other_encodings_of_the_same_are_refused() -> None:
    """ADR-027: long varints, another order, repeated or unknown fields would change the hash."""
    outer = wire.TxRaw.FromString(RAW)
    body = wire.TxRaw(body_bytes=outer.body_bytes).SerializeToString()
    tail = RAW[len(body) :]
    length = len(outer.body_bytes)
    assert RAW == b"\x0a%c\x01" % (length & 0x7F | 0x80) + outer.body_bytes + tail
    others = [
        b"\x0a%c\x81\x00" % (length & 0x7F | 0x80) + outer.body_bytes + tail,
        b"\x8a\x00" + RAW[1:],
        tail + body,
        body + RAW,
        RAW + b"\x22\x00",
        RAW + b"\x20\x01",
        b"\x0b\x0c" + RAW,
    ]

    assert [Code.MALFORMED] * len(others) == [refusal(raw) for raw in others]


@pytest.mark.parametrize("part", ["body", "auth", "send"])
def test_unknown_fields_are_refused(part: str) -> None:
    """A field that the chain does not know might mean something to the signer."""

    def add(body: Any, auth: Any, outer: Any) -> None:
        {"body": body, "auth": auth, "send": body.messages[0]}[part].MergeFromString(b"\x7a\x00")

    assert Code.MALFORMED is refusal(changed(add))


def test_an_unknown_field_deep_inside_is_refused() -> None:
    """In a coin of a message, too."""
    raw = changed_send(lambda message: message.amount[0].MergeFromString(b"\x7a\x00"))

    assert Code.MALFORMED is refusal(raw)


def test_text_that_is_no_utf8_is_refused() -> None:
    """A protobuf string is UTF-8."""
    auth_info = encode_auth_info(SIGNER.public_key, 0, (), 0)
    body = encode_body([]) + b"\x12\x01\xff"

    assert Code.MALFORMED is refusal(encode_raw(body, auth_info, bytes(64)))


def other_message(body: Any, auth: Any, outer: Any) -> None:
    body.messages[0].type_url = "/cosmos.bank.v1beta1.MsgMultiSend"


def no_message(body: Any, auth: Any, outer: Any) -> None:
    del body.messages[:]


def two_signers(body: Any, auth: Any, outer: Any) -> None:
    auth.signer_infos.append(auth.signer_infos[0])


def no_signer(body: Any, auth: Any, outer: Any) -> None:
    del auth.signer_infos[:]


def amino(body: Any, auth: Any, outer: Any) -> None:
    auth.signer_infos[0].mode_info.single.mode = 127


def other_key_type(body: Any, auth: Any, outer: Any) -> None:
    auth.signer_infos[0].public_key.type_url = "/cosmos.crypto.secp256r1.PubKey"


def short_key(body: Any, auth: Any, outer: Any) -> None:
    auth.signer_infos[0].public_key.value = wire.PubKey(key=bytes(32)).SerializeToString()


def other_key(body: Any, auth: Any, outer: Any) -> None:
    key = example_data.account_signer(1).public_key.data
    auth.signer_infos[0].public_key.value = wire.PubKey(key=key).SerializeToString()


def other_payer(body: Any, auth: Any, outer: Any) -> None:
    auth.fee.payer = address_from_bytes(bytes(20)).text


def granter(body: Any, auth: Any, outer: Any) -> None:
    auth.fee.granter = address_from_bytes(bytes(20)).text


def too_much_gas(body: Any, auth: Any, outer: Any) -> None:
    auth.fee.gas_limit = 1 << 63


def two_signatures(body: Any, auth: Any, outer: Any) -> None:
    outer.signatures.append(bytes(64))


def unsigned(body: Any, auth: Any, outer: Any) -> None:
    del outer.signatures[:]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (other_message, Code.UNKNOWN_MESSAGE),
        (no_message, Code.INVALID_REQUEST),
        (two_signers, Code.UNSUPPORTED),
        (no_signer, Code.NO_SIGNATURES),
        (amino, Code.UNSUPPORTED),
        (other_key_type, Code.INVALID_PUBLIC_KEY),
        (short_key, Code.INVALID_PUBLIC_KEY),
        (other_key, Code.WRONG_SIGNER),
        (other_payer, Code.UNSUPPORTED),
        (granter, Code.UNSUPPORTED),
        (too_much_gas, Code.INVALID_REQUEST),
        (two_signatures, Code.UNSUPPORTED),
        (unsigned, Code.NO_SIGNATURES),
    ],
)
def test_unsupported_transactions(change: Callable[[Any, Any, Any], None], code: Code) -> None:
    """They are well-formed, but rejected with the code of the reason."""
    assert code is refusal(changed(change))


def test_the_signer_may_be_named_as_payer() -> None:
    """It changes nothing."""

    def name_oneself(body: Any, auth: Any, outer: Any) -> None:
        auth.fee.payer = address_from_bytes(SIGNER.public_key.address()).text

    assert 3 == decode_transaction(changed(name_oneself)).sequence


@pytest.mark.parametrize("field", ["from_address", "to_address"])
def test_addresses_are_checked(field: str) -> None:
    """A mistyped address never reaches execution."""
    assert Code.INVALID_ADDRESS is refusal(changed_send(lambda m: setattr(m, field, "nobody")))


def test_a_transfer_of_nothing_is_refused() -> None:
    """A message without coins has no meaning."""
    raw = changed_send(lambda message: message.ClearField("amount"))

    assert Code.INVALID_COINS is refusal(raw)


@pytest.mark.parametrize(
    "pairs",
    [
        [("uve", "0")],
        [("uve", "-1")],
        [("uve", "+1")],
        [("uve", "1_0")],
        [("uve", " 1")],
        [("uve", "01")],
        [("uve", "0x1")],
        [("uve", "1e3")],
        [("uve", "")],
        [("uve", "\u0661")],
        [("uve", str(2**256))],
        [("uve", "9" * 10_000)],
        [("ue", "1")],
        [("1ve", "1")],
        [("u ve", "1")],
        [("uve\n", "1")],
        [("u" * 129, "1")],
        [("uve", "1"), ("uve", "1")],
        [("uve", "1"), ("atom", "1")],
    ],
)
def test_invalid_coins(pairs: list[tuple[str, str]]) -> None:
    """Only plain decimals from 1 to 2^256 - 1 of sorted, well-formed denominations are coins."""
    with pytest.raises(TransactionRefused) as caught:
        parse_coins(pairs)

    assert Code.INVALID_COINS is caught.value.code


def test_formatting_coins() -> None:
    """Coins are formatted as in the SDK."""
    coins = parse_coins([("atom", "1"), ("uve", str(2**256 - 1))])

    assert f"1atom,{2**256 - 1}uve" == format_coins(coins)


def test_an_ed25519_key_is_read() -> None:
    """Consensus keys have the same form under another type URL."""
    key = PublicKey(Scheme.ED25519, bytes(range(32)))
    sender = address_from_bytes(key.address())
    body = encode_body([Send(sender, sender, (Coin("uve", 1),))])

    assert (
        key
        == decode_transaction(
            encode_raw(body, encode_auth_info(key, 0, (), 0), bytes(64))
        ).public_key
    )
