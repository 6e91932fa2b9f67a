"""Proofs of a real circuit: what verifies, and all that must not."""

import pickle
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.workloads.zk.circuits.credential import (
    AGE_CIRCUIT,
    AgeStatement,
    Credential,
    credential_witness,
)
from veperf.workloads.zk.curve.g1 import G1, g1_add, g1_multiply, g1_negate
from veperf.workloads.zk.curve.g2 import G2, g2_add, g2_multiply, g2_negate
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.groth16.keys import Proof
from veperf.workloads.zk.groth16.prove import Prover, WrongKeyError
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import (
    InvalidProofError,
    check_proof,
    verify,
    verify_batch,
)
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.system import UnsatisfiedError
from veperf.workloads.zk.verification import Refusal

NONCE = bytes(range(32))
HOLDER = Credential(
    birth=date(1990, 5, 17), country="DE", address="Hauptstraße 1", score=87, salt=12345
)
STATEMENT = AgeStatement(
    commitment=HOLDER.commitment(), today=date(2026, 1, 15), years=18, nonce=NONCE
)


def small_circuit():
    """Knows x, y with x * y = product and x + y = total."""
    builder = Builder()
    product, total = builder.public("product"), builder.public("total")
    x, y = builder.private("x"), builder.private("y")
    builder.constrain(x, y, product, "product")
    builder.assert_equal(x + y, total, "total")
    return builder.build()


SYSTEM, PROGRAM = small_circuit()
KEY = setup(SYSTEM, Random(1).randrange)
PROVER = Prover(SYSTEM, KEY)
PUBLIC = [12, 7]
WITNESS = PROGRAM.compute_witness({"x": 3, "y": 4, "product": 12, "total": 7})
PROOF = PROVER.prove(WITNESS)
VK = KEY.verifying_key


@pytest.fixture(scope="module")
def age_prover():
    compiled = AGE_CIRCUIT.compile()
    return Prover(compiled.r1cs, setup(compiled.r1cs))


@pytest.fixture(scope="module")
def age_proof(age_prover):
    return age_prover.prove(credential_witness(AGE_CIRCUIT.compile(), HOLDER, STATEMENT))


def test_honest_proof_verifies(age_prover, age_proof):
    """From a credential to a proof that its statement's verifier takes."""

    assert verify(age_prover.key.verifying_key, STATEMENT.public_inputs(), age_proof)


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": bytes(32)},
        {"nonce": NONCE[::-1]},
        {"years": 17},
        {"years": 19},
        {"today": date(2026, 1, 16)},
        {"commitment": HOLDER.commitment() + 1},
    ],
)
def test_proof_is_of_one_statement(age_prover, age_proof, changes):
    """Replayed for another nonce, day, age or credential it is refused."""
    values = {name: getattr(STATEMENT, name) for name in STATEMENT.__struct_fields__}
    other = AgeStatement(**(values | changes))

    assert not verify(age_prover.key.verifying_key, other.public_inputs(), age_proof)


@settings(max_examples=10)
@given(st.integers(0, int(R) - 1), st.integers(0, int(R) - 1))
def test_every_solution_proves(x, y):
    """Any witness of the circuit gives a valid proof of its public inputs, extremes included."""
    public = {"product": x * y % int(R), "total": (x + y) % int(R)}
    proof = PROVER.prove(PROGRAM.compute_witness({"x": x, "y": y, **public}))

    assert verify(VK, list(public.values()), proof)
    assert not verify(VK, [public["product"], (public["total"] + 1) % int(R)], proof)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1, 0), (0, 1), (1, int(R) - 1)])
def test_degenerate_witnesses(x, y):
    """Zeros make points of the sums vanish."""
    public = [x * y % int(R), (x + y) % int(R)]
    witness = PROGRAM.compute_witness({"x": x, "y": y, "product": public[0], "total": public[1]})

    assert verify(VK, public, PROVER.prove(witness))


def test_proofs_are_blinded():
    """Two proofs of one witness have no point in common, and both are valid."""
    other = PROVER.prove(WITNESS)

    assert verify(VK, PUBLIC, other)
    assert other.a != PROOF.a
    assert other.b != PROOF.b
    assert other.c != PROOF.c


def test_blinding_is_the_formula():
    """With r = s = 0, A and B are alpha + sum w_i u_i(x), beta + sum w_i v_i(x), as defined."""
    proof = PROVER.prove(WITNESS, lambda _: 0)
    a: Any = VK.alpha
    b: Any = VK.beta
    for value, u, v in zip(WITNESS, KEY.a, KEY.b_g2, strict=True):
        a = g1_add(a, g1_multiply(u, value))
        b = g2_add(b, g2_multiply(v, value))

    assert (a, b) == (proof.a, proof.b)
    assert verify(VK, PUBLIC, proof)


