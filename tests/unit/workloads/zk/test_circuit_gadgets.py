"""Soundness of the gadgets, by trying every assignment where they are small enough."""

from itertools import product

import pytest

from veperf.workloads.zk.circuits.gadgets import (
    BOUND,
    MAX_BITS,
    Bounded,
    assert_at_least,
    assert_member,
    bounded_constant,
    poseidon_gadget,
    range_check,
    to_bits,
)
from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.system import UnsatisfiedError

ORDER = int(R)


def build(inputs, define):
    """A circuit with these private inputs and one public output, what ``define`` returns."""
    builder = Builder()
    out = builder.public("out")
    signals = [builder.private(name) for name in inputs]
    result = define(builder, *signals)
    builder.assert_equal(out, 0 if result is None else result, "out")
    return builder.build()


def outputs(built, values, choices=(0, 1)):
    """All values of out that some assignment of ``choices`` to the inner wires gets accepted."""
    system, program = built
    inputs = dict(zip([name for name in program.inputs if name != "out"], values, strict=True))
    inner = system.wire_count - 1 - len(program.inputs)
    accepted = set()
    for out in range(2):
        for guess in product(choices, repeat=inner):
            witness = [1, out, *inputs.values(), *guess]
            try:
                system.check(witness)
            except UnsatisfiedError:
                continue
            accepted.add(out)
    return accepted


@pytest.mark.parametrize("number", [*range(-3, 20), ORDER // 2, ORDER - 8])
def test_range_check_takes_what_fits_only(number):
    """No bits that a prover could claim get a number accepted that is out of range."""
    built = build(["x"], lambda b, x: range_check(b, x, 3, "x") and None)

    expected = {0} if 0 <= number < 8 else set()
    assert expected == outputs(built, [number % ORDER])


@pytest.mark.parametrize("bit", [2, -1, ORDER // 2, 3])
def test_bits_are_bits(bit):
    """A wire that is neither 0 nor 1 is refused even where the sum comes out right."""
    system, _ = build(["x"], lambda b, x: to_bits(b, x, 2, "x") and None)
    low = bit % ORDER
    high = (3 - low) * pow(2, -1, ORDER) % ORDER
    with pytest.raises(UnsatisfiedError, match="is 0 or 1"):
        system.check([1, 0, 3, low, high])


@pytest.mark.parametrize("count", [0, -1, MAX_BITS + 1, 300])
def test_decompositions_that_are_not_unique_are_refused(count):
    """254 bits hold some field elements twice."""
    with pytest.raises(ValueError):
        build(["x"], lambda b, x: to_bits(b, x, count, "x") and None)


def test_bounds_that_could_wrap_are_refused():
    """Arithmetic on bounded values stops where a difference could wrap to a small number."""
    big = bounded_constant(BOUND - 1)
    with pytest.raises(ValueError):
        big.plus(bounded_constant(1))
    with pytest.raises(ValueError):
        big.times(2)
    with pytest.raises(ValueError):
        bounded_constant(3).times(-1)
    with pytest.raises(ValueError):
        build(["x"], lambda b, x: range_check(b, x, MAX_BITS, "x") and None)

    assert ORDER - BOUND > BOUND


def test_largest_bounds_are_sound():
    """With the widest operands there are, 0 is not at least the largest."""
    system, program = build(
        [], lambda b: assert_at_least(b, bounded_constant(0), bounded_constant(BOUND - 1), "cmp")
    )
    with pytest.raises(UnsatisfiedError):
        system.check(program.compute_witness({"out": 0}))


@pytest.mark.parametrize(("a", "b"), list(product(range(4), repeat=2)))
def test_comparisons_have_one_answer(a, b):
    """For each pair of two-bit numbers no assignment of the inner wires gives the wrong answer."""

    def bounded(x):
        return Bounded(x, 3)

    asserted = build(["a", "b"], lambda c, x, y: assert_at_least(c, bounded(x), bounded(y), "cmp"))

    assert ({0} if a >= b else set()) == outputs(asserted, [a, b])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_membership(size):
    """Each member passes; nothing else does, also not with forged products."""
    members = [3 * i + 1 for i in range(size)]

    def define(builder, x):
        assert_member(builder, x, [bounded_constant(m).value for m in members], "member")

    system, program = build(["x"], define)
    for member in members:
        system.check(program.compute_witness({"x": member, "out": 0}))
    for other in (0, 2, ORDER - 1):
        witness = program.compute_witness({"x": other, "out": 0})
        with pytest.raises(UnsatisfiedError):
            system.check(witness)
        with pytest.raises(UnsatisfiedError):
            system.check([*witness[:3], *[0] * (len(witness) - 3)])


def test_nothing_is_a_member_of_nothing():
    """An empty list is a mistake, not a circuit that takes everything."""
    with pytest.raises(ValueError):
        build(["x"], lambda b, x: assert_member(b, x, [], "member"))


@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_hash_in_a_circuit_is_the_hash(count):
    """The gadget's digest is that of the function, and another one is refused."""
    names = [f"x{i}" for i in range(count)]
    system, program = build(names, lambda b, *xs: poseidon_gadget(b, xs, "hash"))
    values = {name: (ORDER - 5) * i % ORDER for i, name in enumerate(names)}
    digest = poseidon(list(values.values()))
    system.check(program.compute_witness({**values, "out": digest}))
    with pytest.raises(UnsatisfiedError):
        system.check(program.compute_witness({**values, "out": digest + 1}))


def test_every_wire_of_the_hash_is_bound():
    """A change of any single inner wire breaks a constraint."""
    system, program = build(["x", "y"], lambda b, *xs: poseidon_gadget(b, xs, "hash"))
    witness = program.compute_witness({"x": 1, "y": 2, "out": poseidon([1, 2])})
    for wire in range(1, len(witness)):
        forged = list(witness)
        forged[wire] = (forged[wire] + 1) % R
        with pytest.raises(UnsatisfiedError):
            system.check(forged)


def test_hash_of_too_many_inputs_is_refused():
    """There is no such Poseidon."""
    builder = Builder()
    signals = [builder.private(f"x{i}") for i in range(17)]
    for inputs in ([], signals):
        with pytest.raises(ValueError):
            poseidon_gadget(builder, inputs, "hash")
