"""The signed bytes of SIGN_MODE_LEGACY_AMINO_JSON, which hardware wallets show to people.

A JSON object with sorted keys and without spaces, escaped as Go's ``encoding/json`` does it;
numbers of 64 bits are strings, bytes are base64, decimals have 18 places. The SDK makes it in
``x/tx/signing/aminojson``, cosmjs in ``@cosmjs/amino``.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

# Go escapes these so that JSON can stand in HTML and in JavaScript.
_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "&<>\u2028\u2029"})
# Lists that stand there when they are empty, too (``amino.dont_omitempty``), by message.
_KEPT = {
    "MsgSend": ("amount",),
    "MsgMultiSend": ("inputs", "outputs"),
    "Input": ("coins",),
    "Output": ("coins",),
}
_DECIMAL = ".DecCoin.amount"


class AminoFee(Struct, frozen=True):
    """The fee of a sign document."""

    amount: tuple[tuple[str, str], ...]
    """Pairs of denomination and amount."""
    gas: int
    payer: str = ""
    granter: str = ""


def encode_amino_json(document: Any) -> bytes:
    """Encode a JSON value as Go and cosmjs do: sorted keys, no spaces, HTML escaped."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES).encode()


def amino_sign_bytes(
    messages: Iterable[Mapping[str, Any]],
    fee: AminoFee,
    chain_id: str,
    account_number: int,
    sequence: int,
    memo: str = "",
    timeout_height: int = 0,
) -> bytes:
    """Return the bytes to sign: the SDK's ``StdSignDoc``, without what is empty there.

    ``messages`` are those of ``amino_message``.
    """
    coins = [{"denom": denom, "amount": amount} for denom, amount in fee.amount]
    fee_fields: dict[str, Any] = {"amount": coins, "gas": str(fee.gas)}
    fee_fields |= {name: text for name in ("payer", "granter") if (text := getattr(fee, name))}
    document: dict[str, Any] = {
        "account_number": str(account_number),
        "chain_id": chain_id,
        "fee": fee_fields,
        "memo": memo,
        "msgs": list(messages),
        "sequence": str(sequence),
    }
    if timeout_height:
        document["timeout_height"] = str(timeout_height)
    return encode_amino_json(document)


def amino_message(amino_name: str, message: Any) -> dict[str, Any]:
    """Return a message as JSON, with the name of its type; ``message`` is a protobuf message."""
    return {"type": amino_name, "value": _fields(message)}


def _fields(message: Any) -> dict[str, Any]:
    """Return the fields by name, without what is empty but for the lists of ``_KEPT``."""
    fields = {field: _value(field, value) for field, value in message.ListFields()}
    kind = message.DESCRIPTOR.name
    kept: dict[str, Any] = {name: [] for name in _KEPT.get(kind, ())}
    return kept | {field.name: value for field, value in fields.items()}


def _value(field: Any, value: Any) -> Any:
    if field.full_name.endswith(_DECIMAL):
        return _format_decimal(value)
    if isinstance(value, str | bytes | int) or hasattr(value, "DESCRIPTOR"):
        return _single(field, value)
    return [_single(field, item) for item in value]


def _single(field: Any, value: Any) -> Any:
    if field.type == field.TYPE_MESSAGE:
        return _fields(value)
    if field.type == field.TYPE_BYTES:
        return b64encode(value).decode()
    return str(value) if field.type in (field.TYPE_UINT64, field.TYPE_INT64) else value


def _format_decimal(digits: str) -> str:
    """Format a whole number of 1e-18 as the SDK's ``LegacyDec.String``."""
    padded = digits.rjust(19, "0")
    return f"{padded[:-18]}.{padded[-18:]}"
