"""gmpy2's integers, which multiply and divide numbers of 250 bits and more several times faster.

To the type checker they are Python's, whose operators they share; nothing here asks for the class.
"""

from collections.abc import Sequence

import gmpy2  # type: ignore[import-untyped] # it carries no types

integer = gmpy2.mpz
invert = gmpy2.invert
unpack = gmpy2.unpack


def pack(values: Sequence[int], slot_bits: int) -> int:
    """As in ``plain``.

    Raises:
        ValueError: a value is negative or does not fit.
    """
    try:
        packed: int = gmpy2.pack(list(values), slot_bits)
    except TypeError as error:
        raise ValueError("a value does not fit its slot") from error
    return packed
