"""Encoding and decoding of transactions, exactly as the Cosmos SDK has them on the wire.

Decoding checks everything that can be checked without the chain's state: form, addresses,
amounts, keys. The SDK does the same in ``DefaultTxDecoder`` and ``ValidateBasic``.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from google.protobuf.message import DecodeError
from msgspec import Struct

from veperf._native.core import compiled_kernels
from veperf.workloads.transaction import protobuf
from veperf.workloads.transaction.address import (
    PREFIX,
    Address,
    parse_account_address,
    secp256k1_address,
)
from veperf.workloads.transaction.canonical import Transfer, read_transfer
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.signature import KEY_LENGTHS, PublicKey, Scheme
from veperf.workloads.transaction.state import MAX_AMOUNT

_MAX_DIGITS = len(str(MAX_AMOUNT))
_is_denom = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}").fullmatch  # the SDK's


class Coin(Struct, frozen=True, array_like=True, gc=False):
    """An amount over 0 of one denomination."""

    denom: str
    amount: int


Coins = tuple[Coin, ...]
"""Coins in the order of their denominations, without repeats."""


def parse_coins(pairs: Iterable[tuple[str, str]]) -> Coins:
    """Make coins from pairs of denomination and decimal amount, as the SDK's ``Coins.Validate``.

    Stricter in one respect: the SDK also accepts leading zeros and other bases ("0x10").

    Raises:
        TransactionRefused: ``INVALID_COINS``: amount not a plain decimal over 0 and under 2^256,
            denomination not allowed, out of order or repeated.
    """
    coins = []
    last = ""
    for denom, digits in pairs:
        if not _is_denom(denom):
            raise TransactionRefused(Code.INVALID_COINS, f"{denom!r} is not a valid denomination")
        if denom <= last:
            raise TransactionRefused(Code.INVALID_COINS, f"{denom} repeats or is out of order")
        last = denom
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
            raise TransactionRefused(Code.INVALID_COINS, f"{digits[:100]!r} is not an amount")
        amount = int(digits)
        if digits[0] == "0" or amount > MAX_AMOUNT:
            raise TransactionRefused(Code.INVALID_COINS, f"{digits} is not an amount")
        coins.append(Coin(denom, amount))
    return tuple(coins)


def format_coins(coins: Coins) -> str:
    """Format coins as the SDK does in events: ``15uatom,3000uve``."""
    return ",".join([f"{coin.amount}{coin.denom}" for coin in coins])


_SCHEMES = {scheme.value: scheme for scheme in Scheme}
_MAX_GAS = (1 << 63) - 1


class Send(Struct, frozen=True, array_like=True, gc=False):
    """A transfer: the bank module's MsgSend."""

    sender: Address
    recipient: Address
    amount: Coins


class Transaction(Struct, frozen=True, array_like=True, gc=False):
    """A decoded transaction with one signer, who sends all its messages and pays its fee."""

    messages: tuple[Send, ...]
    memo: str
    timeout_height: int
    """Height of the last block that may include it; 0 for any."""
    public_key: PublicKey
    sequence: int
    fee: Coins
    gas_limit: int
    signature: bytes
    body_bytes: bytes
    auth_info_bytes: bytes

    @property
    def signer(self) -> Address:
        """Address of the account that signs and pays."""
        return self.messages[0].sender


def transaction_hash(raw: bytes) -> bytes:
    """Return the SHA-256 of the encoded transaction, 32 bytes."""
    return sha256(raw).digest()


# ---------------------------------------------------------------- encoding


def encode_body(messages: Sequence[Send], memo: str = "", timeout_height: int = 0) -> bytes:
    """Encode a TxBody."""
    body = protobuf.TxBody(memo=memo, timeout_height=timeout_height)
    for send in messages:
        message = protobuf.MsgSend(from_address=send.sender.text, to_address=send.recipient.text)
        _add_coins(message.amount, send.amount)
        body.messages.add(type_url=protobuf.MSG_SEND_URL, value=message.SerializeToString())
    return bytes(body.SerializeToString())


def encode_auth_info(key: PublicKey, sequence: int, fee: Coins, gas_limit: int) -> bytes:
    """Encode the AuthInfo of one signer in SIGN_MODE_DIRECT, who also pays the fee."""
    auth = protobuf.AuthInfo(fee=protobuf.Fee(gas_limit=gas_limit))
    _add_coins(auth.fee.amount, fee)
    public_key = protobuf.PubKey(key=key.data)
    auth.signer_infos.add(
        public_key=protobuf.AnyMessage(
            type_url=key.scheme.value, value=public_key.SerializeToString()
        ),
        mode_info=protobuf.ModeInfo(single=protobuf.Single(mode=protobuf.SIGN_MODE_DIRECT)),
        sequence=sequence,
    )
    return bytes(auth.SerializeToString())


