"""Numbers as signed digits of some bits, and buckets for what goes by them."""

from veperf.workloads.zk.integers import integer, unpack
from veperf.workloads.zk.msm.group import Bucket


class SignedDigits:
    """Digits from -2^(w - 1) to 2^(w - 1) - 1 of numbers below 2^bits in absolute value.

    With ``middle`` = 2^(w - 1) added to every digit, they are those of an ordinary number.
    """

    def __init__(self, window_bits: int, bits: int) -> None:
        """Digits of ``window_bits`` = w bits, enough for numbers of ``bits`` bits and a sign."""
        self.window_bits = window_bits
        self.middle = 1 << (window_bits - 1)
        self.count = digit_count(window_bits, bits)
        # The bit above keeps leading zeros from getting lost.
        self._lift = integer(1) << (window_bits * self.count)
        for place in range(self.count):
            self._lift += self.middle << (window_bits * place)

    def lifted(self, number: int) -> list[int]:
        """The digits, each plus ``middle``, lowest first; behind them one more to ignore."""
        return unpack(number + self._lift, self.window_bits)

    def buckets(self) -> list[Bucket]:
        """Empty buckets by a digit plus ``middle``."""
        return [[] for _ in range(2 * self.middle)]


def digit_count(window_bits: int, bits: int) -> int:
    """The number of digits of ``window_bits`` bits for numbers of ``bits`` bits and a sign."""
    # The highest positive digit is one less than ``middle``, so a bit for the sign is not enough:
    # with n bits in all, the largest number is at least (2^n - 1) / 3.
    return -(-(bits + 2) // window_bits)
