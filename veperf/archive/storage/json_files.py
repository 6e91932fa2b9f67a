"""JSON files in a storage."""

from typing import TypeVar

from veperf.archive.files import decode_json, encode_json
from veperf.archive.storage.base import Storage

T = TypeVar("T")


def read_document(
    storage: Storage, name: str, kind: type[T], *, newest_format: int | None = None
) -> T:
    """The ``kind`` in a JSON file, every field checked against its type.

    Raises:
        CorruptFileError: it is not there, is no JSON, or is no ``kind``.
        NewerFormatError: its ``format`` is beyond ``newest_format``.
        StorageError: there is no way to it.
    """
    data = storage.read(name)
    return decode_json(data, storage.where(name), kind, newest_format=newest_format)


def write_document(storage: Storage, name: str, value: object) -> None:
    """Write ``value`` as indented JSON, whole or not at all.

    Raises:
        StorageError: it can't be written.
    """
    storage.write(name, encode_json(value))
