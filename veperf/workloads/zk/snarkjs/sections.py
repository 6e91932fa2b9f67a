"""The container of iden3's binary files: a magic, a version, and numbered sections.

magic (4 bytes), version (u32), number of sections (u32); for each section its type (u32), its size
(u64) and as many bytes. All numbers are little-endian.
Source: iden3, "R1CS binary format", r1csfile repository, doc/r1cs_bin_format.md.
"""

from collections.abc import Mapping
from struct import Struct, error

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError
from veperf.workloads.zk.field import R

FIELD_BYTES = 32
_HEADER = Struct("<4sII")
_SECTION = Struct("<IQ")
_PRIME_SIZE = Struct("<I")
PRIME = _PRIME_SIZE.pack(FIELD_BYTES) + int(R).to_bytes(FIELD_BYTES, "little")
"""The start of the headers of all formats: the size of a field element and the prime."""


class SectionReader:
    """Reads numbers and field elements from ``data`` in turn; messages call the data ``what``."""

    def __init__(self, data: memoryview, what: str) -> None:
        self._data = data
        self._what = what
        self._position = 0

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self._data) - self._position

    def take(self, layout: Struct) -> tuple[int, ...]:
        """Read the numbers of ``layout``.

        Raises:
            CorruptFileError: there are not as many bytes.
        """
        try:
            numbers = layout.unpack_from(self._data, self._position)
        except error:
            raise self.corrupt("ends too soon") from None
        self._position += layout.size
        return numbers

    def take_element(self) -> int:
        """Read a field element of 32 bytes.

        Raises:
            CorruptFileError: there are not as many bytes, or the value is not below the prime.
        """
        end = self._position + FIELD_BYTES
        if end > len(self._data):
            raise self.corrupt("ends too soon")
        value = int.from_bytes(self._data[self._position : end], "little")
        if value >= R:
            raise self.corrupt("a value is not below the prime")
        self._position = end
        return value

    def take_prime(self) -> None:
        """Read the size of the field's elements and its prime, and check both.

        Raises:
            CorruptFileError: there are not as many bytes.
            DataError: the field is not the scalar field of BN254.
        """
        (size,) = self.take(_PRIME_SIZE)
        if size > self.left:
            raise self.corrupt("ends too soon")
        start = self._position - _PRIME_SIZE.size
        self._position += size
        if self._data[start : self._position] != PRIME:
            raise DataError(f"{self._what}: made for another field than that of BN254")

    def end(self) -> None:
        """Check that everything was read.

        Raises:
            CorruptFileError: bytes are left.
        """
        if self.left:
            raise self.corrupt(f"{self.left} bytes too many")

    def corrupt(self, reason: str) -> CorruptFileError:
        """Return an error with the position and ``reason``."""
        return CorruptFileError(f"{self._what}, byte {self._position}: {reason}")


def read_sections(
    data: bytes, magic: bytes, version: int, names: Mapping[int, str]
) -> dict[int, SectionReader]:
    """Read the sections of a file by their type. Types that are not in ``names`` are ignored.

    Raises:
        CorruptFileError: another kind of file, a section twice, or sizes that don't fit.
        NewerFormatError: another version.
    """
    kind = magic.decode()
    reader = SectionReader(memoryview(data), f"{kind} file")
    if data[: len(magic)] != magic:
        raise reader.corrupt(f"does not begin with {kind!r}")
    if len(data) < _HEADER.size:
        raise reader.corrupt("ends too soon")
    _, file_version, count = _HEADER.unpack_from(data)
    if file_version != version:
        raise NewerFormatError(f"{kind} file: version {file_version}, only {version} is known")
    sections = {}
    position = _HEADER.size
    view = memoryview(data)
    for _ in range(count):
        if len(data) - position < _SECTION.size:
            raise CorruptFileError(f"{kind} file, byte {position}: fewer than {count} sections")
        section, size = _SECTION.unpack_from(data, position)
        position += _SECTION.size
        if size > len(data) - position:
            raise CorruptFileError(f"{kind} file, byte {position}: a section of {size} bytes")
        if section in sections:
            raise CorruptFileError(f"{kind} file, byte {position}: section {section} twice")
        name = names.get(section, f"section {section}")
        sections[section] = SectionReader(view[position : position + size], f"{kind} file, {name}")
        position += size
    if position != len(data):
        raise CorruptFileError(f"{kind} file, byte {position}: bytes after the last section")
    return sections


def write_sections(magic: bytes, version: int, sections: Mapping[int, bytes]) -> bytes:
    """Return a file with these sections."""
    parts = [_HEADER.pack(magic, version, len(sections))]
    for section, content in sections.items():
        parts += [_SECTION.pack(section, len(content)), content]
    return b"".join(parts)
