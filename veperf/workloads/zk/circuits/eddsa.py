"""Gadgets for BabyJubjub, and a circuit's check of a signature by EdDSA with Poseidon.

Points are added by the complete law, whose denominators are never 0 on the curve: each sum has one
value, without cases to leave out. Every point here is on the curve, as it is a constant, asserted
to be, or a sum of such points.

Decompositions are canonical, so that a number has one: of S below the order of the subgroup, which
leaves a signature no twin, and of the hash below the order of the field.
"""

from collections.abc import Sequence
from typing import NamedTuple

from veperf.workloads.zk.babyjubjub.curve import (
    BASE8,
    IDENTITY,
    A,
    BabyPoint,
    D,
    L,
    baby_add,
)
from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.circuits.gadgets import assert_bit, poseidon_gadget
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.linear import LinearCombination, as_combination, weighted_sum


class PointSignals(NamedTuple):
    """The coordinates of a point in a circuit."""

    x: LinearCombination
    y: LinearCombination


def assert_eddsa(
    builder: Builder,
    key: PointSignals,
    message: LinearCombination,
    r8: PointSignals,
    s: LinearCombination,
    name: str,
) -> None:
    """Constrain (``r8``, ``s``) to be a signature of ``message`` under ``key``.

    S B8 - 8 h A = R8, with A on the curve and 8 A not the identity. A sum of points, R8 is on the
    curve and in the subgroup by that.
    """
    _assert_on_curve(builder, key, f"{name}.key")
    double = _double(builder, key, f"{name}.key2")
    half = _double(builder, double, f"{name}.key4")
    whole = _double(builder, half, f"{name}.key8")
    # x is 0 for (0, 1) and (0, -1) alone, and 8 A is in the subgroup, which has no (0, -1).
    (inverse,) = builder.hint([f"{name}.1/key8.x"], lambda x: (_inverse(x),), [whole.x])
    builder.constrain(whole.x, inverse, 1, f"{name}: the key is not of low order")
    h = poseidon_gadget(builder, [*r8, *key, message], f"{name}.hash")
    left = _multiply_base(builder, canonical_bits(builder, s, L - 1, f"{name}.s"), f"{name}.sB")
    bits = canonical_bits(builder, h, R - 1, f"{name}.h")
    right = _multiply(builder, bits, half, whole, f"{name}.hA")
    difference = _add(builder, left, PointSignals(-right.x, right.y), f"{name}.sB-hA")
    builder.assert_equal(difference.x, r8.x, f"{name}: the signature is valid, x")
    builder.assert_equal(difference.y, r8.y, f"{name}: the signature is valid, y")


def canonical_bits(
    builder: Builder, value: LinearCombination, maximum: int, name: str
) -> list[LinearCombination]:
    """Return the bits of ``value``, lowest first; no witness exists where it is over ``maximum``.

    From the top, ``equal`` is 1 as long as all bits have been those of the maximum. Where the
    maximum has a 0, the bit is 0 while they are equal.

    Raises:
        ValueError: the maximum is no positive field element.
    """
    if not 0 < maximum < R:
        raise ValueError("the maximum is not between 1 and the order of the field")
    count = int(maximum).bit_length()
    bits = builder.hint(
        [f"{name}.bit{i}" for i in range(count)],
        lambda number: [number >> i & 1 for i in range(count)],
        [value],
    )
    for i, bit in enumerate(bits):
        assert_bit(builder, bit, f"{name}.bit{i} is 0 or 1")
    equal = bits[-1]
    for i in reversed(range(count - 1)):
        if not maximum >> i & 1:
            builder.constrain(equal, bits[i], 0, f"{name}.bit{i} is 0 at the maximum")
        elif maximum & (1 << i) - 1 != (1 << i) - 1:
            equal = builder.product(f"{name}.equal{i}", equal, bits[i])
    total = weighted_sum([(1 << i, bit) for i, bit in enumerate(bits)])
    builder.assert_equal(total, value, f"{name} is its bits")
    return bits


def _assert_on_curve(builder: Builder, p: PointSignals, name: str) -> None:
    xx, yy = builder.product(f"{name}.xx", p.x, p.x), builder.product(f"{name}.yy", p.y, p.y)
    builder.constrain(D * xx, yy, A * xx + yy - 1, f"{name} is on the curve")


def _add(builder: Builder, p: PointSignals, q: PointSignals, name: str) -> PointSignals:
    """Return the sum of two points of the curve, in 8 constraints."""
    beta = builder.product(f"{name}.beta", p.x, q.y)
    gamma = builder.product(f"{name}.gamma", p.y, q.x)
    delta = builder.product(f"{name}.delta", p.y - A * p.x, q.x + q.y)
    tau = builder.product(f"{name}.tau", beta, gamma)
    return _fractions(
        builder, (beta + gamma, 1 + D * tau), (delta + A * beta - gamma, 1 - D * tau), name
    )


