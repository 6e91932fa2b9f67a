"""snarkjs's .ptau files: powers of a secret tau that nobody knows, for circuits of any kind.

Sections: 1 header: P with its size, power, power of the ceremony (u32 each); powers of tau 2 in G1
(2^(power + 1) - 1) and 3 in G2 (2^power), 4 alpha and 5 beta times the powers in G1, 6 beta in G2,
7 contributions. Prepared files have the Lagrange polynomials at tau, too, those of the domains of
1, 2, 4 .. points one after the other: 12 in G1, to 2^(power + 1) points, 13 in G2, 14 and 15 times
alpha and beta. In the largest domain of all, tau's highest power is taken as 0.

Source: iden3, snarkjs; tests compare with files that snarkjs wrote.
"""

import secrets
from collections.abc import Sequence
from struct import Struct
from typing import Any

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.curve.g1 import G1, g1_negate
from veperf.workloads.zk.curve.g2 import G2
from veperf.workloads.zk.field import P
from veperf.workloads.zk.groth16.keys import AffineG1, AffineG2
from veperf.workloads.zk.msm.group import G1_GROUP, G2_GROUP, Group, Point
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.ntt import cached_domain
from veperf.workloads.zk.pairing import is_product_one, miller_loop, prepare_g2
from veperf.workloads.zk.snarkjs.points import montgomery_bytes, points_from_montgomery
from veperf.workloads.zk.snarkjs.sections import SectionReader, read_sections

_MAGIC = b"ptau"
_VERSION = 1
_HEADER = 1
_TAU_G1, _TAU_G2, _ALPHA_TAU, _BETA_TAU, _BETA_G2 = range(2, 7)
_LAGRANGE_G1, _LAGRANGE_G2, _LAGRANGE_ALPHA, _LAGRANGE_BETA = range(12, 16)
_NAMES = {
    _HEADER: "header",
    _TAU_G1: "powers of tau in G1",
    _TAU_G2: "powers of tau in G2",
    _ALPHA_TAU: "alpha times powers",
    _BETA_TAU: "beta times powers",
    _BETA_G2: "beta in G2",
    _LAGRANGE_G1: "Lagrange points in G1",
    _LAGRANGE_G2: "Lagrange points in G2",
    _LAGRANGE_ALPHA: "alpha times Lagrange points",
    _LAGRANGE_BETA: "beta times Lagrange points",
}
_PREPARED = range(_LAGRANGE_G1, _LAGRANGE_BETA + 1)
_POWERS = Struct("<II")
_LARGEST_POWER = 28
_WEIGHT_BITS = 128


