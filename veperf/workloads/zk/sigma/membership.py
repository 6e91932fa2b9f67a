"""Proofs that a committed text is one of a list: an OR proof with a branch for each."""

from collections.abc import Sequence

from msgspec import Struct

from veperf.workloads.zk.circuits.claims import check_text
from veperf.workloads.zk.curve.g1 import G1Point, g1_add, g1_multiply
from veperf.workloads.zk.field import R
from veperf.workloads.zk.sigma.encoding import VERSION, ProofReader, write_list, write_string
from veperf.workloads.zk.sigma.pedersen import (
    are_points,
    commit,
    commit_all,
    commitment_bytes,
    derive_blind,
    hash_to_scalar,
    read_point,
    read_scalar,
    scalar_bytes,
)

MAX_MEMBERS = 256
"""The most texts in a list: each has a number of one byte. Go's code counts on from 0."""


class MembershipProof(Struct, frozen=True):
    """A proof that a commitment is to one of some texts: a challenge and an answer for each."""

    commitment: G1Point
    e: tuple[int, ...]
    z: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """Return the proof as VirtEngine encodes it."""
        lists = [
            write_list([write_string(scalar_bytes(s)) for s in part]) for part in (self.e, self.z)
        ]
        return VERSION + write_string(commitment_bytes(self.commitment)) + b"".join(lists)

    @classmethod
    def from_bytes(cls, data: bytes) -> "MembershipProof":
        """Read a proof.

        Raises:
            CorruptFileError: it is cut off, too long, or has an invalid point.
            NewerFormatError: it has another version.
        """
        reader = ProofReader(data)
        commitment = read_point(reader.string())
        e, z = (tuple(reader.list(lambda: read_scalar(reader.string()))) for _ in range(2))
        reader.end()
        return cls(commitment, e, z)


def prove_member(
    value: str, allowed: Sequence[str], salt: bytes, nonce: bytes, label: str
) -> MembershipProof:
    """Prove that the commitment to ``value`` is to one of ``allowed``.

    Raises:
        ClaimError: it is no text that can be encoded.
        ValueError: it is none of them, or there are too many; the message does not show it.
    """
    check_text("the value", value)
    if value not in allowed or len(allowed) > MAX_MEMBERS:
        raise ValueError(f"the value is not one of the list, or there are over {MAX_MEMBERS}")
    own = len(allowed) - 1 - list(reversed(allowed)).index(value)  # Go takes the last
    blind = derive_blind(label, salt)
    scalars = [_scalar(label, text) for text in allowed]
    numbers = [bytes([i]) for i in range(len(allowed))]
    w = hash_to_scalar(f"{label}:w", nonce, numbers[own])
    e, z = (
        [
            0 if i == own else hash_to_scalar(f"{label}:{name}", nonce, numbers[i])
            for i in range(len(allowed))
        ]
        for name in "ez"
    )
    # z H - e (C - v G), where C is known to be (own v) G + blind H.
    openings = [
        (0, w) if i == own else (-e[i] * (scalars[own] - scalars[i]), z[i] - e[i] * blind)
        for i in range(len(allowed))
    ]
    commitment, *firsts = commit_all([(scalars[own], blind), *openings])
    e[own] = (_challenge(label, commitment, firsts) - sum(e)) % R
    z[own] = (w + e[own] * blind) % R
    return MembershipProof(commitment, tuple(e), tuple(z))


def verify_member(proof: MembershipProof, allowed: Sequence[str], label: str) -> bool:
    """Return whether ``proof`` shows that its commitment is to one of ``allowed``, in order."""
    if not len(proof.e) == len(proof.z) == len(allowed) or not allowed:
        return False
    if not are_points((proof.commitment,)):
        return False
    shifts = commit_all(
        (e * _scalar(label, text), z) for text, e, z in zip(allowed, proof.e, proof.z, strict=True)
    )
    firsts = [
        g1_add(shift, g1_multiply(proof.commitment, -e))
        for shift, e in zip(shifts, proof.e, strict=True)
    ]
    return (sum(proof.e) - _challenge(label, proof.commitment, firsts)) % R == 0


def commit_member(value: str, salt: bytes, label: str) -> G1Point:
    """Return the commitment to ``value`` that :func:`prove_member` is about."""
    return commit(_scalar(label, value), derive_blind(label, salt))


def _scalar(label: str, text: str) -> int:
    return hash_to_scalar(f"{label}:value", text.encode())


def _challenge(label: str, commitment: G1Point, firsts: Sequence[G1Point]) -> int:
    return hash_to_scalar(f"{label}:challenge", *map(commitment_bytes, (commitment, *firsts)))
