"""Bits and ranges: that a field element is an integer of limited size.

Field elements wrap around at r, so "not negative" means nothing until a bound is proven. Every
comparison therefore takes :class:`Bounded` values, and only a range check, or arithmetic on
bounded values that can't wrap, makes them.
"""

from dataclasses import dataclass

from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs import Builder, Linear, weighted_sum

MAX_BITS = int(R).bit_length() - 1
"""So many bits can't hold r, so each number has one decomposition only."""
BOUND = 1 << (MAX_BITS - 1)
"""Of two numbers below it, a - b below 0 is a number above it: r - BOUND > BOUND."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """A value that constraints hold in [0, ``maximum``]."""

    value: Linear
    maximum: int

    def __post_init__(self) -> None:
        if not 0 <= self.maximum < BOUND:
            raise ValueError("the bound is too large to tell integers from field elements")

    def plus(self, other: "Bounded") -> "Bounded":
        """The sum; the bounds add up."""
        return Bounded(self.value + other.value, self.maximum + other.maximum)

    def times(self, factor: int) -> "Bounded":
        """The product with a constant that is not negative."""
        return Bounded(self.value * factor, self.maximum * factor)


def constant(value: int) -> Bounded:
    """A constant, which is its own bound."""
    return Bounded(Linear({0: value} if value else {}), value)


def to_bits(builder: Builder, value: Linear, count: int, name: str) -> list[Linear]:
    """The bits of ``value``, lowest first; no witness exists where it has more than ``count``.

    Raises:
        ValueError: so many bits could stand for two different numbers.
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


def assert_bit(builder: Builder, value: Linear, what: str) -> None:
    """Demand 0 or 1: b * (b - 1) = 0."""
    builder.constrain(value, value - 1, 0, what)


def range_check(builder: Builder, value: Linear, bits: int, name: str) -> Bounded:
    """``value``, held in [0, 2^``bits``).

    Raises:
        ValueError: so many bits are too many for a bound.
    """
    to_bits(builder, value, bits, name)
    return Bounded(value, (1 << bits) - 1)
