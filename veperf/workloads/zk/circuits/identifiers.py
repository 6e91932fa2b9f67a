"""The commitment to a claim outside of circuits, as the original's wallet makes it: SHA-256.

It hides and binds as well as Poseidon's, at a hundredth of the cost, but proving something about
what is inside would take some 25,000 constraints a block. Circuits use Poseidon's.
"""

from collections.abc import Sequence
from hashlib import sha256
from operator import index

SALT_BYTES = 32


def claim_commitment(salt: bytes, claim: bytes) -> bytes:
    """The 32 bytes SHA-256(salt || claim).

    Raises:
        ValueError: the salt has not 32 bytes. With any length allowed, a byte could move from the
            salt to the claim.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return sha256(salt + claim).digest()


_ELEMENT_BYTES = 32


def proof_id(circuit: str, public: Sequence[int]) -> str:
    """64 hexadecimal digits: SHA-256(circuit || 0 || public inputs, 32 big-endian bytes each).

    The nonce is among the public inputs, so each challenge gives another identifier.

    Raises:
        ValueError: a public input is negative or too long, or the name holds a zero byte.
    """
    name = circuit.encode()
    if 0 in name:
        raise ValueError("a zero byte in the name of a circuit")
    try:
        values = [index(value).to_bytes(_ELEMENT_BYTES, "big") for value in public]
    except OverflowError as error:
        raise ValueError("a public input is not a field element") from error
    return sha256(b"%b\0%b" % (name, b"".join(values))).hexdigest()
