"""Poseidon's parameters as circomlib has them: rounds, round constants and the MDS matrix."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from veperf.workloads.zk.field import R

_STATE_BITS = 80
_TAPS = (62, 51, 38, 23, 13, 0)
# The highest tap leaves 80 - 62 bits that depend on none of each other.
_STEP_BITS = _STATE_BITS - max(_TAPS)
_STEP_MASK = (1 << _STEP_BITS) - 1
_WARM_UP_BITS = 160
_PRIME_FIELD = 1
_POWER_S_BOX = 0


def elements(
    modulus: int, width: int, full_rounds: int, partial_rounds: int
) -> Iterator[tuple[int, bool]]:
    """Numbers of as many bits as ``modulus``, first bit highest, and whether each is below it.

    The register starts with, first bit first: field (2 bits), S-box (4), bits of the modulus (12),
    ``width`` (12), ``full_rounds`` (10), ``partial_rounds`` (10), and 30 ones.
    """
    size = modulus.bit_length()
    fields = (
        f"{_PRIME_FIELD:02b}{_POWER_S_BOX:04b}{size:012b}{width:012b}"
        f"{full_rounds:010b}{partial_rounds:010b}{'1' * 30}"
    )
    bits = _shrunk(_register(fields))
    while True:
        number = 0
        for _ in range(size):
            number = number << 1 | next(bits)
        yield number, number < modulus


def _register(start: str) -> Iterator[int]:
    """The bits of the register after its warm-up: b[i+80] = b[i+62] ^ b[i+51] ^ ... ^ b[i]."""
    state = int(start[::-1], 2)  # b[i] at bit 0
    position = 0
    while True:
        new = 0
        for tap in _TAPS:
            new ^= state >> tap
        new &= _STEP_MASK
        state = (state >> _STEP_BITS) | new << (_STATE_BITS - _STEP_BITS)
        for i in range(_STEP_BITS):
            if position >= _WARM_UP_BITS:
                yield new >> i & 1
            position += 1


def _shrunk(bits: Iterator[int]) -> Iterator[int]:
    """Of each pair of bits the second, where the first is 1."""
    for chosen, bit in zip(bits, bits, strict=False):
        if chosen:
            yield bit


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
    stream = elements(R, width, FULL_ROUNDS, partial_rounds)
    below = (number for number, is_below in stream if is_below)
    constants = tuple(tuple(islice(below, width)) for _ in range(rounds))
    return Parameters(width, partial_rounds, constants, _cauchy(stream, width))


def _cauchy(stream: Iterator[tuple[int, bool]], width: int) -> Matrix:
    while True:
        numbers = [number % R for number, _ in islice(stream, 2 * width)]
        xs, ys = numbers[:width], numbers[width:]
        if len(set(numbers)) == len(numbers) and all((x + y) % R for x in xs for y in ys):
            return tuple(tuple(pow(x + y, -1, R) for y in ys) for x in xs)
