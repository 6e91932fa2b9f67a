"""BLAKE-512, the SHA-3 finalist that circomlib derives signing keys with; BLAKE2 is another hash.

Source: Aumasson, Henzen, Meier, Phan: "SHA-3 proposal BLAKE", version 1.3 (2010), section 2.2.
"""

from struct import Struct

_MASK = (1 << 64) - 1
_BLOCK_BYTES = 128
_LENGTH_BYTES = 16
_ROUNDS = 16
_ROTATIONS = (32, 25, 16, 11)

_INITIAL = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)
"""As SHA-512's."""
_PI = (
    0x243F6A8885A308D3,
    0x13198A2E03707344,
    0xA4093822299F31D0,
    0x082EFA98EC4E6C89,
    0x452821E638D01377,
    0xBE5466CF34E90C6C,
    0xC0AC29B7C97C50DD,
    0x3F84D5B5B5470917,
    0x9216D5D98979FB1B,
    0xD1310BA698DFB5AC,
    0x2FFD72DBD01ADFB7,
    0xB8E1AFED6A267E96,
    0xBA7C9045F12C7F99,
    0x24A19947B3916CF7,
    0x0801F2E2858EFC16,
    0x636920D871574E69,
)
"""The first bits of the fractional part of pi."""
_PERMUTATIONS = tuple(
    tuple(int(digit, 16) for digit in row)
    for row in (
        "0123456789abcdef",
        "ea489fd61c02b753",
        "b8c052fdae367194",
        "7931dcbe265a40f8",
        "905724afe1bc683d",
        "2c6a0b834d75fe19",
        "c51fed4a0763928b",
        "db7ec13950f4862a",
        "6fe9b308c2d714a5",
        "a2847615fb9e3cd0",
    )
)
# Columns, then diagonals.
_QUARTERS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)
_WORDS = Struct(">16Q")
_DIGEST = Struct(">8Q")


def blake512(message: bytes) -> bytes:
    """Return the 64 bytes of BLAKE-512 of ``message``, with a salt of zeros."""
    bits = 8 * len(message)
    zeros = -(len(message) + 1 + _LENGTH_BYTES) % _BLOCK_BYTES
    padding = bytearray(b"\x80" + bytes(zeros))
    padding[-1] |= 1
    padded = message + padding + bits.to_bytes(_LENGTH_BYTES, "big")
    state: tuple[int, ...] = _INITIAL
    for start in range(0, len(padded), _BLOCK_BYTES):
        # The bits of the message up to the block's end; 0 where the block has none of them.
        counted = min(bits, 8 * (start + _BLOCK_BYTES)) if 8 * start < bits else 0
        block = _WORDS.unpack_from(padded, start)
        state = _compress(state, block, counted)
    return _DIGEST.pack(*state)


def _compress(state: tuple[int, ...], block: tuple[int, ...], counted: int) -> tuple[int, ...]:
    low, high = counted & _MASK, counted >> 64
    counter = (0, 0, 0, 0, low, low, high, high)
    v = [*state, *(a ^ b for a, b in zip(_PI, counter, strict=False))]
    for number in range(_ROUNDS):
        order = _PERMUTATIONS[number % len(_PERMUTATIONS)]
        for i, (a, b, c, d) in enumerate(_QUARTERS):
            first, second = order[2 * i], order[2 * i + 1]
            for half, word in enumerate((block[first] ^ _PI[second], block[second] ^ _PI[first])):
                v[a] = (v[a] + v[b] + word) & _MASK
                v[d] = _rotate(v[d] ^ v[a], _ROTATIONS[2 * half])
                v[c] = (v[c] + v[d]) & _MASK
                v[b] = _rotate(v[b] ^ v[c], _ROTATIONS[2 * half + 1])
    return tuple(h ^ v[i] ^ v[i + 8] for i, h in enumerate(state))


def _rotate(word: int, by: int) -> int:
    return (word >> by | word << 64 - by) & _MASK