def encode_sign_doc(
    body_bytes: bytes, auth_info_bytes: bytes, chain_id: str, account_number: int
) -> bytes:
    """Encode a SignDoc: the bytes that are signed."""
    document = protobuf.SignDoc(
        body_bytes=body_bytes,
        auth_info_bytes=auth_info_bytes,
        chain_id=chain_id,
        account_number=account_number,
    )
    return bytes(document.SerializeToString())


def encode_raw(body_bytes: bytes, auth_info_bytes: bytes, signature: bytes) -> bytes:
    """Encode a TxRaw: the transaction as it is sent."""
    raw = protobuf.TxRaw(
        body_bytes=body_bytes, auth_info_bytes=auth_info_bytes, signatures=[signature]
    )
    return bytes(raw.SerializeToString())


def _add_coins(field: Any, coins: Coins) -> None:
    for coin in coins:
        field.add(denom=coin.denom, amount=str(coin.amount))


# ---------------------------------------------------------------- decoding


def decode_transaction(raw: bytes, prefix: str = PREFIX) -> Transaction:
    """Decode the transaction ``raw`` of a chain whose addresses start with ``prefix``.

    Raises:
        TransactionRefused: ``MALFORMED`` for bytes that are truncated, not canonical (ADR-027:
            a second encoding would give the same transaction a second hash) or have an unknown
            field; ``UNKNOWN_MESSAGE`` for messages other than MsgSend; ``UNSUPPORTED`` for
            several signers, multi-signatures and fees paid by others; ``NO_SIGNATURES``,
            ``INVALID_ADDRESS``, ``INVALID_COINS``, ``INVALID_PUBLIC_KEY``, ``WRONG_SIGNER``,
            ``INVALID_REQUEST`` as their names say.
    """
    kernels = compiled_kernels()
    if kernels is not None:
        fields = kernels.read_transfer(raw, prefix)
        if fields is not None:
            return _make_transfer(*fields)
    elif (transfer := read_transfer(raw)) is not None:
        return _decode_transfer(transfer, prefix)
    return decode_with_protobuf(raw, prefix)


def decode_with_protobuf(raw: bytes, prefix: str = PREFIX) -> Transaction:
    """Decode a transaction of any form by its protobuf messages, without the fast path."""
    if not raw:
        raise TransactionRefused(Code.MALFORMED, "no bytes")
    outer = parse_message(protobuf.TxRaw, raw)
    if outer.SerializeToString() != raw:
        raise TransactionRefused(Code.MALFORMED, "TxRaw is not in its canonical encoding")
    body_bytes, auth_info_bytes = outer.body_bytes, outer.auth_info_bytes
    body = parse_message(protobuf.TxBody, body_bytes)
    auth = parse_message(protobuf.AuthInfo, auth_info_bytes)
    public_key, sequence = _decode_signer(auth)
    fee = auth.fee
    messages = tuple([_decode_send(message, prefix) for message in body.messages])
    _check_signer(messages, public_key)
    _check_fee(fee, messages[0].sender, prefix)
    return Transaction(
        messages=messages,
        memo=body.memo,
        timeout_height=body.timeout_height,
        public_key=public_key,
        sequence=sequence,
        fee=read_coins(fee.amount),
        gas_limit=fee.gas_limit,
        signature=_only_signature(outer.signatures),
        body_bytes=body_bytes,
        auth_info_bytes=auth_info_bytes,
    )


def _decode_transfer(transfer: Transfer, prefix: str) -> Transaction:
    sender = parse_account_address(transfer.sender.decode(), prefix)
    recipient = parse_account_address(transfer.recipient.decode(), prefix)
    return _make_transfer(
        sender.data,
        sender.text,
        recipient.data,
        recipient.text,
        transfer.denom.decode(),
        int(transfer.amount),
        transfer.fee_denom.decode(),
        int(transfer.fee_amount),
        transfer.public_key,
        transfer.sequence,
        transfer.gas_limit,
        transfer.signature,
        transfer.body_bytes,
        transfer.auth_info_bytes,
    )


