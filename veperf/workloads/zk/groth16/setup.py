"""Groth16 set-up: the keys of a circuit.

The secrets that keys are made from (alpha, beta, gamma, delta, x) let their owner prove anything.
Here one process draws and discards them, which suits measuring and testing; production keys come
from a ceremony of many parties, each adding secrets of its own.
"""

import secrets
from collections.abc import Callable, Sequence
from itertools import islice

from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.curve.g1 import G1
from veperf.workloads.zk.curve.g2 import G2
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import KeyForm, ProvingKey, VerifyingKey
from veperf.workloads.zk.msm.multiples import multiples
from veperf.workloads.zk.ntt import cached_domain
from veperf.workloads.zk.r1cs.system import Evaluation, R1cs


def domain_size(r1cs: R1cs, form: KeyForm = KeyForm.VEPERF) -> int:
    """Return the power of two that holds the constraints and the rows of the public wires.

    With these rows it is at least 2, as snarkjs has it.
    """
    rows = len(r1cs.constraints)
    if form.has_public_rows:
        rows = max(2, rows + r1cs.public_count + 1)
    return 1 << (rows - 1).bit_length()


def polynomials_at(r1cs: R1cs, x: int) -> tuple[list[int], list[int], list[int]]:
    """Return u_i(x), v_i(x), w_i(x) for every wire i."""
    lagrange = cached_domain(domain_size(r1cs)).lagrange(x)
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


def quotient_scalars(
    r1cs: R1cs, sides: Evaluation, witness: Sequence[int], form: KeyForm
) -> list[int]:
    """Return the scalars of ``ProvingKey.products``: the quotient as keys of that form take it.

    With u the sum of w_i u_i and v and w likewise, these are u v or u v - w on the coset, or the
    coefficients of (u v - w) / t, whose denominator is the same on the whole coset.
    """
    domain = cached_domain(domain_size(r1cs, form))
    public = list(witness[: r1cs.public_count + 1]) if form.has_public_rows else []
    u, v, w = (
        values + [0] * (domain.size - len(values))
        for values in (sides.a + public, sides.b, sides.c)
    )
    products = domain.coset_products(u, v)
    if form is KeyForm.VEPERF:
        return products
    on_coset = domain.coset_ntt(domain.intt(w))
    values = [(left - right) % R for left, right in zip(products, on_coset, strict=True)]
    if form is KeyForm.SNARKJS:
        return values
    scale = invert(pow(domain.shift, domain.size, R) - 1, R)
    return [value * scale % R for value in domain.coset_intt(values)]


Draw = Callable[[int], int]
"""A function that returns a random integer from 0 to below its argument."""


def setup(r1cs: R1cs, draw: Draw = secrets.randbelow, form: KeyForm = KeyForm.VEPERF) -> ProvingKey:
    """Make new keys for ``r1cs``.

    Args:
        r1cs: The constraint system.
        draw: Source of the secrets. Keys from any but the system's are marked as test keys.
        form: VEPERF for the fastest prover, SNARKJS for keys that can become .zkey files.

    Raises:
        ValueError: another form.
    """
    if form is KeyForm.GNARK:
        raise ValueError("keys in gnark's form are read, not made")
    size = domain_size(r1cs)
    shift = cached_domain(size).shift
    alpha, beta, gamma, delta = (_nonzero(draw) for _ in range(4))
    x = _nonzero(draw)
    while pow(x, size, R) == 1 or pow(x, size, R) == pow(shift, size, R):
        x = _nonzero(draw)  # x was on the domain or its coset, where polynomials would be 0
    u, v, w = polynomials_at(r1cs, x)
    combined = [(beta * a + alpha * b + c) % R for a, b, c in zip(u, v, w, strict=True)]
    first_private = r1cs.public_count + 1
    per_gamma, per_delta = invert(gamma, R), invert(delta, R)
    # t(x) / (t(g) delta), where t is x^size - 1 and g begins the coset.
    vanishing = (pow(x, size, R) - 1) * invert(pow(shift, size, R) - 1, R) * per_delta % R
    c = [0] * first_private + [value * per_delta for value in combined[first_private:]]
    if form is KeyForm.VEPERF:
        c = [value - share * vanishing for value, share in zip(c, w, strict=True)]
    lists = [
        [alpha, beta, delta],
        u,
        v,
        [value * per_gamma for value in combined[:first_private]],
        c,
        [value * vanishing for value in cached_domain(size).lagrange(x * invert(shift, R))],
    ]
    points = iter(multiples(G1, [scalar for scalars in lists for scalar in scalars]))
    (alpha_g1, beta_g1, delta_g1), a, b_g1, ic, c_g1, products = (
        tuple(islice(points, len(scalars))) for scalars in lists
    )
    beta_g2, gamma_g2, delta_g2, *b_g2 = multiples(G2, [beta, gamma, delta, *v])
    return ProvingKey(
        verifying_key=VerifyingKey(
            alpha_g1, beta_g2, gamma_g2, delta_g2, ic, is_test=draw is not secrets.randbelow
        ),
        circuit_digest=r1cs.digest(),
        domain_size=size,
        beta_g1=beta_g1,
        delta_g1=delta_g1,
        a=a,
        b_g1=b_g1,
        b_g2=tuple(b_g2),
        c=c_g1,
        products=products,
        form=form,
    )


def _nonzero(draw: Draw) -> int:
    return integer(1 + draw(R - 1))
