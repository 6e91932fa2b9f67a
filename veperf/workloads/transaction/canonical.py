"""A fast path for the commonest transaction: one regular expression parses its canonical encoding.

A transfer of one coin, signed with secp256k1 by one signer who pays a fee of one coin, without
memo or timeout, has its fields in one order and one form. The expression extracts them; the
encoding is canonical if every length prefix matches the field behind it. All other
transactions, valid or not, go to the general decoder.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from veperf.workloads.transaction.iavl.node import uvarint

_LENGTH = rb"([\x01-\x7f]|[\x80-\xff][\x01-\x07])"
_SHORT = rb"([\x01-\x7f])"
_NUMBER = rb"([\x80-\xff]{0,8}[\x01-\x7f])"  # under 2^63
_ADDRESS = rb"([0-9a-z]{1,90})"
# The SDK's denominations, and amounts that are under 2^256 by their length alone.
_COIN = (
    rb"\n" + _SHORT + rb"([a-zA-Z][a-zA-Z0-9/:._-]{2,127})\x12" + _SHORT + rb"([1-9][0-9]{0,76})"
)
_MESSAGE = rb"\n" + _SHORT + _ADDRESS + rb"\x12" + _SHORT + _ADDRESS + rb"\x1a" + _SHORT + _COIN
_BODY = rb"\n" + _LENGTH + rb"\n\x1c/cosmos\.bank\.v1beta1\.MsgSend\x12" + _LENGTH + _MESSAGE
_KEY = rb"\nF\n\x1f/cosmos\.crypto\.secp256k1\.PubKey\x12#\n!(.{33})"
_SIGNER = _KEY + rb"\x12\x04\n\x02\x08\x01(?:\x18" + _NUMBER + rb")?"
_FEE = rb"\n" + _SHORT + _COIN + rb"\x10" + _NUMBER
_AUTH_INFO = rb"\n" + _SHORT + _SIGNER + rb"\x12" + _SHORT + _FEE
_match = re.compile(
    rb"\n%b(%b)\x12%b(%b)\x1a@(.{64})" % (_LENGTH, _BODY, _LENGTH, _AUTH_INFO), re.DOTALL
).fullmatch

_VARINTS = [uvarint(number) for number in range(1 << 10)]


class Transfer(NamedTuple):
    """The fields of a transfer as they are on the wire."""

    body_bytes: bytes
    auth_info_bytes: bytes
    signature: bytes
    sender: bytes
    recipient: bytes
    denom: bytes
    amount: bytes
    public_key: bytes
    sequence: int
    fee_denom: bytes
    fee_amount: bytes
    gas_limit: int


def read_transfer(raw: bytes) -> Transfer | None:
    """Parse ``raw`` if it is the canonical encoding of a transfer; None for anything else."""
    match = _match(raw)
    if match is None:
        return None
    # Each field after its length, or, with the prefix "n", the length itself.
    (
        n_body, body, n_any, n_message, n_sender, sender, n_recipient, recipient,
        n_coin, n_denom, denom, n_amount, amount,
        n_auth, auth, n_signer, key, sequence,
        n_fee, n_fee_coin, n_fee_denom, fee_denom, n_fee_amount, fee_amount, gas_limit, signature,
    ) = match.groups()  # fmt: skip  # one line a message
    varints = _VARINTS
    coin = 4 + len(denom) + len(amount)
    message = 6 + len(sender) + len(recipient) + coin
    fee_coin = 4 + len(fee_denom) + len(fee_amount)
    if (
        n_denom != varints[len(denom)]
        or n_amount != varints[len(amount)]
        or n_coin != varints[coin]
        or n_sender != varints[len(sender)]
        or n_recipient != varints[len(recipient)]
        or n_message != varints[message]
        or n_any != varints[31 + len(n_message) + message]
        or n_body != varints[len(body)]
        or n_signer != varints[78 if sequence is None else 79 + len(sequence)]
        or n_fee_denom != varints[len(fee_denom)]
        or n_fee_amount != varints[len(fee_amount)]
        or n_fee_coin != varints[fee_coin]
        or n_fee != varints[3 + fee_coin + len(gas_limit)]
        or n_auth != varints[len(auth)]
    ):
        return None
    return Transfer(
        body,
        auth,
        signature,
        sender,
        recipient,
        denom,
        amount,
        key,
        0 if sequence is None else _read_varint(sequence),
        fee_denom,
        fee_amount,
        _read_varint(gas_limit),
    )


# Few different gas limits and sequences occur, and they are small.
@lru_cache(maxsize=1 << 10)
def _read_varint(digits: bytes) -> int:
    return sum((digit & 0x7F) << 7 * i for i, digit in enumerate(digits))
