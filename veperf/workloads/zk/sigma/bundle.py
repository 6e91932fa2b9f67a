"""Bundles: proofs of several claims about a person, for VirtEngine's selective disclosure.

Each claim has a salt and a nonce of its own, derived from the bundle's, and a label of its own.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import sha256

from msgspec import Struct

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.circuits.claims import check_type
from veperf.workloads.zk.curve.g1 import G1Point
from veperf.workloads.zk.sigma.encoding import VERSION, ProofReader, write_list, write_string
from veperf.workloads.zk.sigma.knowledge import (
    KnowledgeProof,
    prove_knowledge,
    verify_knowledge,
)
from veperf.workloads.zk.sigma.membership import (
    MembershipProof,
    prove_member,
    verify_member,
)
from veperf.workloads.zk.sigma.pedersen import (
    commit,
    commitment_bytes,
    derive_blind,
    hash_claims,
    read_point,
)
from veperf.workloads.zk.sigma.ranges import RangeProof, prove_range, verify_range

Proof = RangeProof | MembershipProof | KnowledgeProof
_KINDS: tuple[type[Proof], ...] = (RangeProof, MembershipProof, KnowledgeProof)
"""The kinds of proofs, numbered from 1."""


class ClaimType(Enum):
    """The claims that VirtEngine knows, numbered from 0."""

    AGE_OVER_18 = "age_over_18"
    AGE_OVER_21 = "age_over_21"
    AGE_OVER_25 = "age_over_25"
    COUNTRY_RESIDENT = "country_resident"
    HUMAN_VERIFIED = "human_verified"
    TRUST_SCORE_ABOVE = "trust_score_above"
    EMAIL_VERIFIED = "email_verified"
    SMS_VERIFIED = "sms_verified"
    DOMAIN_VERIFIED = "domain_verified"
    BIOMETRIC_VERIFIED = "biometric_verified"

    @property
    def label(self) -> str:
        """The label that separates its proofs from others."""
        return f"veid:claim:{self.value}"


_TYPES = tuple(ClaimType)
_AGES = {
    ClaimType.AGE_OVER_18: 18,
    ClaimType.AGE_OVER_21: 21,
    ClaimType.AGE_OVER_25: 25,
}


class ClaimProof(Struct, frozen=True):
    """The proof of a claim, and the commitment that it is about."""

    claim: ClaimType
    commitment: G1Point
    proof: Proof

    def to_bytes(self) -> bytes:
        """Return the entry of a bundle as VirtEngine encodes it."""
        kind = 1 + _KINDS.index(type(self.proof))
        return b"".join(
            (
                _TYPES.index(self.claim).to_bytes(4, "big"),
                bytes([kind]),
                write_string(commitment_bytes(self.commitment)),
                write_string(self.proof.to_bytes()),
            )
        )


class Expected(Struct, frozen=True, kw_only=True):
    """Conditions of a verifier beside the claims themselves."""

    score: int = 0
    """Least trust score."""
    countries: tuple[str, ...] = ()
    """Countries, in the order of the proof."""


def prove_claims(
    values: Mapping[ClaimType, int | str | bool], expected: Expected, salt: bytes, nonce: bytes
) -> list[ClaimProof]:
    """Prove claims: an age or score in whole numbers, a country, or that something is verified.

    Raises:
        ClaimError: a value has another type than its claim.
        ValueError: a value doesn't satisfy its claim; neither message shows it.
    """
    return [_prove(claim, value, expected, salt, nonce) for claim, value in values.items()]


def verify_claims(
    proofs: Sequence[ClaimProof], claims: Sequence[ClaimType], expected: Expected
) -> bool:
    """Return whether ``proofs`` prove just ``claims``, in their order."""
    return [proof.claim for proof in proofs] == list(claims) and all(
        _verify(proof, expected) for proof in proofs
    )


def bundle_to_bytes(proofs: Sequence[ClaimProof]) -> bytes:
    """Return a bundle as VirtEngine encodes it."""
    return VERSION + write_list([proof.to_bytes() for proof in proofs])


def bundle_from_bytes(data: bytes) -> list[ClaimProof]:
    """Read a bundle.

    Raises:
        CorruptFileError: it is cut off or too long, a proof is, or a point is invalid.
        NewerFormatError: it or a proof has another version.
    """
    reader = ProofReader(data)
    proofs = reader.list(lambda: _read_entry(reader))
    reader.end()
    return proofs


def _read_entry(reader: ProofReader) -> ClaimProof:
    claim, kind = reader.number(), reader.number(1)
    if claim >= len(_TYPES) or not 1 <= kind <= len(_KINDS):
        raise CorruptFileError(f"there is no claim {claim} with a proof of kind {kind}")
    commitment = read_point(reader.string())
    return ClaimProof(_TYPES[claim], commitment, _KINDS[kind - 1].from_bytes(reader.string()))


def _prove(
    claim: ClaimType, value: int | str | bool, expected: Expected, salt: bytes, nonce: bytes
) -> ClaimProof:
    name, label = claim.value.encode(), claim.label
    salt = sha256(b"veid:claim:salt" + name + salt).digest()
    nonce = sha256(b"veid:claim:nonce" + name + nonce).digest()
    if claim is ClaimType.COUNTRY_RESIDENT:
        check_type(claim.value, value, str)
        member = prove_member(str(value), expected.countries, salt, nonce, label)
        return ClaimProof(claim, member.commitment, member)
    bound = _bound(claim, expected)
    if bound is not None:
        check_type(claim.value, value, int)
        in_range = prove_range(int(value), bound, salt, nonce, label)
        return ClaimProof(claim, in_range.commitment, in_range)
    if value is not True:
        raise ValueError(f"the claim {claim.value} does not hold")
    scalar, blind = hash_claims({claim.value: True}), derive_blind(label, salt)
    known = prove_knowledge(scalar, blind, nonce, label)
    return ClaimProof(claim, commit(scalar, blind), known)


def _verify(proven: ClaimProof, expected: Expected) -> bool:
    claim, proof, label = proven.claim, proven.proof, proven.claim.label
    bound = _bound(claim, expected)
    if isinstance(proof, KnowledgeProof):
        is_flag = bound is None and claim is not ClaimType.COUNTRY_RESIDENT
        return is_flag and verify_knowledge(proven.commitment, proof, label)
    if proven.commitment != proof.commitment:
        return False
    if isinstance(proof, RangeProof):
        return bound is not None and verify_range(proof, bound, label)
    is_country = claim is ClaimType.COUNTRY_RESIDENT
    return is_country and verify_member(proof, expected.countries, label)


def _bound(claim: ClaimType, expected: Expected) -> int | None:
    """Return the least value of a claim that is a number; None for others."""
    return expected.score if claim is ClaimType.TRUST_SCORE_ABOVE else _AGES.get(claim)
