"""Gadgets: parts of circuits, each sound by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import MAX_INPUTS, AffineMap, poseidon_schedule, s_box_trace
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.linear import LinearCombination, as_combination, weighted_sum

MAX_BITS = int(R).bit_length() - 1
"""The most bits of a decomposition: fewer than those of r, so that it is unique."""
BOUND = 1 << (MAX_BITS - 1)
"""Of two numbers below it, a - b below 0 is a number above it: r - BOUND > BOUND."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """A value that constraints restrict to [0, ``maximum``]."""

    value: LinearCombination
    maximum: int

    def __post_init__(self) -> None:
        if not 0 <= self.maximum < BOUND:
            raise ValueError("the bound is too large to tell integers from field elements")

    def plus(self, other: "Bounded") -> "Bounded":
        """Return the sum; the bounds add up."""
        return Bounded(self.value + other.value, self.maximum + other.maximum)

    def times(self, factor: int) -> "Bounded":
        """Return the product with a constant that is not negative."""
        return Bounded(self.value * factor, self.maximum * factor)


def bounded_constant(value: int) -> Bounded:
    """Return a constant, which is its own bound."""
    return Bounded(LinearCombination({0: value} if value else {}), value)


def to_bits(
    builder: Builder, value: LinearCombination, count: int, name: str
) -> list[LinearCombination]:
    """Return the bits of ``value``, lowest first; no witness exists where it has more.

    Raises:
        ValueError: ``count`` bits could stand for two different numbers.
    """
    if not 1 <= count <= MAX_BITS:
        raise ValueError(f"1 to {MAX_BITS} bits have one meaning each, not {count}")
    bits = builder.hint(
        [f"{name}.bit{i}" for i in range(count)],
        lambda number: [number >> i & 1 for i in range(count)],
        [value],
    )
    for i, bit in enumerate(bits):
        assert_bit(builder, bit, f"{name}.bit{i} is 0 or 1")
    total = weighted_sum([(1 << i, bit) for i, bit in enumerate(bits)])
    builder.assert_equal(total, value, f"{name} fits in {count} bits")
    return bits


def assert_bit(builder: Builder, value: LinearCombination, what: str) -> None:
    """Constrain ``value`` to 0 or 1: b * (b - 1) = 0."""
    builder.constrain(value, value - 1, 0, what)


def range_check(builder: Builder, value: LinearCombination, bits: int, name: str) -> Bounded:
    """Constrain ``value`` to [0, 2^``bits``).

    Raises:
        ValueError: there are too many bits for a bound.
    """
    to_bits(builder, value, bits, name)
    return Bounded(value, (1 << bits) - 1)


def assert_at_least(builder: Builder, a: Bounded, b: Bounded, name: str) -> None:
    """Constrain a >= b.

    |a - b| stays below 2^n, n the bits of the larger bound, at most 252. So a - b either has n
    bits, or is negative and wraps around to a number above r - 2^n, which has more.
    """
    to_bits(builder, a.value - b.value, _comparison_bits(a, b), name)


def _comparison_bits(a: Bounded, b: Bounded) -> int:
    return max(a.maximum.bit_length(), b.maximum.bit_length(), 1)


def assert_member(
    builder: Builder, value: LinearCombination, members: Sequence[LinearCombination], name: str
) -> None:
    """Constrain ``value`` to be one of ``members``: the product of its differences is 0.

    Raises:
        ValueError: there are no members.
    """
    if not members:
        raise ValueError("nothing is a member of an empty list")
    product = value - members[0]
    for i, member in enumerate(members[1:-1], 1):
        product = builder.product(f"{name}.difference{i}", product, value - member)
    last = value - members[-1] if len(members) > 1 else 1
    builder.constrain(product, last, 0, f"{name} is in the list")


_POWERS = ("x2", "x4", "x5")


def poseidon_gadget(
    builder: Builder, inputs: Sequence[LinearCombination], name: str
) -> LinearCombination:
    """Return the Poseidon hash of 1 to 16 values: the first element of the permuted (0, inputs).

    Each S-box takes three constraints; the linear maps between them take none.

    Raises:
        ValueError: too few or too many inputs.
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {len(inputs)}")
    boxes = _SBoxes(builder, inputs, name)
    maps = poseidon_schedule(len(inputs) + 1)
    values = [
        value + int(constant)
        for value, constant in zip((as_combination(0), *inputs), maps.entry, strict=True)
    ]
    for full in maps.first:
        values = _apply_affine(full, [boxes.next(value) for value in values])
    values = [boxes.next(value) for value in values]
    for block in maps.middle:
        elements = _apply_affine(block.entry, values)
        outputs: list[LinearCombination] = []
        for k, element in enumerate(elements):
            # Each S-box contributes to every element after its own.
            shares = [(block.feedback[j][k - j - 1], output) for j, output in enumerate(outputs)]
            total = weighted_sum([(1, element), *shares])
            if k < len(block.feedback):
                outputs.append(boxes.next(total))
            else:
                elements[k] = total
        values = elements[len(block.feedback) :]
    for full in maps.last:
        values = _apply_affine(full, [boxes.next(value) for value in values])
    return values[0]


class _SBoxes:
    """The S-boxes of one hash: all signals are made at once, then box by box the constraints."""

    def __init__(self, builder: Builder, inputs: Sequence[LinearCombination], name: str) -> None:
        maps = poseidon_schedule(len(inputs) + 1)
        full_rounds = len(maps.first) + 1 + len(maps.last)
        partial_rounds = sum(len(block.feedback) for block in maps.middle)
        count = full_rounds * (len(inputs) + 1) + partial_rounds
        names = [f"{name}.box{i}.{power}" for i in range(count) for power in _POWERS]
        self._signals = iter(builder.hint(names, lambda *values: s_box_trace((0, *values)), inputs))
        self._builder = builder
        self._name = name

    def next(self, x: LinearCombination) -> LinearCombination:
        """Return a signal that is constrained to be x^5."""
        x2, x4, x5 = next(self._signals), next(self._signals), next(self._signals)
        self._builder.constrain(x, x, x2, f"{self._name}: x * x")
        self._builder.constrain(x2, x2, x4, f"{self._name}: x2 * x2")
        # x4 is kept out of side b: each wire there costs the prover a point of G2.
        self._builder.constrain(x4, x, x5, f"{self._name}: x4 * x")
        return x5


def _apply_affine(
    affine: AffineMap, values: Sequence[LinearCombination]
) -> list[LinearCombination]:
    rows = zip(*affine.columns, strict=True)
    return [
        weighted_sum(zip(row, values, strict=True)) + int(constant)
        for row, constant in zip(rows, affine.constants, strict=True)
    ]


def bind_input(builder: Builder, value: LinearCombination, name: str) -> None:
    """Constrain the square of a public input, so that the proof depends on it.

    In some set-ups of Groth16 a public input that no constraint uses can be exchanged.
    """
    builder.product(f"{name}^2", value, value)
