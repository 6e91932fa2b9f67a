"""What a shard found, and whether that can be believed."""

from msgspec import Struct

from veperf.core.load import Shard
from veperf.loadtest.remote.clock_offset import ClockOffset
from veperf.loadtest.remote.host_conditions import Surroundings
from veperf.loadtest.result import LAG_LIMIT_MS, LoadResult

# Shards that start further apart than an item may be late do not keep the one schedule.
START_LIMIT_MS = LAG_LIMIT_MS


class ShardReport(Struct, frozen=True):
    """What one shard says at its end."""

    host: str
    result: LoadResult
    late_ns: int
    """How long after the agreed instant it was told of it or woke up to it; 0 where before."""
    clock: ClockOffset
    """Before the load."""
    clock_after: ClockOffset | None
    """After it, where the target was still there."""
    surroundings: Surroundings | None = None
    """Of the target, where it came to say so."""

    @property
    def invalid(self) -> str:
        """Why it says nothing of the system, in words; empty where it does."""
        late_ms, unsure_ms = self.late_ns / 1e6, self.clock.uncertainty_ns / 1e6
        if self.result.invalid:
            return self.result.invalid
        if late_ms > START_LIMIT_MS:
            return (
                f"it started {late_ms:.3g} ms after the agreed instant, where {START_LIMIT_MS:g} "
                "ms are allowed"
            )
        if unsure_ms > START_LIMIT_MS:
            return (
                f"when it started is known to ±{unsure_ms:.3g} ms, where ±{START_LIMIT_MS:g} ms "
                "are allowed: the link to the target is too slow"
            )
        return ""


def shard_of(report: ShardReport) -> Shard:
    """``report`` as it is kept."""
    result, clock, after = report.result, report.clock, report.clock_after
    return Shard(
        number=result.schedule.part.shard + 1,
        host=report.host,
        offered=result.offered_rate,
        achieved=result.achieved_rate,
        own_lag_p99_ms=result.own_lag.p99 if result.own_lag else None,
        clock_offset_ns=clock.offset_ns,
        clock_uncertainty_ns=clock.uncertainty_ns,
        clock_drift_ns=clock.drift_ns(after) if after else None,
        wall_offset_ns=clock.wall_offset_ns,
        invalid=report.invalid,
    )
