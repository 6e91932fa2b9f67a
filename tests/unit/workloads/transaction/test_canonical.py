"""The fast parsers of plain transfers agree with protobuf's decoder on all bytes."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf._native.core import CORES, NATIVE, compiled_kernels, use_core
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import PREFIX, Address, address_from_bytes
from veperf.workloads.transaction.bech32 import Bech32Error, bech32_encode
from veperf.workloads.transaction.canonical import read_transfer
from veperf.workloads.transaction.codec import (
    Coin,
    Send,
    Transaction,
    decode_transaction,
    decode_with_protobuf,
    encode_auth_info,
    encode_body,
    encode_raw,
)
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.signature import Ed25519Signer

SIGNER = example_data.account_signer(0)
SENDER = address_from_bytes(SIGNER.public_key.address())
RAW = example_data.signed_transfer(SIGNER, 7, address_from_bytes(bytes(20)), 12_345, sequence=300)

DENOMS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}", fullmatch=True)
COINS = st.builds(Coin, DENOMS, st.integers(1, 9) | st.integers(1, 2**256 - 1))
ONE_COIN = COINS.map(lambda coin: (coin,))
TWO_COINS = st.tuples(COINS, COINS).map(lambda pair: tuple(sorted(pair, key=lambda c: c.denom)))


Outcome = Transaction | tuple[Code, str]


def outcome(decoder: Callable[[bytes, str], Transaction], raw: bytes, prefix: str) -> Outcome:
    try:
        return decoder(raw, prefix)
    except TransactionRefused as refused:
        return refused.code, str(refused)


def check(raw: bytes, prefix: str = PREFIX) -> None:
    """Both cores give what protobuf does, down to the words of a refusal."""
    expected = outcome(decode_with_protobuf, raw, prefix)
    for core in CORES:
        with use_core(core):
            assert expected == outcome(decode_transaction, raw, prefix)


def is_read(raw: bytes) -> list[bool]:
    """Whether the fast parsers take it: Python's, and the kernel where there is one."""
    taken = [read_transfer(raw) is not None]
    if NATIVE in CORES:
        with use_core(NATIVE):
            taken.append(compiled_kernels().read_transfer(raw, PREFIX) is not None)
    return taken


def transfer(
    amount: tuple[Coin, ...], fee: tuple[Coin, ...], sequence: int, gas_limit: int, length: int
) -> bytes:
    body = encode_body([Send(SENDER, address_from_bytes(bytes(range(length))), amount)])
    return encode_raw(
        body, encode_auth_info(SIGNER.public_key, sequence, fee, gas_limit), bytes(64)
    )


@given(
    ONE_COIN,
    ONE_COIN,
    st.integers(0, 2**63 - 1) | st.sampled_from([0, 1, 127, 128]),
    st.integers(1, 2**63 - 1),
    st.sampled_from([20, 32]),
)
def test_plain_transfers_are_read(
    amount: tuple[Coin, ...], fee: tuple[Coin, ...], sequence: int, gas_limit: int, length: int
) -> None:
    """All fields, at their extremes too, are those that protobuf reads."""
    raw = transfer(amount, fee, sequence, gas_limit, length)
    short = max(amount[0].amount, fee[0].amount) < 10**77
    small = max(len(coin.denom) + len(str(coin.amount)) for coin in amount + fee) < 100

    check(raw)
    assert all(is_read(raw)) or not (short and small)


@given(
    st.lists(ONE_COIN | TWO_COINS | st.just(()), max_size=2),
    ONE_COIN | TWO_COINS | st.just(()),
    st.text(max_size=5),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
)
def test_other_transactions_are_left_to_protobuf(
    amounts: list[tuple[Coin, ...]],
    fee: tuple[Coin, ...],
    memo: str,
    timeout_height: int,
    sequence: int,
    gas_limit: int,
) -> None:
    """Any number of messages and coins, memos, timeouts and numbers give what protobuf gives."""
    body = encode_body([Send(SENDER, SENDER, amount) for amount in amounts], memo, timeout_height)
    raw = encode_raw(body, encode_auth_info(SIGNER.public_key, sequence, fee, gas_limit), bytes(64))

    check(raw)


