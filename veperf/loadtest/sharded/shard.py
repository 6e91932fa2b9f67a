"""One shard's share of a load, in the process that puts it on."""

import socket
import time
from collections.abc import Callable

from msgspec.structs import replace

from veperf.core.load import Search
from veperf.core.registry import LoadTask
from veperf.loadtest.generator import Watch, run_load
from veperf.loadtest.remote.address import parse_address
from veperf.loadtest.remote.benchmark import checked_apart, subject_of
from veperf.loadtest.remote.connection import connect
from veperf.loadtest.remote.remote_system import RemoteSystem
from veperf.loadtest.schedule import Part, Schedule
from veperf.loadtest.sharded.shard_report import ShardReport
from veperf.measure.protocol import Join


def put_share(
    task: LoadTask, wanted: Join, watch: Watch, waiting: Callable[[], object]
) -> ShardReport:
    """Put the share that is ``wanted`` on ``task``'s target, together with the other shards.

    Args:
        task: the load, set up.
        wanted: which share, and of what.
        watch: as of ``run_load``.
        waiting: is called when this shard is ready, and waits for the others.

    Raises:
        UsageError: ``task`` can't be put on a target.
        MeasureError: there is none, or it or another shard is gone before the start.
    """
    apart, plan = checked_apart(wanted.benchmark, task), wanted.plan
    assert not isinstance(task.load, Search), "what searches has no target apart"
    part = Part(wanted.shard, plan.shards)
    schedule = Schedule(task.load, plan.seconds, plan.warmup_s, plan.arrivals, wanted.seed, part)
    connection = connect(
        parse_address(wanted.address),
        part.shard,
        part.shards,
        subject=subject_of(wanted.benchmark, wanted.params),
        token=wanted.token,
        timeout_s=wanted.timeout_s,
    )
    late_ns = 0

    def start() -> int:
        nonlocal late_ns
        waiting()
        at = connection.wait_for_start()
        late_ns = max(time.perf_counter_ns() - at, 0)
        return at

    try:
        source = apart.source(part.shard, part.shards)
        result = run_load(
            lambda items: RemoteSystem(connection, source, items),
            schedule,
            watch=watch,
            start=start,
        )
    finally:
        connection.close()
    result = replace(
        result,
        # The system is elsewhere and never holds this thread up: all that is late is its own.
        own_lag=result.lag,
        own_lags=result.lags,
        # An account of hours by the second is more than a worker can say in one line.
        timeline=(),
    )
    host = socket.gethostname()
    clocks = connection.clock, connection.clock_after
    return ShardReport(host, result, late_ns, *clocks, connection.surroundings)
