"""The benchmarks of the zero-knowledge suite."""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any

from veperf._native.core import CORES
from veperf.core.case import Level, Metric
from veperf.core.registry import MetricsTask, Task, benchmark
from veperf.workloads.cores import OTHER_CORES, in_core
from veperf.workloads.zk import example_data
from veperf.workloads.zk.circuits.circuit import Circuit, Statement
from veperf.workloads.zk.circuits.claims import COUNTRIES
from veperf.workloads.zk.circuits.credential import (
    AGE_CIRCUIT,
    RESIDENCY_CIRCUIT,
    SCORE_CIRCUIT,
    credential_witness,
)
from veperf.workloads.zk.circuits.disclosure import disclosure_circuit, disclosure_witness
from veperf.workloads.zk.circuits.hashing import SALT_BYTES, claim_commitment, new_nonce, proof_id
from veperf.workloads.zk.circuits.presentation import presentation_inputs
from veperf.workloads.zk.curve.g1 import G1, g1_multiply
from veperf.workloads.zk.curve.g2 import G2
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.files import prover_from_bytes, prover_to_bytes
from veperf.workloads.zk.groth16.keys import Proof
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import (
    check_proof,
    prepare_key,
    proof_miller_loop,
    public_input_point,
    verify,
    verify_batch,
)
from veperf.workloads.zk.pairing import is_product_one, pairing
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.sigma.bundle import (
    ClaimType,
    Expected,
    bundle_from_bytes,
    bundle_to_bytes,
    prove_claims,
    verify_claims,
)
from veperf.workloads.zk.sigma.membership import prove_member
from veperf.workloads.zk.sigma.pedersen import commit_claim
from veperf.workloads.zk.sigma.ranges import prove_range

_CLAIMS = (4, 1, 2, 8, 16)
_CONSTRAINTS = (450, 100, 200, 500, 1_000, 2_000)
_BATCHES = (16, 1, 4, 64)
_SCALAR = pow(5, 1_000_003, int(R))  # of full size


@cache
def _age_prover() -> Prover:
    # Shared by the benchmarks of one process.
    return example_data.example_prover(AGE_CIRCUIT.compile().r1cs)


@cache
def _age_proof() -> Proof:
    # The same in each process, as are the memory figures of its verification.
    return _age_prover().prove(_age_witness(), Random(1).randrange)  # noqa: S311  # no secret


def _age_witness() -> list[int]:
    compiled = AGE_CIRCUIT.compile()
    return credential_witness(compiled, example_data.CREDENTIAL, example_data.AGE_STATEMENT)


def _credential_proof_task(
    circuit: Circuit, statement: Statement, prover: Prover | None = None
) -> Task:
    compiled = circuit.compile()
    return _proof_task(
        prover or example_data.example_prover(compiled.r1cs),
        lambda: credential_witness(compiled, example_data.CREDENTIAL, statement),
    )


def _proof_task(prover: Prover, witness: Callable[[], list[int]]) -> Task:
    """Return a task of witness and proof, in stages."""
    # What a process computes once, without the sums of a whole proof.
    prover.prepare()
    prover.products(witness())
    r, s = _SCALAR, _SCALAR + 1

    def quotient(values: list[int]) -> tuple[list[int], list[int]]:
        return values, prover.products(values)

    def msm_a(results: tuple[Any, ...]) -> tuple[Any, ...]:
        return *results, prover.sum_a(results[0], r)

    def msm_b(results: tuple[Any, ...]) -> tuple[Any, ...]:
        return *results, prover.sum_b(results[0], s)

    def msm_c(results: tuple[Any, ...]) -> object:
        values, products, a, _ = results
        return prover.sum_c(values, products, a, r, s)

    stages: Mapping[str, Callable[[Any], Any]] = {
        "witness": lambda _: witness(),
        "quotient": quotient,
        "msm_a": msm_a,
        "msm_b": msm_b,
        "msm_c": msm_c,
    }
    return Task(lambda: prover.prove(witness()), stages=stages)


# ---------------------------------------------------------------- proofs


