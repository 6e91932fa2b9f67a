"""Transforms against the evaluation of polynomials."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bn254 import ORDER, scalars
from veperf.workloads.zk.ntt import TWO_ADICITY, Domain, DomainError, cached_domain

pytestmark = pytest.mark.usefixtures("core")

polynomials = st.sampled_from([1, 2, 4, 8, 16]).flatmap(
    lambda size: st.lists(scalars, min_size=size, max_size=size)
)


def evaluate(coefficients: list[int], x: int) -> int:
    """By Horner's rule."""
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * x + coefficient) % ORDER
    return value


def points(domain: Domain) -> list[int]:
    return [pow(domain.root, i, ORDER) for i in range(domain.size)]


@given(polynomials)
def test_values_of_a_polynomial(coefficients: list[int]) -> None:
    """The transform gives the values on the domain, in order; on the coset likewise."""
    over = cached_domain(len(coefficients))

    assert [evaluate(coefficients, x) for x in points(over)] == over.ntt(coefficients)
    assert [evaluate(coefficients, over.shift * x) for x in points(over)] == over.coset_ntt(
        coefficients
    )


@given(polynomials)
def test_there_and_back(coefficients: list[int]) -> None:
    """Each inverse undoes its transform, in either order."""
    over = cached_domain(len(coefficients))

    assert coefficients == over.intt(over.ntt(coefficients))
    assert coefficients == over.ntt(over.intt(coefficients))
    assert coefficients == over.coset_intt(over.coset_ntt(coefficients))


@settings(max_examples=5)
@given(st.lists(scalars, min_size=40, max_size=40), st.lists(scalars, min_size=80, max_size=80))
def test_product_of_polynomials(a: list[int], b: list[int]) -> None:
    """Values multiplied and transformed back are the coefficients of the product."""
    over = cached_domain(128)
    expected = [0] * 128
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            expected[i + j] = (expected[i + j] + left * right) % ORDER
    values = [
        left * right
        for left, right in zip(
            over.ntt(a + [0] * (128 - len(a))), over.ntt(b + [0] * (128 - len(b))), strict=True
        )
    ]

    assert expected == over.intt(values)


@given(polynomials, scalars)
def test_lagrange(coefficients: list[int], x: int) -> None:
    """The values on the domain, weighted, are the value anywhere."""
    over = cached_domain(len(coefficients))
    weights = over.lagrange(x)

    assert evaluate(coefficients, x) == (
        sum(map(int.__mul__, map(int, weights), map(int, over.ntt(coefficients)))) % ORDER
    )


@pytest.mark.parametrize("place", range(4))
def test_lagrange_on_the_domain(place: int) -> None:
    """At a point of the domain, one polynomial is 1 and the others are 0."""
    over = cached_domain(4)

    assert [int(place == i) for i in range(4)] == over.lagrange(pow(over.root, place, ORDER))


def test_the_root_has_the_order_of_the_domain() -> None:
    """Up to the largest domain there is, whose set-up takes no memory yet."""
    for size in (2, 1024, 2**TWO_ADICITY):
        assert -1 % ORDER == pow(Domain(size).root, size // 2, ORDER)
    assert (ORDER - 1) % 2**TWO_ADICITY == 0
    assert (ORDER - 1) % 2 ** (TWO_ADICITY + 1) != 0


def test_the_root_of_snarkjs() -> None:
    """The same root of order 2^28 as circom's tools use, so that their keys mean the same."""
    assert (
        19103219067921713944291392827692070036145651957329286315305642004821462161904
        == Domain(2**28).root
    )


@pytest.mark.parametrize("size", [-2, 0, 3, 12, 2**28 + 1, 2**29])
def test_sizes_without_a_domain(size: int) -> None:
    """No power of two, or more than the field has roots for."""
    with pytest.raises(DomainError):
        cached_domain(size)


@pytest.mark.parametrize("count", [0, 3, 5, 8])
@pytest.mark.parametrize("name", ["ntt", "intt", "coset_ntt", "coset_intt"])
def test_another_number_of_values(name: str, count: int) -> None:
    """Too few or too many values are an error."""
    with pytest.raises(DomainError):
        getattr(cached_domain(4), name)([1] * count)
