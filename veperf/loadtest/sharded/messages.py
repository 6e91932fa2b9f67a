"""The processes of a sharded load: their assignments, their events and the handles on them.

Assignments and events are sent to and from other hosts.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from veperf.core.case import Params
from veperf.core.load import LoadPlan, LoadSoFar
from veperf.core.run import Failure
from veperf.loadtest.sharded.shard import ShardReport


class ShardedLoad(Struct, frozen=True):
    """A load, as its target and all its shards have to know it."""

    benchmark: str
    params: Params
    modules: tuple[str, ...]
    """Modules to import first."""
    plan: LoadPlan
    seed: int
    """Of the one schedule that the shards divide among themselves."""
    timeout_s: float
    """Longest time between two messages of a process."""
    token: str
    """Token of the load: whoever has it may take part."""


class Assignment(Struct, frozen=True):
    """The part of one process in a load: it is the target or a shard."""

    load: ShardedLoad
    address: str
    """Of the target: where it is to listen, or where it does."""
    shard: int | None = None
    """From 0; None for the target."""


class ProcessStarted(Struct, frozen=True, tag="started"):
    """The process runs."""

    host: str


class TargetListening(Struct, frozen=True, tag="listening"):
    """The target listens."""

    address: str


class ShardReady(Struct, frozen=True, tag="ready"):
    """The shard is set up, and waits for the others."""


class ShardProgress(Struct, frozen=True, tag="progress"):
    """The progress of the shard's load."""

    so_far: LoadSoFar


class ShardEnded(Struct, frozen=True, tag="shard_ended"):
    """The last event of a shard, with its result."""

    report: ShardReport


class TargetEnded(Struct, frozen=True, tag="target_ended"):
    """The last event of a target."""


class ProcessFailed(Struct, frozen=True, tag="failed"):
    """The last event of a process that failed."""

    failure: Failure


LoadEvent = (
    ProcessStarted
    | TargetListening
    | ShardReady
    | ShardProgress
    | ShardEnded
    | TargetEnded
    | ProcessFailed
)
OnEvent = Callable[[LoadEvent], object]


class ProcessHandle(Protocol):
    """A handle on a process that takes part in a load."""

    def stop(self) -> None:
        """Have a shard end its load early; it still reports its result."""

    def kill(self) -> None:
        """End the process at once. Safe to call at any time."""

    def lost_reason(self) -> str:
        """Return the reason why there will be no more events; empty while none is known."""


class Launcher(Protocol):
    """A place where processes of a load are started."""

    @property
    def listen_address(self) -> str:
        """Address on which a target is to listen there."""

    def start(self, assignment: Assignment, on_event: OnEvent) -> ProcessHandle:
        """Start a process for ``assignment``; ``on_event`` is called from any thread."""