@benchmark(
    "zk_proof/age_proof",
    level=Level.COMPONENT,
    params={"core": CORES},
    targets={"time": "zk_proof/age_proof"},
    slow=OTHER_CORES,
)
def age_proof(core: str) -> Task:
    """Prove an age over a threshold: witness and Groth16 proof."""
    return in_core(
        core,
        lambda: _credential_proof_task(AGE_CIRCUIT, example_data.AGE_STATEMENT, _age_prover()),
    )


@benchmark(
    "zk_proof/residency_proof",
    level=Level.COMPONENT,
    targets={"time": "zk_proof/residency_proof"},
)
def residency_proof() -> Task:
    """Prove residency in one of up to 32 countries: witness and Groth16 proof."""
    return _credential_proof_task(RESIDENCY_CIRCUIT, example_data.RESIDENCY_STATEMENT)


@benchmark(
    "zk_proof/score_threshold",
    level=Level.COMPONENT,
    targets={"time": "zk_proof/score_threshold"},
)
def score_threshold() -> Task:
    """Prove a score at or above a threshold: witness and Groth16 proof."""
    return _credential_proof_task(SCORE_CIRCUIT, example_data.SCORE_STATEMENT)


@benchmark(
    "zk_proof/selective_disclosure",
    level=Level.COMPONENT,
    params={"claims": _CLAIMS},
    targets={"time": "zk_proof/selective_disclosure"},
    slow=tuple(f"claims={count}" for count in _CLAIMS[1:]),
)
def selective_disclosure(claims: int) -> Task:
    """Prove every second of several committed claims: witness and Groth16 proof."""
    compiled = disclosure_circuit(claims).compile()
    hidden = example_data.example_claims(claims)
    statement = hidden.disclose(range(0, claims, 2), example_data.NONCE)
    return _proof_task(
        example_data.example_prover(compiled.r1cs),
        lambda: disclosure_witness(compiled, hidden, statement),
    )


@benchmark(
    "zk_proof/proof_by_constraints",
    level=Level.COMPONENT,
    params={"constraints": _CONSTRAINTS, "core": CORES},
    slow=("*",),
)
def proof_by_constraints(constraints: int, core: str) -> Task:
    """Prove a chain of squarings, a constraint each, all wires holding numbers of full size."""
    compiled = example_data.compile_squarings(constraints)
    inputs = example_data.squarings_inputs(constraints)
    return in_core(
        core,
        lambda: _proof_task(
            example_data.example_prover(compiled.r1cs), lambda: compiled.witness(inputs)
        ),
    )


@benchmark(
    "zk_proof/presentation",
    level=Level.COMPONENT,
    params={"claims": ("age+residency+score", "age", "residency", "score")},
    slow=("*",),
)
def presentation(claims: str) -> Task:
    """Prove claims of a credential with its issuer's signature inside, for one verifier."""
    request = example_data.example_request(claims.split("+"))
    compiled = request.claims.circuit().compile()
    issued, secret = example_data.issued_credential()
    return _proof_task(
        example_data.example_prover(compiled.r1cs),
        lambda: compiled.witness(
            presentation_inputs(compiled, issued, secret, request, example_data.CREDENTIAL.salt)
        ),
    )


@benchmark(
    "zk_proof/circuit_size",
    level=Level.MICRO,
    params={"circuit": ("age", "residency", "score", "disclosure", "presentation")},
    metrics=(Metric("constraints", "constraints", exact=True),),
    slow=("circuit=presentation",),
)
def circuit_size(circuit: str) -> MetricsTask:
    """Count the constraints of a circuit: of age, residency and score, or of four claims."""
    circuits = {
        "age": AGE_CIRCUIT,
        "residency": RESIDENCY_CIRCUIT,
        "score": SCORE_CIRCUIT,
        "disclosure": disclosure_circuit(_CLAIMS[0]),
        "presentation": example_data.example_request().claims.circuit(),
    }
    compiled = circuits[circuit].compile()
    return MetricsTask(lambda: {"constraints": len(compiled.r1cs.constraints)})


# ---------------------------------------------------------------- sigma protocols

_SALT, _NONCE = bytes(range(32)), bytes(range(32, 64))
_CLAIMS_PROVEN = {ClaimType.AGE_OVER_18: 36, ClaimType.EMAIL_VERIFIED: True}


@benchmark("zk_proof/sigma_age", level=Level.COMPONENT)
def sigma_age() -> Task:
    """Prove an age over a threshold as VirtEngine does now: Pedersen commitments to 8 bits."""
    return Task(lambda: prove_range(36, 18, _SALT, _NONCE, "veid:age").to_bytes())


