"""RIPEMD-160 in Python, for machines whose OpenSSL disables it.

Notation and constants: Dobbertin, Bosselaers, Preneel, "RIPEMD-160: a strengthened version of
RIPEMD" (1996), section 2 and appendix A. About 100 times slower than OpenSSL's.
"""

import struct

_MASK = 0xFFFFFFFF
_LEFT_K = (0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_RIGHT_K = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000)
_RHO = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
# By round, then by word (not by step).
_SHIFTS = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7),
    (13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9),
    (14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6),
    (15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5),
)
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)


def ripemd160(data: bytes) -> bytes:
    """Return the 20-byte digest of ``data``."""
    padding = b"\x80" + b"\0" * ((55 - len(data)) % 64)
    padded = data + padding + struct.pack("<Q", 8 * len(data))
    state: tuple[int, ...] = _START
    for offset in range(0, len(padded), 64):
        state = _compress(state, struct.unpack_from("<16I", padded, offset))
    return struct.pack("<5I", *state)


def _compress(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
    left, right = state, state
    left_order = list(range(16))
    right_order = [(9 * i + 5) % 16 for i in range(16)]
    for turn in range(5):
        for word in left_order:
            add = words[word] + _LEFT_K[turn]
            left = _step(left, turn, add, _SHIFTS[turn][word])
        for word in right_order:
            add = words[word] + _RIGHT_K[turn]
            right = _step(right, 4 - turn, add, _SHIFTS[turn][word])
        left_order = [_RHO[i] for i in left_order]
        right_order = [_RHO[i] for i in right_order]
    a, b, c, d, e = left
    aa, bb, cc, dd, ee = right
    h0, h1, h2, h3, h4 = state
    mixed = (h1 + c + dd, h2 + d + ee, h3 + e + aa, h4 + a + bb, h0 + b + cc)
    return tuple(h & _MASK for h in mixed)


def _step(state: tuple[int, ...], function: int, add: int, shift: int) -> tuple[int, ...]:
    a, b, c, d, e = state
    total = (a + _mix(function, b, c, d) + add) & _MASK
    return e, (_rotate(total, shift) + e) & _MASK, b, _rotate(c, 10), d


def _mix(function: int, x: int, y: int, z: int) -> int:
    if function == 0:
        return x ^ y ^ z
    if function == 1:
        return (x & y) | (~x & z)
    if function == 2:
        return (x | (~y & _MASK)) ^ z
    if function == 3:
        return (x & z) | (y & ~z)
    return x ^ (y | (~z & _MASK))


def _rotate(x: int, by: int) -> int:
    return (x << by | x >> (32 - by)) & _MASK
