"""Python's own integers, for where gmpy2 is not installed."""

from collections.abc import Sequence

integer = int


def invert(value: int, modulus: int) -> int:
    """The inverse of ``value`` modulo ``modulus``.

    Raises:
        ZeroDivisionError: there is none.
    """
    try:
        return pow(value, -1, modulus)
    except ValueError as error:
        raise ZeroDivisionError("no inverse") from error


def pack(values: Sequence[int], slot_bits: int) -> int:
    """The sum of values[i] * 2^(i * slot_bits), each value from 0 to 2^slot_bits - 1.

    Raises:
        ValueError: a value is negative or does not fit.
    """
    packed = 0
    for value in reversed(values):
        if value < 0 or value >> slot_bits:
            raise ValueError("a value does not fit its slot")
        packed = packed << slot_bits | value
    return packed


def unpack(packed: int, slot_bits: int) -> list[int]:
    """The slots of a non-negative ``packed``, lowest first, up to the highest that is not 0."""
    mask = (1 << slot_bits) - 1
    values = []
    while packed:
        values.append(packed & mask)
        packed >>= slot_bits
    return values
