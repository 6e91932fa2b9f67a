"""Transactions to bytes and back, exactly as the Cosmos SDK has them on the wire.

What is decoded is checked as far as that can be done without the chain's state: form, addresses,
amounts, keys. The SDK does the same in ``DefaultTxDecoder`` and ``ValidateBasic``.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from google.protobuf.message import DecodeError
from msgspec import Struct

from veperf.workloads.transaction import messages as wire
from veperf.workloads.transaction.address import PREFIX, Address, parse_address
from veperf.workloads.transaction.canonical import Transfer, read_transfer
from veperf.workloads.transaction.coins import Coin, Coins, parse_coins
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.signature import KEY_LENGTHS, PublicKey, Scheme

_SCHEMES = {scheme.value: scheme for scheme in Scheme}
_MAX_GAS = (1 << 63) - 1


class Send(Struct, frozen=True, array_like=True, gc=False):
    """A transfer: the bank module's MsgSend."""

    sender: Address
    recipient: Address
    amount: Coins


class Transaction(Struct, frozen=True, array_like=True, gc=False):
    """A decoded transaction with one signer, who sent all its messages and pays its fee."""

    messages: tuple[Send, ...]
    memo: str
    timeout_height: int
    """The last block that may include it; 0 for any."""
    public_key: PublicKey
    sequence: int
    fee: Coins
    gas_limit: int
    signature: bytes
    body_bytes: bytes
    auth_info_bytes: bytes

    @property
    def signer(self) -> Address:
        """Who signed and pays."""
        return self.messages[0].sender


def transaction_hash(raw: bytes) -> bytes:
    """SHA-256 of the encoded transaction, 32 bytes."""
    return sha256(raw).digest()


def transaction_id(raw: bytes) -> str:
    """The hash as block explorers show it: 64 upper-case hexadecimal digits."""
    return sha256(raw).hexdigest().upper()


# ---------------------------------------------------------------- encoding


def encode_body(messages: Sequence[Send], memo: str = "", timeout_height: int = 0) -> bytes:
    """TxBody."""
    body = wire.TxBody(memo=memo, timeout_height=timeout_height)
    for send in messages:
        message = wire.MsgSend(from_address=send.sender.text, to_address=send.recipient.text)
        _add_coins(message.amount, send.amount)
        body.messages.add(type_url=wire.MSG_SEND_URL, value=message.SerializeToString())
    return bytes(body.SerializeToString())


def encode_auth_info(key: PublicKey, sequence: int, fee: Coins, gas_limit: int) -> bytes:
    """AuthInfo of one signer in SIGN_MODE_DIRECT, who also pays the fee."""
    auth = wire.AuthInfo(fee=wire.Fee(gas_limit=gas_limit))
    _add_coins(auth.fee.amount, fee)
    public_key = wire.PubKey(key=key.data)
    auth.signer_infos.add(
        public_key=wire.AnyMessage(type_url=key.scheme.value, value=public_key.SerializeToString()),
        mode_info=wire.ModeInfo(single=wire.Single(mode=wire.SIGN_MODE_DIRECT)),
        sequence=sequence,
    )
    return bytes(auth.SerializeToString())


def encode_sign_doc(
    body_bytes: bytes, auth_info_bytes: bytes, chain_id: str, account_number: int
) -> bytes:
    """SignDoc: the bytes that are signed."""
    document = wire.SignDoc(
        body_bytes=body_bytes,
        auth_info_bytes=auth_info_bytes,
        chain_id=chain_id,
        account_number=account_number,
    )
    return bytes(document.SerializeToString())


def encode_raw(body_bytes: bytes, auth_info_bytes: bytes, signature: bytes) -> bytes:
    """TxRaw: the transaction as it travels."""
    raw = wire.TxRaw(body_bytes=body_bytes, auth_info_bytes=auth_info_bytes, signatures=[signature])
    return bytes(raw.SerializeToString())


def _add_coins(field: Any, coins: Coins) -> None:
    for coin in coins:
        field.add(denom=coin.denom, amount=str(coin.amount))


# ---------------------------------------------------------------- decoding


def decode(raw: bytes, prefix: str = PREFIX) -> Transaction:
    """The transaction that ``raw`` encodes, on a chain whose addresses start with ``prefix``.

    Raises:
        TransactionRefused: ``MALFORMED`` for bytes that are truncated, not canonical (ADR-027:
            a second encoding would give the same transaction a second hash) or have a field that
            is not known; ``UNKNOWN_MESSAGE`` for messages other than MsgSend; ``UNSUPPORTED`` for
            several signers, multi-signatures and fees paid by others; ``NO_SIGNATURES``,
            ``INVALID_ADDRESS``, ``INVALID_COINS``, ``INVALID_PUBLIC_KEY``, ``WRONG_SIGNER``,
            ``INVALID_REQUEST`` as their names say.
    """
    transfer = read_transfer(raw)
    return decode_any(raw, prefix) if transfer is None else _decode_transfer(transfer, prefix)


