"""The Poseidon hash over the scalar field of BN254, with circomlib's parameters.

The permutation is computed as S-boxes with affine maps between them, worked out once for each
width. A partial round puts one element through the S-box, so most of what it multiplies by M was
linear before and stays linear. With M the MDS matrix, e the first unit vector, D the identity with
a 0 in the first place, and z_k the output of the S-box of partial round k, the state before round n
is

    (M D)^n s + sum over k < n of (M D)^(n-1-k) M e z_k + constants,

s being the state before the first partial round. So the input of every S-box, and the state after
the last, are sums of the same few values with known factors. The partial rounds are cut into
blocks, each with an s of its own: longer ones take more products, shorter ones more reductions.

Vectors are packed into one long number, element i at bit i * ``SLOT_BITS``: a vector times a
scalar is then one product of integers. Nothing is reduced before it is unpacked.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from operator import index, mul

from veperf.workloads.zk.bigint import integer, pack, unpack
from veperf.workloads.zk.field import R

# ---------------------------------------------------------------- parameters

_STATE_BITS = 80
_TAPS = (62, 51, 38, 23, 13, 0)
# The highest tap leaves 80 - 62 bits that don't depend on each other.
_STEP_BITS = _STATE_BITS - max(_TAPS)
_STEP_MASK = (1 << _STEP_BITS) - 1
_WARM_UP_BITS = 160
_PRIME_FIELD = 1
_POWER_S_BOX = 0


def grain_stream(
    modulus: int, width: int, full_rounds: int, partial_rounds: int
) -> Iterator[tuple[int, bool]]:
    """Generate the numbers of the Grain stream, and whether each is below ``modulus``.

    A number has as many bits as ``modulus``, first bit highest. The register starts with, first bit
    first: field (2 bits), S-box (4), bits of the modulus (12), ``width`` (12), ``full_rounds``
    (10), ``partial_rounds`` (10), and 30 ones.
    """
    size = modulus.bit_length()
    fields = (
        f"{_PRIME_FIELD:02b}{_POWER_S_BOX:04b}{size:012b}{width:012b}"
        f"{full_rounds:010b}{partial_rounds:010b}{'1' * 30}"
    )
    blocks = _register(fields)
    bits = ""
    while True:
        while len(bits) < size:
            bits += next(blocks)
        number = int(bits[:size], 2)
        bits = bits[size:]
        yield number, number < modulus


# For six bits of the register, the first lowest: the second bit of each pair whose first is 1.
_SELF_SHRUNK = tuple(
    "".join(str(six >> i + 1 & 1) for i in (0, 2, 4) if six >> i & 1) for six in range(64)
)


def _register(start: str) -> Iterator[str]:
    """Generate the register's bits after its warm-up, a few at a time, in text, self-shrunk.

    b[i+80] = b[i+62] ^ b[i+51] ^ ... ^ b[i]
    """
    state = int(start[::-1], 2)  # b[i] at bit 0
    position = 0
    while True:
        new = 0
        for tap in _TAPS:
            new ^= state >> tap
        new &= _STEP_MASK
        state = (state >> _STEP_BITS) | new << (_STATE_BITS - _STEP_BITS)
        position += _STEP_BITS
        if position > _WARM_UP_BITS:
            # Pairs begin at even bits, and so do steps and the end of the warm-up.
            new &= -1 << max(0, _WARM_UP_BITS + _STEP_BITS - position)
            yield _SELF_SHRUNK[new & 63] + _SELF_SHRUNK[new >> 6 & 63] + _SELF_SHRUNK[new >> 12]


FULL_ROUNDS = 8
"""R_F: half of them before the partial rounds, half after."""
# R_P for width t = 2 ... 17, as the paper's script gives them for 128 bits of security and x^5.
_PARTIAL_ROUNDS = (56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68)
MIN_WIDTH = 2
MAX_WIDTH = MIN_WIDTH + len(_PARTIAL_ROUNDS) - 1

Vector = tuple[int, ...]
Matrix = tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class PoseidonParameters:
    """Parameters of the permutation over the scalar field with a state of one width."""

    width: int
    """t, elements of the state."""
    partial_rounds: int
    """R_P."""
    constants: Matrix
    """R_F + R_P rows of ``width``: the round constants, added to the state before the S-boxes."""
    mds: Matrix
    """``width`` x ``width``: multiplies the state, a column, at the end of each round."""


@cache
def poseidon_parameters(width: int) -> PoseidonParameters:
    """Return the parameters for a state of ``width`` elements.

    The first numbers of the Grain stream, those not below the modulus left out, are the round
    constants. The next 2t, reduced, are x and y of the Cauchy matrix M[i][j] = 1/(x_i + y_j).

    Raises:
        ValueError: there is no instance of this width.
    """
    if not MIN_WIDTH <= width <= MAX_WIDTH:
        raise ValueError(f"Poseidon has widths {MIN_WIDTH} to {MAX_WIDTH}, not {width}")
    partial_rounds = _PARTIAL_ROUNDS[width - MIN_WIDTH]
    rounds = FULL_ROUNDS + partial_rounds
    stream = grain_stream(R, width, FULL_ROUNDS, partial_rounds)
    below = (number for number, is_below in stream if is_below)
    constants = tuple(tuple(islice(below, width)) for _ in range(rounds))
    return PoseidonParameters(width, partial_rounds, constants, _cauchy_matrix(stream, width))


def _cauchy_matrix(stream: Iterator[tuple[int, bool]], width: int) -> Matrix:
    while True:
        numbers = [number % R for number, _ in islice(stream, 2 * width)]
        xs, ys = numbers[:width], numbers[width:]
        if len(set(numbers)) == len(numbers) and all((x + y) % R for x in xs for y in ys):
            return tuple(tuple(pow(x + y, -1, R) for y in ys) for x in xs)


# ---------------------------------------------------------------- affine maps between the S-boxes

_HALF_FULL_ROUNDS = FULL_ROUNDS // 2
_MAX_TERMS = 1 << 7
"""A bound on the terms of a slot; the widest state has 17 elements, 36 S-boxes and a constant."""
SLOT_BITS = int((_MAX_TERMS * R * R).bit_length())


@dataclass(frozen=True, slots=True)
class AffineMap:
    """The map from b to ``constants`` + the sum of b[j] * ``columns[j]``."""

    constants: Vector
    """In [1, r], never 0, so that a packed result has no empty slot at its end."""
    columns: Matrix
    packed_constants: int
    packed_columns: Vector

    def apply(self, values: Sequence[int]) -> int:
        """Return the image of ``values``, packed and not reduced."""
        image: int = sum(map(mul, values, self.packed_columns), self.packed_constants)
        return image


@dataclass(frozen=True, slots=True)
class PartialRounds:
    """A block of consecutive partial rounds."""

    entry: AffineMap
    """From the preceding S-boxes to the inputs of the rounds' S-boxes and the state after the
    rounds, without the contribution of the block's own S-boxes."""
    feedback: Matrix
    """The contribution of each round's S-box to the elements that follow its own."""
    packed_feedback: Vector


