"""Groth16 verifier, for one proof or a batch.

A proof (A, B, C) of public inputs a_1 ... a_l is valid where, with a_0 = 1,

    e(A, B) = e(alpha, beta) e(sum of a_i IC_i, gamma) e(C, delta).

Source: Groth 2016, section 3.2. A proof is also invalid with more or fewer public inputs than the
key has, an input outside [0, r) (adding r to one would make a second proof of the same),
coordinates out of range, points off the curve or outside the subgroup, or infinity.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import index

from veperf.workloads.zk.curve.g1 import G1Point, g1_multiply, g1_negate
from veperf.workloads.zk.field import PointError, R
from veperf.workloads.zk.groth16.keys import Proof, VerifyingKey, require_g1
from veperf.workloads.zk.groth16.setup import Draw
from veperf.workloads.zk.msm.fixed_base import FixedBase
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.pairing import (
    PreparedG2,
    is_product_one,
    miller_loop,
    prepare_g2,
)
from veperf.workloads.zk.tower import fp12
from veperf.workloads.zk.tower.fp12 import Fp12
from veperf.workloads.zk.verification import VALID, Refusal, Verification

_CACHED_KEYS = 64


@dataclass(frozen=True, slots=True)
class PreparedKey:
    """A verifying key with the precomputations for all its verifications."""

    key: VerifyingKey
    ic: FixedBase
    gamma: PreparedG2
    delta: PreparedG2
    beta: PreparedG2
    alpha_beta: Fp12
    """The Miller loop of (alpha, beta)."""


@dataclass(frozen=True, slots=True)
class CheckedProof:
    """Checked points and public inputs of a proof, with the lines of B."""

    a: G1Point
    b: PreparedG2
    c: G1Point
    public: Sequence[int]


@lru_cache(maxsize=_CACHED_KEYS)
def prepare_key(key: VerifyingKey) -> PreparedKey:
    """Return ``key`` with its precomputations, from a cache."""
    beta = prepare_g2(key.beta)
    return PreparedKey(
        key,
        FixedBase(key.ic),
        prepare_g2(key.gamma),
        prepare_g2(key.delta),
        beta,
        miller_loop([(key.alpha, beta)]),
    )


def verify(key: VerifyingKey, public: Sequence[int], proof: Proof) -> Verification:
    """Return whether ``proof`` is valid for the public inputs ``public``, and if not, why.

    Args:
        key: The key of the statement's circuit.
        public: The public inputs, the constant excluded. They come from the statement
            (``Statement.public_inputs``), not from the prover, so that a proof of something else
            can't pass for this one.
        proof: The proof.
    """
    try:
        checked = check_proof(key, public, proof)
    except InvalidProofError as error:
        return Verification(error.refusal, str(error))
    prepared = prepare_key(key)
    product = proof_miller_loop(prepared, checked, public_input_point(prepared, checked.public))
    return VALID if is_product_one(product) else Verification(Refusal.EQUATION)


class InvalidProofError(PointError):
    """A proof or its public inputs have an invalid form; ``refusal`` is the kind."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal

    def __reduce__(self) -> tuple[type, tuple[Refusal, str]]:
        return type(self), (self.refusal, str(self))


def check_proof(key: VerifyingKey, public: Sequence[int], proof: Proof) -> CheckedProof:
    """Check the form of ``proof`` and ``public``.

    Raises:
        InvalidProofError: a point is infinity, out of range, off its curve or out of the subgroup;
            a public input is not in [0, r), or there are not as many as the key has.
    """
    try:
        values = [index(value) for value in public]
    except TypeError as error:
        raise InvalidProofError(Refusal.INPUT_RANGE, "it is not an integer") from error
    if len(values) != key.public_count:
        message = f"{len(values)} public inputs, the key has {key.public_count}"
        raise InvalidProofError(Refusal.INPUT_COUNT, message)
    if not all(0 <= value < R for value in values):
        raise InvalidProofError(Refusal.INPUT_RANGE, "it is not between 0 and the order")
    try:
        a, c = require_g1(proof.a), require_g1(proof.c)
        (x0, x1), (y0, y1) = proof.b
        b = prepare_g2(((index(x0), index(x1)), (index(y0), index(y1))))  # checks B
        return CheckedProof(a, b, c, values)
    except (AttributeError, TypeError, ValueError) as error:
        message = str(error) if isinstance(error, PointError) else "it is no pair of coordinates"
        raise InvalidProofError(Refusal.POINT, message) from error


def public_input_point(prepared: PreparedKey, public: Sequence[int]) -> G1Point:
    """Return the sum of a_i IC_i."""
    point: G1Point = prepared.ic.msm([1, *public])
    return point


def proof_miller_loop(prepared: PreparedKey, proof: CheckedProof, inputs: G1Point) -> Fp12:
    """Return the Miller loop of e(-A, B) e(alpha, beta) e(inputs, gamma) e(C, delta)."""
    pairs = [
        (g1_negate(proof.a), proof.b),
        (inputs, prepared.gamma),
        (proof.c, prepared.delta),
    ]
    return fp12.multiply(miller_loop(pairs), prepared.alpha_beta)


_WEIGHT_BITS = 128


def verify_batch(
    key: VerifyingKey,
    proofs: Sequence[tuple[Sequence[int], Proof]],
    draw: Draw = secrets.randbelow,
) -> Verification:
    """Return whether all ``proofs``, each with its public inputs, are valid; an empty batch is.

    With random weights z_j of 128 bits their equations become one,

        product of e(z_j A_j, B_j)
            = e(sum z_j alpha, beta) e(sum z_j a_ji IC_i, gamma) e(sum z_j C_j, delta),

    which an invalid proof passes with a probability of 2^-128.

    Args:
        key: The verifying key of all proofs.
        proofs: Pairs of public inputs and proof.
        draw: Source of the weights, which must be secret.
    """
    if not proofs:
        return VALID
    try:
        checked = [check_proof(key, public, proof) for public, proof in proofs]
    except InvalidProofError as error:
        return Verification(error.refusal, str(error))
    prepared = prepare_key(key)
    weights = [1 + draw((1 << _WEIGHT_BITS) - 1) for _ in checked]
    pairs = [
        (g1_negate(g1_multiply(proof.a, weight)), proof.b)
        for proof, weight in zip(checked, weights, strict=True)
    ]
    total = sum(weights) % R
    inputs = [
        sum(weight * value for weight, value in zip(weights, column, strict=True)) % R
        for column in zip(*(proof.public for proof in checked), strict=True)
    ]
    pairs.append((g1_multiply(key.alpha, total), prepared.beta))
    pairs.append((prepared.ic.msm([total, *inputs]), prepared.gamma))
    pairs.append((msm([proof.c for proof in checked], weights), prepared.delta))
    return VALID if is_product_one(miller_loop(pairs)) else Verification(Refusal.EQUATION)