class Ptau:
    """A prepared .ptau file; its points are read, and checked, where they are asked for."""

    def __init__(self, data: bytes) -> None:
        """Read the sections in ``data``.

        Raises:
            DataError: a file of another curve, or one that is not prepared for circuits.
            CorruptFileError: the file contradicts itself or its format.
            NewerFormatError: another version of the format.
        """
        self._sections = sections = read_sections(data, _MAGIC, _VERSION, _NAMES)
        for section in (_HEADER, _TAU_G1, _TAU_G2, _ALPHA_TAU, _BETA_TAU, _BETA_G2):
            if section == _TAU_G1:
                self.power = _read_power(sections[_HEADER])
            if section not in sections:
                raise CorruptFileError(f"ptau file: there is no section {_NAMES[section]!r}")
        if any(section not in sections for section in _PREPARED):
            raise DataError(
                "ptau file: not prepared for circuits; run `snarkjs powersoftau prepare phase2`"
            )
        powers = 1 << self.power
        counts = {
            _TAU_G1: 2 * powers - 1, _TAU_G2: powers, _ALPHA_TAU: powers, _BETA_TAU: powers,
            _BETA_G2: 1, _LAGRANGE_G1: 4 * powers - 1, _LAGRANGE_G2: 2 * powers - 1,
            _LAGRANGE_ALPHA: 2 * powers - 1, _LAGRANGE_BETA: 2 * powers - 1,
        }  # fmt: skip
        for section, count in counts.items():
            reader = sections[section]
            if reader.left != count * montgomery_bytes(_group(section)):
                raise reader.corrupt(f"{reader.left} bytes for {count} points")

    def tau_g1(self, count: int) -> list[Point]:
        """Return the first powers of tau in G1; infinity for one that the file has not."""
        limit = (2 << self.power) - 1
        return self._points(_TAU_G1, 0, min(count, limit)) + [None] * (count - limit)

    @property
    def alpha_g1(self) -> AffineG1:
        """Return alpha in G1."""
        point: AffineG1 = self._finite(_ALPHA_TAU)
        return point

    @property
    def beta_g1(self) -> AffineG1:
        """Return beta in G1."""
        point: AffineG1 = self._finite(_BETA_TAU)
        return point

    @property
    def beta_g2(self) -> AffineG2:
        """Return beta in G2."""
        point: AffineG2 = self._finite(_BETA_G2)
        return point

    def lagrange_g1(self, size: int) -> list[Point]:
        """Return the Lagrange polynomials of the domain of ``size`` points at tau, in G1."""
        return self._points(_LAGRANGE_G1, size - 1, size)

    def lagrange_g2(self, size: int) -> list[Point]:
        """Return the Lagrange polynomials of the domain of ``size`` points at tau, in G2."""
        return self._points(_LAGRANGE_G2, size - 1, size)

    def lagrange_alpha(self, size: int) -> list[Point]:
        """Return alpha times the Lagrange polynomials at tau, in G1."""
        return self._points(_LAGRANGE_ALPHA, size - 1, size)

    def lagrange_beta(self, size: int) -> list[Point]:
        """Return beta times the Lagrange polynomials at tau, in G1."""
        return self._points(_LAGRANGE_BETA, size - 1, size)

    def require_size(self, size: int) -> None:
        """Check that the file is for circuits with a domain of ``size`` points, and sound for them.

        By random sums: powers are powers of one tau, the same in G1 and G2, and Lagrange points
        are those of these powers.

        Raises:
            DataError: it is for smaller circuits.
            CorruptFileError: points contradict each other.
        """
        if size > 1 << self.power:
            raise DataError(
                f"ptau file: of power {self.power}, for at most {1 << self.power} constraints and "
                f"public signals; the circuit takes {size}"
            )
        powers = self.tau_g1(2 * size)
        powers_g2 = self._points(_TAU_G2, 0, size)
        count = sum(point is not None for point in powers)
        weights = _weights(count - 1)
        this, following = msm(powers[: count - 1], weights), msm(powers[1:count], weights)
        values = _weights(size)
        sum_g1, sum_g2 = msm(powers[:size], values), msm(powers_g2, values)
        lagrange_g2 = msm(self.lagrange_g2(size), values)
        double = _weights(2 * size)
        coefficients = cached_domain(size).intt(values)
        checks = {
            _TAU_G1: powers[0] == G1 and same_ratio(this, following, G2, powers_g2[1]),
            _TAU_G2: powers_g2[0] == G2 and same_ratio(G1, sum_g1, G2, sum_g2),
            _BETA_G2: same_ratio(G1, self.beta_g1, G2, self.beta_g2),
            _LAGRANGE_G1: (
                msm(self.lagrange_g1(size), values) == msm(powers[:size], coefficients)
                and msm(self.lagrange_g1(2 * size), double)
                == msm(powers, cached_domain(2 * size).intt(double))
            ),
            _LAGRANGE_G2: lagrange_g2 == msm(powers_g2, coefficients),
            _LAGRANGE_ALPHA: same_ratio(
                self.alpha_g1, msm(self.lagrange_alpha(size), values), G2, lagrange_g2
            ),
            _LAGRANGE_BETA: same_ratio(
                self.beta_g1, msm(self.lagrange_beta(size), values), G2, lagrange_g2
            ),
        }
        for section, is_right in checks.items():
            if not is_right:
                raise self._sections[section].corrupt("contradicts the other points")

    def _points(self, section: int, start: int, count: int) -> list[Point]:
        group, reader = _group(section), self._sections[section]
        size = montgomery_bytes(group)
        data = reader.view(start * size, count * size)
        return points_from_montgomery(group, data, reader.what)

    def _finite(self, section: int) -> Any:
        (point,) = self._points(section, 0, 1)
        if point is None:
            raise self._sections[section].corrupt("infinity")
        return point


def same_ratio(left: Point, left_multiple: Point, right: Point, right_multiple: Point) -> bool:
    """Return whether two finite points of G1 have the ratio of two finite points of G2."""
    if None in (left, left_multiple, right, right_multiple):
        return False
    pairs = [(left, prepare_g2(right_multiple)), (g1_negate(left_multiple), prepare_g2(right))]
    return is_product_one(miller_loop(pairs))


def _weights(count: int) -> Sequence[int]:
    return [1 + secrets.randbelow((1 << _WEIGHT_BITS) - 1) for _ in range(count)]


def _read_power(header: SectionReader) -> int:
    header.take_prime(P)
    power, _ = header.take(_POWERS)
    header.end()
    if power > _LARGEST_POWER:
        raise header.corrupt(f"power {power}")
    return power


def _group(section: int) -> Group:
    return G2_GROUP if section in (_TAU_G2, _BETA_G2, _LAGRANGE_G2) else G1_GROUP
