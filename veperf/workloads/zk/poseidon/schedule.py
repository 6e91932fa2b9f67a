"""The permutation as S-boxes with affine maps between them, worked out once for each width.

A partial round puts one element through the S-box, so most of what it multiplies by M was linear
before and stays linear. With M the MDS matrix, e the first unit vector, D the identity with a 0 in
the first place, and z_k the output of the S-box of partial round k, the state before round n is

    (M D)^n s + sum over k < n of (M D)^(n-1-k) M e z_k + constants,

s being the state before the first partial round. So the input of every S-box, and the state
after the last, are sums of the same few values with known factors. The partial rounds are cut into
blocks, each with an s of its own: longer ones take more products, shorter ones more reductions.

Vectors are packed into one long number, element i at bit i * ``SLOT_BITS``: a vector times a
scalar is then one product of integers. Nothing is reduced before it is unpacked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from operator import mul

from veperf.workloads.zk.field import R
from veperf.workloads.zk.integers import integer, pack
from veperf.workloads.zk.poseidon.parameters import (
    FULL_ROUNDS,
    Matrix,
    Vector,
    parameters,
)

_HALF = FULL_ROUNDS // 2
_MAX_TERMS = 1 << 7
"""More than the widest instance adds up in a slot: 17 elements, 36 boxes and a constant."""
SLOT_BITS = int((_MAX_TERMS * R * R).bit_length())


@dataclass(frozen=True, slots=True)
class Affine:
    """The map from b to ``constants`` + the sum of b[j] * ``columns[j]``."""

    constants: Vector
    """In [1, r], never 0, so that a packed result has no empty slot at its end."""
    columns: Matrix
    packed_constants: int
    packed_columns: Vector

    def apply(self, values: Sequence[int]) -> int:
        """The image of ``values``, packed and not reduced."""
        image: int = sum(map(mul, values, self.packed_columns), self.packed_constants)
        return image


@dataclass(frozen=True, slots=True)
class Block:
    """Some partial rounds one after the other."""

    entry: Affine
    """From what comes before to the inputs of the rounds' boxes and the state after the rounds,
    all of them without the share of the block's own boxes."""
    feedback: Matrix
    """The share of each round's box in the elements that follow its own."""
    packed_feedback: Vector


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens between the S-boxes."""

    entry: Vector
    """Is added to the state at the start."""
    first: tuple[Affine, ...]
    """From the boxes of one full round to those of the next."""
    middle: tuple[Block, ...]
    """From the last of those boxes through all partial rounds."""
    last: tuple[Affine, ...]
    """From full round to full round again, and to the end."""


@cache
def schedule(width: int) -> Schedule:
    """The maps for a state of ``width`` elements.

    Raises:
        ValueError: there is no instance of this width.
    """
    instance = parameters(width)
    mds, constants = instance.mds, instance.constants
    late = constants[-_HALF:]
    columns = tuple(zip(*mds, strict=True))
    return Schedule(
        entry=constants[0],
        first=tuple(_affine(c, columns) for c in constants[1:_HALF]),
        middle=tuple(_blocks(mds, constants[_HALF:-_HALF], late[0])),
        last=tuple(_affine(c, columns) for c in (*late[1:], (0,) * width)),
    )


def _blocks(mds: Matrix, constants: Matrix, after: Vector) -> Iterator[Block]:
    """The blocks; ``after`` is what the full round that follows them adds."""
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
        yield Block(_affine((*inputs, *state), entry), feedback, packed)
        columns = tuple((*zero[:i], 1, *zero[i + 1 :]) for i in range(width))


def _constants_through(mds: Matrix, rows: Matrix) -> tuple[list[int], Vector]:
    """What the constants add to the input of each round's box, and to the state after them."""
    inputs = []
    state: Vector = (0,) * len(mds)
    for row in rows:
        state = _add(state, row)
        inputs.append(state[0])
        state = _times(mds, (0, *state[1:]))
    return inputs, state


def _run_through(mds: Matrix, state: Vector, rounds: int) -> Vector:
    """What ``state`` adds to the input of each of ``rounds`` boxes, then to the state after."""
    inputs = []
    for _ in range(rounds):
        inputs.append(state[0])
        state = _times(mds, (0, *state[1:]))
    return (*inputs, *state)


def _affine(constants: Vector, columns: Matrix) -> Affine:
    nonzero = tuple(constant or R for constant in constants)
    return Affine(
        nonzero,
        columns,
        integer(pack(nonzero, SLOT_BITS)),
        tuple(integer(pack(column, SLOT_BITS)) for column in columns),
    )


def _times(matrix: Matrix, vector: Vector) -> Vector:
    return tuple(sum(map(mul, row, vector)) % R for row in matrix)


def _add(a: Vector, b: Vector) -> Vector:
    return tuple((x + y) % R for x, y in zip(a, b, strict=True))
