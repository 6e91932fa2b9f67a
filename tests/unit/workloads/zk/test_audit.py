"""Audits of constraint systems: circom's, our own circuits, and random ones."""

import json
from itertools import product
from pathlib import Path
from struct import pack_into

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.circuits.credential import (
    AGE_CIRCUIT,
    RESIDENCY_CIRCUIT,
    SCORE_CIRCUIT,
)
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.audit import AuditVerdict, audit_r1cs
from veperf.workloads.zk.r1cs.audit_text import audit_json, audit_text
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.linear import Constraint, canonical_row
from veperf.workloads.zk.r1cs.system import R1cs, UnsatisfiedError
from veperf.workloads.zk.r1cs.uniqueness import determined_wires
from veperf.workloads.zk.snarkjs.circom_files import (
    read_r1cs_file,
    read_sym,
    read_wtns,
    write_r1cs,
)

CIRCOM = Path(__file__).parents[3] / "vectors" / "zk" / "audit"
ORDER = int(R)


def audited(name):
    file = read_r1cs_file((CIRCOM / f"{name}.r1cs").read_bytes())
    witness = read_wtns((CIRCOM / f"{name}.wtns").read_bytes())
    names = read_sym((CIRCOM / f"{name}.sym").read_bytes())
    audit = audit_r1cs(file.r1cs, file.input_wires, [witness], file.lost_inputs)
    return audit, names


def named(wires, names):
    return {names[wire].removeprefix("main.") for wire in wires}


def test_a_sound_circuit_of_circom():
    """A test for 0 by an inverse, and bits: all determined, but for the inverse where x is 0."""
    audit, names = audited("sound")

    assert AuditVerdict.SOUND is audit.verdict
    assert {"nonce", "x", "y"} == named(audit.inputs, names)
    assert {"inverse"} == named(audit.helpers, names)
    assert () == audit.mutants == audit.undetermined == audit.loosely_bound_public


def test_a_circuit_with_three_mistakes():
    """Each is found: the missing constraint of the inverse, free bits, a nonce that nothing has."""
    audit, names = audited("faulty")

    assert AuditVerdict.FAULTY is audit.verdict
    assert {"nonce"} == named(audit.unbound_public, names)
    assert {"inverse"} | {f"bits[{i}]" for i in range(2, 8)} <= named(audit.free, names)
    assert {f"bits[{i}]" for i in range(2, 8)} == named({m.wire for m in audit.mutants}, names)
    assert {"isZero", "sum"} <= named(audit.undetermined, names)


@pytest.mark.parametrize("circuit", [AGE_CIRCUIT, RESIDENCY_CIRCUIT, SCORE_CIRCUIT])
def test_our_own_circuits_are_sound(circuit):
    """Every signal is determined by the inputs; their .r1cs files say which these are."""
    compiled = circuit.compile()
    inputs = compiled.program.inputs.values()
    private = [wire for wire in inputs if wire > compiled.r1cs.public_count]
    file = read_r1cs_file(write_r1cs(compiled.r1cs, private))

    assert set(inputs) == file.input_wires
    assert AuditVerdict.SOUND is audit_r1cs(file.r1cs, file.input_wires).verdict


def test_public_inputs_that_are_only_squared():
    """A square that nothing uses binds no nonce; it is said, and is no fault."""
    builder = Builder()
    y, nonce = builder.public("y"), builder.public("nonce")
    x = builder.private("x")
    builder.product("nonce^2", nonce, nonce)
    builder.constrain(x, x, y, "y")
    r1cs, program = builder.build()
    audit = audit_r1cs(r1cs, program.inputs.values())

    assert AuditVerdict.SOUND is audit.verdict
    assert (2,) == audit.loosely_bound_public


def test_signals_in_no_constraint():
    """They may have any value; 0 times a signal says nothing of it."""
    rows = Constraint((), canonical_row([(2, 1)]), ())
    audit = audit_r1cs(R1cs(4, 1, (rows,)), [1])

    assert (AuditVerdict.FAULTY, (2, 3), (1,)) == (
        audit.verdict,
        audit.unused,
        audit.unbound_public,
    )


def test_inputs_without_a_wire():
    """circom's optimiser leaves them out: what stands for them can't be called a fault."""
    file = read_r1cs_file((CIRCOM.parent / "circom" / "linear.r1cs").read_bytes())
    witness = read_wtns((CIRCOM.parent / "circom" / "linear.wtns").read_bytes())
    audit = audit_r1cs(file.r1cs, file.input_wires, [witness], file.lost_inputs)

    assert (1, AuditVerdict.UNDECIDED) == (file.lost_inputs, audit.verdict)
    assert "without a wire" in audit_text(audit, {})


def test_witnesses_are_checked():
    """Mutants of what is no witness would say nothing."""
    file = read_r1cs_file((CIRCOM / "sound.r1cs").read_bytes())
    with pytest.raises(UnsatisfiedError):
        audit_r1cs(file.r1cs, file.input_wires, [[1] * file.r1cs.wire_count])