@benchmark("zk_proof/sigma_residency", level=Level.COMPONENT, params={"countries": (1, 27)})
def sigma_residency(countries: int) -> Task:
    """Prove residency by an OR proof over countries; VirtEngine's own list has one."""
    allowed = sorted(COUNTRIES)[:countries]
    return Task(
        lambda: prove_member(allowed[0], allowed, _SALT, _NONCE, "veid:residency").to_bytes()
    )


@benchmark("zk_proof/sigma_score", level=Level.COMPONENT)
def sigma_score() -> Task:
    """Prove a score over a threshold as VirtEngine does now: Pedersen commitments to 8 bits."""
    return Task(lambda: prove_range(87, 80, _SALT, _NONCE, "veid:score").to_bytes())


@benchmark("zk_proof/sigma_disclosure", level=Level.COMPONENT)
def sigma_disclosure() -> Task:
    """Prove an age over 18 and a verified e-mail address in one bundle, as VirtEngine does now."""
    return Task(lambda: bundle_to_bytes(prove_claims(_CLAIMS_PROVEN, Expected(), _SALT, _NONCE)))


@benchmark("zk_proof/sigma_verification", level=Level.COMPONENT)
def sigma_verification() -> Task:
    """Read and verify a bundle with an age over 18."""
    claims = [ClaimType.AGE_OVER_18]
    data = bundle_to_bytes(prove_claims({claims[0]: 36}, Expected(), _SALT, _NONCE))

    def call() -> bool:
        return verify_claims(bundle_from_bytes(data), claims, Expected())

    assert call(), "the proof is valid"
    return Task(call)


# ---------------------------------------------------------------- verification


@benchmark(
    "zk_proof/proof_verification",
    level=Level.COMPONENT,
    params={"core": CORES},
    targets={"time": "zk_proof/proof_verification"},
    slow=OTHER_CORES,
)
def proof_verification(core: str) -> Task:
    """Verify one proof of age: points, subgroup, public inputs, pairings. The key is prepared."""
    return in_core(core, _verification_task)


def _verification_task() -> Task:
    key, proof = _age_prover().key.verifying_key, _age_proof()
    prepared = prepare_key(key)
    prepared.ic.prepare()
    public = example_data.AGE_STATEMENT.public_inputs()
    assert verify(key, public, proof), "the proof is valid"
    return Task(
        lambda: verify(key, example_data.AGE_STATEMENT.public_inputs(), proof),
        stages={
            "checks": lambda _: check_proof(key, public, proof),
            "public_inputs": lambda checked: (
                checked,
                public_input_point(prepared, checked.public),
            ),
            "miller_loop": lambda results: proof_miller_loop(prepared, *results),
            "final_exponentiation": is_product_one,
        },
    )


@benchmark(
    "zk_proof/batch_verification",
    level=Level.COMPONENT,
    params={"proofs": _BATCHES},
    slow=("proofs=64",),
)
def batch_verification(proofs: int) -> Task:
    """Verify one proof of age among several that are verified together, with random weights."""
    key = _age_prover().key.verifying_key
    # One proof repeated: the work does not depend on the proofs being different.
    batch = [(example_data.AGE_STATEMENT.public_inputs(), _age_proof())] * proofs
    return Task(lambda: verify_batch(key, batch), operations=proofs)


# ---------------------------------------------------------------- circuits, keys and tables


@benchmark(
    "zk_proof/circuit_compilation",
    level=Level.COMPONENT,
    targets={"time": "zk_proof/circuit_compilation"},
)
def circuit_compilation() -> Task:
    """Compile the circuit of age and make its keys, without any cache."""
    return Task(lambda: _compile_and_set_up(AGE_CIRCUIT))


@benchmark("zk_proof/first_proof", level=Level.COMPONENT, params={"core": CORES}, slow=("*",))
def first_proof(core: str) -> Task:
    """Prove an age with a new key, and with the prover's tables where the core makes them."""
    r1cs, witness = AGE_CIRCUIT.compile().r1cs, _age_witness()
    key = example_data.make_prover(r1cs).key
    return in_core(core, lambda: Task(lambda: Prover(r1cs, key).prove(witness)))


