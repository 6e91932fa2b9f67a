"""Run one load from its target's start to the merged result of all shards."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from msgspec.structs import replace

from veperf.core.load import CpuContention, LoadSoFar, Shard
from veperf.core.run import CaseResult, Failure
from veperf.loadtest.generator import ProgressCallback
from veperf.loadtest.merge import merge_results
from veperf.loadtest.remote.messages import HostConditions
from veperf.loadtest.result import case_result, describe_starvation
from veperf.loadtest.sharded.messages import (
    Assignment,
    Launcher,
    LoadEvent,
    ProcessFailed,
    ProcessHandle,
    ProcessStarted,
    ShardedLoad,
    ShardEnded,
    ShardProgress,
    TargetEnded,
    TargetListening,
)
from veperf.loadtest.sharded.shard import (
    TARGET,
    ShardReport,
    to_shard_record,
    without_each_other,
)

# A shard that is silent for so long holds up neither the display nor an answer.
_PROGRESS_PATIENCE_S = 2.0
_POLL_S = 0.5
_MAX_NAMED = 3
# Time for the remaining processes to end by themselves once there is no use in going on.
_GRACE_S = 5.0

Member = int
# Its events only wake up whoever waits for events.
_NOBODY = -2


def run_sharded_load(
    case: str,
    load: ShardedLoad,
    launcher: Launcher,
    on_progress: ProgressCallback,
    *,
    target: str = "",
    on_start: Callable[[Callable[[], object]], object] = lambda _: None,
) -> tuple[CaseResult, HostConditions | None]:
    """Run ``load`` by its shards, and end all its processes, whatever happens.

    Args:
        case: id of the case that the result is of.
        load: the load and its number of shards.
        launcher: starts the processes.
        on_progress: called about once a second; returns False to stop the load.
        target: the address of a target that runs already; if empty, one is started.
        on_start: called before, with a function that a signal handler may call to stop the load.

    Returns:
        The result, and the state of the target's host, where it was reported. A shard that is
        lost, late or behind makes the result invalid, not empty: the figures of the others are
        kept for display.
    """
    coordinator = _Coordinator(load, launcher, ProgressAggregator(on_progress, load.plan.shards))
    on_start(coordinator.stop)
    try:
        coordinator.run(target)
    finally:
        coordinator.kill()
    return coordinator.result(case), coordinator.host_conditions


class ProgressAggregator:
    """Adds up the shards' progress, and passes it on when all have reported."""

    def __init__(self, on_progress: ProgressCallback, shards: int) -> None:
        self._on_progress = on_progress
        self._active = set(range(shards))
        self._fresh: set[int] = set()
        self._last: dict[int, LoadSoFar] = {}
        self._reported_at = time.monotonic()
        self._go_on = True

    def update(self, shard: int, so_far: LoadSoFar) -> None:
        """Take in the progress of ``shard``."""
        self._last[shard] = so_far
        self._fresh.add(shard)

    def remove(self, shard: int) -> None:
        """Expect no more progress of ``shard``; its last one still counts."""
        self._active.discard(shard)

    def poll(self) -> bool:
        """Report progress if it is time to; return whether to go on."""
        now = time.monotonic()
        is_overdue = now - self._reported_at > _PROGRESS_PATIENCE_S
        if self._last and (is_overdue or (self._fresh and self._fresh >= self._active)):
            self._fresh.clear()
            self._reported_at = now
            self._go_on = self._on_progress(merge_progress(self._last.values()))
        return self._go_on


def merge_progress(shards: Iterable[LoadSoFar]) -> LoadSoFar:
    """Return the progress of all shards: rates and errors added, the highest latency and lag.

    The 95th percentile of all can't be computed from those of the shards, but is never above the
    highest of them.
    """
    parts = list(shards)
    achieved = [part.achieved for part in parts if part.achieved is not None]
    latencies = [part.latency_p95_ms for part in parts if part.latency_p95_ms is not None]
    return LoadSoFar(
        elapsed_s=max(part.elapsed_s for part in parts),
        planned_s=max(part.planned_s for part in parts),
        achieved=sum(achieved) if achieved else None,
        latency_p95_ms=max(latencies, default=None),
        lag_ms=max(part.lag_ms for part in parts),
        errors=sum(part.errors for part in parts),
        in_flight=sum(part.in_flight for part in parts),
    )


