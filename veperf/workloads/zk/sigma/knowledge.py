"""Proofs of knowledge: of a commitment's opening, and of a multiple of H (Schnorr 1991)."""

from msgspec import Struct

from veperf.workloads.zk.curve.g1 import G1Point, g1_add, g1_multiply
from veperf.workloads.zk.field import R
from veperf.workloads.zk.sigma.encoding import VERSION, ProofReader, write_string
from veperf.workloads.zk.sigma.pedersen import (
    are_points,
    commit,
    commitment_bytes,
    hash_to_scalar,
    read_point,
    read_scalar,
    scalar_bytes,
)


class KnowledgeProof(Struct, frozen=True):
    """A proof that its maker knows value and blind of a commitment."""

    r: G1Point
    z1: int
    z2: int

    def to_bytes(self) -> bytes:
        """Return the proof as VirtEngine encodes it."""
        fields = (commitment_bytes(self.r), scalar_bytes(self.z1), scalar_bytes(self.z2))
        return VERSION + b"".join(map(write_string, fields))

    @classmethod
    def from_bytes(cls, data: bytes) -> "KnowledgeProof":
        """Read a proof.

        Raises:
            CorruptFileError: it is cut off, too long, or has an invalid point.
            NewerFormatError: it has another version.
        """
        reader = ProofReader(data)
        r, z1, z2 = reader.string(), reader.string(), reader.string()
        reader.end()
        return cls(read_point(r), read_scalar(z1), read_scalar(z2))


def prove_knowledge(value: int, blind: int, nonce: bytes, label: str) -> KnowledgeProof:
    """Prove that the commitment to ``value`` with ``blind`` is known how to be opened."""
    opening = scalar_bytes(value), scalar_bytes(blind)
    k1, k2 = (hash_to_scalar(f"{label}:{k}", nonce, *opening) for k in ("k1", "k2"))
    r = commit(k1, k2)
    e = _challenge(label, commit(value, blind), r)
    return KnowledgeProof(r, (k1 + e * value) % R, (k2 + e * blind) % R)


def verify_knowledge(commitment: G1Point, proof: KnowledgeProof, label: str) -> bool:
    """Return whether z1 G + z2 H = R + e C, for points of the curve."""
    if not are_points((commitment, proof.r)):
        return False
    e = _challenge(label, commitment, proof.r)
    return commit(proof.z1, proof.z2) == g1_add(proof.r, g1_multiply(commitment, e))


class MultipleProof(Struct, frozen=True):
    """A proof that a point is a multiple of H that its maker knows."""

    r: G1Point
    z: int


def prove_multiple(secret: int, nonce: bytes, label: str) -> MultipleProof:
    """Prove that secret * H is a multiple of H."""
    public = commit(0, secret)
    k = hash_to_scalar(f"{label}:k", nonce, commitment_bytes(public))
    r = commit(0, k)
    return MultipleProof(r, (k + _challenge(label, public, r) * secret) % R)


def verify_multiple(public: G1Point, proof: MultipleProof, label: str) -> bool:
    """Return whether z H = R + e ``public``, for points of the curve."""
    if not are_points((public, proof.r)):
        return False
    e = _challenge(label, public, proof.r)
    return commit(0, proof.z) == g1_add(proof.r, g1_multiply(public, e))


def _challenge(label: str, public: G1Point, r: G1Point) -> int:
    return hash_to_scalar(f"{label}:challenge", commitment_bytes(public), commitment_bytes(r))