def test_every_flipped_bit_and_truncation() -> None:
    """Both decoders agree on each transaction that differs in one bit or ends early."""
    whole = int.from_bytes(RAW, "big")
    for bit in range(8 * len(RAW)):
        check((whole ^ 1 << bit).to_bytes(len(RAW), "big"))
    for length in range(len(RAW)):
        check(RAW[:length])


@settings(max_examples=300)
@given(st.data())
def test_mutations(data: st.DataObject) -> None:
    """Several bytes at once are replaced, dropped, doubled and moved."""
    raw = bytearray(RAW)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(raw) - 1))
        other = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.integers(0, 4)):
            case 0:
                raw[place] = data.draw(st.integers(0, 255))
            case 1:
                del raw[place]
            case 2:
                raw.insert(place, raw[other])
            case 3:
                raw[place], raw[other] = raw[other], raw[place]
            case _:
                # A length that grows as another one shrinks.
                raw[place], raw[other] = (raw[place] + 1) % 256, (raw[other] - 1) % 256
    check(bytes(raw))


@given(st.binary(max_size=400))
def test_random_bytes(raw: bytes) -> None:
    """Both decoders reject random bytes."""
    check(raw)
    check(RAW[:200] + raw)


def test_lengths_are_checked_one_by_one() -> None:
    """Each byte is set to each value: the parser accepts none that protobuf reads otherwise."""
    accepted = 0
    for place in range(len(RAW)):
        for value in (RAW[place] ^ flip for flip in (1, 2, 3, 0x7F, 0x80)):
            raw = RAW[:place] + bytes([value]) + RAW[place + 1 :]
            check(raw)
            transfer = read_transfer(raw)
            if transfer is None:
                continue
            accepted += 1
            fields = (transfer.body_bytes, transfer.auth_info_bytes, transfer.signature)
            assert raw == encode_raw(*fields)
    assert accepted > 64


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        RAW + b"\0",
        example_data.signed_transfer(Ed25519Signer(bytes(32)), 0, SENDER, 1),
        transfer((Coin("uve", 10**77),), (Coin("uve", 1),), 0, 1, 20),
        transfer((Coin("uve", 2**256 - 1),), (Coin("uve", 2**256 - 1),), 2**64 - 1, 1, 20),
        transfer((Coin("uve", 1),), (Coin("uve", 1),), 0, 2**63, 20),
        transfer((Coin("uve", 1),), (Coin("uve", 1),), 0, 0, 20),
        transfer((Coin("u" * 128, 1),), (Coin("uve", 1),), 0, 1, 20),
    ],
)
def test_transfers_beyond_the_fast_path(raw: bytes) -> None:
    """They are decoded by protobuf."""
    assert read_transfer(raw) is None
    check(raw)


LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


@given(
    st.text(LETTERS, min_size=1, max_size=25) | st.sampled_from(["1", "VE", "v e", "é"]),
    st.binary(min_size=20, max_size=33),
    st.sampled_from(["", "other", "upper", "mixed", "swapped", "longer"]),
)
def test_addresses_of_any_prefix(prefix: str, recipient: bytes, change: str) -> None:
    """Of other lengths, chains and cases, or with a mistake, they are what protobuf's path says."""
    sender = SIGNER.public_key.address()
    try:
        texts = [bech32_encode(prefix, sender), bech32_encode(prefix, recipient)]
    except Bech32Error:
        texts = [f"{prefix}1{SENDER.text.partition('1')[2]}"] * 2
    text = texts[1]
    changes = {
        "upper": text.upper(),
        "mixed": text[:-1] + text[-1:].upper(),
        "swapped": text[:-2] + text[-1] + text[-2],
        "longer": text + "q",
    }
    texts[1] = changes.get(change, text)
    addresses = [Address(b"", text) for text in texts]
    body = encode_body([Send(addresses[0], addresses[1], (Coin("uve", 5),))])
    auth_info = encode_auth_info(SIGNER.public_key, 3, (Coin("uve", 1),), 7)

    check(encode_raw(body, auth_info, bytes(64)), "other" if change == "other" else prefix)


@pytest.mark.parametrize("prefix", ["", "virtengin", "virtengine1", "VIRTENGINE", "\0", "é"])
def test_a_transfer_of_another_chain(prefix: str) -> None:
    """The prefix has to be the address's own, and whole."""
    check(RAW, prefix)
