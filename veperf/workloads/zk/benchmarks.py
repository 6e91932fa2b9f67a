"""Benchmarks of the zero-knowledge suite: what is measured, and how each is set up."""

from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark
from veperf.workloads.zk import example_data, py_ecc_reference
from veperf.workloads.zk.circuits import age, disclosure, residency, score
from veperf.workloads.zk.circuits.circuit import Circuit, verify
from veperf.workloads.zk.circuits.identifiers import SALT_BYTES, claim_commitment, proof_id
from veperf.workloads.zk.circuits.nonce import new_nonce
from veperf.workloads.zk.curve import G1, G2, g1_multiply
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16 import Prover, setup, verify_all
from veperf.workloads.zk.groth16.proverfile import prover_from_bytes, prover_to_bytes
from veperf.workloads.zk.groth16.verify import (
    check,
    is_one,
    paired,
    prepared_key,
    public_point,
)
from veperf.workloads.zk.pairing import pairing
from veperf.workloads.zk.poseidon import poseidon

_CLAIMS = (4, 1, 2, 8, 16)
_CONSTRAINTS = (450, 100, 200, 500, 1_000, 2_000)
_BATCHES = (16, 1, 4, 64)
_SCALAR = pow(5, 1_000_003, int(R))  # of full size


@cache
def _age_prover() -> Prover:
    # Four benchmarks in one process share it.
    return example_data.prover(age.CIRCUIT.compile().r1cs)


def _proving(prover: Prover, witness: Callable[[], list[int]]) -> Task:
    """Witness and proof, with the tables made beforehand, and its stages."""
    prover.prove(witness())
    r, s = _SCALAR, _SCALAR + 1

    def quotient(values: list[int]) -> tuple[list[int], list[int]]:
        return values, prover.products(values)

    def msm_a(done: tuple[Any, ...]) -> tuple[Any, ...]:
        return *done, prover.sum_a(done[0], r)

    def msm_b(done: tuple[Any, ...]) -> tuple[Any, ...]:
        return *done, prover.sum_b(done[0], s)

    def msm_c(done: tuple[Any, ...]) -> object:
        values, products, a, _ = done
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


@benchmark("zk_proof/age_proof", level=Level.COMPONENT, targets={"time": "zk_proof/age_proof"})
def age_proof() -> Task:
    """Prove an age over a threshold: witness and Groth16 proof."""
    compiled = age.CIRCUIT.compile()
    return _proving(
        _age_prover(), lambda: age.witness(compiled, example_data.CREDENTIAL, example_data.AGE)
    )


@benchmark(
    "zk_proof/residency_proof",
    level=Level.COMPONENT,
    targets={"time": "zk_proof/residency_proof"},
)
def residency_proof() -> Task:
    """Prove residency in one of up to 32 countries: witness and Groth16 proof."""
    compiled = residency.CIRCUIT.compile()
    return _proving(
        example_data.prover(compiled.r1cs),
        lambda: residency.witness(compiled, example_data.CREDENTIAL, example_data.RESIDENCY),
    )


@benchmark(
    "zk_proof/score_threshold",
    level=Level.COMPONENT,
    targets={"time": "zk_proof/score_threshold"},
)
def score_threshold() -> Task:
    """Prove a score at or above a threshold: witness and Groth16 proof."""
    compiled = score.CIRCUIT.compile()
    return _proving(
        example_data.prover(compiled.r1cs),
        lambda: score.witness(compiled, example_data.CREDENTIAL, example_data.SCORE),
    )


@benchmark(
    "zk_proof/selective_disclosure",
    level=Level.COMPONENT,
    params={"claims": _CLAIMS},
    targets={"time": "zk_proof/selective_disclosure"},
    slow=tuple(f"claims={count}" for count in _CLAIMS[1:]),
)
def selective_disclosure(claims: int) -> Task:
    """Prove every second of several committed claims: witness and Groth16 proof."""
    compiled = disclosure.circuit(claims).compile()
    hidden = example_data.claims(claims)
    statement = hidden.disclose(range(0, claims, 2), example_data.NONCE)
    return _proving(
        example_data.prover(compiled.r1cs), lambda: disclosure.witness(compiled, hidden, statement)
    )


@benchmark(
    "zk_proof/proof_by_constraints",
    level=Level.COMPONENT,
    params={"constraints": _CONSTRAINTS},
    slow=("*",),
)
def proof_by_constraints(constraints: int) -> Task:
    """Prove a chain of squarings, a constraint each, all wires holding numbers of full size."""
    compiled = example_data.squarings(constraints)
    inputs = example_data.squarings_inputs(constraints)
    return _proving(example_data.prover(compiled.r1cs), lambda: compiled.witness(inputs))


# ---------------------------------------------------------------- verification


