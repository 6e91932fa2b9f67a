"""TODO."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

Arrivals = Literal["poisson", "constant"]


class Finished(Struct, frozen=True):
    """Items that a system under load is done with, by the tags under which they were offered."""

    committed: Sequence[int] = ()
    failed: Mapping[int, str] = {}
    """Valid items that were not committed, each with the reason as a short code."""
    rejected: Sequence[int] = ()
    """Bad items that were rightly not committed."""


class Search(Struct, frozen=True):
    """Look for the highest rate of arrivals at which all of this holds."""

    latency_p95_ms: float
    latency_p99_ms: float
    error_percent: float
    start: float
    """The first rate to try, a second."""
    highest: float
    """No rate beyond this is tried."""


class Trial(Struct, frozen=True):
    """One load run of a search."""

    rate: float
    """Arrivals a second."""
    seconds: float
    achieved: float
    """Commits a second."""
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    """None where nothing was committed."""
    error_percent: float
    met: bool
    """Whether the run was valid and within what was searched for."""
    invalid: str = ""
    """Why the run says nothing about the system, where it does not."""


class LoadSoFar(Struct, frozen=True):
    """A load run while it goes on."""

    elapsed_s: float
    planned_s: float
    """Both with the warm-up."""
    achieved: float | None
    """Commits a second since the warm-up; None before its end."""
    latency_p95_ms: float | None
    """None while nothing has been committed since the warm-up."""
    lag_ms: float
    """How late the generator is at this moment."""
    errors: int
    """Valid items that were refused or failed since the warm-up."""


class Shard(Struct, frozen=True):
    """One of the processes that put a load on a system together.

    Offsets are the target's clock less the shard's; latencies and the schedule need neither.
    """

    number: int
    """From 1."""
    host: str
    offered: float | None = None
    """Items a second, as ``achieved``; None where the shard was lost, and so are the rest."""
    achieved: float | None = None
    own_lag_p99_ms: float | None = None
    """How late it handed items over by its own doing."""
    clock_offset_ns: int | None = None
    """Of monotonic clocks, by which the start was agreed on."""
    clock_uncertainty_ns: int | None = None
    clock_drift_ns: int | None = None
    """By how much the offset had changed at the end of the load."""
    wall_offset_ns: int | None = None
    """Of clocks that tell the time of day; it is as uncertain as the other."""
    invalid: str = ""
    """Why nothing can be said of the system by what this shard found; empty where it can."""


class LoadPlan(Struct, frozen=True):
    """How cases of level load are measured, which takes seconds where others take milliseconds."""

    passes: int = 3
    """Only the first so many passes of a run measure them."""
    seconds: float = 3.0
    warmup_s: float = 1.0
    """Before each load run, trials included; not counted in its seconds."""
    trial_s: float = 1.5
    """Of a trial in a search. What the search finds is confirmed by a run of ``seconds``."""
    arrivals: Arrivals = "poisson"
    shards: int = 0
    """Processes that put the load on a system in another one; 0 where both share one."""
