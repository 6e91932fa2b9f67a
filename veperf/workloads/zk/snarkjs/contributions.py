"""Contributions to a key, as section 10 of .zkey files keeps them, and how they hang together.

The section: hash of the key before the first one (64 bytes), their number (u32); of each delta
after it, s and s x in G1, s' x in G2, a hash (64 bytes), its kind (u32: 1 a beacon), and the size
(u32) of its parameters: 1 name (length and text), 2 exponent of the beacon's iterations (a byte),
3 the beacon's value (length and bytes), each at most once and in this order.

Whoever contributes multiplies delta by a secret x and shows it by s x and s' x. s is a random
point, and s' one that follows from the hash, which is that of all before it, s and s x.

Source: Bowe, Gabizon, Miers, "Scalable Multi-party Computation for zk-SNARK Parameters in the
Random Beacon Model", 2017, section 6; hashes and random numbers as snarkjs makes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from struct import Struct

from veperf.workloads.zk.groth16.keys import AffineG1, AffineG2
from veperf.workloads.zk.msm.group import G1_GROUP, G2_GROUP
from veperf.workloads.zk.snarkjs.chacha import ChaCha
from veperf.workloads.zk.snarkjs.points import (
    montgomery_bytes,
    points_for_hash,
    points_from_montgomery,
    points_to_montgomery,
)
from veperf.workloads.zk.snarkjs.sections import SectionReader

HASH_BYTES = 64
_COUNT = Struct("<I")
_LEAST_BYTES = 5 * 64 + HASH_BYTES + 2 * _COUNT.size
_NAME, _EXPONENT, _BEACON = 1, 2, 3
_LONGEST_NAME = 64
_LONGEST_BEACON = 255


@dataclass(frozen=True, slots=True)
class Beacon:
    """A public value that nobody knew before, hashed 2^exponent times."""

    value: bytes
    exponent: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """A contribution to a key."""

    delta: AffineG1
    """delta after it, in G1."""
    s: AffineG1
    sx: AffineG1
    spx: AffineG2
    """s' x, where s' is ``point_from_hash(hash)``."""
    hash: bytes
    name: str = ""
    beacon: Beacon | None = None

    def to_hash(self) -> bytes:
        """Return the bytes by which later hashes take it."""
        g1 = points_for_hash(G1_GROUP, [self.delta, self.s, self.sx])
        return g1 + points_for_hash(G2_GROUP, [self.spx]) + self.hash

    def digest(self) -> bytes:
        """Return the hash that contributors publish."""
        return blake2b(self.to_hash()).digest()


def is_known_to_all(contributions: Sequence[Contribution]) -> bool:
    """Return whether there are beacons and nothing else, so that everybody knows delta."""
    return bool(contributions) and all(entry.beacon is not None for entry in contributions)


def transcript_hash(
    circuit_hash: bytes, before: Sequence[Contribution], s: AffineG1, sx: AffineG1
) -> bytes:
    """Return the hash of a contribution with ``s`` and ``sx`` after those ``before`` it."""
    digest = blake2b(circuit_hash)
    for contribution in before:
        digest.update(contribution.to_hash())
    digest.update(points_for_hash(G1_GROUP, [s, sx]))
    return digest.digest()


def read_contributions(reader: SectionReader) -> tuple[bytes, tuple[Contribution, ...]]:
    """Read the section; what they claim is not verified.

    Raises:
        CorruptFileError: it contradicts itself or its format, or has an invalid point.
    """
    circuit_hash = bytes(reader.take_bytes(HASH_BYTES))
    (count,) = reader.take(_COUNT)
    if count * _LEAST_BYTES > reader.left:
        raise reader.corrupt(f"too short for {count} contributions")
    contributions = tuple(_read_contribution(reader) for _ in range(count))
    reader.end()
    return circuit_hash, contributions


def _read_contribution(reader: SectionReader) -> Contribution:
    g1 = reader.take_bytes(3 * montgomery_bytes(G1_GROUP))
    delta, s, sx = points_from_montgomery(G1_GROUP, g1, reader.what, allow_infinity=False)
    g2 = reader.take_bytes(montgomery_bytes(G2_GROUP))
    (spx,) = points_from_montgomery(G2_GROUP, g2, reader.what, allow_infinity=False)
    digest = bytes(reader.take_bytes(HASH_BYTES))
    kind, size = reader.take(Struct("<II"))
    parameters = SectionReader(reader.take_bytes(size), f"{reader.what}, parameters")
    name, exponent, value, last = "", None, None, 0
    while parameters.left:
        (number,) = parameters.take_bytes(1)
        (length,) = parameters.take_bytes(1)
        if number <= last or number > _BEACON:
            raise parameters.corrupt(f"parameter {number} after {last}")
        last = number
        if number == _EXPONENT:
            exponent = length
        elif number == _NAME:
            name = bytes(parameters.take_bytes(length)).decode(errors="replace")
        else:
            value = bytes(parameters.take_bytes(length))
    if kind > 1 or (kind == 1) != (value is not None and exponent is not None):
        raise parameters.corrupt(f"a contribution of kind {kind} with other parameters")
    beacon = Beacon(value, exponent) if value is not None and exponent is not None else None
    return Contribution(delta, s, sx, spx, digest, name, beacon)


def contributions_to_bytes(circuit_hash: bytes, contributions: Sequence[Contribution]) -> bytes:
    """Return the section."""
    parts = [circuit_hash, _COUNT.pack(len(contributions))]
    for contribution in contributions:
        g1 = [contribution.delta, contribution.s, contribution.sx]
        parts.append(points_to_montgomery(G1_GROUP, g1))
        parts += [points_to_montgomery(G2_GROUP, [contribution.spx]), contribution.hash]
        parameters = b""
        if name := short_name(contribution.name):
            parameters += bytes([_NAME, len(name)]) + name
        if beacon := contribution.beacon:
            parameters += bytes([_EXPONENT, beacon.exponent])
            parameters += bytes([_BEACON, len(beacon.value)]) + beacon.value
        kind = 0 if contribution.beacon is None else 1
        parts += [_COUNT.pack(kind), _COUNT.pack(len(parameters)), parameters]
    return b"".join(parts)


def short_name(name: str) -> bytes:
    """Return as much of a contributor's name as files keep."""
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore").encode()


def point_from_hash(digest: bytes) -> AffineG2:
    """Return the point s' that follows from a contribution's hash."""
    return ChaCha(digest).g2()


def beacon_numbers(beacon: Beacon) -> ChaCha:
    """Return the random numbers of a beacon, after 2^exponent rounds of SHA-256."""
    value = beacon.value
    for _ in range(1 << beacon.exponent):
        value = sha256(value).digest()
    return ChaCha(value)