@benchmark(
    "zk_proof/proof_verification",
    level=Level.COMPONENT,
    targets={"time": "zk_proof/proof_verification"},
)
def proof_verification() -> Task:
    """Verify one proof of age: points, subgroup, public inputs, pairings. The key is prepared."""
    prover = _age_prover()
    key = prover.key.verifying_key
    proof = prover.prove(
        age.witness(age.CIRCUIT.compile(), example_data.CREDENTIAL, example_data.AGE)
    )
    prepared = prepared_key(key)
    public = example_data.AGE.public_inputs()
    return Task(
        lambda: verify(key, example_data.AGE, proof),
        stages={
            "checks": lambda _: check(key, public, proof),
            "public_inputs": lambda checked: (checked, public_point(prepared, checked.public)),
            "miller_loop": lambda done: paired(prepared, *done),
            "final_exponentiation": is_one,
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
    prover = _age_prover()
    proof = prover.prove(
        age.witness(age.CIRCUIT.compile(), example_data.CREDENTIAL, example_data.AGE)
    )
    # The same proof again and again: nothing in the work depends on that.
    batch = [(example_data.AGE.public_inputs(), proof)] * proofs
    return Task(lambda: verify_all(prover.key.verifying_key, batch), operations=proofs)


# ---------------------------------------------------------------- once a circuit


@benchmark(
    "zk_proof/circuit_compilation",
    level=Level.COMPONENT,
    targets={"time": "zk_proof/circuit_compilation"},
)
def circuit_compilation() -> Task:
    """Compile the circuit of age and make its keys; nothing is kept from one time to the next."""
    return Task(lambda: _compile_and_set_up(age.CIRCUIT))


@benchmark("zk_proof/first_proof", level=Level.COMPONENT, slow=("*",))
def first_proof() -> Task:
    """Prove an age with a key that was never used: the prover's tables, then one proof."""
    compiled = age.CIRCUIT.compile()
    key = _age_prover().key
    witness = age.witness(compiled, example_data.CREDENTIAL, example_data.AGE)
    return Task(lambda: Prover(compiled.r1cs, key).prove(witness))


@benchmark("zk_proof/prover_load", level=Level.COMPONENT, slow=("*",))
def prover_load() -> Task:
    """Read the key of the circuit of age, and its tables, as they are kept on disk."""
    r1cs = age.CIRCUIT.compile().r1cs
    data = prover_to_bytes(_age_prover())
    return Task(lambda: prover_from_bytes(data, r1cs))


def _compile_and_set_up(circuit: Circuit) -> object:
    return setup(circuit.compile().r1cs, Random(1).randrange)  # noqa: S311  # no secret is wanted


# ---------------------------------------------------------------- small pieces


@benchmark("zk_proof/commitment", level=Level.MICRO, targets={"time": "zk_proof/commitment"})
def commitment() -> Task:
    """Commit to a claim outside of circuits, as the target means it: SHA-256(salt || claim)."""
    salt, claim = bytes(SALT_BYTES), b"birth date: 1990-05-17"
    return Task(lambda: claim_commitment(salt, claim))


@benchmark("zk_proof/commitment_poseidon", level=Level.MICRO, params={"inputs": (2, 5, 16)})
def commitment_poseidon(inputs: int) -> Task:
    """Commit to a claim as circuits can open it: Poseidon, of which each S-box is a constraint."""
    values = [_SCALAR + i for i in range(inputs)]
    return Task(lambda: poseidon(values))


@benchmark("zk_proof/nonce", level=Level.MICRO, targets={"time": "zk_proof/nonce"})
def nonce() -> Task:
    """32 unpredictable bytes from the operating system."""
    return Task(new_nonce)


@benchmark("zk_proof/proof_id", level=Level.MICRO, targets={"time": "zk_proof/proof_id"})
def identifier() -> Task:
    """The identifier of a proof: SHA-256 of its circuit's name and its public inputs."""
    public = example_data.AGE.public_inputs()
    return Task(lambda: proof_id(age.CIRCUIT.name, public))


@benchmark("zk_proof/pairing", level=Level.MICRO)
def one_pairing() -> Task:
    """One pairing of points that are not prepared."""
    return Task(lambda: pairing(G1, G2))


@benchmark("zk_proof/pairing_py_ecc", level=Level.MICRO, slow=("*",))
def one_pairing_py_ecc() -> Task:
    """One pairing by py_ecc, for reference."""
    return Task(py_ecc_reference.pairing)


@benchmark("zk_proof/multiply", level=Level.MICRO)
def one_multiple() -> Task:
    """A point of G1 times a scalar of full size."""
    return Task(lambda: g1_multiply(G1, _SCALAR))


@benchmark("zk_proof/multiply_py_ecc", level=Level.MICRO, slow=("*",))
def one_multiple_py_ecc() -> Task:
    """A point of G1 times a scalar of full size by py_ecc, for reference."""
    return Task(lambda: py_ecc_reference.multiply(_SCALAR))
