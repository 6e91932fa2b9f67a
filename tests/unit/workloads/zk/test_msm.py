"""Sums of multiples against the sums one by one."""

from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bn254 import ORDER, scalars
from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.curve.g1 import G1, g1_add, g1_multiply
from veperf.workloads.zk.curve.g2 import G2, g2_add, g2_multiply
from veperf.workloads.zk.msm.buckets import SignedDigits
from veperf.workloads.zk.msm.fixed_base import FixedBase
from veperf.workloads.zk.msm.multiples import multiples
from veperf.workloads.zk.msm.variable_base import msm

pytestmark = pytest.mark.usefixtures("core")

GROUPS = [(G1, g1_multiply, g1_add), (G2, g2_multiply, g2_add)]
# Few enough that points repeat, meet their negatives and are infinity.
small = st.integers(-2, 2)
terms = st.lists(st.tuples(st.one_of(small, scalars), st.one_of(small, scalars)), max_size=12)


@pytest.mark.parametrize(("generator", "multiply", "add"), GROUPS)
@settings(max_examples=20)
@given(terms=terms)
def test_sums_one_by_one(generator, multiply, add, terms: list[tuple[int, int]]) -> None:
    """Any points and scalars: infinity, repeats, negatives, 0, and all that cancels."""
    points = [multiply(generator, place) for place, _ in terms]
    factors = [scalar for _, scalar in terms]
    expected = reduce(add, map(multiply, points, factors), None)

    assert expected == msm(points, factors)
    assert expected == FixedBase(points).msm(factors)


@pytest.mark.parametrize(("generator", "multiply", "add"), GROUPS)
@pytest.mark.parametrize("count", [1, 3, 40, 300])
def test_many_terms(generator, multiply, add, count: int) -> None:
    """From few to many, which take digits of different width; all scalars of full length."""
    places = [pow(3, i + 200, ORDER) for i in range(count)]
    factors = [pow(5, i + 200, ORDER) for i in range(count)]
    points = multiples(generator, places)
    expected = multiply(generator, sum(map(int.__mul__, places, factors)))

    assert expected == msm(points, factors)
    assert expected == FixedBase(points).msm(factors)


@pytest.mark.parametrize(("generator", "multiply", "add"), GROUPS)
@settings(max_examples=20)
@given(factors=st.lists(st.one_of(small, scalars), max_size=20))
def test_multiples(generator, multiply, add, factors: list[int]) -> None:
    """Each multiple is the one that multiplying gives."""
    assert [multiply(generator, factor) for factor in factors] == multiples(generator, factors)


@pytest.mark.parametrize(("generator", "multiply", "add"), GROUPS)
def test_the_same_point_many_times(generator, multiply, add) -> None:
    """Doublings everywhere: equal points meet in every bucket and every round."""
    points = [generator] * 50

    for factor in (1, -1, 2**100 + 1):
        expected = multiply(generator, 50 * factor)
        assert expected == msm(points, [factor] * 50)
        assert expected == FixedBase(points).msm([factor] * 50)


def test_a_table_serves_many_sums() -> None:
    """A second sum over the same points knows nothing of the first."""
    table = FixedBase([g1_multiply(G1, place) for place in range(5)])

    assert g1_multiply(G1, 30) == table.msm([0, 1, 2, 3, 4])
    assert g1_multiply(G1, 10) == table.msm([1] * 5)
    assert table.msm([ORDER] * 5) is None


@pytest.mark.parametrize(("generator", "multiply", "add"), GROUPS)
def test_tables_saved_and_loaded(generator, multiply, add) -> None:
    """A table that was saved gives the same sums, infinity among its points or not."""
    points = [*multiples(generator, [3, 5, 2**200]), None, generator]
    factors = [7, 2**250, -1, 9, 2**128]
    saved = FixedBase(points).to_bytes()
    loaded = FixedBase.from_bytes(points, saved)

    assert msm(points, factors) == loaded.msm(factors)
    assert saved == loaded.to_bytes()
    assert FixedBase.from_bytes([None], b"").msm([1]) is None


@pytest.mark.parametrize("generator", [G1, G2])
@given(data=st.data())
@settings(max_examples=20)
def test_tables_that_were_damaged(generator, data: st.DataObject) -> None:
    """A changed or missing byte, other points, and coordinates out of range are found."""
    points = multiples(generator, [3, 5])
    saved = bytearray(FixedBase(points).to_bytes())
    place = data.draw(st.integers(0, len(saved) - 1))
    change = data.draw(st.integers(1, 255))
    changed = saved.copy()
    changed[place] ^= change

    for wrong in (changed, saved[:place], saved + b"\0", saved[:-32] + b"\xff" * 32, b""):
        with pytest.raises(CorruptFileError):
            FixedBase.from_bytes(points, bytes(wrong))
    with pytest.raises(CorruptFileError, match="other points"):
        FixedBase.from_bytes(points[::-1], bytes(saved))


def test_nothing_to_add() -> None:
    """No points, or only infinity, add up to infinity."""
    assert msm([], []) is None
    assert msm([None, None], [1, 2]) is None
    assert FixedBase([]).msm([]) is None
    assert FixedBase([None]).msm([7]) is None
    assert [] == multiples(G1, [])
    assert [None, None] == multiples(None, [1, 2])


@pytest.mark.parametrize("scalars", [[], [1, 2]])
def test_another_number_of_scalars(scalars: list[int]) -> None:
    """Scalars without a point and points without a scalar are an error, not left out."""
    with pytest.raises(ValueError):
        msm([G1], scalars)
    with pytest.raises(ValueError):
        FixedBase([G1]).msm(scalars)


@given(st.integers(2, 16), st.integers(1, 254), st.data())
def test_signed_digits(window_bits: int, bits: int, data: st.DataObject) -> None:
    """The digits add up to the number, and none is missing or out of its bounds."""
    limit = 2**bits - 1
    number = data.draw(st.sampled_from((-limit, limit)) | st.integers(-limit, limit))
    digits = SignedDigits(window_bits, bits)
    signed = [digit - digits.middle for digit in digits.offset_digits(number)[: digits.count]]

    assert digits.count == len(signed)
    assert number == sum(digit << window_bits * place for place, digit in enumerate(signed))
    assert all(-digits.middle <= digit < digits.middle for digit in signed)
