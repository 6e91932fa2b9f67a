"""Order and equality of values, by the bits of their difference and by its inverse."""

from veperf.workloads.zk.circuits.gadgets.bits import Bounded, to_bits
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs import Builder, Linear


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
