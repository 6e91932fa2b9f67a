"""The compiled kernels against plain integers, and what they refuse."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bn254 import COFACTOR, FIELD, ORDER, fp12s, point_on_twist, scalars
from veperf._native.core import NATIVE, PYTHON, compiled_kernels, is_built, use_core
from veperf.workloads.zk.curve.g1 import G1, g1_add, g1_multiply
from veperf.workloads.zk.curve.g2 import G2, g2_add, g2_multiply, g2_negate, is_in_g2_subgroup
from veperf.workloads.zk.limbs import numbers_from_bytes, numbers_to_bytes, scalars_to_bytes
from veperf.workloads.zk.msm.fixed_base import FixedBase
from veperf.workloads.zk.msm.group import G1_GROUP, G2_GROUP
from veperf.workloads.zk.msm.multiples import MultiplesTables
from veperf.workloads.zk.msm.native import PointCheck, native_group
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.ntt import Domain
from veperf.workloads.zk.pairing import final_exponentiation, miller_loop, pairing
from veperf.workloads.zk.tower import fp12

pytestmark = pytest.mark.skipif(not is_built(), reason="no compiled kernels")

# All that fits 32 bytes: kernels take scalars modulo R.
words = st.one_of(
    scalars, st.sampled_from((ORDER, ORDER + 1, FIELD, 2**256 - 1)), st.integers(0, 2**256 - 1)
)
any_scalar = st.one_of(words, st.integers(-(2**300), 2**300))
g1_points = st.one_of(st.integers(-2, 2), scalars).map(lambda factor: g1_multiply(G1, factor))
GROUPS = [(G1_GROUP, G1, g1_multiply, g1_add), (G2_GROUP, G2, g2_multiply, g2_add)]


@pytest.fixture(scope="module", autouse=True)
def kernels() -> Any:
    """The compiled kernels, in use."""
    with use_core(NATIVE):
        yield compiled_kernels()


def in_python(function: Any, *arguments: Any) -> Any:
    """The result of Python's own code."""
    with use_core(PYTHON):
        return function(*arguments)


@given(st.lists(st.tuples(words, words), max_size=9))
def test_products_in_fr(kernels: Any, pairs: list[tuple[int, int]]) -> None:
    """As plain integers have them, whatever the 32 bytes are."""
    left, right = (numbers_to_bytes([pair[i] for pair in pairs]) for i in (0, 1))
    products = numbers_from_bytes(kernels.fr_multiply_all(left, right))

    assert [a * b % ORDER for a, b in pairs] == products


@given(st.lists(any_scalar, max_size=5))
def test_numbers_as_bytes(numbers: list[int]) -> None:
    """There and back; scalars of any size and sign modulo R."""
    reduced = [number % ORDER for number in numbers]

    assert reduced == numbers_from_bytes(numbers_to_bytes(reduced))
    assert reduced == [n % ORDER for n in numbers_from_bytes(scalars_to_bytes(numbers))]


@settings(max_examples=25)
@given(size=st.sampled_from((1, 2, 8, 64)), data=st.data())
def test_transforms(size: int, data: st.DataObject) -> None:
    """Each of the four as Python's, of values that need not be reduced."""
    domain = Domain(size)
    values = data.draw(st.lists(any_scalar, min_size=size, max_size=size))
    for transform in (domain.ntt, domain.intt, domain.coset_ntt, domain.coset_intt):
        assert in_python(transform, values) == transform(values)
    assert in_python(domain.coset_products, values, values[::-1]) == domain.coset_products(
        values, values[::-1]
    )


@settings(max_examples=25)
@given(any_scalar, any_scalar)
def test_multiples_of_a_point(a: int, b: int) -> None:
    """By any integer: 0, the order and what is beyond, negative ones."""
    point = in_python(g1_multiply, G1, a)

    assert in_python(g1_multiply, point, b) == g1_multiply(point, b)
    assert g1_add(point, g1_multiply(G1, -a)) is None


