"""Verify many proofs of one key at once."""

import secrets
from collections.abc import Sequence

from veperf.workloads.zk.curve import g1_multiply, g1_negate
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import Proof, VerifyingKey
from veperf.workloads.zk.groth16.setup import Draw
from veperf.workloads.zk.groth16.verify import check, is_one, prepared_key
from veperf.workloads.zk.msm import msm
from veperf.workloads.zk.pairing import miller_loop

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
