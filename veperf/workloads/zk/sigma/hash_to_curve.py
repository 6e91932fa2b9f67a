"""Hashing to G1 as gnark-crypto's ``HashToG1``: RFC 9380 with SHA-256 and the SvdW map.

The map is that of Shallue and van de Woestijne (RFC 9380, section 6.6.1) with Z = 1; G1 has
cofactor 1, so that the sum of two mapped field elements is in the group.
"""

from hashlib import sha256

from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.curve.g1 import B, G1Point, g1_add
from veperf.workloads.zk.field import P, fp_square_root

_BLOCK_BYTES, _DIGEST_BYTES = 64, 32
_ELEMENT_BYTES = 48  # 16 more than P has: the remainder is uniform to within 2^-128
_MAX_DST = 255

_Z = 1
_C1 = _Z**3 + B  # g(Z)
_C2 = -_Z * invert(2, P) % P
_C4 = -4 * _C1 * invert(3 * _Z**2, P) % P


def expand_message_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """Return ``length`` uniform bytes (RFC 9380, section 5.3.1, with SHA-256).

    Raises:
        ValueError: the domain separation tag ``dst`` or the result is too long.
    """
    blocks = -(-length // _DIGEST_BYTES)
    if len(dst) > _MAX_DST or blocks > 255:
        raise ValueError("at most 255 bytes of domain separation tag, and 8,160 of output")
    tag = dst + bytes([len(dst)])
    first = sha256(bytes(_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\0" + tag).digest()
    block = sha256(first + b"\1" + tag).digest()
    output = block
    for number in range(2, blocks + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = sha256(mixed + bytes([number]) + tag).digest()
        output += block
    return output[:length]


def hash_to_g1(message: bytes, dst: bytes) -> G1Point:
    """Return the point of G1 that ``message`` hashes to, under the domain separation tag ``dst``.

    Raises:
        ValueError: the tag is too long.
    """
    uniform = expand_message_xmd(message, dst, 2 * _ELEMENT_BYTES)
    first, second = (
        int.from_bytes(uniform[at : at + _ELEMENT_BYTES], "big") % P for at in (0, _ELEMENT_BYTES)
    )
    return g1_add(map_to_g1(first), map_to_g1(second))


def map_to_g1(u: int) -> tuple[int, int]:
    """Return the point that the SvdW map takes the field element ``u`` to."""
    scaled = u * u * _C1
    minus, plus = (1 - scaled) % P, (1 + scaled) % P
    product = minus * plus % P
    inverse = invert(product, P) if product else 0  # RFC 9380's inv0
    shift = u * minus * inverse * _C3 % P
    candidates = (_C2 - shift, _C2 + shift, _Z + _C4 * (plus * plus * inverse) ** 2)
    x, y = next((x % P, y) for x in candidates if (y := fp_square_root(x**3 + B)) is not None)
    return integer(x), integer(y if y % 2 == u % 2 else -y % P)


def _c3() -> int:
    root = fp_square_root(-_C1 * 3 * _Z**2)
    assert root is not None, "Z is chosen so that it exists"
    return -root % P if root % 2 else root


_C3 = _c3()
