"""Random field elements and points from a seed, the same as those of snarkjs's ceremonies.

Source: RFC 8439 for the stream; how elements and points are taken from it, ffjavascript as it
behaves. Tests compare with the beacons of files that snarkjs wrote.
"""

from struct import Struct

from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.curve.g1 import B
from veperf.workloads.zk.curve.g2 import TWIST_B, g2_multiply
from veperf.workloads.zk.field import P, R, fp_square_root
from veperf.workloads.zk.groth16.keys import AffineG1, AffineG2
from veperf.workloads.zk.snarkjs.points import MONTGOMERY
from veperf.workloads.zk.tower import fp2


class ChaCha:
    """Random numbers from a seed of 32 bytes: the stream of ChaCha20 (RFC 8439), counter from 0."""

    def __init__(self, seed: bytes) -> None:
        """Take the first 32 bytes of ``seed`` as 8 numbers, big-endian."""
        self._key = Struct(">8I").unpack(seed[:32])
        self._counter = 0
        self._words: list[int] = []

    def word(self) -> int:
        """Return the next 32 bits."""
        if not self._words:
            self._words = self._block()[::-1]
        return self._words.pop()

    def element(self, prime: int) -> int:
        """Return the next element of a field of 254 bits.

        The bits are those of the element in Montgomery's form.
        """
        while True:
            limbs = [self.word() << 32 | self.word() for _ in range(4)]
            value = sum(limb << 64 * place for place, limb in enumerate(limbs))
            value &= (1 << 254) - 1
            if value < prime:
                return integer(value) * invert(MONTGOMERY % prime, prime) % prime

    def g1(self) -> AffineG1:
        """Return the next point of G1."""
        while True:
            x, is_larger = self.element(P), bool(self.word() & 1)
            y = fp_square_root((x * x * x + B) % P)
            if y is not None:
                return x, y if (y > P // 2) == is_larger else -y % P

    def g2(self) -> AffineG2:
        """Return the next point of G2: one of the curve, times the cofactor."""
        while True:
            x = self.element(P), self.element(P)
            is_larger = bool(self.word() & 1)
            try:
                y = fp2.square_root(fp2.add(fp2.multiply(fp2.square(x), x), TWIST_B))
            except ArithmeticError:
                continue
            if ((y[1] or y[0]) > P // 2) != is_larger:
                y = fp2.negate(y)
            return _times_cofactor((x, y))

    def _block(self) -> list[int]:
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *self._key, self._counter, 0, 0, 0]
        self._counter += 1
        words = list(start)
        for _ in range(10):
            for places in _COLUMNS_AND_DIAGONALS:
                _quarter_round(words, *places)
        return [(word + first) & 0xFFFFFFFF for word, first in zip(words, start, strict=True)]


_COLUMNS_AND_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def _quarter_round(words: list[int], a: int, b: int, c: int, d: int) -> None:
    for target, summand, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        words[target] = (words[target] + words[summand]) & 0xFFFFFFFF
        value = words[mixed] ^ words[target]
        words[mixed] = (value << turn | value >> 32 - turn) & 0xFFFFFFFF


def _times_cofactor(point: AffineG2) -> AffineG2:
    multiple = g2_multiply(point, 2 * P - R)
    assert multiple is not None
    return multiple