@pytest.mark.parametrize(("group", "generator", "multiply", "add"), GROUPS)
@pytest.mark.parametrize("window_bits", [2, 3, 7, 13])
def test_digits_of_any_width(group, generator, multiply, add, window_bits: int) -> None:
    """With a table and without: the same point again, opposite ones, infinity, edges of scalars."""
    native = native_group(group)
    assert native is not None
    points = [in_python(multiply, generator, k) for k in (1, 1, -1, 0, 5, 2**200 + 1, 7)]
    factors = [ORDER - 1, ORDER // 2, ORDER // 2 + 1, 9, 0, 2**253, (2**126 - 1) // 3]
    expected = in_python(msm, points, factors)
    packed = native.pack(points)

    assert expected == native.msm(packed, factors, window_bits)
    assert expected == native.msm(native.kernels.table(packed, window_bits), factors, window_bits)


@pytest.mark.parametrize(("group", "generator", "multiply", "add"), GROUPS)
@settings(max_examples=15)
@given(factors=st.lists(st.tuples(any_scalar, any_scalar), max_size=40))
def test_sums_by_digit_tables(group, generator, multiply, add, factors) -> None:
    """Of two points at once, in groups of any number."""
    points = [generator, in_python(multiply, generator, 77)]
    tables = MultiplesTables(points, 4)

    assert in_python(tables.sums, factors) == tables.sums(factors)


@pytest.mark.parametrize(("group", "generator", "multiply", "add"), GROUPS)
def test_tables_are_the_same_bytes(group, generator, multiply, add) -> None:
    """A table that one core wrote is read by the other, and both go on from either."""
    points = [in_python(multiply, generator, k) for k in (1, 3, -5, 2**199)]
    factors = [3, -(2**130), 0, ORDER - 1]
    written = FixedBase(points).to_bytes()
    expected = in_python(msm, points, factors)

    assert in_python(FixedBase(points).to_bytes) == written
    loaded = in_python(FixedBase.from_bytes, points, written)
    assert [expected] * 3 == [loaded.msm(factors) for _ in range(3)]
    loaded = FixedBase.from_bytes(points, written)
    assert [expected] * 2 == [in_python(loaded.msm, factors), loaded.msm(factors)]


@settings(max_examples=10)
@given(g1_points, st.integers(-2, 2**64))
def test_pairings(p: Any, factor: int) -> None:
    """As Python's; and Python's exponentiation of the kernel's Miller loop is the same."""
    q = in_python(g2_multiply, G2, factor)

    assert in_python(pairing, p, q) == pairing(p, q)
    assert pairing(p, q) == in_python(final_exponentiation, miller_loop([(p, q)]))


@settings(max_examples=10)
@given(fp12s.filter(lambda value: any(map(any, fp12.coefficients(value)))))
def test_final_exponentiation_of_anything(value: fp12.Fp12) -> None:
    """Not only of values of Miller loops."""
    assert in_python(final_exponentiation, value) == final_exponentiation(value)


@settings(max_examples=15)
@given(st.integers(0, 2**20), scalars)
def test_subgroup_checks(start: int, factor: int) -> None:
    """Points of the curve are judged as by Python's code."""
    for point in (point_on_twist(start), in_python(g2_multiply, G2, factor)):
        assert in_python(is_in_g2_subgroup, point) == is_in_g2_subgroup(point)


@pytest.mark.parametrize("count", [1, 29, 30, 50])
def test_subgroup_checks_of_many_points(count: int) -> None:
    """One point outside is found wherever it is, of small order or not; infinity is inside."""
    native = native_group(G2_GROUP)
    assert native is not None
    inside = [g2_multiply(G2, k) for k in (*range(-1, count - 2), 2**77)]
    any_point = point_on_twist(5)
    outside = any_point, in_python(g2_multiply, any_point, ORDER * (COFACTOR // 10069))

    assert native.are_in_subgroup(native.pack(inside))
    for wrong in outside:
        for place in (0, count // 2, count - 1):
            points = [*inside[:place], wrong, *inside[place + 1 :]]
            assert not native.are_in_subgroup(native.pack(points))
        # Two that are opposite cancel in a sum without factors.
        pair = [wrong, g2_negate(wrong), *inside]
        assert not native.are_in_subgroup(native.pack(pair))


@pytest.mark.parametrize("prefix", ["g1", "g2"])
@given(data=st.data())
def test_any_bytes_are_refused_or_taken(kernels: Any, prefix: str, data: st.DataObject) -> None:
    """Wrong lengths, widths and elements are errors of a kind, never anything worse."""
    size = 64 if prefix == "g1" else 128
    blob = data.draw(st.binary(max_size=3 * size) | st.binary(min_size=size, max_size=size))
    other = data.draw(st.binary(max_size=96) | st.binary(min_size=32, max_size=32))
    width = data.draw(st.integers(-1, 20))
    calls = {
        "pack": (blob, False, width),
        "unpack": (blob,),
        "table": (blob, width),
        "msm": (blob, other, width),
        "multiply": (blob, other),
        "digit_table": (blob, min(width, 6)),
        "digit_table_sums": (blob * 50, other, width),
    }
    for name, arguments in calls.items():
        with suppress(ValueError):
            assert isinstance(getattr(kernels, f"{prefix}_{name}")(*arguments), bytes)
    others: list[tuple[Any, tuple[Any, ...]]] = [
        (kernels.prepare_g2, (blob,)),
        (kernels.miller_loop, (blob, (other, blob))),
        (kernels.final_exponentiation, (blob,)),
        (kernels.fr_transform, (blob, other)),
        (kernels.fr_multiply_all, (blob, other)),
        (kernels.g2_first_outside, (blob,)),
        (kernels.g2_are_in_subgroup, (blob, other[:20])),
    ]
    for function, inputs in others:
        with suppress(ValueError):
            function(*inputs)


def test_checks_of_points(kernels: Any) -> None:
    """Off the curve, out of range, infinity: what each check lets in."""
    infinity, off = bytes(64), numbers_to_bytes((1, 3))
    accepted = {
        check: [is_accepted(kernels, data, check) for data in (infinity, off)]
        for check in PointCheck
    }

    assert {
        PointCheck.TRUSTED: [True, True],
        PointCheck.ON_CURVE: [True, False],
        PointCheck.FINITE: [False, False],
    } == accepted
    with pytest.raises(ValueError, match="modulus"):
        kernels.g1_pack(numbers_to_bytes((FIELD + 1, 2)), False, PointCheck.TRUSTED)


def is_accepted(kernels: Any, data: bytes, check: PointCheck) -> bool:
    """Whether the kernels pack these points."""
    try:
        kernels.g1_pack(data, False, check)
    except ValueError:
        return False
    return True