def _make_transfer(
    sender: bytes,
    sender_text: str,
    recipient: bytes,
    recipient_text: str,
    denom: str,
    amount: int,
    fee_denom: str,
    fee: int,
    key: bytes,
    sequence: int,
    gas_limit: int,
    signature: bytes,
    body_bytes: bytes,
    auth_info_bytes: bytes,
) -> Transaction:
    if secp256k1_address(key) != sender:
        raise _wrong_signer(sender_text)
    send = Send(
        Address(sender, sender_text), Address(recipient, recipient_text), (Coin(denom, amount),)
    )
    return Transaction(
        (send,),
        "",
        0,
        PublicKey(Scheme.SECP256K1, key),
        sequence,
        (Coin(fee_denom, fee),),
        gas_limit,
        signature,
        body_bytes,
        auth_info_bytes,
    )


def parse_message(kind: Any, data: bytes) -> Any:
    """Parse the encoded message ``data`` of a class of ``protobuf.message_classes``.

    Raises:
        TransactionRefused: ``MALFORMED``: other bytes, or a field that the class doesn't have.
    """
    try:
        message = kind.FromString(data)
    except DecodeError as error:
        name = kind.DESCRIPTOR.name
        raise TransactionRefused(Code.MALFORMED, f"{len(data)} bytes are not a {name}") from error
    before = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != before:
        name = kind.DESCRIPTOR.name
        raise TransactionRefused(Code.MALFORMED, f"{name} has a field that is not supported")
    return message


def _decode_signer(auth: Any) -> tuple[PublicKey, int]:
    if not auth.signer_infos:
        raise TransactionRefused(Code.NO_SIGNATURES, "it has no signer")
    if len(auth.signer_infos) > 1:
        raise TransactionRefused(
            Code.UNSUPPORTED, f"{len(auth.signer_infos)} signers; exactly one is supported"
        )
    signer = auth.signer_infos[0]
    mode = signer.mode_info.single.mode
    if mode != protobuf.SIGN_MODE_DIRECT:
        raise TransactionRefused(Code.UNSUPPORTED, f"sign mode {mode}; only DIRECT is supported")
    return decode_single_key(signer.public_key), signer.sequence


def decode_single_key(packed: Any) -> PublicKey:
    """Decode the Any of a public key that is one key, not several.

    Raises:
        TransactionRefused: ``INVALID_PUBLIC_KEY``, ``MALFORMED``.
    """
    scheme = _SCHEMES.get(packed.type_url)
    if scheme is None:
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, f"keys of type {packed.type_url!r} are not supported"
        )
    key = parse_message(protobuf.PubKey, packed.value).key
    if len(key) != KEY_LENGTHS[scheme]:
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, f"a {scheme.name} key of {len(key)} bytes"
        )
    return PublicKey(scheme, key)


def _decode_send(packed: Any, prefix: str) -> Send:
    if packed.type_url != protobuf.MSG_SEND_URL:
        raise TransactionRefused(Code.UNKNOWN_MESSAGE, f"{packed.type_url!r} is not supported")
    message = parse_message(protobuf.MsgSend, packed.value)
    sender = parse_account_address(message.from_address, prefix)
    recipient = parse_account_address(message.to_address, prefix)
    amount = read_coins(message.amount)
    if not amount:
        raise TransactionRefused(Code.INVALID_COINS, "a transfer of nothing")
    return Send(sender, recipient, amount)


def read_coins(coins: Iterable[Any]) -> Coins:
    """Check coins in protobuf messages, as ``parse_coins``."""
    return parse_coins([(coin.denom, coin.amount) for coin in coins])


def _check_signer(messages: tuple[Send, ...], key: PublicKey) -> None:
    if not messages:
        raise TransactionRefused(Code.INVALID_REQUEST, "no message")
    signer = key.address()
    for message in messages:
        if message.sender.data != signer:
            raise _wrong_signer(message.sender.text)


def _wrong_signer(sender: str) -> TransactionRefused:
    return TransactionRefused(Code.WRONG_SIGNER, f"the public key does not belong to {sender}")


def _check_fee(fee: Any, signer: Address, prefix: str) -> None:
    if fee.gas_limit > _MAX_GAS:
        raise TransactionRefused(Code.INVALID_REQUEST, f"gas limit {fee.gas_limit} is over 2^63")
    payer = parse_account_address(fee.payer, prefix) if fee.payer else signer
    if fee.granter or payer != signer:
        raise TransactionRefused(Code.UNSUPPORTED, "the fee is to be paid by another account")


def _only_signature(signatures: Any) -> bytes:
    if not signatures:
        raise TransactionRefused(Code.NO_SIGNATURES, "it is not signed")
    if len(signatures) > 1:
        raise TransactionRefused(Code.UNSUPPORTED, f"{len(signatures)} signatures for one signer")
    return bytes(signatures[0])
