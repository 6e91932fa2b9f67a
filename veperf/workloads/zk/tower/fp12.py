"""Fp12 = Fp2[w] / (w^6 - (9 + u)), twelve coefficients packed into two big integers.

An element is (real, imaginary): slot i of ``real``, SLOT_BITS wide, holds c0 of the coefficient of
w^i, slot i of ``imaginary`` its c1. A product of polynomials in w is then one product of integers
(Kronecker substitution), and one integer operation reduces all coefficients at once.

Coefficients are reduced loosely, to at most 2P, which is all that a product of two needs:

- the slots of a product of polynomials are sums of up to 6 products, each at most 4 P^2, times 4
  where both factors are sums of two elements (Karatsuba): at most 96 P^2 < 2^515;
- before the difference of two such products is cut into slots, a multiple of P^2 is added that
  keeps every slot from falling below 0, and so after the fold by w^6 = 9 + u: at most
  408 P^2 < 2^516 (``_fold`` has the sum);
- Barrett reduction of x < 2^516 by q = floor(floor(x / 2^252) * floor(2^517 / P) / 2^265) leaves
  x - q P < 2 P, and its largest intermediate, q 2^265, is below 2^528, the width of a slot.
"""

from collections.abc import Sequence

from veperf.workloads.zk.bigint import integer, pack, unpack
from veperf.workloads.zk.field import P
from veperf.workloads.zk.tower import fp2
from veperf.workloads.zk.tower.fp2 import Fp2

Fp12 = tuple[int, int]

SLOT_BITS = 528
DEGREE = 6

_LOW_BITS = 252  # bits of a number to be reduced that don't affect the quotient
_QUOTIENT_BITS = 265
_RECIPROCAL = (1 << (_LOW_BITS + _QUOTIENT_BITS)) // P


def _in_slots(values: Sequence[int]) -> int:
    return pack(values, SLOT_BITS)


_SIX_BITS = DEGREE * SLOT_BITS
_SIX_SLOTS = _in_slots([2**SLOT_BITS - 1] * DEGREE)
_HIGH_PARTS = _in_slots([2 ** (SLOT_BITS - _LOW_BITS) - 1] * DEGREE)
_QUOTIENTS = _in_slots([2 ** (SLOT_BITS - _QUOTIENT_BITS) - 1] * DEGREE)
_ODD_SLOTS = _in_slots([0, 2**SLOT_BITS - 1] * (DEGREE // 2))
_ODD_TWICE_P = _in_slots([0, 2 * P] * (DEGREE // 2))
# At least what is subtracted from each slot: from slot i of a product, min(i + 1, 11 - i) products
# of 4 P^2; by the fold, twice as many of slot i + 6.
_BEFORE_FOLD = _in_slots([4 * P * P * min(i + 1, 11 - i) for i in range(11)])
_AFTER_FOLD = _in_slots([8 * P * P * (5 - i) for i in range(5)])

ONE: Fp12 = (integer(1), integer(0))


def from_coefficients(coefficients: Sequence[Fp2]) -> Fp12:
    """Return the sum of coefficients[i] w^i, for up to six of them."""
    return (
        _in_slots([c0 for c0, _ in coefficients]),
        _in_slots([c1 for _, c1 in coefficients]),
    )


def coefficients(a: Fp12) -> list[Fp2]:
    """Return the six coefficients of w^0 to w^5, fully reduced.

    In the tower Fp2, Fp6 = Fp2[v], v^3 = 9 + u, Fp12 = Fp6[w], w^2 = v, those of even i are the
    first half, those of odd i the second.
    """
    halves = []
    for half in a:
        slots = [slot % P for slot in unpack(half, SLOT_BITS)]
        halves.append(slots + [integer(0)] * (DEGREE - len(slots)))
    return list(zip(*halves, strict=True))


def reduced(a: Fp12) -> Fp12:
    """Return ``a`` with all coefficients below P, so that equal elements are equal tuples."""
    return from_coefficients(coefficients(a))


def multiply(a: Fp12, b: Fp12) -> Fp12:
    """Return the product a b."""
    a0, a1 = a
    b0, b1 = b
    low = a0 * b0
    high = a1 * b1
    return _fold(low - high, (a0 + a1) * (b0 + b1) - low - high)


def square(a: Fp12) -> Fp12:
    """Return a^2."""
    a0, a1 = a
    return _fold((a0 + a1) * (a0 - a1), 2 * a0 * a1)


def conjugate(a: Fp12) -> Fp12:
    """Return a^(P^6), which maps w to -w: the inverse where a^(P^6 + 1) = 1, as after a pairing."""
    real, imaginary = (half - 2 * (half & _ODD_SLOTS) + _ODD_TWICE_P for half in a)
    return real, imaginary


def frobenius(a: Fp12, power: int) -> Fp12:
    """Return a^(P^power), for a power from 1 to 3."""
    factors = _FROBENIUS[power]
    parts = coefficients(a)
    if power % 2:
        parts = [fp2.conjugate(part) for part in parts]
    return from_coefficients(
        [fp2.multiply(part, factor) for part, factor in zip(parts, factors, strict=True)]
    )


def inverse(a: Fp12) -> Fp12:
    """Return 1 / a, through the norm down to Fp6 and from there to Fp2.

    Raises:
        ZeroDivisionError: a is 0.
    """
    mirrored = conjugate(a)
    # The product of a and its conjugate has no odd powers of w: c0 + c1 v + c2 v^2 with v = w^2.
    c0, _, c1, _, c2, _ = coefficients(multiply(a, mirrored))
    times, xi = fp2.multiply, fp2.XI
    t0 = fp2.subtract(fp2.square(c0), times(xi, times(c1, c2)))
    t1 = fp2.subtract(times(xi, fp2.square(c2)), times(c0, c1))
    t2 = fp2.subtract(fp2.square(c1), times(c0, c2))
    norm = fp2.add(times(c0, t0), times(xi, fp2.add(times(c2, t1), times(c1, t2))))
    scale = fp2.inverse(norm)
    zero = fp2.ZERO
    adjugate = [times(t0, scale), zero, times(t1, scale), zero, times(t2, scale), zero]
    return multiply(mirrored, from_coefficients(adjugate))


def _fold(real: int, imaginary: int) -> Fp12:
    """Replace w^6 to w^10 by w^6 = 9 + u, and reduce.

    In units of P^2, slot 0, the largest, is at most 8 + 9 * 40 + 40 in either half: slot i of
    either input is at most 8 min(i + 1, 11 - i), after ``_BEFORE_FOLD`` is added to ``real``.
    """
    real += _BEFORE_FOLD
    real_high = real >> _SIX_BITS
    imaginary_high = imaginary >> _SIX_BITS
    return (
        _reduce((real & _SIX_SLOTS) + 9 * real_high - imaginary_high + _AFTER_FOLD),
        _reduce((imaginary & _SIX_SLOTS) + 9 * imaginary_high + real_high),
    )


def _reduce(slots: int) -> int:
    """Reduce each of six slots from below 2^516 to below 2P (Barrett)."""
    quotients = ((slots >> _LOW_BITS) & _HIGH_PARTS) * _RECIPROCAL
    return slots - ((quotients >> _QUOTIENT_BITS) & _QUOTIENTS) * P


def _frobenius_factors(power: int) -> list[Fp2]:
    """Return (w^i)^(P^power) / w^i for i = 0 to 5, which is XI^(i (P^power - 1) / 6)."""
    return [fp2.power(fp2.XI, i * ((P**power - 1) // DEGREE)) for i in range(DEGREE)]


_FROBENIUS = {power: _frobenius_factors(power) for power in (1, 2, 3)}
