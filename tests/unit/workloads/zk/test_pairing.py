"""Pairings against py_ecc, by their laws, and with points that have no business in them."""

from math import gcd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bn254 import (
    COFACTOR,
    FIELD,
    ORDER,
    point_on_twist,
    reference,
    scalars,
    to_reference,
)
from veperf.workloads.zk.curve.g1 import G1, g1_multiply, g1_negate
from veperf.workloads.zk.curve.g2 import G2, g2_add, g2_multiply, g2_negate
from veperf.workloads.zk.field import PointError, T
from veperf.workloads.zk.pairing import (
    Pair,
    final_exponentiation,
    is_product_one,
    miller_loop,
    pairing,
    prepare_g2,
)
from veperf.workloads.zk.tower import fp12

pytestmark = pytest.mark.usefixtures("core")

# How often our final exponent contains py_ecc's; see final_exponentiation.
EXCESS = int(2 * T * (6 * T**2 + 3 * T + 1))


@settings(max_examples=3)
@given(scalars, scalars)
def test_pairings_as_py_ecc(a: int, b: int) -> None:
    """The pairing of any two points is py_ecc's to the power that the exponents differ by."""
    theirs = reference.pairing(
        reference.multiply(reference.G2, b), reference.multiply(reference.G1, a)
    )

    assert theirs**EXCESS == to_reference(pairing(g1_multiply(G1, a), g2_multiply(G2, b)))


def test_the_exponent_kills_nothing_else() -> None:
    """The additional exponent over py_ecc's is prime to the order, so that 1 means the same."""
    assert 1 == gcd(EXCESS, ORDER)


@settings(max_examples=3)
@given(st.integers(1, FIELD - 1))
def test_final_exponentiation_as_its_definition(seed: int) -> None:
    """The addition chain is the plain power by (P^12 - 1) / R times the excess."""
    f = fp12.from_coefficients([(seed, i) for i in range(6)])
    exponent = (FIELD**12 - 1) // ORDER * EXCESS

    assert to_reference(f) ** exponent == to_reference(final_exponentiation(f))


@settings(max_examples=25)
@given(scalars, scalars)
def test_bilinear(a: int, b: int) -> None:
    """e(aP, bQ) = e(abP, Q), infinity on either side included."""
    assert pairing(g1_multiply(G1, a), g2_multiply(G2, b)) == pairing(g1_multiply(G1, a * b), G2)


def test_not_degenerate_and_of_the_order() -> None:
    """e(P, Q) is not 1, and to the power R it is."""
    value = pairing(G1, G2)

    assert fp12.ONE != value
    assert reference.FQ12.one() == to_reference(value) ** ORDER


@settings(max_examples=25)
@given(st.lists(st.tuples(scalars, scalars), max_size=4), st.sampled_from([0, 1]))
def test_products(factors: list[tuple[int, int]], change: int) -> None:
    """A product is 1 exactly where the products of the scalars add up to 0 modulo R."""
    closing = change - sum(a * b for a, b in factors)
    pairs = [(g1_multiply(G1, a), g2_multiply(G2, b)) for a, b in factors]
    pairs.append((g1_multiply(G1, closing), G2))
    prepared = [(p, prepare_g2(q)) for p, q in pairs]

    assert (change == 0) == is_product_one(miller_loop(pairs))
    assert (change == 0) == is_product_one(miller_loop(prepared))
    assert miller_loop(pairs) == miller_loop(prepared)


def test_infinity_counts_one() -> None:
    """Pairs with infinity change no product, and no pairs at all multiply to 1."""
    pairs: list[Pair] = [(G1, G2), (g1_negate(G1), prepare_g2(G2))]

    assert is_product_one(miller_loop([]))
    assert is_product_one(
        miller_loop([(None, G2), (G1, None), (None, None), (G1, prepare_g2(None))])
    )
    assert is_product_one(miller_loop([*pairs, (None, G2)]))
    assert not is_product_one(miller_loop([pairs[0], (G1, None)]))


def test_signs() -> None:
    """The negative of either point inverts the pairing."""
    assert pairing(g1_negate(G1), G2) == pairing(G1, g2_negate(G2))
    assert fp12.ONE == fp12.reduced(fp12.multiply(pairing(G1, G2), pairing(g1_negate(G1), G2)))


@settings(max_examples=10)
@given(st.integers(0, 2**20))
def test_points_outside_the_subgroup_are_refused(start: int) -> None:
    """A part outside the subgroup is an error, prepared or paired, even beside a part inside."""
    outside = g2_multiply(point_on_twist(start), ORDER)

    for point in (outside, g2_add(outside, G2), point_on_twist(start)):
        with pytest.raises(PointError, match="subgroup"):
            prepare_g2(point)
    with pytest.raises(PointError, match="subgroup"):
        is_product_one(miller_loop([(G1, outside)]))


@pytest.mark.parametrize("order", [10069, 5864401])
def test_points_of_small_order_are_refused(order: int) -> None:
    """Their multiples run into infinity in the middle of the loop or not; an error either way."""
    small = g2_multiply(point_on_twist(5), ORDER * COFACTOR // order)

    assert small is not None
    with pytest.raises(PointError):
        prepare_g2(small)


def test_points_off_the_curve_are_refused() -> None:
    """Also where the point is on another curve, whose b the formulas never look at."""
    (x0, x1), y = G2

    for point in (((x0 + 1, x1), y), ((x0 + FIELD, x1), y), ((0, 0), (0, 0)), ((1, 0), (0, 0))):
        with pytest.raises(PointError):
            prepare_g2(point)


@pytest.mark.parametrize("point", [(1, 3), (1, 0), (0, 0), (1 + FIELD, 2), (1, 2 - FIELD)])
def test_points_of_g1_off_the_curve_are_refused(point: tuple[int, int]) -> None:
    """Also second names of points that are on it."""
    with pytest.raises(PointError):
        is_product_one(miller_loop([(point, G2)]))
