"""BN254 as py_ecc has it, the other implementation that tests compare with; points off G2."""

from importlib import import_module
from typing import Any

from hypothesis import strategies as st

from veperf.workloads.zk.curve.g1 import G1Point
from veperf.workloads.zk.curve.g2 import G2Point
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.tower import fp2, fp12
from veperf.workloads.zk.tower.fp2 import Fp2
from veperf.workloads.zk.tower.fp12 import Fp12

reference: Any = import_module("py_ecc.optimized_bn128")  # its types hide what it exports
FIELD = int(P)
ORDER = int(R)
COFACTOR = 2 * FIELD - ORDER  # the twist has R (2P - R) points
EDGES = (0, 1, 2, FIELD // 2, FIELD - 2, FIELD - 1)

elements = st.one_of(st.sampled_from(EDGES), st.integers(0, FIELD - 1))
scalars = st.one_of(st.sampled_from((0, 1, 2, 3, ORDER // 2, ORDER - 1)), st.integers(0, ORDER - 1))
fp2s = st.tuples(elements, elements)
fp12s = st.lists(fp2s, min_size=6, max_size=6).map(fp12.from_coefficients)


def reference_g1(scalar: int) -> G1Point:
    """The multiple of the generator, by py_ecc."""
    return from_reference_g1(reference.multiply(reference.G1, scalar))


def reference_g2(scalar: int) -> G2Point:
    """The multiple of the generator, by py_ecc."""
    return from_reference_g2(reference.multiply(reference.G2, scalar))


def from_reference_g1(point: Any) -> G1Point:
    """A point of py_ecc's as ours."""
    if reference.is_inf(point):
        return None
    x, y = reference.normalize(point)
    return int(x), int(y)


def from_reference_g2(point: Any) -> G2Point:
    """A point of py_ecc's as ours."""
    if reference.is_inf(point):
        return None
    (x0, x1), (y0, y1) = (part.coeffs for part in reference.normalize(point))
    return (int(x0), int(x1)), (int(y0), int(y1))


def to_reference(a: Fp12) -> Any:
    """An element of ours as py_ecc's, a polynomial in w: u = w^6 - 9."""
    low, high = zip(*((c0 - 9 * c1, c1) for c0, c1 in fp12.coefficients(a)), strict=True)
    return reference.FQ12([int(part) % FIELD for part in (*low, *high)])


def point_on_twist(start: int) -> tuple[Fp2, Fp2]:
    """A point of the twist with x = start + i u for a small i; hardly ever in the subgroup."""
    i = 0
    while True:
        x = (start % P, i % P)
        b = fp2.scale(fp2.inverse(fp2.XI), 3)
        y = _square_root(fp2.add(fp2.multiply(fp2.square(x), x), b))
        if y is not None:
            return x, y
        i += 1


def _square_root(a: Fp2) -> Fp2 | None:
    """By c0 = (a0 + |a|) / 2 for (c0, c1)^2 = a; P is 3 modulo 4."""
    a0, a1 = a
    length = pow(a0 * a0 + a1 * a1, (P + 1) // 4, P)
    for sign in (1, -1):
        c0 = pow((a0 + sign * length) * pow(2, -1, FIELD), (P + 1) // 4, P)
        if c0:
            root = (c0, a1 * pow(2 * c0, -1, P) % P)
            if fp2.square(root) == (a0 % P, a1 % P):
                return root
    return None
