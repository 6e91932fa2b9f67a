"""Latencies as an HdrHistogram: fixed memory, 3 significant digits from 1 µs to 1 hour, mergeable.

The counters are laid out as in HdrHistogram (hdrhistogram.org) and updated by numpy: a value a
call, as the package itself does it, costs a generator 0.8 µs a latency.
"""

import math
from collections.abc import Iterable
from typing import Self

import numpy as np
from hdrh.histogram import HdrHistogram
from msgspec import Struct

from veperf.loadtest.schedule import Nanoseconds

# Units of 1 ns, so that 1 µs still has its three digits.
_LOWEST_NS = 1
_HIGHEST_NS = 3_600 * 10**9
_DIGITS = 3
_NS_A_MS = 1e6


class Percentiles(Struct, frozen=True):
    """Percentiles of latencies, in ms; each at most 0.1 % too high."""

    p50: float
    p95: float
    p99: float
    p999: float
    max: float


class Latencies:
    """A histogram of latencies in ns; those over an hour count as an hour."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(_LOWEST_NS, _HIGHEST_NS, _DIGITS)
        self._counts = np.ctypeslib.as_array(self._histogram.counts)

    @classmethod
    def merged(cls, encoded: Iterable[str]) -> Self:
        """Return the latencies of several processes as one: counters are added, none averaged."""
        merged = cls()
        for text in encoded:
            merged._histogram.decode_and_add(text)
        return merged

    @property
    def count(self) -> int:
        """Number of latencies."""
        return int(self._histogram.total_count)

    def record(self, latencies_ns: Nanoseconds) -> None:
        """Add latencies, none of them negative; shape (n,)."""
        if not latencies_ns.size:
            return
        values = np.minimum(latencies_ns, _HIGHEST_NS)
        histogram = self._histogram
        half = histogram.sub_bucket_half_count_magnitude
        # The bucket is the number of bits past a full sub-bucket index; exact in float64, as
        # values stay below 2^53.
        bits = np.frexp((values | histogram.sub_bucket_mask).astype(np.float64))[1].astype(np.int64)
        bucket = bits - (half + 1)
        index = (bucket << half) + (values >> bucket)
        self._counts += np.bincount(index, minlength=self._counts.size).astype(np.uint64)
        histogram.total_count += values.size
        histogram.min_value = min(histogram.min_value, int(values.min()))
        histogram.max_value = max(histogram.max_value, int(values.max()))

    def percentiles(self) -> Percentiles | None:
        """Return the usual percentiles; None where there is no latency."""
        if not self.count:
            return None
        values_ns = self._histogram.get_percentile_to_value_dict([50, 95, 99, 99.9])
        return Percentiles(
            p50=values_ns[50] / _NS_A_MS,
            p95=values_ns[95] / _NS_A_MS,
            p99=values_ns[99] / _NS_A_MS,
            p999=values_ns[99.9] / _NS_A_MS,
            max=self._histogram.get_max_value() / _NS_A_MS,
        )

    def percentile_ms(self, percent: float) -> float | None:
        """Return a percentile in ms, fast enough for use during a load.

        It takes 50 µs where ``percentiles`` takes 10 ms. None where there is no latency.
        """
        if not self.count:
            return None
        return self._value_ms(self._histogram.get_target_count_at_percentile(percent))

    def least_percentile_ms(self, percent: float, total: int) -> float:
        """Return the percentile in ms of ``total`` latencies of which those not here are 0.

        A little too low rather than too high, by the width of a bucket.
        """
        rank = math.floor(percent / 100 * total) - max(total - self.count, 0)
        return self._value_ms(rank, highest=False) if 0 < rank <= self.count else 0.0

    def _value_ms(self, rank: int, *, highest: bool = True) -> float:
        """Return a bound in ms of the bucket of the latency with this rank, from 1."""
        histogram = self._histogram
        index = int(np.searchsorted(np.cumsum(self._counts), rank))
        value = histogram.get_value_from_index(index)
        if highest:
            value = histogram.get_highest_equivalent_value(value)
        return float(value) / _NS_A_MS

    def counts(self) -> tuple[Nanoseconds, Nanoseconds]:
        """Return the upper bounds in ns of the non-empty buckets, and their counts; shape (n,)."""
        (used,) = np.nonzero(self._counts)
        highest = self._histogram.get_highest_equivalent_value
        bounds = [highest(self._histogram.get_value_from_index(i)) for i in used.tolist()]
        return np.array(bounds, dtype=np.int64), self._counts[used].astype(np.int64)

    def encode(self) -> str:
        """Return HdrHistogram's own interchange format: V2, compressed, in base64."""
        encoded: bytes = self._histogram.encode()
        return encoded.decode("ascii")