@benchmark("zk_proof/prover_load", level=Level.COMPONENT, params={"core": CORES}, slow=("*",))
def prover_load(core: str) -> Task:
    """Read the key of the circuit of age, and its tables, from their file format."""
    r1cs = AGE_CIRCUIT.compile().r1cs
    data = prover_to_bytes(example_data.make_prover(r1cs))
    return in_core(core, lambda: Task(lambda: prover_from_bytes(data, r1cs, allow_test_keys=True)))


def _compile_and_set_up(circuit: Circuit) -> object:
    return setup(circuit.compile().r1cs, Random(1).randrange)  # noqa: S311  # not for secrets


# ---------------------------------------------------------------- primitives


@benchmark("zk_proof/commitment", level=Level.MICRO, targets={"time": "zk_proof/commitment"})
def commitment() -> Task:
    """Commit to a claim outside of circuits, as in the published target: SHA-256(salt || claim)."""
    salt, claim = bytes(SALT_BYTES), b"birth date: 1990-05-17"
    return Task(lambda: claim_commitment(salt, claim))


@benchmark(
    "zk_proof/commitment_pedersen", level=Level.MICRO, params={"core": CORES}, slow=OTHER_CORES
)
def commitment_pedersen(core: str) -> Task:
    """Commit to a claim as VirtEngine does now: a Pedersen commitment over G1 of BN254."""
    return in_core(core, lambda: Task(lambda: commit_claim("birth date: 1990-05-17", _SALT)))


@benchmark("zk_proof/commitment_poseidon", level=Level.MICRO, params={"inputs": (2, 5, 16)})
def commitment_poseidon(inputs: int) -> Task:
    """Commit to a claim with Poseidon, so that circuits can open the commitment."""
    values = [_SCALAR + i for i in range(inputs)]
    poseidon(values)  # the first hash of a width works its parameters out
    return Task(lambda: poseidon(values))


@benchmark("zk_proof/nonce", level=Level.MICRO, targets={"time": "zk_proof/nonce"})
def nonce() -> Task:
    """Draw 32 unpredictable bytes from the operating system."""
    return Task(new_nonce)


@benchmark("zk_proof/proof_id", level=Level.MICRO, targets={"time": "zk_proof/proof_id"})
def proof_identifier() -> Task:
    """Compute the identifier of a proof: SHA-256 of its circuit's name and its public inputs."""
    public = example_data.AGE_STATEMENT.public_inputs()
    return Task(lambda: proof_id(AGE_CIRCUIT.name, public))


@benchmark("zk_proof/pairing", level=Level.MICRO, params={"core": CORES}, slow=OTHER_CORES)
def unprepared_pairing(core: str) -> Task:
    """Compute the pairing of two points without precomputed lines."""
    return in_core(core, lambda: Task(lambda: pairing(G1, G2)))


@benchmark("zk_proof/pairing_py_ecc", level=Level.MICRO, slow=("*",))
def pairing_py_ecc() -> Task:
    """Compute the same pairing by py_ecc, for reference."""
    curve, pairings = _import_py_ecc()
    return Task(lambda: pairings.pairing(curve.G2, curve.G1))


@benchmark("zk_proof/multiply", level=Level.MICRO, params={"core": CORES}, slow=OTHER_CORES)
def scalar_multiple(core: str) -> Task:
    """Multiply a point of G1 by a scalar of full size."""
    return in_core(core, lambda: Task(lambda: g1_multiply(G1, _SCALAR)))


@benchmark("zk_proof/multiply_py_ecc", level=Level.MICRO, slow=("*",))
def scalar_multiple_py_ecc() -> Task:
    """Multiply a point of G1 by a scalar of full size by py_ecc, for reference."""
    curve, _ = _import_py_ecc()
    return Task(lambda: curve.multiply(curve.G1, _SCALAR))


def _import_py_ecc() -> tuple[Any, Any]:
    """Import py_ecc's BN254, its curve and its pairing."""
    limit = sys.getrecursionlimit()
    from py_ecc.optimized_bn128 import optimized_curve, optimized_pairing

    # py_ecc raises the limit to 100,000 for good; deeply nested JSON would then end the process.
    sys.setrecursionlimit(limit)
    return optimized_curve, optimized_pairing
