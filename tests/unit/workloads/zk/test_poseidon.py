import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import (
    FULL_ROUNDS,
    permute,
    poseidon,
    poseidon_parameters,
    s_box_trace,
)

VECTORS = Path(__file__).parents[3] / "vectors" / "zk" / "poseidon.json"
elements = st.one_of(
    st.integers(0, 3), st.integers(int(R) - 3, int(R) - 1), st.integers(0, int(R) - 1)
)


def by_definition(state):
    """Round after round: constants, S-boxes, the MDS matrix."""
    instance = poseidon_parameters(len(state))
    half = FULL_ROUNDS // 2
    for i, constants in enumerate(instance.constants):
        state = [value + constant for value, constant in zip(state, constants, strict=True)]
        full = not half <= i < half + instance.partial_rounds
        state = [pow(v, 5, R) if full or j == 0 else v for j, v in enumerate(state)]
        state = [sum(m * v for m, v in zip(row, state, strict=True)) % R for row in instance.mds]
    return state


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text()), ids=lambda c: len(c["inputs"]))
def test_hashes_are_those_of_circomlib(case):
    """All widths, on small, large and zero inputs."""

    assert int(case["hash"]) == poseidon([int(value) for value in case["inputs"]])


@given(st.lists(elements, min_size=2, max_size=17))
def test_permutation_is_the_definition(state):
    """The form rearranged for speed gives the same state as the plain rounds."""

    assert by_definition(state) == permute(state)


@given(st.lists(elements, min_size=2, max_size=6))
def test_trace_holds_powers(state):
    """Every S-box leaves x^2, x^4, x^5 of one x, as many as there are boxes."""
    powers = s_box_trace(state)
    width = len(state)
    triples = list(zip(powers[::3], powers[1::3], powers[2::3], strict=True))

    assert FULL_ROUNDS * width + poseidon_parameters(width).partial_rounds == len(triples)
    for x2, x4, x5 in triples:
        assert x4 == x2 * x2 % R
        assert x5 * x5 % R == x4 * x4 * x2 % R


@pytest.mark.parametrize("inputs", [[], [0] * 17, [R], [-1], [1, R + 1]])
def test_wrong_inputs_are_refused(inputs):
    """Inputs of which there are too many or too few, or that are no field elements."""
    with pytest.raises(ValueError):
        poseidon(inputs)


def test_no_instance_beyond_the_table():
    """Widths that circomlib doesn't have either."""
    for width in (0, 1, 18):
        with pytest.raises(ValueError):
            poseidon_parameters(width)


@pytest.mark.parametrize("value", [1.0, "1", None, b"1"])
def test_inputs_are_integers(value):
    """Nothing is rounded or parsed on the way."""
    with pytest.raises(TypeError):
        poseidon([value])
