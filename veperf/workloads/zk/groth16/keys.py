"""Keys and proofs of Groth16.

Source: Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016, 3.2. In
its notation u_i, v_i, w_i are the polynomials of wire i in a, b and c, wires 0 to l are public, t
is the polynomial that vanishes on the domain and x the secret point.
"""

from dataclasses import dataclass, field
from enum import Enum

from veperf.core.errors import DataError
from veperf.workloads.zk.curve.g1 import G1Point, g1_from_ints
from veperf.workloads.zk.curve.g2 import G2Point, g2_from_ints
from veperf.workloads.zk.field import PointError

AffineG1 = tuple[int, int]
AffineG2 = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Proof:
    """The three points A, B and C of a proof, which verification checks.

    Anybody can turn a valid proof into another one of the same statement, for example (a, b, c)
    into (-a, -b, c). So a proof must never identify the statement that it proves; the nonce among
    the public inputs can't be changed.
    """

    a: AffineG1
    b: AffineG2
    c: AffineG1


class KeyForm(Enum):
    """The way a proving key takes the quotient h = (u v - w) / t, and its circuit's rows."""

    VEPERF = 0
    """By the values of u v on the coset; the share of w is part of ``c``."""
    SNARKJS = 1
    """By the values of u v - w on the coset, as in .zkey files."""
    GNARK = 2
    """By the coefficients of h; the circuit has no rows for the public wires."""

    @property
    def has_public_rows(self) -> bool:
        """True if each public wire has a row of its own, which binds it to a polynomial."""
        return self is not KeyForm.GNARK


class TestKeyError(DataError):
    """A key whose secrets somebody knows, so that anybody could have made any proof."""

    __test__ = False  # pytest would take it for a test


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The key for verifying proofs of one circuit.

    Raises:
        PointError: a point is infinity, not on its curve or not in the subgroup.
        ValueError: there is no point for the constant.
    """

    alpha: AffineG1
    beta: AffineG2
    gamma: AffineG2
    delta: AffineG2
    ic: tuple[AffineG1, ...]
    """(beta u_i(x) + alpha v_i(x) + w_i(x)) / gamma, for the constant and each public wire."""
    is_test: bool = field(default=False, compare=False)
    """Made from a known seed, or before anybody contributed: its secrets are no secrets."""

    def __post_init__(self) -> None:
        if not self.ic:
            raise ValueError("the key has no point for the constant")
        for g1 in (self.alpha, *self.ic):
            require_g1(g1)
        for g2 in (self.beta, self.gamma, self.delta):
            require_g2(g2)

    @property
    def public_count(self) -> int:
        """The number of public inputs of a proof, the constant excluded."""
        return len(self.ic) - 1

    def require_secret(self, *, allow_test_keys: bool) -> None:
        """Refuse a test key, unless it is allowed.

        Raises:
            TestKeyError: it is one, and is not allowed.
        """
        # Before anybody contributed, gamma and delta are the same, and known.
        if (self.is_test or self.gamma == self.delta) and not allow_test_keys:
            raise TestKeyError(
                "a test key: made from a known seed, or before anybody contributed to it, so that "
                "anybody can forge proofs; allow test keys if that is meant"
            )


@dataclass(frozen=True, slots=True)
class ProvingKey:
    """The key for proofs of one circuit. Lists of points have an entry a wire, None for no point.

    The points of a key from a file are checked when it is read.
    """

    verifying_key: VerifyingKey
    circuit_digest: bytes
    """Hash of the constraint system that the key belongs to, 32 bytes."""
    domain_size: int
    beta_g1: AffineG1
    delta_g1: AffineG1
    a: tuple[G1Point, ...]
    """u_i(x), for each wire."""
    b_g1: tuple[G1Point, ...]
    """v_i(x), for each wire."""
    b_g2: tuple[G2Point, ...]
    """v_i(x) in G2, for each wire."""
    c: tuple[G1Point, ...]
    """(beta u_i(x) + alpha v_i(x) + w_i(x)) / delta for each private wire; minus, for all wires,
    w_i(x) t(x) / (delta t(g)), which ``products`` leave out."""
    products: tuple[G1Point, ...]
    """L_i(x / g) t(x) / (delta t(g)), for each point of the domain, L_i the Lagrange polynomials.

    The quotient h = (u v - w) / t has fewer coefficients than the domain has points, so its values
    on the coset g times the domain determine it, and t is t(g) on the whole coset. These points are
    multiplied by the values of u v there. The contribution of w is linear in the witness, so it is
    part of ``c``. Keys of other forms take other numbers here: see :class:`KeyForm`.
    """
    form: KeyForm = KeyForm.VEPERF
    is_checked: bool = field(default=True, compare=False)
    """False for keys from a file: each proof is verified before it is handed out."""


def require_g1(point: G1Point) -> AffineG1:
    """Return ``point`` if it is a point of G1 other than infinity.

    Raises:
        PointError: it is not.
    """
    if point is None:
        raise PointError("infinity is not allowed in a key or a proof")
    return g1_from_ints(*point)


def require_g2(point: G2Point) -> AffineG2:
    """Return ``point`` if it is a point of G2 other than infinity.

    Raises:
        PointError: it is not.
    """
    if point is None:
        raise PointError("infinity is not allowed in a key or a proof")
    return g2_from_ints(*point)
