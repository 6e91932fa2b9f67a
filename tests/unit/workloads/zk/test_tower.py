"""Fp2 and Fp12 against py_ecc, with values at the limits of a packed slot."""

from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bn254 import FIELD, fp2s, fp12s, reference, to_reference
from veperf.workloads.zk.bigint import pack, unpack
from veperf.workloads.zk.field import P
from veperf.workloads.zk.tower import fp2, fp12
from veperf.workloads.zk.tower.fp2 import Fp2
from veperf.workloads.zk.tower.fp12 import SLOT_BITS, Fp12

# What a slot may hold, reduced loosely: anything to 2P.
slots = st.one_of(
    st.sampled_from((0, 1, FIELD - 1, FIELD, FIELD + 1, 2 * FIELD)),
    st.integers(0, 2 * FIELD),
)
halves = st.lists(slots, min_size=6, max_size=6).map(lambda values: pack(values, SLOT_BITS))
loose = st.tuples(halves, halves)
LARGEST = (pack([2 * FIELD] * 6, SLOT_BITS),) * 2
SMALLEST = (pack([2 * FIELD] * 6, SLOT_BITS), pack([0] * 6, SLOT_BITS))
TURNED = SMALLEST[::-1]


def fq2(a: Fp2) -> Any:
    return reference.FQ2([int(part) for part in a])


def ours(a: Any) -> Fp2:
    return int(a.coeffs[0]), int(a.coeffs[1])


def is_loose(a: Fp12) -> bool:
    """Return whether all slots are in the bounds that the next product relies on."""
    return all(
        half >= 0 and len(values := unpack(half, SLOT_BITS)) <= 6 and max(values) <= 2 * P
        for half in a
    )


@given(fp2s, fp2s)
def test_fp2_as_py_ecc(a: Fp2, b: Fp2) -> None:
    """Sums, differences, products and squares are the same."""
    assert ours(fq2(a) + fq2(b)) == fp2.add(a, b)
    assert ours(fq2(a) - fq2(b)) == fp2.subtract(a, b)
    assert ours(-fq2(a)) == fp2.negate(a)
    assert ours(fq2(a) * fq2(b)) == fp2.multiply(a, b)
    assert ours(fq2(a) * fq2(a)) == fp2.square(a)
    assert ours(fq2(a) * b[0]) == fp2.scale(a, b[0])


@given(fp2s, st.integers(0, 2**300))
def test_fp2_powers_as_py_ecc(a: Fp2, exponent: int) -> None:
    """Powers are the same, and the power P is the conjugate."""
    assert ours(fq2(a) ** exponent) == fp2.power(a, exponent)
    assert ours(fq2(a) ** FIELD) == fp2.conjugate(a)


@given(fp2s.filter(any))
def test_fp2_inverse(a: Fp2) -> None:
    """An inverse times the element is 1."""
    assert fp2.ONE == fp2.multiply(a, fp2.inverse(a))


def test_nothing_divides_by_zero() -> None:
    """0 has no inverse in either field."""
    with pytest.raises(ZeroDivisionError):
        fp2.inverse(fp2.ZERO)
    with pytest.raises(ZeroDivisionError):
        fp12.inverse(fp12.from_coefficients([]))


@given(loose, loose)
def test_products_as_py_ecc(a: Fp12, b: Fp12) -> None:
    """Products and squares of loosely reduced elements are right, and loosely reduced again."""
    product, square = fp12.multiply(a, b), fp12.square(a)

    assert to_reference(a) * to_reference(b) == to_reference(product)
    assert to_reference(a) * to_reference(a) == to_reference(square)
    assert is_loose(product)
    assert is_loose(square)


@pytest.mark.parametrize("a", [LARGEST, SMALLEST, TURNED])
@pytest.mark.parametrize("b", [LARGEST, SMALLEST, TURNED])
def test_products_of_full_slots(a: Fp12, b: Fp12) -> None:
    """No slot spills or borrows where all products are as large, or as negative, as they get."""
    product, square = fp12.multiply(a, b), fp12.square(a)

    assert to_reference(a) * to_reference(b) == to_reference(product)
    assert to_reference(a) * to_reference(a) == to_reference(square)
    assert is_loose(product)
    assert is_loose(square)


@given(st.lists(loose, min_size=2, max_size=8))
def test_long_products_as_py_ecc(factors: list[Fp12]) -> None:
    """Products of products stay right."""
    expected = reduce(lambda a, b: a * b, map(to_reference, factors))

    assert expected == to_reference(reduce(fp12.multiply, factors))


@given(loose)
def test_conjugate_takes_w_to_its_negative(a: Fp12) -> None:
    """The odd coefficients change their sign, and the slots stay in their bounds."""
    signs = (1, -1) * 3
    expected = [
        fp2.scale(part, sign) for part, sign in zip(fp12.coefficients(a), signs, strict=True)
    ]

    assert expected == fp12.coefficients(fp12.conjugate(a))
    assert is_loose(fp12.conjugate(a))


@given(loose)
def test_inverse_as_its_definition(a: Fp12) -> None:
    """An inverse times the element is 1."""
    if any(map(any, fp12.coefficients(a))):
        assert fp12.ONE == fp12.reduced(fp12.multiply(a, fp12.inverse(a)))


@pytest.mark.parametrize("power", [1, 2, 3])
def test_frobenius_is_a_power_of_the_prime(power: int) -> None:
    """It is what 3,000 bits of squaring and multiplying give."""
    a = fp12.from_coefficients([(i + 2, 5**i) for i in range(6)])

    assert to_reference(a) ** (FIELD**power) == to_reference(fp12.frobenius(a, power))


@given(fp12s)
def test_coefficients_and_back(a: Fp12) -> None:
    """Reduced elements come back as they were, leading zeros or not."""
    assert a == fp12.from_coefficients(fp12.coefficients(a))
    assert a == fp12.reduced(a)
    assert 6 == len(fp12.coefficients(a))
