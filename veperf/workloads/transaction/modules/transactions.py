"""Transactions with any messages, signers, sign modes and fee payers, as they are on the wire.

``codec`` has those of the fast path: one signer in SIGN_MODE_DIRECT who sends and pays.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from veperf.workloads.transaction import protobuf
from veperf.workloads.transaction.address import PREFIX, Address, parse_account_address
from veperf.workloads.transaction.codec import (
    Coins,
    decode_single_key,
    encode_sign_doc,
    parse_message,
    read_coins,
)
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import wire
from veperf.workloads.transaction.modules.amino_json import (
    AminoFee,
    amino_message,
    amino_sign_bytes,
)
from veperf.workloads.transaction.modules.messages import (
    Message,
    message_signer,
    pack_message,
    unpack_message,
)
from veperf.workloads.transaction.modules.multisig import (
    MULTISIG_URL,
    AccountKey,
    MultiSignature,
    SignatureData,
    SingleSignature,
    make_multisig_key,
)
from veperf.workloads.transaction.modules.wire import wire_coins
from veperf.workloads.transaction.signature import PublicKey

_MAX_GAS = (1 << 63) - 1
_MAX_KEY_DEPTH = 4
"""Keys within keys; a transaction of a few bytes must not nest them without end."""


class SignerInfo(Struct, frozen=True):
    """The key, sequence and signature of one signer."""

    key: AccountKey | None
    """None: the account's key, which the chain has."""
    sequence: int
    signature: SignatureData


class Fee(Struct, frozen=True):
    """The fee: its coins, the limit of gas, and the accounts that pay."""

    amount: Coins
    gas_limit: int
    payer: Address | None = None
    """Pays in place of the first signer, and signs, too."""
    granter: Address | None = None
    """Pays by an allowance that the payer has of it, and doesn't sign."""


class SignedTransaction(Struct, frozen=True):
    """A decoded transaction."""

    messages: tuple[Message, ...]
    memo: str
    timeout_height: int
    """Height of the last block that may include it; 0 for any."""
    fee: Fee
    infos: tuple[SignerInfo, ...]
    body_bytes: bytes
    auth_info_bytes: bytes
    size: int
    """Bytes of the whole transaction."""
    encoded_messages: tuple[tuple[str, Any], ...]
    """The messages' names in Amino JSON and their protobuf messages."""
    has_options: bool = False
    """If it has options or fields that a chain may ignore; Amino JSON can't show them."""

    @property
    def signers(self) -> tuple[Address, ...]:
        """The accounts that have to sign: of the messages in their order, then the payer."""
        signers = {address.data: address for address in map(message_signer, self.messages)}
        if self.fee.payer is not None:
            signers.setdefault(self.fee.payer.data, self.fee.payer)
        return tuple(signers.values())

    def sign_bytes(self, mode: int, chain_id: str, account_number: int, sequence: int) -> bytes:
        """Return the bytes that a signer signs in this sign mode.

        Raises:
            TransactionRefused: ``UNSUPPORTED``: another mode; ``INVALID_REQUEST``: the mode can't
                show all of the transaction.
        """
        if mode == wire.SIGN_MODE_DIRECT:
            return encode_sign_doc(self.body_bytes, self.auth_info_bytes, chain_id, account_number)
        if mode != wire.SIGN_MODE_LEGACY_AMINO_JSON:
            raise TransactionRefused(
                Code.UNSUPPORTED, f"sign mode {mode}; DIRECT and LEGACY_AMINO_JSON are supported"
            )
        if self.has_options:
            raise TransactionRefused(
                Code.INVALID_REQUEST, "extension options can't be signed in LEGACY_AMINO_JSON"
            )
        # As they are written there: an address may be in upper case.
        written = wire.AuthInfo.FromString(self.auth_info_bytes).fee
        fee = AminoFee(
            tuple([(coin.denom, coin.amount) for coin in written.amount]),
            written.gas_limit,
            written.payer,
            written.granter,
        )
        return amino_sign_bytes(
            [amino_message(name, encoded) for name, encoded in self.encoded_messages],
            fee,
            chain_id,
            account_number,
            sequence,
            self.memo,
            self.timeout_height,
        )


# ---------------------------------------------------------------- encoding


