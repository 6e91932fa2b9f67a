"""The offset of the target's clocks from a shard's, by ping and pong.

A reading is the shard's clock when it sends a ping, the target's when it reads that, and the
shard's when it has the answer. With t0, T and t1 for these, the target's clock is ahead by some
value in [T - t1, T - t0], so by T - (t0 + t1)/2 to within half the round trip, (t1 - t0)/2, however
unequal the two ways are (Cristian, Probabilistic clock synchronization, 1989). Of many readings the
one with the shortest round trip is the most exact.
"""

from collections.abc import Sequence

from msgspec import Struct


class ClockReading(Struct, frozen=True):
    """A round trip: the shard's clocks when it sent and received, the target's in between."""

    sent_ns: int
    received_ns: int
    sent_wall_ns: int
    received_wall_ns: int
    target_ns: int
    target_wall_ns: int


class ClockOffset(Struct, frozen=True):
    """The lead of the target's clocks over the shard's, in ns; each ± ``uncertainty_ns``."""

    offset_ns: int
    """Of the monotonic clocks, by which latencies are measured (``perf_counter``).

    Those of two hosts are unrelated: this can be days.
    """
    wall_offset_ns: int
    """Of the wall clocks: how well the two hosts are synchronised."""
    uncertainty_ns: int
    """Largest distance of the true offset from the estimate."""
    measured_ns: int
    """Time of the reading, by the shard's clock."""

    def drift_ns(self, later: "ClockOffset") -> int:
        """Return how much the target's clock gained on the shard's until ``later``, in ns.

        It is exact to within the sum of the two uncertainties.
        """
        return later.offset_ns - self.offset_ns


def estimate_offset(readings: Sequence[ClockReading]) -> ClockOffset:
    """Return the offset by the best of ``readings``, of which there is at least one."""
    best = min(readings, key=_round_trip_ns)
    return ClockOffset(
        offset_ns=best.target_ns - (best.sent_ns + best.received_ns) // 2,
        wall_offset_ns=best.target_wall_ns - (best.sent_wall_ns + best.received_wall_ns) // 2,
        uncertainty_ns=_round_trip_ns(best) // 2 + 1,
        measured_ns=best.received_ns,
    )


def _round_trip_ns(reading: ClockReading) -> int:
    """Return the round trip by the clock that shows the longer one."""
    return max(
        reading.received_ns - reading.sent_ns, reading.received_wall_ns - reading.sent_wall_ns
    )