def decode_any(raw: bytes, prefix: str = PREFIX) -> Transaction:
    """``decode`` for transactions of any form: what it does where there is no shorter way."""
    if not raw:
        raise TransactionRefused(Code.MALFORMED, "no bytes")
    outer = _parse(wire.TxRaw, raw)
    if outer.SerializeToString() != raw:
        raise TransactionRefused(Code.MALFORMED, "TxRaw is not in its canonical encoding")
    body_bytes, auth_info_bytes = outer.body_bytes, outer.auth_info_bytes
    body = _parse(wire.TxBody, body_bytes)
    auth = _parse(wire.AuthInfo, auth_info_bytes)
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
        fee=_decode_coins(fee.amount),
        gas_limit=fee.gas_limit,
        signature=_only_signature(outer.signatures),
        body_bytes=body_bytes,
        auth_info_bytes=auth_info_bytes,
    )


def _decode_transfer(transfer: Transfer, prefix: str) -> Transaction:
    sender = parse_address(transfer.sender.decode(), prefix)
    recipient = parse_address(transfer.recipient.decode(), prefix)
    public_key = PublicKey(Scheme.SECP256K1, transfer.public_key)
    amount = (Coin(transfer.denom.decode(), int(transfer.amount)),)
    messages = (Send(sender, recipient, amount),)
    _check_signer(messages, public_key)
    return Transaction(
        messages,
        "",
        0,
        public_key,
        transfer.sequence,
        (Coin(transfer.fee_denom.decode(), int(transfer.fee_amount)),),
        transfer.gas_limit,
        transfer.signature,
        transfer.body_bytes,
        transfer.auth_info_bytes,
    )


def _parse(kind: Any, data: bytes) -> Any:
    try:
        message = kind.FromString(data)
    except DecodeError as error:
        name = kind.DESCRIPTOR.name
        raise TransactionRefused(Code.MALFORMED, f"{len(data)} bytes are no {name}") from error
    before = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != before:
        name = kind.DESCRIPTOR.name
        raise TransactionRefused(Code.MALFORMED, f"{name} has a field that is not supported")
    return message


def _decode_signer(auth: Any) -> tuple[PublicKey, int]:
    if not auth.signer_infos:
        raise TransactionRefused(Code.NO_SIGNATURES, "nobody signs it")
    if len(auth.signer_infos) > 1:
        raise TransactionRefused(
            Code.UNSUPPORTED, f"{len(auth.signer_infos)} signers; exactly one is supported"
        )
    signer = auth.signer_infos[0]
    mode = signer.mode_info.single.mode
    if mode != wire.SIGN_MODE_DIRECT:
        raise TransactionRefused(Code.UNSUPPORTED, f"sign mode {mode}; only DIRECT is supported")
    packed = signer.public_key
    scheme = _SCHEMES.get(packed.type_url)
    if scheme is None:
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, f"keys of type {packed.type_url!r} are not supported"
        )
    key = _parse(wire.PubKey, packed.value).key
    if len(key) != KEY_LENGTHS[scheme]:
        raise TransactionRefused(
            Code.INVALID_PUBLIC_KEY, f"a {scheme.name} key of {len(key)} bytes"
        )
    return PublicKey(scheme, key), signer.sequence


def _decode_send(packed: Any, prefix: str) -> Send:
    if packed.type_url != wire.MSG_SEND_URL:
        raise TransactionRefused(Code.UNKNOWN_MESSAGE, f"{packed.type_url!r} is not supported")
    message = _parse(wire.MsgSend, packed.value)
    sender = parse_address(message.from_address, prefix)
    recipient = parse_address(message.to_address, prefix)
    amount = _decode_coins(message.amount)
    if not amount:
        raise TransactionRefused(Code.INVALID_COINS, "a transfer of nothing")
    return Send(sender, recipient, amount)


def _decode_coins(coins: Any) -> Coins:
    return parse_coins([(coin.denom, coin.amount) for coin in coins])


def _check_signer(messages: tuple[Send, ...], key: PublicKey) -> None:
    if not messages:
        raise TransactionRefused(Code.INVALID_REQUEST, "no message")
    signer = key.address()
    for message in messages:
        if message.sender.data != signer:
            raise TransactionRefused(
                Code.WRONG_SIGNER, f"the key is not that of {message.sender.text}"
            )


def _check_fee(fee: Any, signer: Address, prefix: str) -> None:
    if fee.gas_limit > _MAX_GAS:
        raise TransactionRefused(Code.INVALID_REQUEST, f"gas limit {fee.gas_limit} is over 2^63")
    payer = parse_address(fee.payer, prefix) if fee.payer else signer
    if fee.granter or payer != signer:
        raise TransactionRefused(Code.UNSUPPORTED, "the fee is to be paid by another account")


def _only_signature(signatures: Any) -> bytes:
    if not signatures:
        raise TransactionRefused(Code.NO_SIGNATURES, "it is not signed")
    if len(signatures) > 1:
        raise TransactionRefused(Code.UNSUPPORTED, f"{len(signatures)} signatures for one signer")
    return bytes(signatures[0])
