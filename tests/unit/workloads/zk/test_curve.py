"""G1 and G2 against py_ecc, and points that are refused."""

from math import gcd
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bn254 import (
    COFACTOR,
    FIELD,
    ORDER,
    elements,
    point_on_twist,
    reference_g1,
    reference_g2,
    scalars,
)
from veperf.workloads.zk.curve.batch import (
    g1_add_pairs,
    g1_double_all,
    g2_add_pairs,
    g2_double_all,
)
from veperf.workloads.zk.curve.g1 import (
    BETA,
    G1,
    LAMBDA,
    g1_add,
    g1_from_ints,
    g1_multiply,
    g1_negate,
    is_on_g1,
    split_scalar_g1,
)
from veperf.workloads.zk.curve.g2 import (
    G2,
    g2_add,
    g2_from_ints,
    g2_multiply,
    g2_negate,
    is_in_g2_subgroup,
    is_on_g2,
    psi,
    split_scalar_g2,
)
from veperf.workloads.zk.field import PointError, T

pytestmark = pytest.mark.usefixtures("core")

SMALL_ORDER = 10069  # the least prime factor of the cofactor
any_scalar = st.one_of(scalars, st.integers(-(2**300), 2**300))
g1_points = scalars.map(lambda scalar: g1_multiply(G1, scalar))
g2_points = scalars.map(lambda scalar: g2_multiply(G2, scalar))
twist_points = st.integers(0, 2**20).map(point_on_twist)


@settings(max_examples=25)
@given(any_scalar)
def test_g1_multiples_as_py_ecc(scalar: int) -> None:
    """Any multiple of the generator is the same, negative ones and those beyond the order too."""
    assert reference_g1(scalar % ORDER) == g1_multiply(G1, scalar)


@settings(max_examples=10)
@given(any_scalar)
def test_g2_multiples_as_py_ecc(scalar: int) -> None:
    """Any multiple of the generator is the same, negative ones and those beyond the order too."""
    assert reference_g2(scalar % ORDER) == g2_multiply(G2, scalar)


@given(scalars, scalars)
def test_g1_sums_are_sums_of_scalars(a: int, b: int) -> None:
    """aG + bG = (a + b)G, aG - aG = 0, with infinity and equal points among them."""
    left, right = g1_multiply(G1, a), g1_multiply(G1, b)

    assert g1_multiply(G1, a + b) == g1_add(left, right)
    assert g1_multiply(G1, 2 * a) == g1_add(left, left)
    assert g1_add(left, g1_negate(left)) is None
    assert is_on_g1(left)


@settings(max_examples=30)
@given(scalars, scalars)
def test_g2_sums_are_sums_of_scalars(a: int, b: int) -> None:
    """aG + bG = (a + b)G, aG - aG = 0, with infinity and equal points among them."""
    left, right = g2_multiply(G2, a), g2_multiply(G2, b)

    assert g2_multiply(G2, a + b) == g2_add(left, right)
    assert g2_multiply(G2, 2 * a) == g2_add(left, left)
    assert g2_add(left, g2_negate(left)) is None
    assert is_on_g2(left)


@settings(max_examples=20)
@given(st.lists(st.tuples(g1_points, g1_points)))
def test_g1_sums_at_once(pairs: list[Any]) -> None:
    """Many sums at once are the sums one by one, equal, opposite, infinite or none of it."""
    special = [(G1, G1), (G1, g1_negate(G1)), (G1, None), (None, G1), (None, None)]
    finite = [point for pair in pairs for point in pair if point]

    for some in (pairs, pairs + special):
        lefts, rights = [a for a, _ in some], [b for _, b in some]
        assert [g1_add(a, b) for a, b in some] == g1_add_pairs(lefts, rights)
    assert [g1_add(a, a) for a in finite] == g1_double_all(finite)


@settings(max_examples=20)
@given(st.lists(st.tuples(g2_points, g2_points), max_size=8))
def test_g2_sums_at_once(pairs: list[Any]) -> None:
    """Many sums at once are the sums one by one, equal, opposite, infinite or none of it."""
    special = [(G2, G2), (G2, g2_negate(G2)), (G2, None), (None, G2), (None, None)]
    finite = [point for pair in pairs for point in pair if point]

    for some in (pairs, pairs + special):
        lefts, rights = [a for a, _ in some], [b for _, b in some]
        assert [g2_add(a, b) for a, b in some] == g2_add_pairs(lefts, rights)
    assert [g2_add(a, a) for a in finite] == g2_double_all(finite)


@given(any_scalar)
def test_halves_of_a_scalar(scalar: int) -> None:
    """Both ways to split give halves of 126 bits that add up to the scalar."""
    for (first, second), factor in (
        (split_scalar_g1(scalar), LAMBDA),
        (split_scalar_g2(scalar), FIELD),
    ):
        assert (first + second * factor - scalar) % ORDER == 0
        assert max(abs(first), abs(second)) < 2**126


