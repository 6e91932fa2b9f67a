"""Selective disclosure: of several claims under one commitment any subset is shown.

The commitment is Poseidon(Poseidon(claim 1, ..., claim n), salt). The salt has a hash of its own so
that all 16 inputs of the widest Poseidon are left for claims.

Constraints: the mask is n bits, and each shown value is its bit times the claim. A hidden claim is
shown as 0, and the mask tells it from a claim that is 0.
"""

from collections.abc import Sequence

from msgspec import Struct

from veperf.workloads.zk.circuits.circuit import Circuit, Compiled
from veperf.workloads.zk.circuits.gadgets import to_bits
from veperf.workloads.zk.circuits.nonce import bind_nonce, nonce_element, to_element
from veperf.workloads.zk.circuits.poseidon_gadget import poseidon as poseidon_gadget
from veperf.workloads.zk.poseidon import MAX_INPUTS, poseidon
from veperf.workloads.zk.r1cs import Builder

MAX_CLAIMS = MAX_INPUTS


class Claims(Struct, frozen=True, kw_only=True):
    """What its holder keeps to himself.

    Raises:
        ValueError: there are no claims, too many, or one of them or the salt is no field element.
    """

    values: tuple[int, ...]
    """Field elements; :func:`claim` makes them of text."""
    salt: int
    """A random field element."""

    def __post_init__(self) -> None:
        _check_count(len(self.values))
        self.commitment()

    def commitment(self) -> int:
        """The field element that the issuer signs."""
        return poseidon([poseidon(self.values), self.salt])

    def disclose(self, indices: Sequence[int], nonce: bytes) -> "Statement":
        """The statement that shows the claims at ``indices`` and hides the others.

        Raises:
            IndexError: there is no claim there.
        """
        count = len(self.values)
        if not all(0 <= i < count for i in indices):
            raise IndexError(f"there are claims 0 to {count - 1}")
        shown = tuple(v if i in indices else None for i, v in enumerate(self.values))
        return Statement(commitment=self.commitment(), disclosed=shown, nonce=nonce)


class Statement(Struct, frozen=True, kw_only=True):
    """Under the commitment there are as many claims as here, and these values among them."""

    commitment: int
    disclosed: tuple[int | None, ...]
    """Each claim in its place, None where it is hidden."""
    nonce: bytes
    """32 bytes, chosen by the verifier."""

    def public_inputs(self) -> list[int]:
        """Commitment, nonce, mask (bit i for claim i), and the values, 0 where hidden.

        Raises:
            ValueError: no claims, too many, or a nonce of another length.
        """
        _check_count(len(self.disclosed))
        mask = sum(1 << i for i, value in enumerate(self.disclosed) if value is not None)
        values = [value or 0 for value in self.disclosed]
        return [self.commitment, nonce_element(self.nonce), mask, *values]


def claim(name: str, value: str) -> int:
    """A claim in words as a field element."""
    return to_element(b"claim", len(name).to_bytes(4, "big") + name.encode() + value.encode())


def circuit(claims: int) -> Circuit:
    """The circuit for a number of claims, 1 to 16.

    Raises:
        ValueError: another number.
    """
    _check_count(claims)
    return Circuit(f"disclosure-{claims}", lambda builder: _define(builder, claims))


def witness(compiled: Compiled, claims: Claims, statement: Statement) -> list[int]:
    """The witness that ``claims`` satisfy ``statement``.

    Raises:
        UnsatisfiedError: they do not: another value, or another commitment.
        ValueError: the statement makes no sense, or the circuit is for another number of claims.
    """
    count = len(claims.values)
    shown = dict(zip(_public(len(statement.disclosed)), statement.public_inputs(), strict=True))
    hidden = {"salt": claims.salt} | {f"claim{i}": claims.values[i] for i in range(count)}
    return compiled.witness(shown | hidden)


def _public(claims: int) -> list[str]:
    return ["commitment", "nonce", "mask", *(f"shown{i}" for i in range(claims))]


def _define(builder: Builder, claims: int) -> None:
    commitment, nonce, mask, *shown = [builder.public(name) for name in _public(claims)]
    bind_nonce(builder, nonce)
    hidden = [builder.private(f"claim{i}") for i in range(claims)]
    salt = builder.private("salt")
    root = poseidon_gadget(builder, hidden, "claims")
    digest = poseidon_gadget(builder, [root, salt], "commitment")
    builder.assert_equal(digest, commitment, "the commitment is that of the claims")
    bits = to_bits(builder, mask, claims, "mask")
    for i, (bit, value, out) in enumerate(zip(bits, hidden, shown, strict=True)):
        builder.constrain(bit, value, out, f"shown{i} is claim{i} where the mask says so, else 0")


def _check_count(claims: int) -> None:
    if not 1 <= claims <= MAX_CLAIMS:
        raise ValueError(f"1 to {MAX_CLAIMS} claims, not {claims}")
