"""The constraint system as polynomials: a quadratic arithmetic program.

Constraint j is the domain's point j. After the constraints come l + 1 rows (w_i) * 0 = 0 for the
public wires i, the constant first, as in libsnark and snarkjs: they make the polynomials of the
public wires independent, so that no public input can be traded for another.
"""

from collections.abc import Sequence

from veperf.workloads.zk.field import R
from veperf.workloads.zk.integers import integer
from veperf.workloads.zk.ntt import Domain, domain
from veperf.workloads.zk.r1cs import Evaluation, R1cs


def domain_size(r1cs: R1cs) -> int:
    """The power of two that holds the constraints and the rows of the public wires."""
    rows = len(r1cs.constraints) + r1cs.public_count + 1
    return 1 << (rows - 1).bit_length()


def polynomials_at(r1cs: R1cs, x: int) -> tuple[list[int], list[int], list[int]]:
    """u_i(x), v_i(x), w_i(x) for every wire i."""
    lagrange = domain(domain_size(r1cs)).lagrange(x)
    sides = tuple([integer(0)] * r1cs.wire_count for _ in range(3))
    for value, constraint in zip(lagrange, r1cs.constraints, strict=False):
        for side, row in zip(sides, constraint, strict=True):
            for wire, factor in row:
                side[wire] += factor * value
    start = len(r1cs.constraints)
    for wire, value in enumerate(lagrange[start : start + r1cs.public_count + 1]):
        sides[0][wire] += value
    u, v, w = ([value % R for value in side] for side in sides)
    return u, v, w


def products_on_coset(r1cs: R1cs, sides: Evaluation, witness: Sequence[int]) -> list[int]:
    """The values of u v on the coset of the domain, u the sum of w_i u_i, v that of w_i v_i."""
    points = domain(domain_size(r1cs))
    public = list(witness[: r1cs.public_count + 1])
    u, v = _extended(points, sides.a + public), _extended(points, sides.b)
    return [a * b % R for a, b in zip(u, v, strict=True)]


def _extended(points: Domain, values: list[int]) -> list[int]:
    padded = values + [0] * (points.size - len(values))
    return points.coset_ntt(points.intt(padded))
