"""Signed binary digits of a scalar."""


def non_adjacent_form(number: int) -> list[int]:
    """The digits -1, 0 and 1 of a non-negative ``number``, lowest first, no two neighbours not 0.

    No other signed binary digits of it have more zeros (Reitwiesner 1960).
    """
    # Digit i is bit i + 1 of 3n less bit i + 1 of n.
    triple = 3 * number
    plus = triple & ~number
    minus = number & ~triple
    return [(plus >> i & 1) - (minus >> i & 1) for i in range(1, int(triple).bit_length())]
