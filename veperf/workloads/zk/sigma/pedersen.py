"""Pedersen commitments over G1: value * G + blind * H, for H that nobody knows a logarithm of."""

from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.circuits.claims import check_text
from veperf.workloads.zk.curve.g1 import G1, G1Point, g1_from_ints, is_on_g1
from veperf.workloads.zk.field import PointError, R
from veperf.workloads.zk.msm.multiples import MultiplesTables
from veperf.workloads.zk.sigma.hash_to_curve import hash_to_g1

SCALAR_BYTES = 32
POINT_BYTES = 64
_DOMAIN = b"veid:pedersen:h"
_WINDOW_BITS = 8


@cache
def blinding_generator() -> G1Point:
    """Return H, which is hashed to the curve."""
    return hash_to_g1(_DOMAIN, _DOMAIN)


@cache
def _tables() -> MultiplesTables:
    """Return tables of G and H, 4,096 points each, which Python takes some 50 ms to make."""
    return MultiplesTables((G1, blinding_generator()), _WINDOW_BITS)


def commit(value: int, blind: int) -> G1Point:
    """Return value * G + blind * H."""
    return commit_all([(value, blind)])[0]


def are_points(points: Iterable[G1Point]) -> bool:
    """Return whether all ``points`` are on the curve, in their one form.

    Verification asks first: off the curve there are points of order 2, which forge proofs.
    """
    try:
        return all(is_on_g1(point) for point in points)
    except (TypeError, ValueError):
        return False


def commit_all(openings: Iterable[tuple[int, int]]) -> list[G1Point]:
    """Return value * G + blind * H for each pair of value and blind; together they are cheaper."""
    return _tables().sums(list(openings))


def commit_claim(text: str, salt: bytes) -> G1Point:
    """Return the commitment to a claim in words: Go's ``ComputeCommitmentHash``.

    Raises:
        ClaimError: it is no text that can be encoded; it is not shown.
    """
    check_text("a claim", text)
    value = hash_to_scalar("veid:commitment", text.encode())
    return commit(value, hash_to_scalar("veid:commitment:blind", salt))


def derive_blind(label: str, salt: bytes) -> int:
    """Return the blind of a commitment under ``label``, from the holder's salt."""
    return hash_to_scalar(f"{label}:blind", salt)


def hash_claims(claims: Mapping[str, object]) -> int:
    """Return the scalar of claims by name: SHA-256 of names and values in order, as Go prints them.

    Names and values aren't delimited: "a", "bc" hashes as "ab", "c".

    Raises:
        ClaimError: a name or value can't be encoded; neither is shown.
    """
    digest = sha256()
    for name in sorted(claims, key=str.encode):
        value = claims[name]
        printed = str(value).lower() if isinstance(value, bool) else str(value)
        check_text("a claim", name + printed)
        digest.update(name.encode() + printed.encode())
    return int.from_bytes(digest.digest(), "big") % R


def hash_to_scalar(label: str, *parts: bytes) -> int:
    """Return SHA-256(label || parts) modulo R; the parts aren't delimited."""
    return int.from_bytes(sha256(label.encode() + b"".join(parts)).digest(), "big") % R


def scalar_bytes(scalar: int) -> bytes:
    """Return ``scalar`` modulo R in 32 bytes, big-endian."""
    return int(scalar % R).to_bytes(SCALAR_BYTES, "big")


def commitment_bytes(point: G1Point) -> bytes:
    """Return x and y in 32 bytes each, big-endian: gnark's uncompressed form; infinity is zeros."""
    return b"".join(int(c).to_bytes(32, "big") for c in point) if point else bytes(POINT_BYTES)


def read_scalar(data: bytes) -> int:
    """Read a scalar; like Go's code, numbers of R and more are taken modulo R.

    Raises:
        CorruptFileError: it has not 32 bytes.
    """
    if len(data) != SCALAR_BYTES:
        raise CorruptFileError(f"a scalar has {SCALAR_BYTES} bytes, not {len(data)}")
    return int.from_bytes(data, "big") % R


def read_point(data: bytes) -> G1Point:
    """Read an uncompressed point.

    Raises:
        CorruptFileError: it has not 64 bytes, or is not on the curve.
    """
    if len(data) != POINT_BYTES:
        raise CorruptFileError(f"a point has {POINT_BYTES} bytes, not {len(data)}")
    if not any(data):
        return None
    try:
        return g1_from_ints(int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big"))
    except PointError as error:
        raise CorruptFileError(str(error)) from error
