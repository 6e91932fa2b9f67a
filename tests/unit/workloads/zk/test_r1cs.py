from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.linear import (
    Constraint,
    LinearCombination,
    as_combination,
    canonical_row,
)
from veperf.workloads.zk.r1cs.system import R1cs, UnsatisfiedError

ORDER = int(R)
coefficients = st.integers(-ORDER, 2 * ORDER)
combinations = st.dictionaries(st.integers(0, 3), coefficients, max_size=4).map(
    lambda terms: LinearCombination({wire: f % ORDER for wire, f in terms.items() if f % ORDER})
)
witnesses = st.lists(st.integers(0, ORDER - 1), min_size=3, max_size=3).map(lambda w: [1, *w])


def value(combination, witness):
    return sum(factor * witness[wire] for wire, factor in combination.terms.items()) % ORDER


def cube():
    """Knows x with x^3 + x + 5 = y."""
    builder = Builder()
    y = builder.public("y")
    x = builder.private("x")
    square = builder.product("x squared", x, x)
    third = builder.product("x cubed", square, x)
    builder.assert_equal(third + x + 5, y, "the polynomial is y")
    return builder.build()


@given(combinations, combinations, witnesses, coefficients)
def test_operators_are_those_of_the_field(a, b, witness, factor):
    """A combination made by operators has the value that the operators give."""
    x, y = value(a, witness), value(b, witness)

    assert (x + y) % ORDER == value(a + b, witness)
    assert (x - y) % ORDER == value(a - b, witness)
    assert -x % ORDER == value(-a, witness)
    assert factor * x % ORDER == value(factor * a, witness) == value(a * factor, witness)
    assert (factor - x) % ORDER == value(factor - a, witness)
    assert (x + factor) % ORDER == value(factor + a, witness)


@given(combinations, combinations, combinations, witnesses)
def test_check_is_the_equation(a, b, c, witness):
    """A witness passes exactly where a * b = c."""
    rows = (canonical_row(side.terms.items()) for side in (a, b, c))
    system = R1cs(4, 0, (Constraint(*rows),))
    holds = value(a, witness) * value(b, witness) % ORDER == value(c, witness)

    if holds:
        system.check(witness)
    else:
        with pytest.raises(UnsatisfiedError):
            system.check(witness)


def test_solver_computes_the_witness():
    """Wires: the constant, public, private, then what follows from them."""
    system, program = cube()

    assert [1, 35, 3, 9, 27] == program.compute_witness({"x": 3, "y": 35})
    assert 1 == system.public_count
    system.check([1, 35, 3, 9, 27])


def test_broken_constraint_is_named():
    """The message has the constraint and its combinations in words; the values come on request."""
    system, program = cube()
    with pytest.raises(UnsatisfiedError) as caught:
        system.check(program.compute_witness({"x": 3, "y": 36}))

    expected = "constraint 2 (the polynomial is y) is broken: (5 - y + x + x cubed) * (1) = 0"
    assert expected == str(caught.value)
    assert {"y": 36, "x": 3, "x cubed": 27} == caught.value.values


def test_long_constraints_are_cut_short_in_messages():
    """A constraint of a hundred wires still gives a message to read."""
    builder = Builder()
    total = as_combination(1)
    for i in range(100):
        total = total + builder.private(f"x{i}")
    builder.constrain(total, 1, 0, "sum")
    system, program = builder.build()
    with pytest.raises(UnsatisfiedError) as caught:
        system.check(program.compute_witness({f"x{i}": 1 for i in range(100)}))

    assert "+ 93 more terms" in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "inputs", [{"x": 3}, {"x": 3, "y": 1, "z": 1}, {"x": -1, "y": 1}, {"x": 3, "y": ORDER}]
)
def test_wrong_inputs_to_a_circuit_are_refused(inputs):
    """Inputs that are missing, unknown, negative or not below r."""
    with pytest.raises(ValueError):
        cube()[1].compute_witness(inputs)


def test_values_are_integers():
    """A float is no field element, also where it is a whole number."""
    system, program = cube()
    with pytest.raises(TypeError):
        program.compute_witness({"x": 3.0, "y": 35})
    with pytest.raises(TypeError):
        system.check([1, 35.0, 3, 9, 27])


@pytest.mark.parametrize(
    "witness",
    [
        [],
        [1, 35, 3, 9],
        [1, 35, 3, 9, 27, 0],
        [2, 35, 3, 9, 27],
        [1, 35 + ORDER, 3, 9, 27],
        [1, 35, 3, 9, 27 - ORDER],
    ],
)
def test_what_is_no_witness_is_refused(witness):
    """Another length, another constant, values that are no field elements."""
    with pytest.raises(ValueError):
        cube()[0].check(witness)


def test_a_free_signal_is_refused():
    """A signal in no constraint would let the prover put anything there."""
    builder = Builder()
    builder.public("lonely")
    with pytest.raises(ValueError, match="lonely"):
        builder.build()


def test_public_signals_come_first():
    """A public signal after a private one, or a name twice, is refused."""
    builder = Builder()
    builder.private("x")
    with pytest.raises(ValueError):
        builder.public("y")
    with pytest.raises(ValueError):
        builder.private("x")


def test_two_combinations_have_no_product():
    """``a * b`` of two signals is a type error, not a wrong constraint."""
    builder = Builder()
    x: Any = builder.private("x")
    with pytest.raises(TypeError):
        x * x


def test_wires_have_to_exist():
    """A system is refused whose constraints, counts or names don't fit its wires."""
    beyond = Constraint(canonical_row([(3, 1)]), canonical_row([(0, 1)]), ())
    with pytest.raises(ValueError):
        R1cs(3, 0, (beyond,))
    for side in (((1, 1), (0, 1)), ((1, 1), (1, 1)), ((1, 0),), ((1, ORDER),), ((-1, 1),)):
        with pytest.raises(ValueError):
            R1cs(3, 0, (Constraint((), (), side),))
    with pytest.raises(ValueError):
        R1cs(3, 3, ())
    with pytest.raises(ValueError):
        R1cs(3, 0, (), ("one",))


def test_digest_is_of_the_mathematics():
    """Names don't change it, a coefficient does."""
    single = Constraint(canonical_row([(1, 1)]), canonical_row([(0, 1)]), ())
    double = Constraint(canonical_row([(1, 2)]), canonical_row([(0, 1)]), ())
    plain, named = R1cs(2, 0, (single,)), R1cs(2, 0, (single,), ("1", "x"), ("why",))

    assert plain.digest() == named.digest()
    assert plain.digest() != R1cs(2, 0, (double,)).digest()
    assert plain.digest() != R1cs(2, 1, (single,)).digest()