def _double(builder: Builder, p: PointSignals, name: str) -> PointSignals:
    """Return the sum of a point of the curve with itself, in 7 constraints.

    By the curve's equation, 1 + d x^2 y^2 is a x^2 + y^2.
    """
    xy = builder.product(f"{name}.xy", p.x, p.y)
    xx, yy = builder.product(f"{name}.xx", p.x, p.x), builder.product(f"{name}.yy", p.y, p.y)
    plus = A * xx + yy
    return _fractions(builder, (2 * xy, plus), (yy - A * xx, 2 - plus), name)


Fraction = tuple[LinearCombination, LinearCombination]


def _fractions(builder: Builder, x: Fraction, y: Fraction, name: str) -> PointSignals:
    """Return the quotients x and y, whose denominators are not 0.

    They can't be 0 on the curve. That they have inverses is constrained all the same: a quotient is
    then determined for a reason that uniqueness propagation sees.
    """
    signals = []
    for (numerator, denominator), axis in zip((x, y), "xy", strict=True):
        (inverse,) = builder.hint(
            [f"{name}.1/{axis}"], lambda value: (_inverse(value),), [denominator]
        )
        builder.constrain(denominator, inverse, 1, f"{name}.{axis} has a denominator")
        signals.append(builder.product(f"{name}.{axis}", numerator, inverse))
    return PointSignals(*signals)


def _inverse(value: int) -> int:
    # A witness with a 0 here breaks a constraint, which says more than an exception would.
    return invert(integer(value), R) if value else integer(0)


_BASE_WINDOW = 3


def _multiply_base(builder: Builder, bits: Sequence[LinearCombination], name: str) -> PointSignals:
    """Return the number with ``bits`` times the base point: of each 3 bits, one of 8 constants."""
    total: PointSignals | None = None
    base = BASE8
    for start in range(0, len(bits), _BASE_WINDOW):
        window = bits[start : start + _BASE_WINDOW]
        multiples = [IDENTITY]
        for _ in range(1, 1 << len(window)):
            multiples.append(baby_add(multiples[-1], base))
        base = baby_add(multiples[-1], base) if len(window) == _BASE_WINDOW else base
        entry = _look_up(builder, window, multiples, f"{name}.entry{start}")
        total = entry if total is None else _add(builder, total, entry, f"{name}.sum{start}")
    if total is None:
        raise ValueError("a number has bits")
    return total


def _look_up(
    builder: Builder, window: Sequence[LinearCombination], points: Sequence[BabyPoint], name: str
) -> PointSignals:
    """Return the point at the index that 1 to 3 bits make."""
    low = list(window[:2])
    monomials = [as_combination(1), *low]
    if len(low) > 1:
        monomials.append(builder.product(f"{name}.both", *low))
    x, y = (
        _select(builder, window, monomials, [int(point[axis]) for point in points], f"{name}.{at}")
        for axis, at in enumerate("xy")
    )
    return PointSignals(x, y)


def _select(
    builder: Builder,
    window: Sequence[LinearCombination],
    monomials: Sequence[LinearCombination],
    values: Sequence[int],
    name: str,
) -> LinearCombination:
    count = len(monomials)
    lower, *upper = (
        _interpolate(monomials, values[start : start + count])
        for start in range(0, len(values), count)
    )
    if not upper:
        return lower
    return lower + builder.product(name, window[-1], upper[0] - lower)


def _interpolate(
    monomials: Sequence[LinearCombination], values: Sequence[int]
) -> LinearCombination:
    """Return the polynomial in 1, b0, b1 and b0 b1 that has ``values`` at 00, 10, 01 and 11."""
    factors = list(values)
    for step in (1, 2):
        for i in range(len(values)):
            if i & step:
                factors[i] -= factors[i ^ step]
    return weighted_sum(zip(factors, monomials, strict=True))


def _multiply(
    builder: Builder,
    bits: Sequence[LinearCombination],
    half: PointSignals,
    whole: PointSignals,
    name: str,
) -> PointSignals:
    """Return the number k with ``bits``, which are even in number, times ``whole``, 2 ``half``.

    With signs e_i = 2 b_i - 1, the sum of e_i 2^i is 2 k - 2^n + 1. So a sum that starts with Q =
    ``half``, and for two bits is doubled twice and gets one of -3 Q, -Q, Q and 3 Q, ends with
    (2 k + 1) Q.
    """
    triple = _add(builder, whole, half, f"{name}.triple")
    total = half
    for i in reversed(range(0, len(bits), 2)):
        low, high = bits[i : i + 2]
        both = builder.product(f"{name}.both{i}", low, high)
        left = builder.product(f"{name}.left{i}", low, triple.x - half.x)
        right = builder.product(f"{name}.right{i}", high, triple.x + half.x)
        upright = builder.product(f"{name}.upright{i}", low + high - 2 * both, half.y - triple.y)
        entry = PointSignals(left + right - triple.x, triple.y + upright)
        total = _double(builder, total, f"{name}.double{i}")
        total = _double(builder, total, f"{name}.quadruple{i}")
        total = _add(builder, total, entry, f"{name}.sum{i}")
    return _add(builder, total, PointSignals(-half.x, half.y), name)
