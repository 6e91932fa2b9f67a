"""A shard's share of a load, in the process that puts it on, and its report."""

import socket
import time
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from veperf.core.load import GENERATOR, CpuContention, Search, Shard
from veperf.core.registry import LoadTask
from veperf.loadtest.generator import ProgressCallback, never, run_open_loop
from veperf.loadtest.remote.benchmark import load_subject, remote_load_of
from veperf.loadtest.remote.clock_offset import ClockOffset
from veperf.loadtest.remote.messages import HostConditions
from veperf.loadtest.remote.remote_system import RemoteSystem
from veperf.loadtest.remote.shard_connection import join_load
from veperf.loadtest.remote.target_socket import parse_target_address
from veperf.loadtest.result import LAG_LIMIT_MS, LoadResult
from veperf.loadtest.schedule import Schedule, SchedulePart
from veperf.measure.contention import boot_id
from veperf.measure.protocol import RunShard

# Shards that start further apart than an item may be late do not keep the one schedule.
START_LIMIT_MS = LAG_LIMIT_MS
# The target's number among the members of a load; shards count from 0.
TARGET = -1


class ShardReport(Struct, frozen=True):
    """The final report of a shard."""

    host: str
    result: LoadResult
    late_ns: int
    """Delay after the agreed instant until it was told of it or woke up for it; at least 0."""
    clock: ClockOffset
    """Before the load."""
    clock_after: ClockOffset | None
    """After it, where the target was still there."""
    host_conditions: HostConditions | None = None
    """Of the target, where it reported them."""
    boot_id: str = ""
    """Id of the host's running kernel."""

    @property
    def invalid(self) -> str:
        """The reason why it says nothing about the system; empty where it is valid."""
        late_ms, uncertainty_ms = self.late_ns / 1e6, self.clock.uncertainty_ns / 1e6
        if self.result.invalid:
            return self.result.invalid
        if late_ms > START_LIMIT_MS:
            return (
                f"it started {late_ms:.3g} ms after the agreed instant, where {START_LIMIT_MS:g} "
                "ms are allowed"
            )
        if uncertainty_ms > START_LIMIT_MS:
            return (
                f"its start is known to ±{uncertainty_ms:.3g} ms, where ±{START_LIMIT_MS:g} ms "
                "are allowed: the link to the target is too slow"
            )
        return ""


def to_shard_record(report: ShardReport) -> Shard:
    """Return ``report`` as runs store it."""
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
        contention=result.contention,
    )


def without_each_other(
    reports: Mapping[int, ShardReport],
) -> tuple[dict[int, ShardReport], CpuContention | None]:
    """Return ``reports`` and the target's contention without members of the load among the others.

    Members on one host compete for its CPUs; what they lose to each other, they lose to the load.
    """
    conditions = next((r.host_conditions for r in reports.values() if r.host_conditions), None)
    target = (conditions.boot_id, conditions.contention) if conditions else ("", None)
    members = {TARGET: target} | {n: (r.boot_id, r.result.contention) for n, r in reports.items()}

    def apart(member: int) -> CpuContention | None:
        host, contention = members[member]
        beside = [c for key, (boot_id, c) in members.items() if key != member and boot_id == host]
        return contention.without(c for c in beside if c) if contention and host else contention

    settled = {
        number: replace(report, result=replace(report.result, contention=apart(number)))
        for number, report in reports.items()
    }
    return settled, apart(TARGET)


def run_shard(
    task: LoadTask,
    request: RunShard,
    on_progress: ProgressCallback,
    on_ready: Callable[[], object],
    is_stopped: Callable[[], bool] = never,
) -> ShardReport:
    """Put one shard's share of a load on ``task``'s target, together with the other shards.

    Args:
        task: the load, set up.
        request: the share, and the load that it is a share of.
        on_progress: as of ``run_open_loop``.
        on_ready: called when this shard is ready, and waits for the others.
        is_stopped: as of ``run_open_loop``.

    Raises:
        UsageError: ``task`` can't be put on a target.
        MeasureError: there is none, or it or another shard is gone before the start.
    """
    remote_load, plan = remote_load_of(request.benchmark, task), request.plan
    assert not isinstance(task.load, Search), "a search has no remote load"
    part = SchedulePart(request.shard, plan.shards)
    schedule = Schedule(
        task.load, plan.seconds, plan.warmup_s, plan.arrivals, request.seed, part, plan.shape
    )
    connection = join_load(
        parse_target_address(request.address),
        part.shard,
        part.shards,
        subject=load_subject(request.benchmark, request.params),
        token=request.token,
        timeout_s=request.timeout_s,
    )
    late_ns = 0

    def start() -> int:
        nonlocal late_ns
        on_ready()
        at = connection.wait_for_start()
        late_ns = max(time.perf_counter_ns() - at, 0)
        return at

    try:
        source = remote_load.source(part.shard, part.shards)
        result = run_open_loop(
            lambda items: RemoteSystem(connection, source, items),
            schedule,
            on_progress=on_progress,
            is_stopped=is_stopped,
            start=start,
        )
    finally:
        connection.close()
    result = replace(
        result,
        costs=_with_own_process(result),
        # The system is in another process and never blocks this thread: all lag is the shard's.
        own_lag=result.lag,
        own_lags=result.lags,
        # A timeline of hours does not fit into the one line that a worker may answer.
        timeline=(),
    )
    host = socket.gethostname()
    clocks = connection.clock, connection.clock_after
    return ShardReport(host, result, late_ns, *clocks, connection.host_conditions, boot_id())


def _with_own_process(result: LoadResult) -> dict[str, float]:
    """Return the costs with all CPU time of this process, as all it does is to generate."""
    system = {stage: ns for stage, ns in result.costs.items() if stage != GENERATOR}
    committed = sum(second.committed for second in result.timeline)
    if result.contention is None or not committed:
        return system
    return {GENERATOR: result.contention.ran_s * 1e9 / committed} | system
