"""Go's math/rand for a given seed, so that tests of Go programs can be played again.

Its table of 607 start values is not copied here but made as Go's ``gen_cooked.go`` does: a lagged
Fibonacci generator, y[k] = y[k-607] + y[k-273] mod 2^64, after 7.8e12 steps. Those are jumped over
by raising x to that power modulo x^607 - x^334 - 1.
"""

from collections.abc import Iterator
from functools import cache

_LENGTH = 607
_TAP = 273
_STEPS = 7_800_000_000_000
_MODULUS = (1 << 31) - 1
_MASK63 = (1 << 63) - 1
_MASK64 = (1 << 64) - 1
_SLOT = 18  # bytes: 607 products of 64-bit numbers fit


class GoRandom:
    """``rand.New(rand.NewSource(seed))``."""

    def __init__(self, seed: int) -> None:
        numbers = _lehmer(seed % _MODULUS or 89482311)
        self._state = [
            (next(numbers) << 40 ^ next(numbers) << 20 ^ next(numbers) ^ cooked) & _MASK63
            for cooked in _cooked()
        ]
        self._tap, self._feed = 0, _LENGTH - _TAP
        self._value, self._left = 0, 0

    def int63(self) -> int:
        self._tap = (self._tap - 1) % _LENGTH
        self._feed = (self._feed - 1) % _LENGTH
        number = (self._state[self._feed] + self._state[self._tap]) & _MASK63
        self._state[self._feed] = number
        return number

    def float64(self) -> float:
        while (number := self.int63() / (1 << 63)) == 1:
            pass
        return number

    def intn(self, n: int) -> int:
        if n & (n - 1) == 0:
            return (self.int63() >> 32) & (n - 1)
        most = (1 << 31) - 1 - (1 << 31) % n
        while (number := self.int63() >> 32) > most:
            pass
        return number % n

    def read(self, length: int) -> bytes:
        out = bytearray()
        for _ in range(length):
            if not self._left:
                self._value, self._left = self.int63(), 7
            out.append(self._value & 0xFF)
            self._value >>= 8
            self._left -= 1
        return bytes(out)


def _lehmer(seed: int) -> Iterator[int]:
    number = seed
    for step in range(20 + 3 * _LENGTH):
        number = 48271 * number % _MODULUS
        if step >= 20:
            yield number


@cache
def _cooked() -> tuple[int, ...]:
    numbers = _lehmer(1)
    table = [next(numbers) << 20 ^ next(numbers) << 10 ^ next(numbers) for _ in range(_LENGTH)]
    # In the order of time, not of place: what each of the first 607 steps overwrites.
    history = [table[(_LENGTH - _TAP - 1 - k) % _LENGTH] for k in range(_LENGTH)]
    for k in range(_LENGTH):
        history.append((history[k] + history[k + _LENGTH - _TAP]) & _MASK64)
    power = _power_of_x(_STEPS)
    cooked = [0] * _LENGTH
    for j in range(_LENGTH):
        step = _STEPS - _LENGTH + j
        value = sum(p * h for p, h in zip(power, history[j : j + _LENGTH], strict=True))
        cooked[(_LENGTH - _TAP - 1 - step) % _LENGTH] = value & _MASK64
    return tuple(cooked)


def _power_of_x(exponent: int) -> list[int]:
    """Coefficients of x^exponent modulo x^607 - x^334 - 1 and 2^64, lowest first."""
    power = [1] + [0] * (_LENGTH - 1)
    for bit in bin(exponent)[2:]:
        packed = int.from_bytes(b"".join(p.to_bytes(_SLOT, "little") for p in power), "little")
        square = (packed * packed).to_bytes(2 * _LENGTH * _SLOT, "little")
        long = [
            int.from_bytes(square[i : i + _SLOT], "little") & _MASK64
            for i in range(0, len(square), _SLOT)
        ]
        if bit == "1":
            long = [0, *long[:-1]]
        for i in reversed(range(_LENGTH, 2 * _LENGTH)):
            long[i - _LENGTH] += long[i]
            long[i - _TAP] += long[i]
            long[i] = 0
        power = [p & _MASK64 for p in long[:_LENGTH]]
    return power
