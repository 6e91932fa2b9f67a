"""The three sums of a proof over points that stay the same, each with its table of multiples."""

from dataclasses import dataclass

from veperf.workloads.zk.curve import G1Point, G2Point
from veperf.workloads.zk.groth16.keys import ProvingKey
from veperf.workloads.zk.msm import FixedBase


@dataclass(frozen=True, slots=True)
class Tables:
    """What a prover adds up; each is made when it is first used, unless it was loaded."""

    a: FixedBase
    """Over u_i(x), alpha and delta."""
    b: FixedBase
    """Over v_i(x), beta and delta, in G2."""
    c: FixedBase
    """Over the points of ``ProvingKey.c``, ``products``, v_i(x) and beta."""


def tables(key: ProvingKey) -> Tables:
    """The tables of ``key``, not made yet."""
    a, b, c = bases(key)
    return Tables(FixedBase(a), FixedBase(b), FixedBase(c))


def tables_from_bytes(key: ProvingKey, a: bytes, b: bytes, c: bytes) -> Tables:
    """The tables of ``key`` as ``FixedBase.to_bytes`` gave them.

    Raises:
        CorruptFileError: one is of other points, or holds what is no point.
    """
    bases_a, bases_b, bases_c = bases(key)
    return Tables(
        FixedBase.from_bytes(bases_a, a),
        FixedBase.from_bytes(bases_b, b),
        FixedBase.from_bytes(bases_c, c),
    )


def bases(key: ProvingKey) -> tuple[list[G1Point], list[G2Point], list[G1Point]]:
    """The points of each table, in the order of the scalars that ``Prover`` multiplies them by."""
    verifying = key.verifying_key
    return (
        [*key.a, verifying.alpha, key.delta_g1],
        [*key.b_g2, verifying.beta, verifying.delta],
        [*key.c, *key.products, *key.b_g1, key.beta_g1],
    )
