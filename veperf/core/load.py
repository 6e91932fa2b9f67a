"""Loads: plans, searches for the sustained rate, trials, shards and their state."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

Arrivals = Literal["poisson", "constant"]


class Finished(Struct, frozen=True):
    """Items that a system under load has finished, by the tags under which they were offered."""

    committed: Sequence[int] = ()
    failed: Mapping[int, str] = {}
    """Valid items that were not committed, with the reason as a short code."""
    rejected: Sequence[int] = ()
    """Invalid items that were rightly not committed."""


class Search(Struct, frozen=True):
    """A search for the highest rate of arrivals within limits on latency and errors."""

    latency_p95_ms: float
    latency_p99_ms: float
    error_percent: float
    start: float
    """First rate to try, in arrivals a second."""
    highest: float
    """Highest rate to try."""


class Trial(Struct, frozen=True):
    """A load run of a search."""

    rate: float
    """Arrivals a second."""
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


class LoadPlan(Struct, frozen=True):
    """Plan for cases of level load, which take seconds instead of milliseconds."""

    passes: int = 3
    """Number of passes, the first ones of a run, that measure loads."""
    seconds: float = 3.0
    warmup_s: float = 1.0
    """Warm-up of each load run, trials included; not counted in its seconds."""
    trial_s: float = 1.5
    """Duration of a trial in a search. The result is confirmed by a run of ``seconds``."""
    arrivals: Arrivals = "poisson"
    shards: int = 0
    """Number of processes that load a remote system; 0 if load and system share a process."""
