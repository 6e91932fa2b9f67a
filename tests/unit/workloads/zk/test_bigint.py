"""The integers and the prime fields under the zero-knowledge suite."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bn254 import FIELD, elements, reference
from veperf.workloads.zk import bigint
from veperf.workloads.zk.bigint import batch_inverse, non_adjacent_form
from veperf.workloads.zk.field import P, R

PLAIN = SimpleNamespace(
    invert=bigint.plain_invert, pack=bigint.plain_pack, unpack=bigint.plain_unpack
)
ENGINES = [PLAIN, bigint]
# Everything of one kind, in a few lines: a pairing of multiples, sums of multiples, a transform.
SAMPLE = """
import json
from veperf.workloads.zk import bigint
from veperf.workloads.zk.curve.g1 import G1, g1_multiply
from veperf.workloads.zk.curve.g2 import G2, g2_multiply
from veperf.workloads.zk.msm.fixed_base import FixedBase
from veperf.workloads.zk.msm.multiples import multiples
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.ntt import cached_domain
from veperf.workloads.zk.pairing import pairing

scalars = [3**i for i in range(0, 320, 40)]
points = multiples(G1, scalars)
print(json.dumps([
    bigint.PLAIN,
    pairing(g1_multiply(G1, 3**150), g2_multiply(G2, 5**100)),
    points,
    msm(points, scalars),
    FixedBase(multiples(G2, scalars)).msm(scalars),
    cached_domain(8).ntt(scalars),
], default=int))
"""


def test_the_primes() -> None:
    """Both polynomials in t give the primes of py_ecc."""
    assert reference.field_modulus == P
    assert reference.curve_order == R


@pytest.mark.parametrize("engine", ENGINES)
@given(values=st.lists(st.integers(0, 2**72 - 1)))
def test_packing_and_back(engine, values: list[int]) -> None:
    """Packed values are the digits of one number, and come back but for leading zeros."""
    packed = engine.pack(values, 72)

    assert sum(value << 72 * place for place, value in enumerate(values)) == packed
    unpacked = engine.unpack(packed, 72)
    assert values == unpacked[: len(values)] + [0] * (len(values) - len(unpacked))
    assert not any(unpacked[len(values) :])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("value", [-1, 2**72])
def test_a_value_that_does_not_fit_its_slot(engine, value: int) -> None:
    """Packing refuses what would spill into the next slot."""
    with pytest.raises(ValueError, match="slot"):
        engine.pack([0, value], 72)


@pytest.mark.parametrize("engine", ENGINES)
@given(value=elements)
def test_inverses(engine, value: int) -> None:
    """An inverse times the value is 1, and 0 has none."""
    if value:
        assert 1 == engine.invert(value, FIELD) * value % FIELD
    else:
        with pytest.raises(ZeroDivisionError):
            engine.invert(value, FIELD)


@given(st.lists(elements.filter(bool)))
def test_many_inverses_at_once(values: list[int]) -> None:
    """Each is the inverse of its own value."""
    assert [pow(value, -1, FIELD) for value in values] == batch_inverse(values, P)


def test_no_inverse_among_many() -> None:
    """A 0 among the values is an error, not a list of zeros."""
    with pytest.raises(ZeroDivisionError):
        batch_inverse([1, 0, 2], P)


@given(st.integers(0, 2**300))
def test_non_adjacent_form(number: int) -> None:
    """The digits are those of the number, and one of any two neighbours is 0."""
    digits = non_adjacent_form(number)

    assert number == sum(digit << place for place, digit in enumerate(digits))
    assert set(digits) <= {-1, 0, 1}
    assert not any(digit and following for digit, following in pairwise(digits))


def test_plain_integers_give_the_same() -> None:
    """Pairing, sums of multiples and transform don't depend on the engine beneath."""
    plain_run, usual_run = _sample(SAMPLE, plain_integers="1"), _sample(SAMPLE)

    assert plain_run[0] is True
    assert usual_run[0] is False
    assert usual_run[1:] == plain_run[1:]


def test_plain_integers_where_there_is_no_gmpy2() -> None:
    """The suite works without gmpy2, and says which integers it counts with."""
    hidden = "import sys; sys.modules['gmpy2'] = None\n"

    assert _sample(SAMPLE, plain_integers="1") == _sample(hidden + SAMPLE)


def _sample(code: str, plain_integers: str = "") -> list[object]:
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "VEPERF_PLAIN_INTEGERS": plain_integers, "VEPERF_NATIVE": "0"},
        check=True,
        capture_output=True,
    )
    answers: list[object] = json.loads(run.stdout)
    return answers
