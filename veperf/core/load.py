"""Loads: plans, searches for the sustained rate, trials, shards and their state."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

Arrivals = Literal["poisson", "constant"]
Shape = Literal["soak", "ramp", "burst"]
"""How the rate changes over a load, whose mean is the rate that was asked for: not at all; evenly
from a fifth of it to nine fifths; four times as much for a fifth of each five seconds or so, and a
quarter in between."""
GENERATOR = "generator"
"""The stage whose CPU time is the load generator's, and none of the system's."""


class Finished(Struct, frozen=True):
    """Items that a system under load has finished, by the tags under which they were offered."""

    committed: Sequence[int] = ()
    failed: Mapping[int, str] = {}
    """Valid items that were not committed, with the reason as a short code."""
    rejected: Sequence[int] = ()
    """Invalid items that were rightly not committed."""
    shed: Mapping[int, str] = {}
    """Valid items that the system dropped as more was offered than it does, by its own rules, with
    the reason as a short code: no errors."""
    kinds: Sequence[str] = ()
    """The kinds of ``committed``, in the same order, from a system whose items differ."""


def finished_count(done: Finished) -> int:
    """Return the number of items that are finished, whatever became of them."""
    return len(done.committed) + len(done.failed) + len(done.rejected) + len(done.shed)


class Search(Struct, frozen=True):
    """A search for the highest rate of arrivals within limits on latency and errors."""

    latency_p95_ms: float
    latency_p99_ms: float
    error_percent: float
    start: float
    """First rate to try, in arrivals a second."""
    highest: float
    """Highest rate to try."""
    published: tuple[float, ...] = ()
    """Published rates: one that is near the estimate is confirmed in its place."""


TrialKind = Literal["trial", "backlog", "confirmation"]
"""``trial`` and ``backlog`` find a rate, a ``confirmation`` is a load of full length at it."""


class Trial(Struct, frozen=True):
    """A load run of a search."""

    rate: float
    """Arrivals a second; of a backlog its capacity, in commits a second."""
    seconds: float
    achieved: float
    """Commits a second."""
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    """None if nothing was committed."""
    error_percent: float
    met: bool
    """True if the run was valid and within the limits of the search."""
    invalid: str = ""
    """Reason why the run says nothing about the system; empty if it is valid."""
    kind: TrialKind = "trial"
    void: bool = False
    """True if the machine was too busy: the run counts neither way."""
    gave_out: str = ""
    """Of a run that missed, and of a backlog: the stage with the largest share of the CPU time, or
    ``generator``; empty where it is not known."""


_Seconds = Annotated[float, Meta(ge=0, le=1e12)]


class CpuContention(Struct, frozen=True):
    """Competition for CPUs during a load, seen from a process and all that it has started.

    CPU time is in seconds, added over threads; ``others_s`` and ``stolen_s`` are those of the CPUs
    that the process may use.
    """

    seconds: _Seconds
    cpus: Annotated[int, Meta(ge=0, le=1 << 20)]
    """Number of CPUs that it may use."""
    ran_s: _Seconds
    waited_s: _Seconds
    """Run-queue wait: its threads were able to run, and no CPU was free for them. Waiting for a
    lock, such as that of the interpreter, is none."""
    others_s: _Seconds
    """CPU time of all other processes."""
    stolen_s: _Seconds
    """CPU time that the hypervisor gave to other machines."""

    @property
    def taken_s(self) -> float:
        """CPU time that the process wanted, and that others had: at most what it waited for.

        Threads that wait for each other lose nothing to others: without other work, and without
        stolen time, this is 0 however long they wait. Stolen time is divided between the process
        and the others in proportion to what they ran, as it stops whoever has the CPU.
        """
        busy_s = self.ran_s + self.others_s
        if not busy_s:
            return 0.0
        stolen_from_it = self.stolen_s * (self.ran_s / busy_s)
        stolen_from_others = self.stolen_s * (self.others_s / busy_s)
        return min(self.waited_s, self.others_s + stolen_from_others) + stolen_from_it

    @property
    def taken_ratio(self) -> float:
        """``taken_s`` as a share of the CPU time that it would have had without others."""
        without_others_s = self.ran_s + self.taken_s
        return self.taken_s / without_others_s if without_others_s else 0.0

    @property
    def others_ratio(self) -> float:
        """Share of all CPU time that others had, and the hypervisor gave away."""
        total_s = self.seconds * self.cpus
        return (self.others_s + self.stolen_s) / total_s if total_s else 0.0

    def without(self, members: Iterable["CpuContention"]) -> "CpuContention":
        """Return the same without ``members`` of the load on the same host, which are no others.

        Their times are for about the same stretch as this one.
        """
        own_s = sum(member.ran_s for member in members)
        return replace(self, others_s=max(self.others_s - own_s, 0.0))


class LoadSoFar(Struct, frozen=True):
    """State of a load run that is not finished."""

    elapsed_s: float
    planned_s: float
    """Both include the warm-up."""
    achieved: float | None
    """Commits a second since the warm-up; None before its end."""
    latency_p95_ms: float | None
    """None while nothing has been committed since the warm-up."""
    lag_ms: float
    """Current lag of the generator behind its schedule."""
    errors: int
    """Valid items that were refused or failed since the warm-up."""
    in_flight: int = 0
    """Items that the system has accepted and not finished."""
    least_p95_ms: float = 0.0
    """Percentiles of the whole load if all that is still to come took no time: they can't become
    lower."""
    least_p99_ms: float = 0.0


class Shard(Struct, frozen=True):
    """A shard: one of the processes that put a load on a system together.

    Offsets are the target's clock less the shard's; latencies and the schedule don't need them.
    """

    number: int
    """Number of the shard, from 1."""
    host: str
    offered: float | None = None
    """Items a second, as ``achieved``; None, as all that follows, if the shard was lost."""
    achieved: float | None = None
    own_lag_p99_ms: float | None = None
    """Lag that the shard itself caused when it handed items over."""
    clock_offset_ns: int | None = None
    """Offset of the monotonic clocks, by which the start was agreed on."""
    clock_uncertainty_ns: int | None = None
    clock_drift_ns: int | None = None
    """Change of the offset by the end of the load."""
    wall_offset_ns: int | None = None
    """Offset of the clocks for the time of day, with the same uncertainty."""
    invalid: str = ""
    """Reason why this shard's result says nothing about the system; empty if it is valid."""
    contention: CpuContention | None = None
    """Of the shard's process, without the system and the other shards."""


