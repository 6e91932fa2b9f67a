"""Fp2 = Fp[u] / (u^2 + 1): pairs (c0, c1) for c0 + c1 u, both from 0 to P - 1."""

from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.field import P

Fp2 = tuple[int, int]

ZERO: Fp2 = (integer(0), integer(0))
ONE: Fp2 = (integer(1), integer(0))
XI: Fp2 = (integer(9), integer(1))
"""The element 9 + u, without square or cube root, that defines the next extension: w^6 = 9 + u."""


def add(a: Fp2, b: Fp2) -> Fp2:
    """Return a + b."""
    return (a[0] + b[0]) % P, (a[1] + b[1]) % P


def subtract(a: Fp2, b: Fp2) -> Fp2:
    """Return a - b."""
    return (a[0] - b[0]) % P, (a[1] - b[1]) % P


def negate(a: Fp2) -> Fp2:
    """Return -a."""
    return -a[0] % P, -a[1] % P


def multiply(a: Fp2, b: Fp2) -> Fp2:
    """Return the product a b."""
    a0, a1 = a
    b0, b1 = b
    return (a0 * b0 - a1 * b1) % P, (a0 * b1 + a1 * b0) % P


def square(a: Fp2) -> Fp2:
    """Return a^2."""
    a0, a1 = a
    return (a0 + a1) * (a0 - a1) % P, 2 * a0 * a1 % P


def scale(a: Fp2, factor: int) -> Fp2:
    """Return the product of a and a factor in Fp."""
    return a[0] * factor % P, a[1] * factor % P


def conjugate(a: Fp2) -> Fp2:
    """Return a^P = c0 - c1 u."""
    return a[0], -a[1] % P


def inverse(a: Fp2) -> Fp2:
    """Return 1 / a.

    Raises:
        ZeroDivisionError: a is 0.
    """
    a0, a1 = a
    norm = invert(a0 * a0 + a1 * a1, P)
    return a0 * norm % P, -a1 * norm % P


def power(a: Fp2, exponent: int) -> Fp2:
    """Return a^exponent, for an exponent from 0."""
    result = ONE
    for bit in f"{exponent:b}":
        result = square(result)
        if bit == "1":
            result = multiply(result, a)
    return result


def square_root(a: Fp2) -> Fp2:
    """Return a square root of a; P is 3 modulo 4 (Adj, Rodriguez-Henriquez 2012, algorithm 9).

    Raises:
        ArithmeticError: there is none.
    """
    first = power(a, (P - 3) // 4)
    root = multiply(first, a)
    alpha = multiply(first, root)
    if alpha == negate(ONE):
        root = -root[1] % P, root[0]
    else:
        root = multiply(power(add(alpha, ONE), (P - 1) // 2), root)
    if square(root) != a:
        raise ArithmeticError("not a square")
    return root
