"""snarkjs's .wtns files: the values of all wires.

Header: field, number of values (u32). Then the values.
Source: what snarkjs 0.7 writes and reads (its ``wtns_utils``); there is no other document.
"""

from collections.abc import Sequence
from struct import Struct

from veperf.errors import CorruptFileError
from veperf.workloads.zk.interop.sections import (
    FIELD_BYTES,
    PRIME,
    read_sections,
    write_sections,
)

_MAGIC = b"wtns"
_VERSION = 2
_HEADER, _VALUES = 1, 2
_NAMES = {_HEADER: "header", _VALUES: "values"}
_COUNT = Struct("<I")


def read_wtns(data: bytes) -> list[int]:
    """The witness in a .wtns file, the constant 1 first.

    Raises:
        CorruptFileError: the file contradicts itself or its format.
        NewerFormatError: another version of the format.
        DataError: another field.
    """
    sections = read_sections(data, _MAGIC, _VERSION, _NAMES)
    for needed, name in _NAMES.items():
        if needed not in sections:
            raise CorruptFileError(f"wtns file: there is no section {name!r}")
    header = sections[_HEADER]
    header.take_prime()
    (count,) = header.take(_COUNT)
    header.end()
    values = sections[_VALUES]
    if values.left != count * FIELD_BYTES:
        raise values.corrupt(f"{values.left} bytes for {count} values")
    witness = [values.take_element() for _ in range(count)]
    if witness[:1] != [1]:
        raise values.corrupt("the first value is the constant 1")
    return witness


def write_wtns(witness: Sequence[int]) -> bytes:
    """``witness`` as a .wtns file."""
    values = [int(value).to_bytes(FIELD_BYTES, "little") for value in witness]
    sections = {_HEADER: PRIME + _COUNT.pack(len(values)), _VALUES: b"".join(values)}
    return write_sections(_MAGIC, _VERSION, sections)
