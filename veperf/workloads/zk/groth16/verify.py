"""Verify a proof.

A proof (A, B, C) of public inputs a_1 ... a_l is valid where, with a_0 = 1,

    e(A, B) = e(alpha, beta) e(sum of a_i IC_i, gamma) e(C, delta).

Source: Groth 2016, section 3.2. Everything that can be wrong with a proof makes it invalid: a
number of public inputs that is not the key's, an input that is not in [0, r) (adding r to one would
make a second proof of the same), coordinates that are out of range, points off the curve or out of
the subgroup, infinity.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import index

from veperf.workloads.zk.curve import G1Point, PointError, g1_multiply, g1_negate
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import Proof, VerifyingKey, valid_g1
from veperf.workloads.zk.groth16.setup import Draw
from veperf.workloads.zk.msm import FixedBase, msm
from veperf.workloads.zk.pairing import PreparedG2, final_exponentiation, miller_loop, prepare
from veperf.workloads.zk.tower import fp12
from veperf.workloads.zk.tower.fp12 import Fp12

_KEYS = 64


@dataclass(frozen=True, slots=True)
class PreparedKey:
    """A verifying key, and what all its verifications have in common."""

    key: VerifyingKey
    ic: FixedBase
    gamma: PreparedG2
    delta: PreparedG2
    beta: PreparedG2
    alpha_beta: Fp12
    """The Miller loop of (alpha, beta)."""


@dataclass(frozen=True, slots=True)
class CheckedProof:
    """Points that are what they should be, and the line coefficients of B."""

    a: G1Point
    b: PreparedG2
    c: G1Point
    public: Sequence[int]


@lru_cache(maxsize=_KEYS)
def prepared_key(key: VerifyingKey) -> PreparedKey:
    """``key``, prepared; kept for the next time."""
    beta = prepare(key.beta)
    return PreparedKey(
        key,
        FixedBase(key.ic),
        prepare(key.gamma),
        prepare(key.delta),
        beta,
        miller_loop([(key.alpha, beta)]),
    )


def verify(key: VerifyingKey, public: Sequence[int], proof: Proof) -> bool:
    """Whether ``proof`` is valid for the public inputs ``public``, the constant left out."""
    try:
        checked = check(key, public, proof)
    except ValueError:
        return False
    prepared = prepared_key(key)
    return is_one(paired(prepared, checked, public_point(prepared, checked.public)))


def check(key: VerifyingKey, public: Sequence[int], proof: Proof) -> CheckedProof:
    """``proof`` and ``public``, if they have the right form.

    Raises:
        PointError: a point is infinity, out of range, off its curve or out of the subgroup.
        ValueError: a public input is not in [0, r), or there are not as many as the key has.
    """
    if len(public) != key.public_count:
        raise ValueError(f"{len(public)} public inputs, the key has {key.public_count}")
    try:
        values = [index(value) for value in public]
    except TypeError as error:
        raise ValueError("a public input is not an integer") from error
    if not all(0 <= value < R for value in values):
        raise ValueError("a public input is not a field element")
    try:
        a, c = valid_g1(proof.a), valid_g1(proof.c)
        (x0, x1), (y0, y1) = proof.b
        b = prepare(((index(x0), index(x1)), (index(y0), index(y1))))  # checks the rest
        return CheckedProof(a, b, c, values)
    except TypeError as error:
        raise PointError("a point is a pair of coordinates") from error


def public_point(prepared: PreparedKey, public: Sequence[int]) -> G1Point:
    """The sum of a_i IC_i."""
    point: G1Point = prepared.ic.msm([1, *public])
    return point


def paired(prepared: PreparedKey, proof: CheckedProof, inputs: G1Point) -> Fp12:
    """The Miller loop of e(-A, B) e(alpha, beta) e(inputs, gamma) e(C, delta)."""
    pairs = [
        (g1_negate(proof.a), proof.b),
        (inputs, prepared.gamma),
        (proof.c, prepared.delta),
    ]
    return fp12.multiply(miller_loop(pairs), prepared.alpha_beta)


def is_one(product: Fp12) -> bool:
    """Whether the final exponentiation of a Miller loop's ``product`` is 1."""
    return final_exponentiation(product) == fp12.ONE


_WEIGHT_BITS = 128


def verify_all(
    key: VerifyingKey,
    proofs: Sequence[tuple[Sequence[int], Proof]],
    draw: Draw = secrets.randbelow,
) -> bool:
    """Whether all ``proofs``, each with its public inputs, are valid; none at all are.

    With random weights z_j of 128 bits their equations become one,

        product of e(z_j A_j, B_j)
            = e(sum z_j alpha, beta) e(sum z_j a_ji IC_i, gamma) e(sum z_j C_j, delta),

    which an invalid proof passes with a probability of 2^-128.

    Args:
        key: The key of all of them.
        proofs: Public inputs and proof of each.
        draw: Gives a secret random integer from 0 to below its argument.
    """
    if not proofs:
        return True
    try:
        checked = [check(key, public, proof) for public, proof in proofs]
    except ValueError:
        return False
    prepared = prepared_key(key)
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
    return is_one(miller_loop(pairs))
