"""Pieces of circuits, each sound by itself."""

from collections.abc import Sequence
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


def assert_at_least(builder: Builder, a: Bounded, b: Bounded, name: str) -> None:
    """Demand a >= b.

    |a - b| stays below 2^n, n the bits of the larger bound, at most 252. So a - b either has n
    bits, or is negative and wraps around to a number above r - 2^n, which has more.
    """
    to_bits(builder, a.value - b.value, _bits(a, b), name)


def is_at_least(builder: Builder, a: Bounded, b: Bounded, name: str) -> Linear:
    """1 where a >= b, else 0: the top bit of a - b + 2^n."""
    bits = _bits(a, b)
    return to_bits(builder, a.value - b.value + (1 << bits), bits + 1, name)[bits]


def is_less(builder: Builder, a: Bounded, b: Bounded, name: str) -> Linear:
    """1 where a < b, else 0."""
    return 1 - is_at_least(builder, a, b, name)


def is_zero(builder: Builder, value: Linear, name: str) -> Linear:
    """1 where ``value`` is 0, else 0: out = 1 - value * inverse, and value * out = 0."""
    (inverse,) = builder.hint([f"{name}.inverse"], _inverse_or_zero, [value])
    (out,) = builder.hint([name], lambda number: (int(number == 0),), [value])
    builder.constrain(value, inverse, 1 - out, f"{name} is 1 where its value is 0")
    builder.constrain(value, out, 0, f"{name} is 0 where its value is not")
    return out


def is_equal(builder: Builder, a: Linear, b: Linear, name: str) -> Linear:
    """1 where a = b, else 0."""
    return is_zero(builder, a - b, name)


def _bits(a: Bounded, b: Bounded) -> int:
    return max(a.maximum.bit_length(), b.maximum.bit_length(), 1)


def _inverse_or_zero(value: int) -> tuple[int]:
    return (pow(int(value), -1, R) if value else 0,)


def select(builder: Builder, bit: Linear, if_one: Linear, if_zero: Linear, name: str) -> Linear:
    """``if_one`` or ``if_zero``, as ``bit`` (held to 0 or 1 elsewhere) says."""
    (out,) = builder.hint(
        [name], lambda b, one, zero: (one if b else zero,), [bit, if_one, if_zero]
    )
    builder.constrain(bit, if_one - if_zero, out - if_zero, f"{name} is the one chosen")
    return out


def assert_member(builder: Builder, value: Linear, members: Sequence[Linear], name: str) -> None:
    """Demand that ``value`` is one of ``members``: the product of its differences is 0.

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
