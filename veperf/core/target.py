"""Targets: the published limits."""

from msgspec import Struct

from veperf.core.case import Better
from veperf.core.gate import KnownMiss

MIN_PROCESSES = 3
"""Processes that a target needs: fewer decide nothing, neither a target met nor a target missed. Of
an exact count one is enough."""


class Successor(Struct, frozen=True):
    """The protocol by which VirtEngine answers a target's question today, measured beside it."""

    benchmark: str
    """Benchmark that does the same."""
    protocol: str
    revision: str
    """Commit of VirtEngine that does so."""


class Target(Struct, frozen=True):
    """A published target."""

    id: str
    limit: float
    unit: str
    better: Better
    what: str
    target: float | None = None
    """Value that is aimed at, if it is stricter than the limit that is judged."""
    known_miss: KnownMiss | None = None
    """Set of a limit that is known to be missed by every implementation."""
    revision: str = ""
    """Commit of VirtEngine whose code the limit was set for; empty where it is of other code."""
    protocol: str = ""
    """Protocol that the benchmark measures, and that of ``revision``, if it is another one."""
    successor: Successor | None = None
    """How VirtEngine does it today, where that is another protocol; shown, not judged."""


class TargetSet(Struct, frozen=True):
    """Content of targets.json."""

    version: str
    source: str
    warn_percent: float
    fail_percent: float
    targets: tuple[Target, ...]
    file: str = ""
    """Name of the file that they were read from, for messages."""
