"""The protobuf messages of a Cosmos SDK transaction, made from one table.

Field numbers and types are those of the SDK's ``cosmos/tx/v1beta1/tx.proto``,
``cosmos/base/v1beta1/coin.proto``, ``cosmos/bank/v1beta1/tx.proto`` and
``cosmos/crypto/*/keys.proto``. Only they are on the wire, so the messages can all live in one
package. Fields that are left out (tips, multi-signatures, extension options) are refused as
unknown.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

SIGN_MODE_DIRECT = 1
MSG_SEND_URL = "/cosmos.bank.v1beta1.MsgSend"

_PACKAGE = "veperf.cosmos"

# Message: name, type and number of each field. A star: repeated. An enum is an int32 on the wire.
_TABLE = {
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
}
_SCALARS = {
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
}


def _make_pool() -> DescriptorPool:
    file = FileDescriptorProto(name="veperf/cosmos.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _TABLE.items():
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
                field.type_name = f".{_PACKAGE}.{kind}"
    # A pool of our own: the names can't clash with those of another package in the process.
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _make_pool()


def _message_class(name: str) -> Any:
    # Any: the fields of a class made at run time are unknown to a type checker.
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


AnyMessage = _message_class("Any")
Coin = _message_class("Coin")
MsgSend = _message_class("MsgSend")
PubKey = _message_class("PubKey")
TxBody = _message_class("TxBody")
Single = _message_class("Single")
ModeInfo = _message_class("ModeInfo")
SignerInfo = _message_class("SignerInfo")
Fee = _message_class("Fee")
AuthInfo = _message_class("AuthInfo")
TxRaw = _message_class("TxRaw")
SignDoc = _message_class("SignDoc")
