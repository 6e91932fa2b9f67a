"""SHA-256 outside of circuits: claim commitments, proof identifiers, nonces as field elements."""

import secrets
from collections.abc import Sequence
from hashlib import sha256
from operator import index

SALT_BYTES = 32
NONCE_BYTES = 32
_ELEMENT_BYTES = 32


def claim_commitment(salt: bytes, claim: bytes) -> bytes:
    """Return the 32 bytes SHA-256(salt || claim), as the original's wallet commits to a claim.

    It hides and binds as well as Poseidon's commitment, at a hundredth of the cost, but proving
    something about the claim would take some 25,000 constraints a block. Circuits use Poseidon's.

    Raises:
        ValueError: the salt has not 32 bytes. With any length allowed, a byte could move from the
            salt to the claim.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return sha256(salt + claim).digest()


def proof_id(circuit: str, public: Sequence[int]) -> str:
    """Return SHA-256(circuit || 0 || public inputs, 32 big-endian bytes each) in hexadecimal.

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


def new_nonce() -> bytes:
    """Return 32 unpredictable bytes from the operating system.

    A nonce prevents replay: a proof is valid only for the challenge that it was made for.
    """
    return secrets.token_bytes(NONCE_BYTES)


def nonce_element(nonce: bytes) -> int:
    """Return the field element of a nonce.

    Raises:
        ValueError: it has not 32 bytes.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    return bytes_to_element(b"nonce", nonce)


def bytes_to_element(purpose: bytes, data: bytes) -> int:
    """Return 253 bits of SHA-256("veperf " || purpose || 0 || data) as a field element.

    ``purpose`` separates the domains, so that the same bytes give different elements for different
    purposes; it holds no zero byte.
    """
    return int.from_bytes(sha256(b"veperf %b\0%b" % (purpose, data)).digest(), "big") >> 3
