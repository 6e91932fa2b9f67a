"""Protobuf messages made from tables of their fields: those of a Cosmos SDK transaction.

Only numbers and types of fields are on the wire, so a table of a few lines replaces the
``.proto`` files that it was taken from, and no compiler is needed.

Field numbers and types of the transaction's messages are those of the SDK's
``cosmos/tx/v1beta1/tx.proto``, ``cosmos/base/v1beta1/coin.proto``, ``cosmos/bank/v1beta1/tx.proto``
and ``cosmos/crypto/*/keys.proto``; they can all live in one package. Fields that are left out
(tips, multi-signatures, extension options) are rejected as unknown.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_SCALARS = {
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
}


def message_classes(package: str, table: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the class of each message in ``table``, by name.

    A message is a list of fields, each with name, type and number: ``"key bytes 1, path *InnerOp
    4"``. A star means repeated. An enum is an int32 on the wire.
    """
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in table.items():
        message = file.message_type.add(name=name)
        for entry in fields.split(", "):
            field_name, kind, number = entry.split()
            field = message.field.add(name=field_name, number=int(number))
            field.label = (
                FieldDescriptorProto.LABEL_REPEATED
                if kind.startswith("*")
                else FieldDescriptorProto.LABEL_OPTIONAL
            )
            kind = kind.removeprefix("*")
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{package}.{kind}"
    # A separate pool: the names can't clash with those of another package in the process.
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    # Any: the fields of a class made at run time are unknown to a type checker.
    return {
        name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in table
    }


SIGN_MODE_DIRECT = 1
MSG_SEND_URL = "/cosmos.bank.v1beta1.MsgSend"

_CLASSES = message_classes(
    "veperf.cosmos",
    {
        "Any": "type_url string 1, value bytes 2",
        "Coin": "denom string 1, amount string 2",
        "MsgSend": "from_address string 1, to_address string 2, amount *Coin 3",
        "PubKey": "key bytes 1",
        "TxBody": "messages *Any 1, memo string 2, timeout_height uint64 3",
        "Single": "mode int32 1",
        "ModeInfo": "single Single 1",
        "SignerInfo": "public_key Any 1, mode_info ModeInfo 2, sequence uint64 3",
        "Fee": "amount *Coin 1, gas_limit uint64 2, payer string 3, granter string 4",
        "AuthInfo": "signer_infos *SignerInfo 1, fee Fee 2",
        "TxRaw": "body_bytes bytes 1, auth_info_bytes bytes 2, signatures *bytes 3",
        "SignDoc": "body_bytes bytes 1, auth_info_bytes bytes 2, chain_id string 3, "
        "account_number uint64 4",
    },
)

AnyMessage = _CLASSES["Any"]
Coin = _CLASSES["Coin"]
MsgSend = _CLASSES["MsgSend"]
PubKey = _CLASSES["PubKey"]
TxBody = _CLASSES["TxBody"]
Single = _CLASSES["Single"]
ModeInfo = _CLASSES["ModeInfo"]
SignerInfo = _CLASSES["SignerInfo"]
Fee = _CLASSES["Fee"]
AuthInfo = _CLASSES["AuthInfo"]
TxRaw = _CLASSES["TxRaw"]
SignDoc = _CLASSES["SignDoc"]
