"""Sections of snarkjs's binary files, to be damaged."""

from struct import unpack_from


def section(data: bytes, number: int) -> tuple[int, int]:
    """Return the offset of the content of section ``number``, and its size."""
    position = 12
    while True:
        kind, size = unpack_from("<IQ", data, position)
        position += 12
        if kind == number:
            return position, size
        position += size
