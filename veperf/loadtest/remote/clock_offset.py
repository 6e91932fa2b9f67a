"""How far the target's clocks are from a shard's, by question and answer.

A reading is: the shard's clock when it asks, the target's when it reads the question, the shard's
when it has the answer. With t0, T and t1 for these, the target's clock is ahead by some value in
[T - t1, T - t0], so by T - (t0 + t1)/2 to within half the round trip, (t1 - t0)/2, however unequal
the two ways are (Cristian, Probabilistic clock synchronization, 1989). Of many readings the one
with the shortest round trip says most.
"""

from collections.abc import Sequence

from msgspec import Struct


class Reading(Struct, frozen=True):
    """One question and its answer; the shard's clocks before and after, the target's between."""

    asked_ns: int
    answered_ns: int
    asked_wall_ns: int
    answered_wall_ns: int
    target_ns: int
    target_wall_ns: int


class ClockOffset(Struct, frozen=True):
    """How much the target's clocks are ahead of the shard's, in ns; each +- ``uncertainty_ns``."""

    offset_ns: int
    """Of the clocks that never go back, which latencies are measured by (``perf_counter``).

    Those of two hosts have nothing to do with each other: this can be days.
    """
    wall_offset_ns: int
    """Of the clocks that tell the time of day: how well the two hosts are synchronised."""
    uncertainty_ns: int
    """The true offset is at most this far away."""
    measured_ns: int
    """When, by the shard's clock."""

    def drift_ns(self, later: "ClockOffset") -> int:
        """By how much the target's clock gained on the shard's until ``later``.

        To within the two uncertainties together.
        """
        return later.offset_ns - self.offset_ns


def offset_of(readings: Sequence[Reading]) -> ClockOffset:
    """What ``readings``, at least one, say."""
    best = min(readings, key=_round_trip_ns)
    return ClockOffset(
        offset_ns=best.target_ns - (best.asked_ns + best.answered_ns) // 2,
        wall_offset_ns=best.target_wall_ns - (best.asked_wall_ns + best.answered_wall_ns) // 2,
        uncertainty_ns=_round_trip_ns(best) // 2 + 1,
        measured_ns=best.answered_ns,
    )


def _round_trip_ns(reading: Reading) -> int:
    """By the clock that shows the longer one."""
    return max(
        reading.answered_ns - reading.asked_ns, reading.answered_wall_ns - reading.asked_wall_ns
    )