@dataclass(slots=True)
class _Coordinator:
    """The processes of a load, and the events received of them so far."""

    load: ShardedLoad
    launcher: Launcher
    progress: ProgressAggregator
    host_conditions: HostConditions | None = None
    _events: SimpleQueue[tuple[Member, LoadEvent]] = field(default_factory=SimpleQueue)
    _handles: dict[Member, ProcessHandle] = field(default_factory=dict)
    _hosts: dict[Member, str] = field(default_factory=dict)
    _reports: dict[Member, ShardReport] = field(default_factory=dict)
    _failures: dict[Member, Failure] = field(default_factory=dict)
    _address: str = ""
    _has_started: bool = False
    _shall_stop: bool = False
    _is_stopped: bool = False
    _give_up_at: float = float("inf")
    """Time at which to stop waiting (``time.monotonic``)."""

    def run(self, target: str) -> None:
        """Start the processes, and handle their events until there are no more."""
        self._address = target
        if not target:
            self._start(TARGET, self.launcher.listen_address)
            self._handle_events(lambda: not self._address)
        if self._address:
            for shard in range(self.load.plan.shards):
                self._start(shard, self._address)
            self._handle_events(lambda: bool(self._handles.keys() - {TARGET}))
        self._give_up_at = min(self._give_up_at, time.monotonic() + _GRACE_S)
        self._handle_events(lambda: TARGET in self._handles)

    def stop(self) -> None:
        """Have the shards stop, once the event that is handled now is done."""
        self._shall_stop = True
        self._events.put((_NOBODY, TargetEnded()))

    def kill(self) -> None:
        """End the processes that still run."""
        for handle in self._handles.values():
            handle.kill()

    def result(self, case: str) -> CaseResult:
        """Return the merged result of the shards that finished, with a record of each shard."""
        if not self._reports:
            return CaseResult(case, failure=self._cause())
        reports, contention = without_each_other(self._reports)
        shards = [self._shard_record(number, reports) for number in range(self.load.plan.shards)]
        merged = merge_results(
            [report.result for report in reports.values()],
            fault=self._fault(shards, contention),
            contention=contention,
        )
        return replace(case_result(case, merged), shards=tuple(shards))

    def _start(self, member: Member, address: str) -> None:
        assignment = Assignment(self.load, address, None if member == TARGET else member)
        on_event = partial(self._on_event, member)
        self._handles[member] = self.launcher.start(assignment, on_event)

    def _on_event(self, member: Member, event: LoadEvent) -> None:
        self._events.put((member, event))

    def _handle_events(self, is_waiting: Callable[[], bool]) -> None:
        """Handle events while ``is_waiting``, a process runs, and there is time."""
        while is_waiting() and self._handles and time.monotonic() < self._give_up_at:
            with suppress(Empty):
                self._handle(*self._events.get(timeout=_POLL_S))
            self._remove_lost()
            self._shall_stop |= not self.progress.poll()
            if self._shall_stop and not self._is_stopped:
                self._is_stopped = True
                for handle in self._handles.values():
                    handle.stop()

    def _remove_lost(self) -> None:
        """Give up processes of which there will be no more events."""
        for member, handle in list(self._handles.items()):
            if reason := handle.lost_reason():
                handle.kill()
                self._handle(member, ProcessFailed(Failure("crashed", reason)))

    def _handle(self, member: Member, event: LoadEvent) -> None:
        if member not in self._handles:
            return  # an event that was on its way when its process was given up
        match event:
            case ProcessStarted():
                self._hosts[member] = event.host
            case TargetListening():
                self._address = event.address
            case ShardProgress():
                self._has_started = True
                self.progress.update(member, event.so_far)
            case ShardEnded():
                self._reports[member] = event.report
                self.host_conditions = self.host_conditions or event.report.host_conditions
                self._remove(member)
            case TargetEnded():
                self._remove(member)
            case ProcessFailed():
                self._failures[member] = event.failure
                self._remove(member)
                if member == TARGET or not self._has_started:
                    self._give_up_at = min(self._give_up_at, time.monotonic() + _GRACE_S)

    def _remove(self, member: Member) -> None:
        del self._handles[member]
        self.progress.remove(member)

    def _shard_record(self, number: int, reports: Mapping[int, ShardReport]) -> Shard:
        if number in reports:
            return to_shard_record(reports[number])
        failure = self._failures.get(number)
        reason = failure.message if failure else "it was killed, as it did not end by itself"
        return Shard(number + 1, self._hosts.get(number, "?"), invalid=f"it was lost: {reason}")

    def _fault(self, shards: Sequence[Shard], contention: CpuContention | None) -> str:
        """Describe the faults of the target, and of the first few shards; empty without any."""
        count = self.load.plan.shards
        target = self._failures.get(TARGET)
        faults = [f"the target: {target.message}"] if target else []
        faults += filter(None, [describe_starvation(contention)])
        invalid = [shard for shard in shards if shard.invalid]
        faults += [
            f"shard {shard.number} of {count} on {shard.host}: {shard.invalid}"
            for shard in invalid[:_MAX_NAMED]
        ]
        if len(invalid) > _MAX_NAMED:
            faults.append(f"{len(invalid) - _MAX_NAMED} more shards are invalid, too")
        return "; ".join(faults)

    def _cause(self) -> Failure:
        """Return the failure to blame for an empty result: the target's, or else the first."""
        if not self._failures:
            return Failure("timeout", "neither the target nor a shard finished")
        member = TARGET if TARGET in self._failures else next(iter(self._failures))
        name = (
            "the target" if member == TARGET else f"shard {member + 1} of {self.load.plan.shards}"
        )
        host = f" on {self._hosts[member]}" if member in self._hosts else ""
        failure = self._failures[member]
        return replace(failure, message=f"{name}{host}: {failure.message}")
