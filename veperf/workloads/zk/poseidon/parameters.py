"""Poseidon's parameters as circomlib has them: rounds, round constants and the MDS matrix."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import grain

FULL_ROUNDS = 8
"""R_F: half of them before the partial rounds, half after."""
# R_P for width t = 2 ... 17, as the paper's script gives them for 128 bits of security and x^5.
_PARTIAL_ROUNDS = (56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68)
MIN_WIDTH = 2
MAX_WIDTH = MIN_WIDTH + len(_PARTIAL_ROUNDS) - 1

Vector = tuple[int, ...]
Matrix = tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """One instance of the permutation over the scalar field."""

    width: int
    """t, elements of the state."""
    partial_rounds: int
    """R_P."""
    constants: Matrix
    """R_F + R_P rows of ``width``: what each round adds to the state before its S-boxes."""
    mds: Matrix
    """``width`` x ``width``: what multiplies the state, a column, at the end of each round."""


@cache
def parameters(width: int) -> Parameters:
    """The instance with a state of ``width`` elements.

    The first numbers of the Grain stream, those not below the modulus left out, are the round
    constants. The next 2t, reduced, are x and y of the Cauchy matrix M[i][j] = 1/(x_i + y_j).

    Raises:
        ValueError: there is no instance of this width.
    """
    if not MIN_WIDTH <= width <= MAX_WIDTH:
        raise ValueError(f"Poseidon has widths {MIN_WIDTH} to {MAX_WIDTH}, not {width}")
    partial_rounds = _PARTIAL_ROUNDS[width - MIN_WIDTH]
    rounds = FULL_ROUNDS + partial_rounds
    stream = grain.elements(R, width, FULL_ROUNDS, partial_rounds)
    below = (number for number, is_below in stream if is_below)
    constants = tuple(tuple(islice(below, width)) for _ in range(rounds))
    return Parameters(width, partial_rounds, constants, _cauchy(stream, width))


def _cauchy(stream: Iterator[tuple[int, bool]], width: int) -> Matrix:
    while True:
        numbers = [number % R for number, _ in islice(stream, 2 * width)]
        xs, ys = numbers[:width], numbers[width:]
        if len(set(numbers)) == len(numbers) and all((x + y) % R for x in xs for y in ys):
            return tuple(tuple(pow(x + y, -1, R) for y in ys) for x in xs)
