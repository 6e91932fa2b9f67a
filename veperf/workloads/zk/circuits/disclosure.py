"""Selective disclosure: any subset of several claims under one commitment is disclosed.

The commitment is Poseidon(Poseidon(claim 1, ..., claim n), salt). The salt has a hash of its own so
that all 16 inputs of the widest Poseidon are left for claims.

Constraints: the mask is n bits, and each disclosed value is its bit times the claim. A hidden claim
is 0 there, and the mask tells it from a claim that is 0.
"""

from collections.abc import Sequence

from msgspec import Struct

from veperf.workloads.zk.circuits.circuit import Circuit, CompiledCircuit
from veperf.workloads.zk.circuits.claims import PrivateClaims, check_text, check_type
from veperf.workloads.zk.circuits.gadgets import bind_input, poseidon_gadget, to_bits
from veperf.workloads.zk.circuits.hashing import bytes_to_element, nonce_element
from veperf.workloads.zk.poseidon import MAX_INPUTS, poseidon
from veperf.workloads.zk.r1cs.builder import Builder

MAX_CLAIMS = MAX_INPUTS


class ClaimSet(PrivateClaims, frozen=True, kw_only=True):
    """Several claims, secret to their holder.

    Raises:
        ClaimError: one of them or the salt is no integer.
        ValueError: there are no claims, too many, or one of them or the salt is no field element.
    """

    values: tuple[int, ...]
    """Field elements; :func:`claim_element` makes them of text."""
    salt: int
    """A random field element."""

    def __post_init__(self) -> None:
        check_type("claims", self.values, tuple)
        _check_count(len(self.values))
        for i, value in enumerate(self.values):
            check_type(f"claim {i}", value, int)
        check_type("salt", self.salt, int)
        self.commitment()

    def commitment(self) -> int:
        """Return the field element that the issuer signs."""
        return poseidon([poseidon(self.values), self.salt])

    def disclose(self, indices: Sequence[int], nonce: bytes) -> "DisclosureStatement":
        """Return the statement that discloses the claims at ``indices`` and hides the others.

        Raises:
            IndexError: there is no claim there.
        """
        count = len(self.values)
        if not all(0 <= i < count for i in indices):
            raise IndexError(f"there are claims 0 to {count - 1}")
        disclosed = tuple(v if i in indices else None for i, v in enumerate(self.values))
        return DisclosureStatement(commitment=self.commitment(), disclosed=disclosed, nonce=nonce)


class DisclosureStatement(Struct, frozen=True, kw_only=True):
    """The commitment is to claims of this number, and the disclosed values are among them."""

    commitment: int
    disclosed: tuple[int | None, ...]
    """Each claim in its place, None where it is hidden."""
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Return commitment, nonce, mask (bit i for claim i), and the values, 0 where hidden.

        Raises:
            ValueError: no claims, too many, or a nonce of another length.
        """
        _check_count(len(self.disclosed))
        mask = sum(1 << i for i, value in enumerate(self.disclosed) if value is not None)
        values = [value or 0 for value in self.disclosed]
        return [self.commitment, nonce_element(self.nonce), mask, *values]


def claim_element(name: str, value: str) -> int:
    """Return a claim in words as a field element.

    Raises:
        ClaimError: the name or the value is no text that can be encoded; neither is shown.
    """
    check_text("the name of a claim", name)
    check_text("the value of a claim", value)
    return bytes_to_element(b"claim", len(name).to_bytes(4, "big") + name.encode() + value.encode())


def disclosure_circuit(claims: int) -> Circuit:
    """Return the circuit for a number of claims, 1 to 16.

    Raises:
        ValueError: another number.
    """
    _check_count(claims)
    return Circuit(f"disclosure-{claims}", lambda builder: _define(builder, claims))


def disclosure_witness(
    compiled: CompiledCircuit, claims: ClaimSet, statement: DisclosureStatement
) -> list[int]:
    """Return the witness that ``claims`` satisfy ``statement``.

    Raises:
        UnsatisfiedError: they do not: another value, or another commitment.
        ValueError: the statement makes no sense, or the circuit is for another number of claims.
    """
    hidden = {"salt": claims.salt} | {f"claim{i}": v for i, v in enumerate(claims.values)}
    return compiled.witness(compiled.statement_inputs(statement) | hidden)


def _define(builder: Builder, claims: int) -> None:
    names = ("commitment", "nonce", "mask", *(f"shown{i}" for i in range(claims)))
    commitment, nonce, mask, *disclosed = [builder.public(name) for name in names]
    bind_input(builder, nonce, "nonce")
    hidden = [builder.private(f"claim{i}") for i in range(claims)]
    salt = builder.private("salt")
    root = poseidon_gadget(builder, hidden, "claims")
    digest = poseidon_gadget(builder, [root, salt], "commitment")
    builder.assert_equal(digest, commitment, "the commitment is that of the claims")
    bits = to_bits(builder, mask, claims, "mask")
    for i, (bit, value, out) in enumerate(zip(bits, hidden, disclosed, strict=True)):
        builder.constrain(bit, value, out, f"shown{i} is claim{i} where the mask says so, else 0")


def _check_count(claims: int) -> None:
    if not 1 <= claims <= MAX_CLAIMS:
        raise ValueError(f"1 to {MAX_CLAIMS} claims, not {claims}")
