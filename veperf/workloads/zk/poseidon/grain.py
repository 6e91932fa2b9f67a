"""The stream of bits from which Poseidon takes its constants: Grain in self-shrinking mode.

Source: Grassi, Khovratovich, Rechberger, Roy, Schofnegger, "Poseidon: A New Hash Function for
Zero-Knowledge Proof Systems", USENIX Security 2021, appendix E.
"""

from collections.abc import Iterator

_STATE_BITS = 80
_TAPS = (62, 51, 38, 23, 13, 0)
# The highest tap leaves 80 - 62 bits that depend on none of each other.
_STEP_BITS = _STATE_BITS - max(_TAPS)
_STEP_MASK = (1 << _STEP_BITS) - 1
_WARM_UP_BITS = 160
_PRIME_FIELD = 1
_POWER_S_BOX = 0


def elements(
    modulus: int, width: int, full_rounds: int, partial_rounds: int
) -> Iterator[tuple[int, bool]]:
    """Numbers of as many bits as ``modulus``, first bit highest, and whether each is below it.

    The register starts with, first bit first: field (2 bits), S-box (4), bits of the modulus (12),
    ``width`` (12), ``full_rounds`` (10), ``partial_rounds`` (10), and 30 ones.
    """
    size = modulus.bit_length()
    fields = (
        f"{_PRIME_FIELD:02b}{_POWER_S_BOX:04b}{size:012b}{width:012b}"
        f"{full_rounds:010b}{partial_rounds:010b}{'1' * 30}"
    )
    bits = _shrunk(_register(fields))
    while True:
        number = 0
        for _ in range(size):
            number = number << 1 | next(bits)
        yield number, number < modulus


def _register(start: str) -> Iterator[int]:
    """The bits of the register after its warm-up: b[i+80] = b[i+62] ^ b[i+51] ^ ... ^ b[i]."""
    state = int(start[::-1], 2)  # b[i] at bit 0
    position = 0
    while True:
        new = 0
        for tap in _TAPS:
            new ^= state >> tap
        new &= _STEP_MASK
        state = (state >> _STEP_BITS) | new << (_STATE_BITS - _STEP_BITS)
        for i in range(_STEP_BITS):
            if position >= _WARM_UP_BITS:
                yield new >> i & 1
            position += 1


def _shrunk(bits: Iterator[int]) -> Iterator[int]:
    """Of each pair of bits the second, where the first is 1."""
    for chosen, bit in zip(bits, bits, strict=False):
        if chosen:
            yield bit
