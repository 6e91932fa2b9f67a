"""The result of a load run, and the check that it is valid."""

from msgspec import Struct

from veperf.core.load import CpuContention, Search
from veperf.core.mix import KIND_PERCENTILES, kind_metric
from veperf.core.run import CaseResult, Failure
from veperf.core.text import format_percent
from veperf.loadtest.histogram import Latencies, Percentiles
from veperf.loadtest.schedule import WHOLE_SCHEDULE, Schedule, is_empty_schedule

# A tenth of the latency that a chain's 95th percentile may have.
LAG_LIMIT_MS = 10.0
MIN_OFFERED_RATIO = 0.99
# One block's commit at the end of a short run is no sign of falling behind.
MIN_BEHIND_S = 0.1
# Of the CPU time that it wants, a system may lose so much to others: work takes 1.25 times as long
# then, more than the 20 % by which a target is missed. benchmarks/busy_machine.py shows it.
TAKEN_LIMIT = 0.20
# What else runs on a quiet machine takes less of the CPU time, and is nobody's fault.
OTHERS_LIMIT = 0.10
# A system with next to nothing to do may wait as long as it runs, and nobody notices.
_MIN_TAKEN_A_SECOND = 0.01
# In less time, some ticks of a clock that has 100 a second would decide.
_MIN_WATCHED_S = 1.0


class Second(Struct, frozen=True):
    """A second of a run, warm-up included, by the time of each event."""

    offered: int
    committed: int
    latency_p99_ms: float | None
    """Of the items committed in it; None where there are none, or where it is not known."""


class LoadResult(Struct, frozen=True):
    """A load run. Counts are of the items scheduled after the warm-up.

    ``lag`` is how late items were handed over. It is part of their latency; ``own_lag`` is the
    generator's part of it, while the system did not have the thread.
    """

    schedule: Schedule
    offered: int
    committed: int
    refused: int
    """Turned away when offered: back pressure."""
    failed: int
    """Valid, but not committed."""
    lost: int
    """Not finished when the drain ended."""
    rejected: int
    """Invalid, and rightly not committed: no errors, and not counted among the valid items."""
    reasons: dict[str, int]
    """Reasons for which items failed, with counts."""
    shed: dict[str, int]
    """Valid items that the system dropped by its own rules as more was offered than it does, by
    reason: no errors, and no commits."""
    offering_s: float
    """Time to hand them over, after the warm-up; longer than planned if the generator fell
    behind."""
    achieved_rate: float
    """Commits a second while the schedule ran after the warm-up."""
    behind_s: float
    """Lag of the last item."""
    drain_s: float
    """Time from the schedule's end until nothing was in flight any more, or nobody waited."""
    latency: Percentiles | None
    """Of the committed items, from the scheduled arrival; None where there are none."""
    lag: Percentiles | None
    own_lag: Percentiles | None
    latencies: str
    """The histogram of latencies in ns, as ``Latencies.encode`` gives it."""
    lags: str
    own_lags: str
    """The same of lags."""
    timeline: tuple[Second, ...]
    latencies_by_kind: dict[str, str] = {}
    """``latencies`` of each kind of item; empty where items have no kinds."""
    stopped: bool = False
    """Ended early; ``schedule`` is the part of it that ran."""
    costs: dict[str, float] = {}
    """CPU time in ns by stage for each item committed, warm-up included, as the system reports."""
    fault: str = ""
    """Any other fault of the load generation, as a text."""
    contention: CpuContention | None = None
    """Of this process, warm-up included; of the remote system where the results of all shards are
    merged. None where the system does not tell."""

    @property
    def offered_rate(self) -> float:
        """Items offered a second, over the time that it took to hand them over."""
        return self.offered / self.offering_s

    @property
    def error_percent(self) -> float:
        """Valid items that were refused, failed or lost, in % of the valid ones."""
        valid = self.offered - self.rejected
        return 100 * (self.refused + self.failed + self.lost) / valid if valid > 0 else 0.0

    @property
    def shed_percent(self) -> float:
        """Valid items that were shed, in % of the valid ones."""
        valid = self.offered - self.rejected
        return 100 * sum(self.shed.values()) / valid if valid > 0 else 0.0

    @property
    def invalid(self) -> str:
        """The reason why the run says nothing about the system; empty where it is valid."""
        if self.fault:
            return self.fault
        whose = "the system's" if self.schedule.part == WHOLE_SCHEDULE else "its"
        if starved := describe_starvation(self.contention, whose):
            return starved
        if self.own_lag is None and not is_empty_schedule(self.schedule):
            return "the generator fell behind: it offered nothing after the warm-up"
        if self.own_lag is None:
            # One shard of many may well have nothing to do.
            reason = "the schedule was too short: no item was due after the warm-up"
            return reason if self.schedule.part == WHOLE_SCHEDULE else ""
        max_behind_s = (1 - MIN_OFFERED_RATIO) * (self.schedule.end_ns / 1e9)
        if self.behind_s > max(max_behind_s, MIN_BEHIND_S):
            return (
                f"the generator fell behind: it offered {self.offered_rate:.0f} items a second, "
                f"where {self.schedule.own_rate:.0f} were scheduled"
            )
        if self.own_lag.p99 > LAG_LIMIT_MS:
            return (
                f"the generator itself fell behind: the 99th percentile of its own lag is "
                f"{self.own_lag.p99:.3g} ms, where {LAG_LIMIT_MS:g} ms are allowed"
            )
        return ""


