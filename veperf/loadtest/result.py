"""What a load run found, and whether it can be believed."""

from msgspec import Struct

from veperf.core.load import Search
from veperf.loadtest.histogram import Percentiles
from veperf.loadtest.schedule import WHOLE, Schedule, is_empty

# A tenth of the latency that a chain's 95th percentile may have.
LAG_LIMIT_MS = 10.0
OFFERED_LEAST = 0.99
# One block's commit at the end of a short run is no sign of falling behind.
BEHIND_LEAST_S = 0.1


class Second(Struct, frozen=True):
    """One second of a run, warm-up included, by when things happened."""

    offered: int
    committed: int
    latency_p99_ms: float | None
    """Of what was committed in it; None where nothing was, and where it is not known."""


class LoadResult(Struct, frozen=True):
    """One load run. Counts are of the items scheduled after the warm-up.

    ``lag`` is how late items were handed over. It is part of their latency; ``own_lag`` is the
    part for which the system is not to blame, because it did not have the thread meanwhile.
    """

    schedule: Schedule
    offered: int
    committed: int
    refused: int
    """Turned away at the door: back pressure."""
    failed: int
    """Valid, but not committed."""
    lost: int
    """Not finished when the drain ended."""
    rejected: int
    """Bad, and rightly not committed: neither errors nor counted among the valid ones."""
    reasons: dict[str, int]
    """Why items failed, with counts."""
    offering_s: float
    """What handing them over took, after the warm-up: longer than planned where it fell behind."""
    achieved_rate: float
    """Commits a second while the schedule ran after the warm-up."""
    behind_s: float
    """How late the last item was handed over."""
    latency: Percentiles | None
    """Of what was committed, from the scheduled arrival; None where nothing was."""
    lag: Percentiles | None
    own_lag: Percentiles | None
    latencies: str
    """The histogram of latencies in ns, as ``Latencies.encode`` gives it."""
    lags: str
    own_lags: str
    """Those of lags."""
    timeline: tuple[Second, ...]
    stopped: bool = False
    """Ended before its time; ``schedule`` is what had passed of it."""
    costs: dict[str, float] = {}
    """CPU time in ns by stage for each item committed, warm-up included, as the system says."""
    fault: str = ""
    """What else was wrong with how the load was put on, in words."""

    @property
    def offered_rate(self) -> float:
        """Items a second, over the time that handing them over took."""
        return self.offered / self.offering_s

    @property
    def error_percent(self) -> float:
        """Valid items that were refused, failed or lost, in % of the valid ones."""
        valid = self.offered - self.rejected
        return 100 * (self.refused + self.failed + self.lost) / valid if valid > 0 else 0.0

    @property
    def invalid(self) -> str:
        """Why the run says nothing about the system, in words; empty where it does."""
        if self.fault:
            return self.fault
        if self.own_lag is None and not is_empty(self.schedule):
            return "the generator fell behind: it offered nothing after the warm-up"
        if self.own_lag is None:
            # One shard of many may well have nothing to do.
            short = "the schedule was too short: nothing was to be offered after the warm-up"
            return short if self.schedule.part == WHOLE else ""
        most_s = (1 - OFFERED_LEAST) * (self.schedule.end_ns / 1e9)
        if self.behind_s > max(most_s, BEHIND_LEAST_S):
            return (
                f"the generator fell behind: it offered {self.offered_rate:.0f} items a second, "
                f"where {self.schedule.own_rate:.0f} were scheduled"
            )
        if self.own_lag.p99 > LAG_LIMIT_MS:
            return (
                f"the generator fell behind by its own doing: 99 % of the items were handed over "
                f"up to {self.own_lag.p99:.3g} ms late, where {LAG_LIMIT_MS:g} ms are allowed"
            )
        return ""


def figures(result: LoadResult) -> dict[str, float]:
    """The figures of a run by the names of ``model.LATENCY_METRICS``, and the two rates.

    A stage's CPU time in µs is ``cpu_`` and its name. What is unknown is left out, since no number
    may stand for it.
    """
    found = {
        "offered": result.offered_rate,
        "achieved": result.achieved_rate,
        "error_rate": result.error_percent,
    }
    if result.latency is not None:
        found |= {
            "latency_p50": result.latency.p50,
            "latency_p95": result.latency.p95,
            "latency_p99": result.latency.p99,
            "latency_p999": result.latency.p999,
            "latency_max": result.latency.max,
        }
    if result.lag is not None:
        found["lag_p99"] = result.lag.p99
    found |= {f"cpu_{stage}": ns / 1000 for stage, ns in result.costs.items()}
    return found


def meets(result: LoadResult, wanted: Search) -> bool:
    """Whether a run is valid, and within what ``wanted`` allows."""
    latency = result.latency
    return (
        not result.invalid
        and latency is not None
        and latency.p95 <= wanted.latency_p95_ms
        and latency.p99 <= wanted.latency_p99_ms
        and result.error_percent <= wanted.error_percent
    )