@dataclass(frozen=True, slots=True)
class PoseidonSchedule:
    """The affine maps between the S-boxes, in order."""

    entry: Vector
    """Constants that are added to the state at the start."""
    first: tuple[AffineMap, ...]
    """From the S-boxes of one full round to those of the next."""
    middle: tuple[PartialRounds, ...]
    """From the S-boxes of the last of these full rounds through all partial rounds."""
    last: tuple[AffineMap, ...]
    """From full round to full round again, and to the end."""


@cache
def poseidon_schedule(width: int) -> PoseidonSchedule:
    """Return the maps for a state of ``width`` elements.

    Raises:
        ValueError: there is no instance of this width.
    """
    instance = poseidon_parameters(width)
    mds, constants = instance.mds, instance.constants
    last_constants = constants[-_HALF_FULL_ROUNDS:]
    columns = tuple(zip(*mds, strict=True))
    return PoseidonSchedule(
        entry=constants[0],
        first=tuple(_affine(c, columns) for c in constants[1:_HALF_FULL_ROUNDS]),
        middle=tuple(
            _partial_round_blocks(
                mds, constants[_HALF_FULL_ROUNDS:-_HALF_FULL_ROUNDS], last_constants[0]
            )
        ),
        last=tuple(_affine(c, columns) for c in (*last_constants[1:], (0,) * width)),
    )