def describe_starvation(contention: CpuContention | None, whose: str = "the system's") -> str:
    """Describe how others had the CPUs; empty where they left enough, or that is not known."""
    if contention is None or contention.seconds < _MIN_WATCHED_S:
        return ""
    is_slight = contention.taken_s < _MIN_TAKEN_A_SECOND * contention.seconds
    is_quiet = contention.others_ratio <= OTHERS_LIMIT
    if is_slight or is_quiet or contention.taken_ratio <= TAKEN_LIMIT:
        return ""
    return (
        f"the machine was too busy: {whose} threads waited "
        f"{format_percent(contention.taken_ratio)} of the time for a CPU that others had"
    )


def load_figures(result: LoadResult) -> dict[str, float]:
    """Return the figures of a run by the names of ``core.case.LATENCY_METRICS``, and the two rates.

    A stage's CPU time in µs is ``cpu_`` and its name; ``latency_p99_send`` is that of a kind of
    item, ``shed_expired`` the share that was shed for a reason, in %. Unknown figures are left out,
    since no number may stand for them.
    """
    values = {
        "offered": result.offered_rate,
        "achieved": result.achieved_rate,
        "error_rate": result.error_percent,
        "shed_rate": result.shed_percent,
        "drain": result.drain_s,
    }
    valid = max(1, result.offered - result.rejected)
    values |= {f"shed_{why.lower()}": 100 * n / valid for why, n in result.shed.items()}
    if result.latency is not None:
        values |= {
            "latency_p50": result.latency.p50,
            "latency_p95": result.latency.p95,
            "latency_p99": result.latency.p99,
            "latency_p999": result.latency.p999,
            "latency_max": result.latency.max,
        }
    for kind, encoded in result.latencies_by_kind.items():
        if (own := Latencies.merged([encoded]).percentiles()) is not None:
            values |= {kind_metric(name, kind): getattr(own, name) for name in KIND_PERCENTILES}
    if result.lag is not None:
        values["lag_p99"] = result.lag.p99
    return values | {f"cpu_{stage}": ns / 1000 for stage, ns in result.costs.items()}


def case_result(case: str, run: LoadResult) -> CaseResult:
    """Return ``run`` as the result of ``case``.

    An invalid run keeps its figures for display, with a failure that keeps verdicts from using
    them.
    """
    return CaseResult(
        case,
        figures=load_figures(run),
        latencies=run.latencies,
        latencies_by_kind=run.latencies_by_kind,
        stopped_after_s=run.schedule.seconds if run.stopped else None,
        failure=_failure(run.invalid),
        contention=run.contention,
    )


def is_within_limits(result: LoadResult, limits: Search) -> bool:
    """Return True if a run is valid, and within the ``limits`` of a search."""
    latency = result.latency
    return (
        not result.invalid
        and latency is not None
        and latency.p95 <= limits.latency_p95_ms
        and latency.p99 <= limits.latency_p99_ms
        and result.error_percent + result.shed_percent <= limits.error_percent
    )


def _failure(invalid: str) -> Failure | None:
    return Failure("invalid", invalid) if invalid else None
