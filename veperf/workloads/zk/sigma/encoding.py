"""VirtEngine's encoding of proofs: byte 1, then fields; strings and lists with their lengths.

A length or count is 4 bytes, big-endian. Go's reader lets a last field be cut short, fills it with
zeros, and ignores what follows the end; here both are refused.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from veperf.core.errors import CorruptFileError, NewerFormatError

VERSION = b"\1"
_COUNT_BYTES = 4
_Part = TypeVar("_Part")


def write_string(data: bytes) -> bytes:
    """Return ``data`` with its length before it."""
    return len(data).to_bytes(_COUNT_BYTES, "big") + data


def write_list(parts: Sequence[bytes]) -> bytes:
    """Return encoded ``parts`` with their count before them."""
    return len(parts).to_bytes(_COUNT_BYTES, "big") + b"".join(parts)


class ProofReader:
    """Reads the fields of an encoded proof in order."""

    def __init__(self, data: bytes) -> None:
        """Read the version.

        Raises:
            CorruptFileError: there is none.
            NewerFormatError: it is another one.
        """
        self._data = data
        self._at = 0
        if (version := self.take(1)) != VERSION:
            raise NewerFormatError(f"a proof of version {version[0]}; only version 1 is read")

    def take(self, length: int) -> bytes:
        """Return the next bytes.

        Raises:
            CorruptFileError: there are fewer.
        """
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise CorruptFileError(f"the proof is cut off after {len(self._data)} bytes")
        self._at += length
        return taken

    def number(self, length: int = _COUNT_BYTES) -> int:
        """Return the next number, of ``length`` bytes."""
        return int.from_bytes(self.take(length), "big")

    def string(self) -> bytes:
        """Return the next string."""
        return self.take(self.number())

    def list(self, read: Callable[[], _Part]) -> list[_Part]:
        """Return the next list, each part of it by ``read``, which takes some bytes or fails."""
        return [read() for _ in range(self.number())]

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            CorruptFileError: something does.
        """
        if self._at < len(self._data):
            raise CorruptFileError(f"{len(self._data) - self._at} bytes follow the proof")
