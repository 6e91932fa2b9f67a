"""The identifier of a proof: of what it proves, not of its bytes, which anybody can change."""

from collections.abc import Sequence
from hashlib import sha256
from operator import index

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