def _partial_round_blocks(mds: Matrix, constants: Matrix, after: Vector) -> Iterator[PartialRounds]:
    """Generate the blocks; ``after`` holds the constants of the full round that follows them."""
    width = len(mds)
    size = 2 * width + 2  # the quickest, by trial
    zero = (0,) * width
    columns = tuple(zip(*mds, strict=True))  # the full round before is still to be multiplied
    for start in range(0, len(constants), size):
        rows = constants[start : start + size]
        inputs, state = _constants_through(mds, rows)
        if start + size >= len(constants):
            state = _add(state, after)
        entry = tuple(_run_through(mds, column, len(rows)) for column in columns)
        feedback = tuple(
            _run_through(mds, tuple(row[0] for row in mds), len(rows) - 1 - k)
            for k in range(len(rows))
        )
        packed = tuple(integer(pack(column, SLOT_BITS)) for column in feedback)
        yield PartialRounds(_affine((*inputs, *state), entry), feedback, packed)
        columns = tuple((*zero[:i], 1, *zero[i + 1 :]) for i in range(width))


def _constants_through(mds: Matrix, rows: Matrix) -> tuple[list[int], Vector]:
    """Return the constants' contribution to each round's S-box input, and to the final state."""
    inputs = []
    state: Vector = (0,) * len(mds)
    for row in rows:
        state = _add(state, row)
        inputs.append(state[0])
        state = _times(mds, (0, *state[1:]))
    return inputs, state


def _run_through(mds: Matrix, state: Vector, rounds: int) -> Vector:
    """Return the contribution of ``state`` to ``rounds`` S-box inputs, then to the final state."""
    inputs = []
    for _ in range(rounds):
        inputs.append(state[0])
        state = _times(mds, (0, *state[1:]))
    return (*inputs, *state)


def _affine(constants: Vector, columns: Matrix) -> AffineMap:
    nonzero = tuple(constant or R for constant in constants)
    return AffineMap(
        nonzero,
        columns,
        integer(pack(nonzero, SLOT_BITS)),
        tuple(integer(pack(column, SLOT_BITS)) for column in columns),
    )


def _times(matrix: Matrix, vector: Vector) -> Vector:
    return tuple(sum(map(mul, row, vector)) % R for row in matrix)


def _add(a: Vector, b: Vector) -> Vector:
    return tuple((x + y) % R for x, y in zip(a, b, strict=True))


# ---------------------------------------------------------------- permutation and hash

MAX_INPUTS = MAX_WIDTH - 1
_SLOT_MASK = (integer(1) << SLOT_BITS) - 1


def poseidon(inputs: Sequence[int]) -> int:
    """Return the hash of 1 to 16 field elements: the first element of the permuted (0, inputs).

    Raises:
        ValueError: too few or too many inputs, or one that is not in [0, r).
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {len(inputs)}")
    values = [index(value) for value in inputs]
    if not all(0 <= value < R for value in values):
        raise ValueError("an input is not a field element")  # which one may be private
    return int(permute([0, *values])[0])


def permute(state: Sequence[int]) -> list[int]:
    """Return the permuted state, of 2 to 17 elements in [0, r)."""
    return _permute(state, _fifth_power)


def s_box_trace(state: Sequence[int]) -> list[int]:
    """Return x^2, x^4 and x^5 of every S-box in the permutation of ``state``, in order."""
    powers: list[int] = []

    def box(x: int) -> int:
        x2 = x * x % R
        x4 = x2 * x2 % R
        x5 = x4 * x % R
        powers.extend((x2, x4, x5))
        return x5

    _permute(state, box)
    return powers


def _fifth_power(x: int) -> int:
    square = x * x % R
    return square * square * x % R


def _permute(state: Sequence[int], box: Callable[[int], int]) -> list[int]:
    maps = poseidon_schedule(len(state))
    values = [integer(value) + c for value, c in zip(state, maps.entry, strict=True)]
    for full in maps.first:
        values = unpack(full.apply([box(value % R) for value in values]), SLOT_BITS)
    outputs = [box(value % R) for value in values]
    for block in maps.middle:
        packed = block.entry.apply(outputs)
        for feedback in block.packed_feedback:
            output = box((packed & _SLOT_MASK) % R)
            packed = (packed >> SLOT_BITS) + feedback * output
        outputs = values = [value % R for value in unpack(packed, SLOT_BITS)]
    for full in maps.last:
        values = unpack(full.apply([box(value % R) for value in values]), SLOT_BITS)
    return [value % R for value in values]
