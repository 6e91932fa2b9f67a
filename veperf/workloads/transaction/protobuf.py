"""Protobuf message classes, made from a table of their fields.

Only numbers and types of fields are on the wire, so a table a few lines long stands for the
``.proto`` files that it was taken from, and no compiler is needed.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_SCALARS = {
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
}


def message_classes(package: str, table: Mapping[str, str]) -> Mapping[str, Any]:
    """The class of each message in ``table``, by name.

    A message is its fields, each with name, type and number: ``"key bytes 1, path *InnerOp 4"``.
    A star: repeated. An enum is an int32 on the wire.
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
    # A pool of its own: the names can't clash with those of another package in the process.
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    # Any: the fields of a class made at run time are unknown to a type checker.
    return {
        name: GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in table
    }
