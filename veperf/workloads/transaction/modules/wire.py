"""Protobuf messages of transactions with any messages, signers and signatures.

Field numbers and types are those of the SDK's ``cosmos/tx/v1beta1/tx.proto``,
``cosmos/crypto/multisig/*``, ``cosmos/bank/v1beta1/tx.proto``, ``cosmos/staking/v1beta1`` and
``cosmos/feegrant/v1beta1/feegrant.proto``. A oneof is several fields, of which a reader must find
exactly one. Of a Validator only the fields that delegations touch are there.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from veperf.workloads.transaction.codec import Coin as CoinAmount
from veperf.workloads.transaction.codec import parse_message
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.protobuf import message_classes

SIGN_MODE_DIRECT = 1
SIGN_MODE_LEGACY_AMINO_JSON = 127

_CLASSES = message_classes(
    "veperf.modules",
    {
        "Any": "type_url string 1, value bytes 2",
        "Coin": "denom string 1, amount string 2",
        "Timestamp": "seconds int64 1, nanos int32 2",
        "Duration": "seconds int64 1, nanos int32 2",
        # Transactions
        "TxBody": "messages *Any 1, memo string 2, timeout_height uint64 3, "
        "extension_options *Any 1023, non_critical_extension_options *Any 2047",
        "Single": "mode int32 1",
        "CompactBitArray": "extra_bits_stored uint32 1, elems bytes 2",
        "Multi": "bitarray CompactBitArray 1, mode_infos *ModeInfo 2",
        "ModeInfo": "single Single 1, multi Multi 2",
        "SignerInfo": "public_key Any 1, mode_info ModeInfo 2, sequence uint64 3",
        "Fee": "amount *Coin 1, gas_limit uint64 2, payer string 3, granter string 4",
        "AuthInfo": "signer_infos *SignerInfo 1, fee Fee 2",
        "LegacyAminoPubKey": "threshold uint32 1, public_keys *Any 2",
        "MultiSignature": "signatures *bytes 1",
        # Messages
        "MsgSend": "from_address string 1, to_address string 2, amount *Coin 3",
        "Input": "address string 1, coins *Coin 2",
        "Output": "address string 1, coins *Coin 2",
        "MsgMultiSend": "inputs *Input 1, outputs *Output 2",
        "MsgDelegate": "delegator_address string 1, validator_address string 2, amount Coin 3",
        "MsgUndelegate": "delegator_address string 1, validator_address string 2, amount Coin 3",
        # State
        "Validator": "operator_address string 1, status int32 4, tokens string 5, "
        "delegator_shares string 6",
        "Delegation": "delegator_address string 1, validator_address string 2, shares string 3",
        "UnbondingDelegationEntry": "creation_height int64 1, completion_time Timestamp 2, "
        "initial_balance string 3, balance string 4",
        "UnbondingDelegation": "delegator_address string 1, validator_address string 2, "
        "entries *UnbondingDelegationEntry 3",
        "DVPair": "delegator_address string 1, validator_address string 2",
        "DVPairs": "pairs *DVPair 1",
        "BasicAllowance": "spend_limit *Coin 1, expiration Timestamp 2",
        "PeriodicAllowance": "basic BasicAllowance 1, period Duration 2, "
        "period_spend_limit *Coin 3, period_can_spend *Coin 4, period_reset Timestamp 5",
        "AllowedMsgAllowance": "allowance Any 1, allowed_messages *string 2",
        "Grant": "granter string 1, grantee string 2, allowance Any 3",
    },
)

AnyMessage = _CLASSES["Any"]
Coin = _CLASSES["Coin"]
Timestamp = _CLASSES["Timestamp"]
TxBody = _CLASSES["TxBody"]
CompactBitArray = _CLASSES["CompactBitArray"]
ModeInfo = _CLASSES["ModeInfo"]
AuthInfo = _CLASSES["AuthInfo"]
LegacyAminoPubKey = _CLASSES["LegacyAminoPubKey"]
MultiSignature = _CLASSES["MultiSignature"]
MsgSend = _CLASSES["MsgSend"]
MsgMultiSend = _CLASSES["MsgMultiSend"]
MsgDelegate = _CLASSES["MsgDelegate"]
MsgUndelegate = _CLASSES["MsgUndelegate"]
Validator = _CLASSES["Validator"]
Delegation = _CLASSES["Delegation"]
UnbondingDelegation = _CLASSES["UnbondingDelegation"]
DVPairs = _CLASSES["DVPairs"]
BasicAllowance = _CLASSES["BasicAllowance"]
PeriodicAllowance = _CLASSES["PeriodicAllowance"]
AllowedMsgAllowance = _CLASSES["AllowedMsgAllowance"]
Grant = _CLASSES["Grant"]


def wire_coins(coins: Iterable[CoinAmount]) -> list[Any]:
    """Return coins as protobuf messages."""
    return [Coin(denom=coin.denom, amount=str(coin.amount)) for coin in coins]


def parse_body_message(kind: Any, data: bytes) -> tuple[Any, bool]:
    """Parse a TxBody or one of its messages; return it, and if it has fields that are ignored.

    As in the SDK's ``codec/unknownproto``, an unknown field is critical, and refused, unless the
    bit 11 of its number is set: 1024 to 2047 and so on are for what a chain may ignore.

    Raises:
        TransactionRefused: ``MALFORMED``.
    """
    try:
        message = kind.FromString(data)
    except DecodeError:
        return parse_message(kind, data), False  # raises
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() == size:
        return message, False
    if _has_critical(kind.FromString(data)):
        raise TransactionRefused(
            Code.MALFORMED, f"{kind.DESCRIPTOR.name} has a field that is not supported"
        )
    return message, True


def _has_critical(message: Any) -> bool:
    known = {field.number for field in message.DESCRIPTOR.fields}
    unknown = UnknownFieldSet(message)
    for place in range(len(unknown)):
        number = unknown[place].field_number
        # One with a known number has another wire type.
        if number in known or not number >> 10 & 1:
            return True
    for field, value in message.ListFields():
        if field.message_type is not None:
            parts = [value] if hasattr(value, "DESCRIPTOR") else value
            if any(map(_has_critical, parts)):
                return True
    return False
