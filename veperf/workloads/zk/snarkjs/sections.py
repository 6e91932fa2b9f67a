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
_OTHERS = {
    "bls12-381": (
        0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001,
        0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB,
    ),
    "goldilocks": (0xFFFFFFFF00000001,),
    "bls12-377": (0x12AB655E9A2CA55660B44D1E5C37B00159AA76FED00000010A11800000000001,),
    "secq256r1": (0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,),
    "pallas": (0x40000000000000000000000000000000224698FC0994A8DD8C46EB2100000001,),
    "vesta": (0x40000000000000000000000000000000224698FC094CF91B992D30ED00000001,),
}
"""Primes of other curves and fields that these formats are used with, as circom names them."""


def prime_header(prime: int) -> bytes:
    """Return the size of a field element and the prime, as headers have them."""
    return _PRIME_SIZE.pack(FIELD_BYTES) + int(prime).to_bytes(FIELD_BYTES, "little")


PRIME = prime_header(R)
"""The start of the headers of most formats."""


class SectionReader:
    """Reads numbers and field elements from ``data`` in turn; messages call the data ``what``."""

    def __init__(self, data: memoryview, what: str) -> None:
        self._data = data
        self.what = what
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

    def take_bytes(self, count: int) -> memoryview:
        """Read ``count`` bytes.

        Raises:
            CorruptFileError: there are not as many.
        """
        if count > self.left:
            raise self.corrupt("ends too soon")
        self._position += count
        return self._data[self._position - count : self._position]

    def view(self, start: int, count: int) -> memoryview:
        """Return ``count`` bytes from ``start`` on, whatever was read before.

        Raises:
            CorruptFileError: there are not as many.
        """
        if start + count > len(self._data):
            raise self.corrupt("ends too soon")
        return self._data[start : start + count]

    def take_prime(self, prime: int = R) -> None:
        """Read the size of the field's elements and its prime, and check both.

        Raises:
            CorruptFileError: there are not as many bytes.
            DataError: the field is another one; the message names it where it is known.
        """
        (size,) = self.take(_PRIME_SIZE)
        value = int.from_bytes(self.take_bytes(size), "little")
        if size != FIELD_BYTES or value != prime:
            named = [name for name, primes in _OTHERS.items() if value in primes]
            field = f"{named[0]}, another field" if named else "another field"
            raise DataError(f"{self.what}: made for {field} than that of BN254 (bn128)")

    def end(self) -> None:
        """Check that everything was read.

        Raises:
            CorruptFileError: bytes are left.
        """
        if self.left:
            raise self.corrupt(f"{self.left} bytes too many")

    def corrupt(self, reason: str) -> CorruptFileError:
        """Return an error with the position and ``reason``."""
        return CorruptFileError(f"{self.what}, byte {self._position}: {reason}")


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
