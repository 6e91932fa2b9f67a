"""The endomorphism psi of the twist: up to the curve over Fp12, the Frobenius map, and back."""

from veperf.workloads.zk.field import P, R, T
from veperf.workloads.zk.tower import fp2
from veperf.workloads.zk.tower.fp2 import Fp2

# (x, y) goes up to (x w^2, y w^3); w^P = XI^((P - 1) / 6) w.
_X_FACTOR = fp2.power(fp2.XI, (P - 1) // 3)
_Y_FACTOR = fp2.power(fp2.XI, (P - 1) // 2)
_EIGENVALUE = 6 * T**2


def psi(point: tuple[Fp2, Fp2]) -> tuple[Fp2, Fp2]:
    """The image of ``point``, P times itself for a point of G2 (Galbraith, Scott 2008)."""
    x, y = point
    return (
        fp2.multiply(fp2.conjugate(x), _X_FACTOR),
        fp2.multiply(fp2.conjugate(y), _Y_FACTOR),
    )


def split_by_psi(scalar: int) -> tuple[int, int]:
    """k1 and k2, below 2^126 in absolute value, with ``scalar`` = k1 + k2 P modulo R.

    P is 6 t^2 modulo R, half as long as R (Galbraith, Scott: Exponentiation in pairing-friendly
    groups using homomorphisms, 2008).
    """
    scalar = (scalar + R // 2) % R - R // 2
    second = (scalar + _EIGENVALUE // 2) // _EIGENVALUE
    return scalar - second * _EIGENVALUE, second