def test_texts_fit_the_terminal():
    """80 columns, control characters in names made visible; JSON has every signal."""
    audit, names = audited("faulty")
    text = audit_text(audit, names | {5: "main.\x1b[31m" + "x" * 30})

    assert all(len(line) <= 80 for line in text.splitlines())
    assert "\x1b" not in text
    document = json.loads(audit_json(audit, names))
    assert "faulty" == document["verdict"]
    assert {"wire": 3, "name": "main.nonce"} in document["unbound_public"]


def test_names_of_signals():
    """The first of several on one wire; those without a wire are left out; damage is placed."""
    assert {1: "main.a", 2: "main.c,d"} == read_sym(
        b"1,1,0,main.a\n2,1,0,main.b\n3,2,0,main.c,d\n4,-1,0,x"
    )
    for damaged in (b"1,2", b"1,x,0,main.a", b"\xff\xfe", b"1,1,0,a\n\n"):
        with pytest.raises(CorruptFileError, match="line"):
            read_sym(damaged)


values = st.integers(-3, 3)
terms = st.lists(st.tuples(st.integers(0, 5), values), max_size=3)


@given(
    st.lists(st.tuples(terms, terms, terms), min_size=1, max_size=6),
    st.lists(values, min_size=5, max_size=5),
    st.lists(values, min_size=1, max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_mutants_contradict_no_propagation(rows, witness, shifts):
    """A wire that is determined has no mutant; values that pass are all among the mutants."""
    full = [1, *(value % ORDER for value in witness)]
    constraints = []
    for a, b, c in rows:
        sides = [sum(f * full[w] for w, f in side) for side in (a, b, c)]
        rest = (sides[0] * sides[1] - sides[2]) % ORDER  # what the constant has to add
        constraints.append(Constraint(*map(canonical_row, (a, b, [*c, (0, rest)]))))
    r1cs = R1cs(6, 1, tuple(constraints))
    audit = audit_r1cs(r1cs, [1, 2], [full])
    mutants = {mutant.wire for mutant in audit.mutants}

    assert not mutants & determined_wires(r1cs, [1, 2])
    for wire in set(range(3, 6)) - {*audit.unused, *audit.helpers}:
        for shift in filter(None, shifts):
            changed = [*full]
            changed[wire] = (changed[wire] + shift) % ORDER
            products = zip(*r1cs.evaluate(changed), strict=True)
            if all(a * b % ORDER == c for a, b, c in products):
                assert wire in mutants


pairs = st.sampled_from([(0, 1), (0, 2), (1, 2), (0, -1), (1, -1)])


@given(
    st.lists(pairs, min_size=3, max_size=5),
    st.lists(st.tuples(terms, terms, terms), max_size=3),
    st.lists(terms, max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_all_solutions_agree_with_the_audit(roots, products, sums):
    """Of wires 3 to 5 with two values each, all are tried: determined is one, free is two."""
    constraints = [Constraint(*map(canonical_row, rows)) for rows in products]
    constraints += [Constraint((), (), canonical_row(rows)) for rows in sums]
    for number, pair in enumerate(roots):
        left, right = (canonical_row([(3 + number % 3, 1), (0, -root)]) for root in pair)
        constraints.append(Constraint(left, right, ()))
    r1cs = R1cs(6, 2, tuple(constraints))
    audit, determined = audit_r1cs(r1cs, [1, 2]), determined_wires(r1cs, [1, 2])
    for inputs in product((0, 1, 2, -1), repeat=2):
        solutions = []
        for values in product(*roots[:3]):
            wires = [1, *(value % ORDER for value in (*inputs, *values))]
            if all(a * b % ORDER == c for a, b, c in zip(*r1cs.evaluate(wires), strict=True)):
                solutions.append(wires)
        counts = [len(set(column)) for column in zip(*solutions, strict=True)]
        for wire, count in enumerate(counts):
            assert count == 1 or wire not in determined
            assert count > 1 or wire not in audit.free


def test_sums_of_what_is_no_bit():
    """Digits that nothing holds to 0 and 1 are free, whatever is computed from them."""
    builder = Builder()
    total, digits = builder.private("total"), [builder.private(f"{i}") for i in range(3)]
    builder.product("both", digits[0], digits[1])
    weighted = digits[0] + 2 * digits[1] + 4 * digits[2]
    builder.constrain(weighted, 1, total, "sum")
    r1cs, program = builder.build()
    audit = audit_r1cs(r1cs, [program.inputs["total"]])

    assert AuditVerdict.FAULTY is audit.verdict
    assert 2 == len(audit.free)


def test_not_every_signal_can_be_an_input():
    """A header that claims more private inputs than there are labels is damaged."""
    data = bytearray((CIRCOM / "faulty.r1cs").read_bytes())
    place = data.index(int(R).to_bytes(32, "little")) + 32 + 3 * 4
    pack_into("<I", data, place, 1 << 30)
    with pytest.raises(CorruptFileError, match="1073741824 private inputs, 16 labels"):
        read_r1cs_file(bytes(data))