class LoadPlan(Struct, frozen=True):
    """Plan for cases of level load, which take seconds instead of milliseconds."""

    passes: int = 3
    """Number of passes, the first ones of a run, that measure loads."""
    seconds: float = 3.0
    warmup_s: float = 1.0
    """Warm-up of each load run, trials included; not counted in its seconds."""
    trial_s: float = 1.5
    """Duration of a trial in a search."""
    by_trials: bool = True
    """True if a search finds the rate to confirm by trials, False if from a drained backlog."""
    backlog_s: float = 0.0
    """Time for which a search keeps a backlog before the system; 0 for none."""
    confirm_s: float = 10.0
    """Duration of each load that confirms the rate of a search."""
    search_passes: int = 6
    """Number of passes, the first ones of a run, in which a search may confirm its rate."""
    arrivals: Arrivals = "poisson"
    shape: Shape = "soak"
    shards: int = 0
    """Number of processes that load a remote system; 0 if load and system share a process."""
    least_arrivals: int = 0
    """Number of arrivals for which a load at a fixed rate goes on beyond its ``seconds``."""

    def seconds_at(self, rate: float) -> float:
        """Return the duration of a load at ``rate`` arrivals a second, without its warm-up."""
        return max(self.seconds, self.least_arrivals / rate)
