"""Proofs and public inputs as Ethereum's contracts take them.

Every number takes 32 bytes, big-endian. A point of G1 is x, y; one of G2 is x1, x0, y1, y0: unlike
everywhere else the part with u comes first. Calls begin with the selector: the first 4 bytes of the
Keccak-256 hash of the function's name and types. The function is the one of snarkjs's contracts,
too, so that either's calls suit the other's verifier.

Source: EIP-196 and EIP-197 (precompiled contracts 6, 7 and 8); Solidity, "Contract ABI
Specification"; the Keccak team, "Keccak reference", 2011.
"""

from collections.abc import Sequence

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.curve.g1 import g1_from_ints
from veperf.workloads.zk.curve.g2 import g2_from_ints
from veperf.workloads.zk.field import PointError, R
from veperf.workloads.zk.groth16.keys import Proof

_WORD_BYTES = 32
_PROOF_WORDS = 8
_SELECTOR_BYTES = 4


def proof_words(proof: Proof) -> list[int]:
    """Return the coordinates of A, B and C in Ethereum's order."""
    (x0, x1), (y0, y1) = proof.b
    return [int(number) for number in (*proof.a, x1, x0, y1, y0, *proof.c)]


def function_signature(public_count: int) -> str:
    """Return the name and the types of a verifier's function."""
    inputs = f",uint256[{public_count}]" if public_count else ""
    return f"verifyProof(uint256[2],uint256[2][2],uint256[2]{inputs})"


def call_to_bytes(proof: Proof, public: Sequence[int]) -> bytes:
    """Return the data of a call to a verifier."""
    selector = keccak256(function_signature(len(public)).encode())[:_SELECTOR_BYTES]
    words = [*proof_words(proof), *public]
    return selector + b"".join(int(word).to_bytes(_WORD_BYTES, "big") for word in words)


def call_from_bytes(data: bytes) -> tuple[Proof, list[int]]:
    """Read the proof and the public inputs in the data of a call, with or without its selector.

    Raises:
        CorruptFileError: it calls another function, is cut off, or has an invalid number or point.
    """
    words_size = len(data) - len(data) % _WORD_BYTES
    selector, body = data[: len(data) - words_size], data[len(data) - words_size :]
    count = len(body) // _WORD_BYTES - _PROOF_WORDS
    if count < 0 or len(selector) not in (0, _SELECTOR_BYTES):
        raise CorruptFileError(f"{len(data)} bytes are no call of verifyProof")
    if selector and selector != keccak256(function_signature(count).encode())[:_SELECTOR_BYTES]:
        raise CorruptFileError("a call of another function than verifyProof")
    words = [
        int.from_bytes(body[start : start + _WORD_BYTES], "big")
        for start in range(0, len(body), _WORD_BYTES)
    ]
    ax, ay, x1, x0, y1, y0, cx, cy, *public = words
    if any(value >= R for value in public):
        raise CorruptFileError("a public input is not below the order of the field")
    try:
        proof = Proof(g1_from_ints(ax, ay), g2_from_ints((x0, x1), (y0, y1)), g1_from_ints(cx, cy))
    except PointError as error:
        raise CorruptFileError(f"a point of the proof: {error}") from error
    return proof, public


def call_to_text(proof: Proof, public: Sequence[int]) -> str:
    """Return the arguments of a call as Remix, cast and snarkjs have them."""
    ax, ay, x1, x0, y1, y0, cx, cy = (f'"0x{word:064x}"' for word in proof_words(proof))
    arguments = [f"[{ax},{ay}]", f"[[{x1},{x0}],[{y1},{y0}]]", f"[{cx},{cy}]"]
    if public:
        arguments.append("[" + ",".join(f'"0x{int(value):064x}"' for value in public) + "]")
    return ",".join(arguments)


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 hash of ``data``: SHA3-256 but for one bit of padding."""
    rate = 136
    padded = bytearray(data + bytes(rate - len(data) % rate))
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), rate):
        for lane in range(rate // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permute(lanes: list[int]) -> list[int]:
    """Return Keccak-f[1600] of the lanes, lane x + 5 y for column x and row y."""
    shift_register = 1
    for _ in range(24):
        parity = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
                  for x in range(5)]  # fmt: skip
        mixed = [parity[x - 1] ^ _rotated(parity[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
        moved, x, y, current = list(lanes), 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, turned = lanes[x + 5 * y], _rotated(current, (step + 1) * (step + 2) // 2 % 64)
            moved[x + 5 * y] = turned
        lanes = [
            moved[place]
            ^ (~moved[place // 5 * 5 + (place + 1) % 5] & moved[place // 5 * 5 + (place + 2) % 5])
            for place in range(25)
        ]
        for power in range(7):
            if shift_register & 1:
                lanes[0] ^= 1 << (1 << power) - 1
            shift_register = shift_register << 1 ^ (0x171 if shift_register & 0x80 else 0)
    return lanes


def _rotated(lane: int, bits: int) -> int:
    return (lane << bits | lane >> 64 - bits) & (1 << 64) - 1
