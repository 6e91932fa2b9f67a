"""Range proofs: a committed value is at least a bound, by commitments to the bits of the rest.

Each bit has an OR proof (Cramer, Damgård, Schoenmakers 1994): C or C - G is a multiple of H. The
difference of the commitment and of what the bits add up to is a multiple of H, too.
"""

from collections.abc import Sequence

from msgspec import Struct

from veperf.workloads.zk.circuits.claims import check_type
from veperf.workloads.zk.curve.g1 import G1Point, g1_add, g1_multiply, g1_negate
from veperf.workloads.zk.field import R
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.sigma.encoding import VERSION, ProofReader, write_list, write_string
from veperf.workloads.zk.sigma.knowledge import MultipleProof, prove_multiple, verify_multiple
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

BITS = 8
"""Bits of the claims of VirtEngine: ages and scores."""
MAX_BITS = 63
_BOUND_BYTES = 8


class BitProof(Struct, frozen=True):
    """A proof that a commitment is to 0 or 1: the challenges and answers of both branches."""

    e0: int
    e1: int
    z0: int
    z1: int


class RangeProof(Struct, frozen=True):
    """A proof that a committed value is ``bound`` to ``bound`` + 2^``bits`` - 1."""

    bound: int
    bits: int
    commitment: G1Point
    bit_commitments: tuple[G1Point, ...]
    """Of the lowest bit first."""
    bit_proofs: tuple[BitProof, ...]
    consistency: MultipleProof

    def to_bytes(self) -> bytes:
        """Return the proof as VirtEngine encodes it."""
        bit_proofs = [
            b"".join(write_string(scalar_bytes(part)) for part in (p.e0, p.e1, p.z0, p.z1))
            for p in self.bit_proofs
        ]
        return b"".join(
            (
                VERSION,
                self.bound.to_bytes(_BOUND_BYTES, "big"),
                bytes([self.bits]),
                write_string(commitment_bytes(self.commitment)),
                write_list([write_string(commitment_bytes(c)) for c in self.bit_commitments]),
                write_list(bit_proofs),
                write_string(commitment_bytes(self.consistency.r)),
                write_string(scalar_bytes(self.consistency.z)),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "RangeProof":
        """Read a proof.

        Raises:
            CorruptFileError: it is cut off, too long, or has an invalid point.
            NewerFormatError: it has another version.
        """
        reader = ProofReader(data)
        bound, bits = reader.number(_BOUND_BYTES), reader.number(1)
        commitment = read_point(reader.string())
        bit_commitments = reader.list(lambda: read_point(reader.string()))
        bit_proofs = reader.list(
            lambda: BitProof(*(read_scalar(reader.string()) for _ in range(4)))
        )
        consistency = MultipleProof(read_point(reader.string()), read_scalar(reader.string()))
        reader.end()
        return cls(bound, bits, commitment, tuple(bit_commitments), tuple(bit_proofs), consistency)


def prove_range(
    value: int, bound: int, salt: bytes, nonce: bytes, label: str, bits: int = BITS
) -> RangeProof:
    """Prove that ``value`` is ``bound`` or more, and below ``bound`` + 2^``bits``.

    Raises:
        ClaimError: it or the bound is no integer.
        ValueError: it is not, the bound has over 64 bits, or there are not 1 to 63 bits. Go's code
            makes a proof that doesn't verify of a value that is too large.
    """
    check_type("the value", value, int)
    check_type("the bound", bound, int)
    if not 1 <= bits <= MAX_BITS or not 0 <= bound < 1 << 8 * _BOUND_BYTES:
        raise ValueError(f"1 to {MAX_BITS} bits and a bound of 64 bits, not {bits} and {bound}")
    rest = value - bound
    if not 0 <= rest < 1 << bits:
        raise ValueError(f"the value is not {bound} to {bound + (1 << bits) - 1}")
    blind = derive_blind(label, salt)
    numbers = range(bits)
    blinds = [hash_to_scalar(f"{label}:bitblind", nonce, bytes([i])) for i in numbers]
    values = [rest >> i & 1 for i in numbers]
    commitment, *bit_commitments = commit_all([(value, blind), *zip(values, blinds, strict=True)])
    weighted = sum(bit_blind << i for i, bit_blind in enumerate(blinds))
    return RangeProof(
        bound,
        bits,
        commitment,
        tuple(bit_commitments),
        tuple(_prove_bits(bit_commitments, values, blinds, label)),
        prove_multiple((blind - weighted) % R, nonce, f"{label}:consistency"),
    )


def verify_range(proof: RangeProof, bound: int, label: str, bits: int = BITS) -> bool:
    """Return whether ``proof`` shows that its commitment is to ``bound`` or more, in ``bits`` bits.

    Stricter than Go's code, which doesn't compare the number of bit commitments with ``bits``.
    """
    counts = {proof.bits, len(proof.bit_commitments), len(proof.bit_proofs)}
    if proof.bound != bound or counts != {bits} or not 1 <= bits <= MAX_BITS:
        return False
    if not are_points((proof.commitment, *proof.bit_commitments)):
        return False
    if not all(
        _verify_bit(commitment, bit_proof, label)
        for commitment, bit_proof in zip(proof.bit_commitments, proof.bit_proofs, strict=True)
    ):
        return False
    total = msm(proof.bit_commitments, [1 << i for i in range(bits)])
    rest = g1_add(proof.commitment, g1_negate(g1_add(commit(bound, 0), total)))
    return verify_multiple(rest, proof.consistency, f"{label}:consistency")


def _prove_bits(
    commitments: Sequence[G1Point], bits: Sequence[int], blinds: Sequence[int], label: str
) -> list[BitProof]:
    """Prove each of ``bits`` under its blind.

    The branch of the other bit is simulated: its challenge and answer are chosen, and its first
    message z H - e (C - bit' G) follows. As C is known to be bit G + b H, that is a commitment.
    """
    openings: list[tuple[int, int]] = []
    chosen: list[tuple[int, int, int]] = []
    for bit, blind in zip(bits, blinds, strict=True):
        own, other, seed = str(bit), str(1 - bit), scalar_bytes(blind)
        w = hash_to_scalar(f"{label}:bit:w{own}", seed)
        e, z = (hash_to_scalar(f"{label}:bit:{name}{other}", seed) for name in "ez")
        simulated = (-e * (2 * bit - 1), z - e * blind)
        openings += [(0, w), simulated][:: -1 if bit else 1]
        chosen.append((w, e, z))
    firsts = commit_all(openings)
    proofs = []
    for i, (bit, blind, (w, e, z)) in enumerate(zip(bits, blinds, chosen, strict=True)):
        challenge = _bit_challenge(label, commitments[i], firsts[2 * i], firsts[2 * i + 1])
        own_e = (challenge - e) % R
        own_z = (w + own_e * blind) % R
        proofs.append(BitProof(e, own_e, z, own_z) if bit else BitProof(own_e, e, own_z, z))
    return proofs


def _verify_bit(commitment: G1Point, proof: BitProof, label: str) -> bool:
    shift_0, shift_1 = commit_all([(0, proof.z0), (proof.e1, proof.z1)])
    first_0 = g1_add(shift_0, g1_multiply(commitment, -proof.e0))
    first_1 = g1_add(shift_1, g1_multiply(commitment, -proof.e1))
    challenge = _bit_challenge(label, commitment, first_0, first_1)
    return (proof.e0 + proof.e1 - challenge) % R == 0


def _bit_challenge(label: str, *points: G1Point) -> int:
    return hash_to_scalar(f"{label}:bit:challenge", *map(commitment_bytes, points))