def encode_message_body(
    messages: Sequence[Message], memo: str = "", timeout_height: int = 0
) -> bytes:
    """Encode a TxBody of messages of any kind."""
    body = wire.TxBody(memo=memo, timeout_height=timeout_height)
    body.messages.extend(map(pack_message, messages))
    return bytes(body.SerializeToString())


def encode_signers(infos: Sequence[SignerInfo], fee: Fee) -> bytes:
    """Encode an AuthInfo; of the signatures only their form is in it."""
    auth = wire.AuthInfo()
    for info in infos:
        signer = auth.signer_infos.add(sequence=info.sequence, mode_info=_mode_info(info.signature))
        if info.key is not None:
            signer.public_key.CopyFrom(encode_key(info.key))
    auth.fee.gas_limit = fee.gas_limit
    auth.fee.amount.extend(wire_coins(fee.amount))
    auth.fee.payer = "" if fee.payer is None else fee.payer.text
    auth.fee.granter = "" if fee.granter is None else fee.granter.text
    return bytes(auth.SerializeToString())


def encode_signed(
    body_bytes: bytes, auth_info_bytes: bytes, signatures: Sequence[SignatureData]
) -> bytes:
    """Encode a TxRaw: the transaction as it is sent."""
    raw = protobuf.TxRaw(
        body_bytes=body_bytes,
        auth_info_bytes=auth_info_bytes,
        signatures=map(_signature_bytes, signatures),
    )
    return bytes(raw.SerializeToString())


def encode_key(key: AccountKey) -> Any:
    """Encode a public key as an Any."""
    if isinstance(key, PublicKey):
        encoded: Any = protobuf.PubKey(key=key.data)
        return wire.AnyMessage(type_url=key.scheme.value, value=encoded.SerializeToString())
    encoded = wire.LegacyAminoPubKey(threshold=key.threshold)
    encoded.public_keys.extend(map(encode_key, key.keys))
    return wire.AnyMessage(type_url=MULTISIG_URL, value=encoded.SerializeToString())


def _mode_info(signature: SignatureData) -> Any:
    info = wire.ModeInfo()
    if isinstance(signature, SingleSignature):
        info.single.mode = signature.mode
    else:
        info.multi.bitarray.CopyFrom(encode_bits(signature.signers))
        info.multi.mode_infos.extend(map(_mode_info, signature.signatures))
    return info


