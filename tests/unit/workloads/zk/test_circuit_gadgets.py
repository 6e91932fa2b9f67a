"""Soundness of the gadgets, by trying every assignment where they are small enough."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.zk.circuits.gadgets import (
    BOUND,
    MAX_BITS,
    Bounded,
    assert_at_least,
    assert_member,
    constant,
    is_at_least,
    is_equal,
    is_less,
    is_zero,
    range_check,
    select,
    to_bits,
)
from veperf.workloads.zk.circuits.poseidon_gadget import poseidon as poseidon_gadget
from veperf.workloads.zk.field import R
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.r1cs import Builder, UnsatisfiedError

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
    found = set()
    for out in range(2):
        for guess in product(choices, repeat=inner):
            witness = [1, out, *inputs.values(), *guess]
            try:
                system.check(witness)
            except UnsatisfiedError:
                continue
            found.add(out)
    return found


@pytest.mark.parametrize("number", [*range(-3, 20), ORDER // 2, ORDER - 8])
def test_range_check_takes_what_fits_only(number):
    """Of all bits that a prover could claim, none gets a number through that is out of range."""
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
    big = constant(BOUND - 1)
    with pytest.raises(ValueError):
        big.plus(constant(1))
    with pytest.raises(ValueError):
        big.times(2)
    with pytest.raises(ValueError):
        constant(3).times(-1)
    with pytest.raises(ValueError):
        build(["x"], lambda b, x: range_check(b, x, MAX_BITS, "x") and None)

    assert ORDER - BOUND > BOUND


def test_largest_bounds_are_sound():
    """With the widest operands there are, 0 is not at least the largest."""
    system, program = build(
        [], lambda b: assert_at_least(b, constant(0), constant(BOUND - 1), "cmp")
    )
    with pytest.raises(UnsatisfiedError):
        system.check(program.solve({"out": 0}))


@pytest.mark.parametrize(("a", "b"), list(product(range(4), repeat=2)))
def test_comparisons_have_one_answer(a, b):
    """For each pair of two-bit numbers no assignment of the inner wires gives the wrong answer."""

    def bounded(x):
        return Bounded(x, 3)

    asserted = build(["a", "b"], lambda c, x, y: assert_at_least(c, bounded(x), bounded(y), "cmp"))
    at_least = build(["a", "b"], lambda c, x, y: is_at_least(c, bounded(x), bounded(y), "cmp"))
    less = build(["a", "b"], lambda c, x, y: is_less(c, bounded(x), bounded(y), "cmp"))

    assert ({0} if a >= b else set()) == outputs(asserted, [a, b])
    assert {int(a >= b)} == outputs(at_least, [a, b])
    assert {int(a < b)} == outputs(less, [a, b])


@given(st.integers(0, ORDER - 1), st.integers(0, ORDER - 1), st.integers(0, ORDER - 1))
def test_is_zero_can_not_be_talked_over(number, inverse, out):
    """Whatever inverse and result a prover claims, the accepted result is the true one."""
    system, _ = build(["x"], lambda b, x: is_zero(b, x, "zero"))
    for claim in (out, 0, 1):
        try:
            system.check([1, claim, number, inverse, claim])
        except UnsatisfiedError:
            continue
        assert int(number == 0) == claim


@pytest.mark.parametrize("number", [0, 1, ORDER - 1])
def test_is_zero_tells(number):
    """The honest prover gets through, with the right answer."""
    system, program = build(["x", "y"], lambda b, x, y: is_equal(b, x, y, "equal"))
    honest = program.solve({"x": number, "y": 0, "out": int(number == 0)})
    system.check(honest)
    with pytest.raises(UnsatisfiedError):
        system.check(program.solve({"x": number, "y": 0, "out": int(number != 0)}))


@pytest.mark.parametrize("bit", [0, 1])
def test_select_takes_the_one_named(bit):
    """The other one is refused."""
    system, program = build(["bit", "a", "b"], lambda c, bit, a, b: select(c, bit, a, b, "chosen"))
    system.check(program.solve({"bit": bit, "a": 5, "b": 9, "out": 5 if bit else 9}))
    with pytest.raises(UnsatisfiedError):
        system.check([1, 9 if bit else 5, bit, 5, 9, 9 if bit else 5])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_membership(size):
    """Each member passes; nothing else does, also not with forged products."""
    members = [3 * i + 1 for i in range(size)]

    def define(builder, x):
        assert_member(builder, x, [constant(m).value for m in members], "member")

    system, program = build(["x"], define)
    for member in members:
        system.check(program.solve({"x": member, "out": 0}))
    for other in (0, 2, ORDER - 1):
        witness = program.solve({"x": other, "out": 0})
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
    system.check(program.solve({**values, "out": digest}))
    with pytest.raises(UnsatisfiedError):
        system.check(program.solve({**values, "out": digest + 1}))


def test_every_wire_of_the_hash_is_bound():
    """One inner wire changed, whichever it is, breaks a constraint."""
    system, program = build(["x", "y"], lambda b, *xs: poseidon_gadget(b, xs, "hash"))
    witness = program.solve({"x": 1, "y": 2, "out": poseidon([1, 2])})
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
