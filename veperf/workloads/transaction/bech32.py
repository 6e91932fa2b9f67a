"""Bech32, the text form of addresses (BIP-173)."""

from base64 import b32encode
from functools import lru_cache, reduce
from operator import getitem, xor

_CHARSET = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_INVALID = 0xFF
_MAX_LENGTH = 90
_CHECKSUM_LENGTH = 6
_CHECKSUM_SHIFTS = (25, 20, 15, 10, 5, 0)

_VALUES = bytes(_CHARSET.find(c) if c in _CHARSET else _INVALID for c in range(256))
_LETTERS = _CHARSET.ljust(256, b"?")
# The same bits a symbol as in RFC 4648's base 32, in another alphabet.
_RFC4648_VALUES = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", bytes(range(32)))
# int() reads base 32 at the speed of C, but with these digits.
_DIGITS = bytes.maketrans(_CHARSET, b"0123456789abcdefghijklmnopqrstuv")


class Bech32Error(ValueError):
    """The text is not bech32."""


def bech32_encode(prefix: str, data: bytes) -> str:
    """Encode ``data`` in bech32 with the human-readable ``prefix``.

    Raises:
        Bech32Error: the result would be longer than 90 characters, or the prefix is not allowed.
    """
    values = b32encode(data).rstrip(b"=").translate(_RFC4648_VALUES)
    checksum = _checksum(prefix, values + bytes(_CHECKSUM_LENGTH)) ^ 1
    values += bytes([checksum >> shift & 31 for shift in _CHECKSUM_SHIFTS])
    text = prefix + "1" + values.translate(_LETTERS).decode()
    if len(text) > _MAX_LENGTH:
        raise Bech32Error(f"{len(data)} bytes are too many for bech32 with prefix {prefix!r}")
    return text


def bech32_decode(text: str) -> tuple[str, bytes]:
    """Return the prefix, in lower case, and the data of a bech32 ``text``.

    Raises:
        Bech32Error: wrong checksum, length, character or padding, or mixed case.
    """
    lower = text.lower()
    if text != lower and text != text.upper():
        raise Bech32Error(f"{text!r} mixes upper and lower case")
    prefix, separator, data = lower.rpartition("1")
    if (
        not separator
        or len(data) < _CHECKSUM_LENGTH
        or len(text) > _MAX_LENGTH
        or not text.isascii()
    ):
        raise Bech32Error(f"{text[:100]!r} does not have the form of bech32")
    letters = data.encode()
    values = letters.translate(_VALUES)
    if _INVALID in values:
        raise Bech32Error(f"{text!r} has a character that bech32 does not use")
    if _checksum(prefix, values) != 1:
        raise Bech32Error(f"{text!r} has a wrong checksum: a character is mistyped")
    count = len(values) - _CHECKSUM_LENGTH
    if not count:
        return prefix, b""
    number = int(letters[:count].translate(_DIGITS), 32)
    length, padding = divmod(5 * count, 8)
    if padding > 4 or number & (1 << padding) - 1:
        raise Bech32Error(f"{text!r} is not padded with zeros to a whole number of bytes")
    return prefix, (number >> padding).to_bytes(length, "big")


def _checksum(prefix: str, values: bytes) -> int:
    """Return the checksum polynomial of BIP-173 over ``prefix`` and ``values``.

    It is linear: a symbol's contribution depends only on its value and position.
    """
    return reduce(xor, map(getitem, _PLACES, values[::-1]), _prefix_state(prefix, len(values)))


def _step(state: int) -> int:
    """Advance BIP-173's polymod by a symbol of 0."""
    state, top = (state & 0x1FFFFFF) << 5, state >> 25
    for bit, generator in enumerate(_GENERATOR):
        if top >> bit & 1:
            state ^= generator
    return state


def _places() -> list[list[int]]:
    """Return each symbol's contribution, by its position from the end and its value."""
    places = [list(range(32))]
    while len(places) < _MAX_LENGTH:
        places.append([_step(state) for state in places[-1]])
    return places


_PLACES = _places()


@lru_cache(maxsize=1 << 8)
def _prefix_state(prefix: str, following: int) -> int:
    if not prefix or prefix != prefix.lower() or not all("!" <= c <= "~" for c in prefix):
        raise Bech32Error(f"{prefix!r} can't be the prefix of a bech32 text")
    letters = prefix.encode()
    state = 1
    for value in bytes(c >> 5 for c in letters) + b"\0" + bytes(c & 31 for c in letters):
        state = _step(state) ^ value
    for _ in range(following):
        state = _step(state)
    return state
