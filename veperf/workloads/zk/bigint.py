"""Big integers: gmpy2's where it is installed, Python's elsewhere; the results are the same.

gmpy2's integers multiply and divide numbers of 250 bits and more several times faster. Setting
``VEPERF_PLAIN_INTEGERS=1`` in the environment selects Python's in any case. To the type checker
both are ``int``, whose operators they share.
"""

import os
from collections.abc import Callable, Sequence

try:
    import gmpy2  # type: ignore[import-untyped] # it carries no types
except ImportError:
    gmpy2 = None


def plain_invert(value: int, modulus: int) -> int:
    """Return the inverse of ``value`` modulo ``modulus``.

    Raises:
        ZeroDivisionError: there is none.
    """
    try:
        return pow(value, -1, modulus)
    except ValueError as error:
        raise ZeroDivisionError("no inverse") from error


def plain_pack(values: Sequence[int], slot_bits: int) -> int:
    """Return the sum of values[i] * 2^(i * slot_bits), each value from 0 to 2^slot_bits - 1.

    Raises:
        ValueError: a value is negative or does not fit.
    """
    packed = 0
    for value in reversed(values):
        if value < 0 or value >> slot_bits:
            raise ValueError("a value does not fit its slot")
        packed = packed << slot_bits | value
    return packed


def plain_unpack(packed: int, slot_bits: int) -> list[int]:
    """Return the slots of a non-negative ``packed``, lowest first, without leading zeros."""
    mask = (1 << slot_bits) - 1
    values = []
    while packed:
        values.append(packed & mask)
        packed >>= slot_bits
    return values


def gmpy2_pack(values: Sequence[int], slot_bits: int) -> int:
    """Pack ``values`` as :func:`plain_pack` does.

    Raises:
        ValueError: a value is negative or does not fit.
    """
    try:
        packed: int = gmpy2.pack(list(values), slot_bits)
    except TypeError as error:
        raise ValueError("a value does not fit its slot") from error
    return packed


PLAIN = gmpy2 is None or os.environ.get("VEPERF_PLAIN_INTEGERS") == "1"
"""True where Python's integers are in use."""
integer: Callable[[int], int] = int if PLAIN else gmpy2.mpz
invert: Callable[[int, int], int] = plain_invert if PLAIN else gmpy2.invert
pack: Callable[[Sequence[int], int], int] = plain_pack if PLAIN else gmpy2_pack
unpack: Callable[[int, int], list[int]] = plain_unpack if PLAIN else gmpy2.unpack


def batch_inverse(values: Sequence[int], modulus: int) -> list[int]:
    """Return the inverses of ``values`` modulo ``modulus``, in their order (Montgomery's trick).

    It costs one inversion and three products a value.

    Raises:
        ZeroDivisionError: one has no inverse.
    """
    product = integer(1)
    before = []
    for value in values:
        before.append(product)
        product = product * value % modulus
    inverse = invert(product, modulus)
    inverses = []
    for value in reversed(values):
        inverses.append(inverse * before.pop() % modulus)
        inverse = inverse * value % modulus
    inverses.reverse()
    return inverses


def non_adjacent_form(number: int) -> list[int]:
    """Return the signed binary digits of a non-negative ``number``, lowest first.

    Digits are -1, 0 and 1, and of two neighbours at least one is 0; no other signed binary digits
    of ``number`` have more zeros (Reitwiesner 1960).
    """
    # Digit i is bit i + 1 of 3n less bit i + 1 of n.
    triple = 3 * number
    plus = triple & ~number
    minus = number & ~triple
    return [(plus >> i & 1) - (minus >> i & 1) for i in range(1, int(triple).bit_length())]