def test_endomorphisms() -> None:
    """(BETA x, y) is LAMBDA times (x, y) in G1; psi is P times the point in G2."""
    assert (BETA * G1[0] % FIELD, G1[1]) == g1_multiply(G1, LAMBDA)
    assert psi(G2) == g2_multiply(G2, FIELD)


@settings(max_examples=10)
@given(twist_points, scalars)
def test_subgroup_check_is_multiplication_by_the_order(
    point: tuple[tuple[int, int], tuple[int, int]], scalar: int
) -> None:
    """On any points of the twist the fast check says what the order of the point says."""
    cleared = g2_multiply(point, COFACTOR)
    inside = g2_multiply(G2, scalar)

    assert is_on_g2(point)
    assert (g2_multiply(point, ORDER) is None) == is_in_g2_subgroup(point)
    assert is_in_g2_subgroup(cleared)
    assert is_in_g2_subgroup(inside)
    assert not is_in_g2_subgroup(g2_add(inside, g2_multiply(point, ORDER)))


def test_points_of_small_order_are_not_in_the_subgroup() -> None:
    """Nor are their sums with points that are: what a small-subgroup attack would send."""
    small = g2_multiply(point_on_twist(5), ORDER * COFACTOR // SMALL_ORDER)

    assert small is not None
    assert g2_multiply(small, SMALL_ORDER) is None
    assert not is_in_g2_subgroup(small)
    assert not is_in_g2_subgroup(g2_add(small, G2))


@pytest.mark.parametrize(
    "relation",
    [
        (T + 1, T, T, -2 * T),  # is_in_g2_subgroup
        (6 * T + 2, 1, -1, 1),  # pairing.prepare
    ],
)
def test_why_the_relations_tell_the_subgroup(relation: tuple[int, ...]) -> None:
    """Points of the curve on which the relation of powers of psi is 0 have order R (or 1).

    psi^2 = t psi - P on the whole curve, with the trace t, so that the relation is a + b psi. Its
    norm a^2 + a b t + b^2 P takes such a point to 0, and so does the number of points,
    R * COFACTOR: it is enough that their greatest common divisor is R.
    """
    trace = FIELD + 1 - ORDER
    a, b = 0, 0
    for factor in reversed(relation):
        a, b = factor - b * FIELD, a + b * trace

    assert ORDER == gcd(a * a + a * b * trace + b * b * FIELD, ORDER * COFACTOR)


@given(elements, elements)
def test_random_coordinates_are_refused(x: int, y: int) -> None:
    """A point is hardly ever on the curve by chance, and the error says so."""
    if (y * y - x**3 - 3) % FIELD:
        assert not is_on_g1((x, y))
        with pytest.raises(PointError, match="curve"):
            g1_from_ints(x, y)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (1 + FIELD, 2),
        (1, 2 - FIELD),
        (1, 2 + FIELD),
        (-1, 2),
        (0, 0),
        (1, 3),
        (2**4000, 2),
        ("1", 2),
        (1.0, 2),
        (None, 2),
    ],
)
def test_g1_coordinates_that_are_refused(x: int, y: int) -> None:
    """Second names of a point, infinity written as zeros, and what is no integer."""
    with pytest.raises(PointError):
        g1_from_ints(x, y)


def test_coordinates_that_are_taken() -> None:
    """The generators come back as they are."""
    assert G1 == g1_from_ints(1, 2)
    assert G2 == g2_from_ints(*((int(c0), int(c1)) for c0, c1 in G2))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("change", [FIELD, -FIELD, 1, -(2**300)])
def test_g2_coordinates_that_are_refused(place: int, change: int) -> None:
    """A coordinate out of range, even of the right residue, or of another point."""
    (x0, x1), (y0, y1) = G2
    changed = [x0, x1, y0, y1]
    changed[place] += change

    with pytest.raises(PointError):
        g2_from_ints((changed[0], changed[1]), (changed[2], changed[3]))
    assert not is_on_g2(((changed[0], changed[1]), (changed[2], changed[3])))


def test_g2_points_outside_the_subgroup_are_refused() -> None:
    """A point of the twist alone is not enough."""
    with pytest.raises(PointError, match="subgroup"):
        g2_from_ints(*point_on_twist(1))


@pytest.mark.parametrize("wrong", [None, 1, (), (1,), (1, 2, 3), (1, "2"), ((1, 2), 3)])
def test_what_is_no_pair_of_coordinates(wrong: Any) -> None:
    """Another shape is refused with the same error."""
    with pytest.raises(PointError):
        g2_from_ints(wrong, G2[1])
    with pytest.raises(PointError):
        g2_from_ints(G2[0], wrong)


def test_infinity() -> None:
    """Infinity is in both groups, and is the neutral element."""
    assert is_on_g1(None)
    assert is_on_g2(None)
    assert is_in_g2_subgroup(None)
    assert G1 == g1_add(None, G1) == g1_add(G1, None)
    assert G2 == g2_add(None, G2) == g2_add(G2, None)
    assert g1_multiply(None, 5) is g1_negate(None) is None
    assert g2_multiply(None, 5) is g2_negate(None) is None
