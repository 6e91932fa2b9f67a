"""A circuit's own ceremony (phase 2): its key from powers of tau, contributions, verification.

The first key has delta 1. Each contributor multiplies delta by a secret x, and divides the points
of c and h by it; if a single one of them forgets x, nobody can forge proofs. A beacon comes last: a
contribution from a value that nobody could choose, such as a block's hash.

Source: Bowe, Gabizon, Miers 2017; the hash of the first key as snarkjs takes it, so that either
tool goes on with the other's files.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from veperf.core.errors import DataError, UsageError
from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.curve.g1 import G1, g1_add, g1_multiply, g1_negate
from veperf.workloads.zk.curve.g2 import G2, g2_multiply
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import AffineG1, KeyForm, ProvingKey, VerifyingKey
from veperf.workloads.zk.groth16.setup import Draw, domain_size
from veperf.workloads.zk.msm.group import G1_GROUP, G2_GROUP, Point
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.r1cs.system import R1cs
from veperf.workloads.zk.snarkjs.contributions import (
    Beacon,
    Contribution,
    beacon_numbers,
    point_from_hash,
    short_name,
    transcript_hash,
)
from veperf.workloads.zk.snarkjs.points import points_for_hash
from veperf.workloads.zk.snarkjs.ptau import Ptau, same_ratio
from veperf.workloads.zk.snarkjs.zkey import Zkey, zkey_of

_LEAST_EXPONENT, _LARGEST_EXPONENT = 10, 26
_MAX_BEACON_BYTES = 255


def first_zkey(r1cs: R1cs, ptau: Ptau) -> Zkey:
    """Return the key of ``r1cs`` to which nobody contributed yet: anybody can forge proofs by it.

    Raises:
        DataError: ``ptau`` is for smaller circuits.
        CorruptFileError: its points are invalid or contradict each other.
    """
    size = domain_size(r1cs, KeyForm.SNARKJS)
    ptau.require_size(size)
    tau_g1, tau_g2 = ptau.lagrange_g1(size), ptau.lagrange_g2(size)
    alpha, beta = ptau.lagrange_alpha(size), ptau.lagrange_beta(size)
    columns = _columns(r1cs)
    a = [_sum(tau_g1, column) for column, _, _ in columns]
    b_g1 = [_sum(tau_g1, column) for _, column, _ in columns]
    b_g2 = [_sum(tau_g2, column) for _, column, _ in columns]
    combined: list[Any] = [
        g1_add(g1_add(_sum(beta, of_a), _sum(alpha, of_b)), _sum(tau_g1, of_c))
        for of_a, of_b, of_c in columns
    ]
    products = ptau.lagrange_g1(2 * size)[1::2]
    first_private = r1cs.public_count + 1
    if None in combined[:first_private]:
        raise DataError("a public signal that no constraint binds in such a key")
    key = ProvingKey(
        verifying_key=VerifyingKey(
            ptau.alpha_g1, ptau.beta_g2, G2, G2, tuple(combined[:first_private]), is_test=True
        ),
        circuit_digest=r1cs.digest(),
        domain_size=size,
        beta_g1=ptau.beta_g1,
        delta_g1=G1,
        a=tuple(a),
        b_g1=tuple(b_g1),
        b_g2=tuple(b_g2),
        c=(None,) * first_private + tuple(combined[first_private:]),
        products=tuple(products),
        form=KeyForm.SNARKJS,
    )
    powers = ptau.tau_g1(2 * size)
    zkey = zkey_of(key, r1cs)
    return replace(zkey, circuit_hash=_circuit_hash(key, powers[:size], powers[size:]))


_Column = list[tuple[int, int]]


def _columns(r1cs: R1cs) -> list[tuple[_Column, _Column, _Column]]:
    """Return for each wire the rows of a, b and c that have it, with its factors."""
    columns: list[tuple[_Column, _Column, _Column]] = [([], [], []) for _ in range(r1cs.wire_count)]
    for row, constraint in enumerate(r1cs.constraints):
        for matrix, side in enumerate(constraint):
            for wire, factor in side:
                columns[wire][matrix].append((row, factor))
    for wire in range(r1cs.public_count + 1):
        columns[wire][0].append((len(r1cs.constraints) + wire, 1))
    return columns


def _sum(points: Sequence[Point], column: _Column) -> Point:
    return msm([points[row] for row, _ in column], [factor for _, factor in column])


def _circuit_hash(key: ProvingKey, low: Sequence[Point], high: Sequence[Point]) -> bytes:
    """Return the hash of a first key; ``low`` and ``high`` are the powers of tau, in halves."""
    verifying, first_private = key.verifying_key, len(key.verifying_key.ic)
    digest = blake2b()
    digest.update(points_for_hash(G1_GROUP, [verifying.alpha, key.beta_g1]))
    digest.update(points_for_hash(G2_GROUP, [verifying.beta, G2]))
    digest.update(points_for_hash(G1_GROUP, [G1]) + points_for_hash(G2_GROUP, [G2]))
    # t(tau) times the powers of tau, of which the quotient has one less than the domain points.
    t_powers = [g1_add(b, g1_negate(a)) for a, b in zip(low[:-1], high[:-1], strict=True)]
    lists: tuple[tuple[Sequence[Point], bool], ...] = (
        (verifying.ic, False), (t_powers, False), (key.c[first_private:], False),
        (key.a, False), (key.b_g1, False), (key.b_g2, True),
    )  # fmt: skip
    for points, is_g2 in lists:
        digest.update(len(points).to_bytes(4, "big"))
        digest.update(points_for_hash(G2_GROUP if is_g2 else G1_GROUP, points))
    return digest.digest()


def contribute(zkey: Zkey, name: str = "", draw: Draw = secrets.randbelow) -> Zkey:
    """Return the key after a contribution, whose secret is forgotten.

    Args:
        zkey: The key before it.
        name: The contributor, as the file names them.
        draw: Source of the secret. From any but the system's, the key is marked as a test key.

    Raises:
        UsageError: the key is of no ceremony.
    """
    secret = integer(1 + draw(R - 1))
    s = g1_multiply(G1, 1 + draw(R - 1))
    assert s is not None
    return _contributed(zkey, secret, s, name, None, is_known=draw is not secrets.randbelow)


def apply_beacon(zkey: Zkey, beacon: Beacon, name: str = "") -> Zkey:
    """Return the key after the contribution of a beacon.

    Raises:
        UsageError: the key is of no ceremony, or nobody contributed yet: beacons alone hide
            nothing; or the beacon is empty, too long, or of too few or too many iterations.
    """
    if zkey.lacks_contribution:
        raise UsageError("nobody contributed yet, and what a beacon adds is known to everybody")
    if not 1 <= len(beacon.value) <= _MAX_BEACON_BYTES:
        raise UsageError(f"a beacon has 1 to {_MAX_BEACON_BYTES} bytes")
    if not _LEAST_EXPONENT <= beacon.exponent <= _LARGEST_EXPONENT:
        raise UsageError(f"the exponent is {_LEAST_EXPONENT} to {_LARGEST_EXPONENT}")
    numbers = beacon_numbers(beacon)
    secret, s = numbers.element(R), numbers.g1()
    return _contributed(zkey, secret, s, name, beacon, is_known=zkey.key.verifying_key.is_test)


def _contributed(
    zkey: Zkey, secret: int, s: AffineG1, name: str, beacon: Beacon | None, *, is_known: bool
) -> Zkey:
    if not zkey.is_of_ceremony:
        raise UsageError("the key is of no ceremony; begin one with `veperf zk setup --ptau`")
    sx = g1_multiply(s, secret)
    assert sx is not None
    digest = transcript_hash(zkey.circuit_hash, zkey.contributions, s, sx)
    key = zkey.key
    delta_g1 = g1_multiply(key.delta_g1, secret)
    delta = g2_multiply(key.verifying_key.delta, int(secret))
    spx = g2_multiply(point_from_hash(digest), int(secret))
    assert delta_g1 is not None
    assert delta is not None
    assert spx is not None
    per_secret = invert(secret, R)
    kept_name = short_name(name).decode()
    contribution = Contribution(delta_g1, s, sx, spx, digest, kept_name, beacon)
    # A key that only lacked a contribution is one no more; one of a known seed stays so.
    is_test = is_known or (key.verifying_key.is_test and not zkey.lacks_contribution)
    return replace(
        zkey,
        key=replace(
            key,
            verifying_key=replace(key.verifying_key, delta=delta, is_test=is_test),
            delta_g1=delta_g1,
            c=tuple(_scaled(key.c, per_secret)),
            products=tuple(_scaled(key.products, per_secret)),
        ),
        contributions=(*zkey.contributions, contribution),
    )


def _scaled(points: Iterable[Point], factor: int) -> list[Point]:
    return [g1_multiply(point, factor) for point in points]


@dataclass(frozen=True, slots=True)
class CeremonyFault:
    """A reason why a key is not what its ceremony should have made of the circuit."""

    what: str
    contribution: int | None = None
    """The number of the contribution that is wrong, from 1."""

    def __str__(self) -> str:
        where = "" if self.contribution is None else f"contribution {self.contribution}: "
        return where + self.what


def verify_ceremony(zkey: Zkey, r1cs: R1cs, ptau: Ptau) -> CeremonyFault | None:
    """Return why ``zkey`` is not the key of ``r1cs`` after its contributions; None if it is.

    The first key is made anew from ``r1cs`` and ``ptau``. What contributions leave as it is must be
    equal, each of them must know its secret, and the points of c and h must be divided by delta.
    A sound key without a contribution is no fault here: its file is refused when it is read.

    Raises:
        DataError: ``ptau`` is for smaller circuits, or a beacon takes too many iterations.
        CorruptFileError: its points are invalid or contradict each other.
    """
    first = first_zkey(r1cs, ptau)
    fault = _changed_part(zkey, first) or _contribution_fault(zkey)
    if fault is not None:
        return fault
    key, verifying = zkey.key, zkey.key.verifying_key
    last = zkey.contributions[-1].delta if zkey.contributions else G1
    if zkey.contributions and zkey.lacks_contribution:
        return CeremonyFault("beacons alone, or secrets that cancel out: everybody knows delta")
    if key.delta_g1 != last or not same_ratio(G1, last, G2, verifying.delta):
        return CeremonyFault("delta is not what the contributions make of it")
    for name, points, before in (
        ("c", key.c, first.key.c),
        ("h", key.products, first.key.products),
    ):
        weights = [1 + secrets.randbelow((1 << 128) - 1) for _ in points]
        total, first_total = msm(points, weights), msm(before, weights)
        if (total is None) != (first_total is None) or (
            total is not None and not same_ratio(total, first_total, G2, verifying.delta)
        ):
            return CeremonyFault(f"the points of {name} are not divided by delta")
    return None


def _changed_part(zkey: Zkey, first: Zkey) -> CeremonyFault | None:
    if zkey.circuit != first.circuit:
        return CeremonyFault("the matrices are those of another circuit")
    if zkey.circuit_hash != first.circuit_hash:
        return CeremonyFault("its ceremony began with another circuit, or other powers of tau")
    key, first_key = zkey.key, first.key
    left, right = key.verifying_key, first_key.verifying_key
    parts = {
        "alpha": left.alpha == right.alpha,
        "beta": left.beta == right.beta and key.beta_g1 == first_key.beta_g1,
        "gamma": left.gamma == right.gamma,
        "IC": left.ic == right.ic,
        "a": key.a == first_key.a,
        "b": key.b_g1 == first_key.b_g1 and key.b_g2 == first_key.b_g2,
    }
    changed = [name for name, is_same in parts.items() if not is_same]
    return CeremonyFault(f"{changed[0]} was changed") if changed else None


def _contribution_fault(zkey: Zkey) -> CeremonyFault | None:
    delta: AffineG1 = G1
    for place, contribution in enumerate(zkey.contributions):
        s, sx, number = contribution.s, contribution.sx, place + 1
        before = zkey.contributions[:place]
        if contribution.hash != transcript_hash(zkey.circuit_hash, before, s, sx):
            return CeremonyFault("its hash is not that of the contributions before it", number)
        point = point_from_hash(contribution.hash)
        if not same_ratio(s, sx, point, contribution.spx):
            return CeremonyFault("its points in G1 and G2 have different secrets", number)
        if not same_ratio(delta, contribution.delta, point, contribution.spx):
            return CeremonyFault("delta was multiplied by another secret", number)
        if contribution.beacon is not None:
            if contribution.beacon.exponent > _LARGEST_EXPONENT:
                raise DataError(
                    f"contribution {number}: a beacon of 2^{contribution.beacon.exponent} "
                    f"iterations; up to 2^{_LARGEST_EXPONENT} are verified here"
                )
            numbers = beacon_numbers(contribution.beacon)
            secret = numbers.element(R)
            if numbers.g1() != s or g1_multiply(s, secret) != sx:
                return CeremonyFault("it is not what its beacon gives", number)
        delta = contribution.delta
    return None
