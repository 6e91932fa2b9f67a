"""The signed bytes of SIGN_MODE_LEGACY_AMINO_JSON, which hardware wallets show to people.

A JSON object with sorted keys and without spaces, escaped as Go's ``encoding/json`` does it;
numbers are strings. The SDK makes it in ``x/tx/signing/aminojson``, cosmjs in ``@cosmjs/amino``.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

# Go escapes these so that JSON can stand in HTML and in JavaScript.
_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "&<>\u2028\u2029"})


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
    """Return all fields by name; lists of coins and single coins stand there if empty, too."""
    return {field.name: _value(getattr(message, field.name)) for field in message.DESCRIPTOR.fields}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return _fields(value) if hasattr(value, "DESCRIPTOR") else [_value(item) for item in value]