@pytest.mark.parametrize(
    "public",
    [
        [7, 12],
        [12],
        [],
        [12, 7, 0],
        [12 + int(R), 7],
        [12, 7 + int(R)],
        [12 - int(R), 7],
        [0, 0],
        [12.0, 7.0],
        ["12", "7"],
        [None, None],
    ],
    ids=str,
)
def test_other_public_inputs_are_refused(public):
    """Swapped, missing, too many, moved by r, or no integers at all."""

    assert not verify(VK, public, PROOF)
    assert not verify_batch(VK, [(PUBLIC, PROOF), (public, PROOF)])


def off(point):
    return (point[0], (point[1] + 1) % P)


def outside_point():
    """A point of the twist outside the subgroup: nearly all of them are."""
    from veperf.workloads.zk.curve.g2 import TWIST_B, is_in_g2_subgroup
    from veperf.workloads.zk.tower import fp2

    for i in range(1, 50):
        x = (i, 1)
        square = fp2.add(fp2.multiply(fp2.square(x), x), TWIST_B)
        # A root by the norm, P = 3 mod 4: (a + bu)^2 with a^2 = (c + n) / 2, n^2 = c^2 + d^2.
        c, d = square
        n = pow(c * c + d * d, (P + 1) // 4, P)
        for norm in (n, -n % P):
            half = (c + norm) * pow(2, -1, P) % P
            a = pow(half, (P + 1) // 4, P)
            if a and a * a % P == half:
                y = (a, d * pow(2 * a, -1, P) % P)
                if fp2.square(y) == square and not is_in_g2_subgroup((x, y)):
                    return (x, y)
    raise AssertionError("no point found")


def with_points(proof: Proof, **points: Any) -> Proof:
    """``proof`` with other points, be they none."""
    return replace(proof, **points)


def make_proof(a: Any, b: Any, c: Any) -> Proof:
    return Proof(a, b, c)


ZERO_G2 = ((0, 0), (0, 0))
FORGERIES = {
    "a negated": with_points(PROOF, a=g1_negate(PROOF.a)),
    "c negated": with_points(PROOF, c=g1_negate(PROOF.c)),
    "b negated": with_points(PROOF, b=g2_negate(PROOF.b)),
    "a and c swapped": with_points(PROOF, a=PROOF.c, c=PROOF.a),
    "a off the curve": with_points(PROOF, a=off(PROOF.a)),
    "c off the curve": with_points(PROOF, c=off(PROOF.c)),
    "a out of range": with_points(PROOF, a=(PROOF.a[0] + P, PROOF.a[1])),
    "c out of range": with_points(PROOF, c=(PROOF.c[0], PROOF.c[1] - P)),
    "b out of range": with_points(PROOF, b=((PROOF.b[0][0] + P, PROOF.b[0][1]), PROOF.b[1])),
    "b off the curve": with_points(PROOF, b=(PROOF.b[0], PROOF.b[0])),
    "b out of the subgroup": with_points(PROOF, b=outside_point()),
    "b moved out of the subgroup": with_points(PROOF, b=g2_add(PROOF.b, outside_point())),
    "a zero": with_points(PROOF, a=(0, 0)),
    "c zero": with_points(PROOF, c=(0, 0)),
    "b zero": with_points(PROOF, b=ZERO_G2),
    "a infinity": with_points(PROOF, a=None),
    "b infinity": with_points(PROOF, b=None),
    "c infinity": with_points(PROOF, c=None),
    "all infinity": make_proof(None, None, None),
    "all zero": make_proof((0, 0), ZERO_G2, (0, 0)),
    "generators": make_proof(G1, G2, G1),
    "alpha beta": make_proof(VK.alpha, VK.beta, PROOF.c),
    "a of three coordinates": with_points(PROOF, a=(*PROOF.a, 1)),
    "a of text": with_points(PROOF, a=("1", "2")),
    "a of floats": with_points(PROOF, a=(1.0, 2.0)),
    "b of floats": with_points(PROOF, b=((1.0, 2.0), (3.0, 4.0))),
    "b of text": with_points(PROOF, b="b"),
    "b flat": with_points(PROOF, b=(1, 2)),
    "c a number": with_points(PROOF, c=5),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_forged_proofs_are_refused(forgery):
    """Alone and among good ones; never an exception."""

    assert not verify(VK, PUBLIC, forgery)
    assert not verify_batch(VK, [(PUBLIC, PROOF), (PUBLIC, forgery)])


@pytest.mark.parametrize(
    ("public", "proof"),
    [
        (None, PROOF),
        (5, PROOF),
        ("1" * len(PUBLIC), PROOF),
        ([1.0] * len(PUBLIC), PROOF),
        ({str(i): 1 for i in range(len(PUBLIC))}, PROOF),
        (PUBLIC, None),
        (PUBLIC, b"proof"),
        (PUBLIC, (PROOF.a, PROOF.b, PROOF.c)),
    ],
)
def test_what_is_no_proof_is_false_with_its_reason(public, proof):
    """Of whatever types; no exception to catch beside the result."""
    result = verify(VK, public, proof)

    assert not result
    assert result.reason in (Refusal.INPUT_RANGE, Refusal.POINT)
    assert not verify_batch(VK, [(public, proof)])


def test_refusals_are_handed_on_between_processes():
    """With their kind."""
    with pytest.raises(InvalidProofError) as caught:
        check_proof(VK, PUBLIC, Proof(G1, G2, (1, 1)))
    received = pickle.loads(pickle.dumps(caught.value))

    assert (str(caught.value), Refusal.POINT) == (str(received), received.refusal)


def test_malleability_is_what_it_is():
    """(-A, -B, C) is another proof of the same: documented, so proofs must not serve as names."""
    twin = make_proof(g1_negate(PROOF.a), g2_negate(PROOF.b), PROOF.c)

    assert verify(VK, PUBLIC, twin)
    assert not verify(VK, [12, 8], twin)


def test_batches():
    """All valid passes, in any number; one bad one, or two that cancel out, fails."""
    proofs = []
    for x in range(4):
        public = [x * 5, x + 5]
        witness = PROGRAM.compute_witness(
            {"x": x, "y": 5, "product": public[0], "total": public[1]}
        )
        proofs.append((public, PROVER.prove(witness)))

    assert verify_batch(VK, [])
    assert verify_batch(VK, proofs[:1])
    assert verify_batch(VK, proofs)
    (public0, proof0), (public1, proof1), *_ = proofs
    assert not verify_batch(VK, [*proofs, (public0, proof1)])
    # Errors that cancel without weights: C moved by G and by -G.
    up = with_points(proof0, c=g1_add(proof0.c, G1))
    down = with_points(proof1, c=g1_add(proof1.c, g1_negate(G1)))
    assert not verify_batch(VK, [(public0, up), (public1, down)])


def test_prover_refuses_false_witnesses():
    """No proof is made of what is not so."""
    with pytest.raises(UnsatisfiedError, match="total"):
        PROVER.prove(PROGRAM.compute_witness({"x": 3, "y": 4, "product": 12, "total": 8}))
    with pytest.raises(ValueError):
        PROVER.prove(WITNESS[:-1])


def test_keys_belong_to_circuits():
    """A key of another circuit is refused, also one of the same size."""
    builder = Builder()
    product, total = builder.public("product"), builder.public("total")
    x, y = builder.private("x"), builder.private("y")
    builder.constrain(x, y, product, "product")
    builder.assert_equal(x - y, total, "difference")
    other, _ = builder.build()
    with pytest.raises(WrongKeyError):
        Prover(other, KEY)
    assert not verify(setup(other).verifying_key, PUBLIC, PROOF)


def test_setup_is_as_random_as_its_source():
    """The same seed gives the same keys; the secure default never does."""

    assert KEY == setup(SYSTEM, Random(1).randrange)
    assert setup(SYSTEM) != setup(SYSTEM)


def test_bad_verifying_keys_are_refused():
    """Infinity, points off the curve or out of the subgroup, and no IC at all."""
    broken: list[dict[str, Any]] = [
        {"alpha": None},
        {"alpha": off(VK.alpha)},
        {"beta": outside_point()},
        {"gamma": None},
        {"delta": ZERO_G2},
        {"ic": ()},
        {"ic": (VK.ic[0], None, VK.ic[2])},
    ]
    for changes in broken:
        with pytest.raises(ValueError):
            replace(VK, **changes)


def test_circuit_without_public_inputs():
    """The smallest circuit there is still has its constant."""
    builder = Builder()
    x = builder.private("x")
    builder.constrain(x, x, 4, "x squared is 4")
    system, program = builder.build()
    key = setup(system)

    assert verify(
        key.verifying_key, [], Prover(system, key).prove(program.compute_witness({"x": 2}))
    )