def encode_bits(bits: Sequence[bool]) -> Any:
    """Encode a CompactBitArray: the first bit is the highest of the first byte."""
    size = -(-len(bits) // 8)
    number = int("".join("1" if bit else "0" for bit in bits).ljust(8 * size, "0") or "0", 2)
    return wire.CompactBitArray(extra_bits_stored=len(bits) % 8, elems=number.to_bytes(size, "big"))


def _signature_bytes(signature: SignatureData) -> bytes:
    if isinstance(signature, SingleSignature):
        return signature.signature
    parts = map(_signature_bytes, signature.signatures)
    return bytes(wire.MultiSignature(signatures=parts).SerializeToString())


# ---------------------------------------------------------------- decoding


def decode_signed(raw: bytes, prefix: str = PREFIX) -> SignedTransaction:
    """Decode the transaction ``raw`` of a chain whose addresses start with ``prefix``.

    Raises:
        TransactionRefused: ``MALFORMED`` for other bytes and for a TxRaw that is not canonical
            (ADR-027); ``UNKNOWN_EXTENSION`` for extension options, which this chain has none of;
            ``NO_SIGNATURES``; ``WRONG_SIGNATURE`` for a wrong number of them; and the codes of
            ``unpack_message``, for keys ``INVALID_PUBLIC_KEY``, for the fee ``INVALID_COINS``,
            ``INVALID_ADDRESS`` and ``INVALID_REQUEST``.
    """
    outer = parse_message(protobuf.TxRaw, raw)
    if not raw or outer.SerializeToString() != raw:
        raise TransactionRefused(Code.MALFORMED, "TxRaw is not in its canonical encoding")
    body, has_ignored = wire.parse_body_message(wire.TxBody, outer.body_bytes)
    auth = parse_message(wire.AuthInfo, outer.auth_info_bytes)
    if body.extension_options:
        urls = ", ".join(option.type_url for option in body.extension_options)
        raise TransactionRefused(Code.UNKNOWN_EXTENSION, f"{urls} is not supported")
    if not body.messages:
        raise TransactionRefused(Code.INVALID_REQUEST, "no message")
    if not outer.signatures:
        raise TransactionRefused(Code.NO_SIGNATURES, "it is not signed")
    decoded = [unpack_message(packed, prefix) for packed in body.messages]
    transaction = SignedTransaction(
        messages=tuple([message for message, _, _, _ in decoded]),
        memo=body.memo,
        timeout_height=body.timeout_height,
        fee=_decode_fee(auth.fee, prefix),
        infos=_decode_signers(auth, outer.signatures),
        body_bytes=outer.body_bytes,
        auth_info_bytes=outer.auth_info_bytes,
        size=len(raw),
        encoded_messages=tuple([(name, encoded) for _, name, encoded, _ in decoded]),
        has_options=has_ignored
        or bool(body.non_critical_extension_options)
        or any(ignored for _, _, _, ignored in decoded),
    )
    signers = transaction.signers
    if len(signers) != len(transaction.infos):
        raise TransactionRefused(
            Code.WRONG_SIGNATURE, f"{len(transaction.infos)} signatures for {len(signers)} signers"
        )
    return transaction


def decode_key(packed: Any, depth: int = 0) -> AccountKey:
    """Decode the Any of a public key.

    Raises:
        TransactionRefused: ``INVALID_PUBLIC_KEY``, ``MALFORMED``.
    """
    if packed.type_url == MULTISIG_URL and depth < _MAX_KEY_DEPTH:
        encoded = parse_message(wire.LegacyAminoPubKey, packed.value)
        keys = tuple([decode_key(part, depth + 1) for part in encoded.public_keys])
        return make_multisig_key(encoded.threshold, keys)
    return decode_single_key(packed)


def decode_bits(encoded: Any) -> tuple[bool, ...]:
    """Decode a CompactBitArray.

    Raises:
        TransactionRefused: ``MALFORMED``: it says that it has bits that it doesn't have.
    """
    elems, extra = encoded.elems, encoded.extra_bits_stored
    if extra > 7 or (extra and not elems):
        raise TransactionRefused(Code.MALFORMED, f"{extra} bits in the last byte of a bit array")
    count = 8 * len(elems) - (8 - extra if extra else 0)
    return tuple([bool(elems[i // 8] & 0x80 >> i % 8) for i in range(count)])


def _decode_signers(auth: Any, signatures: Sequence[bytes]) -> tuple[SignerInfo, ...]:
    if len(auth.signer_infos) != len(signatures):
        raise TransactionRefused(
            Code.WRONG_SIGNATURE, f"{len(signatures)} signatures, {len(auth.signer_infos)} signers"
        )
    infos = []
    for info, signature in zip(auth.signer_infos, signatures, strict=True):
        key = decode_key(info.public_key) if info.HasField("public_key") else None
        infos.append(SignerInfo(key, info.sequence, _decode_signature(info.mode_info, signature)))
    return tuple(infos)


def _decode_signature(mode_info: Any, signature: bytes) -> SignatureData:
    if mode_info.HasField("single") == mode_info.HasField("multi"):
        raise TransactionRefused(Code.MALFORMED, "a signer without one sign mode")
    if mode_info.HasField("single"):
        return SingleSignature(mode_info.single.mode, signature)
    parts = parse_message(wire.MultiSignature, signature).signatures
    modes = mode_info.multi.mode_infos
    if len(parts) != len(modes):
        raise TransactionRefused(
            Code.WRONG_SIGNATURE, f"{len(parts)} signatures with {len(modes)} sign modes"
        )
    pairs = zip(modes, parts, strict=True)
    return MultiSignature(
        decode_bits(mode_info.multi.bitarray),
        tuple([_decode_signature(mode, part) for mode, part in pairs]),
    )


def _decode_fee(fee: Any, prefix: str) -> Fee:
    if fee.gas_limit > _MAX_GAS:
        raise TransactionRefused(Code.INVALID_REQUEST, f"gas limit {fee.gas_limit} is over 2^63")
    payer, granter = (
        parse_account_address(text, prefix) if text else None for text in (fee.payer, fee.granter)
    )
    return Fee(read_coins(fee.amount), fee.gas_limit, payer, granter)
