"""A validator: its key, its address and voting power, and the bytes that blocks commit to."""

from msgspec import Struct

from veperf.workloads.transaction.address import ed25519_address

ADDRESS_BYTES, KEY_BYTES = 20, 32
MAX_TOTAL_POWER = ((1 << 63) - 1) // 8
"""The highest voting power of a whole set: priorities of twice that still fit into 64 bits."""

_KEY_HEAD = b"\x0a\x22\x0a\x20"  # field 1: 34 bytes, of which field 1 (Ed25519): 32 bytes
_POWER_TAG = b"\x10"


class Validator(Struct, frozen=True):
    """A validator, or a change of one: its power after the change, 0 to remove it."""

    public_key: bytes
    """Ed25519, 32 bytes."""
    power: int

    @property
    def address(self) -> bytes:
        """The first 20 bytes of SHA-256 of the key."""
        return ed25519_address(self.public_key)


def encode_validator(public_key: bytes, power: int) -> bytes:
    """Return the bytes of a validator that the set's hash covers: CometBFT's ``SimpleValidator``.

    A protobuf message with the key (field 1, itself a message) and the power (field 2) as a varint.
    The address follows from the key, and the priority changes with every block: neither is there.
    """
    if not power:  # proto3 leaves zeros out
        return _KEY_HEAD + public_key
    digits = bytearray()
    while power > 0x7F:
        digits.append(power & 0x7F | 0x80)
        power >>= 7
    digits.append(power)
    return _KEY_HEAD + public_key + _POWER_TAG + digits
