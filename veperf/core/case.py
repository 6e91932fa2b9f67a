"""Cases and their metrics: the units that are measured and judged."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

Params = dict[str, int | float | str]
Better = Literal["lower", "higher"]
Direction = Literal["lower", "higher", "unknown"]
"""The better direction of a metric. It is unknown where another tool's file doesn't say, and is
never guessed: the metric may have changed then, but is neither faster nor slower."""
Clock = Literal["cpu", "wall"]


class Level(StrEnum):
    """Extent of a benchmark: how much is measured at once."""

    MICRO = "micro"
    COMPONENT = "component"
    INTEGRATION = "integration"
    LOAD = "load"


class Metric(Struct, frozen=True):
    """A quantity measured once a process of a case: its name, unit and better direction."""

    name: str
    unit: str
    better: Direction = "lower"
    exact: bool = False
    """True for values that can't vary, such as the size of a file: compared for equality."""
    definition: str = ""
    """What else both sides must have in common, such as the version of the benchmark's code; empty
    where it is unknown. ``ASSUMED_UNIT`` equals itself alone."""


ASSUMED_UNIT = "without a unit"
"""Definition of a metric whose unit is taken for granted."""


TIME = Metric("time", "ns")

LATENCY_METRICS = (
    Metric("latency_p50", "ms"),
    Metric("latency_p95", "ms"),
    Metric("latency_p99", "ms"),
    Metric("latency_p999", "ms"),
    Metric("latency_max", "ms"),
    Metric("error_rate", "%"),
    Metric("lag_p99", "ms"),
)


MEMORY_METRICS = (
    Metric("memory_peak", "B"),
    Metric("memory_total", "B"),
    Metric("memory_allocations", "allocations"),
)
MEMORY_NAMES = frozenset(metric.name for metric in MEMORY_METRICS)


class Case(Struct, frozen=True):
    """A benchmark with one set of parameters: the unit that is measured and judged.

    ``id`` is the benchmark's own id if the parameters are the defaults, otherwise the id followed
    by those that differ: ``transaction/block_processing[transactions=100]``.
    """

    id: str
    benchmark: str
    suite: str
    level: Level
    what: str
    params: Params = {}
    metrics: tuple[Metric, ...] = (TIME,)
    targets: dict[str, str] = {}
    """Ids of the targets, by the metric that each one limits."""
    lower_bound: str = field(default="", name="floor")
    """The case that is the lower bound of this one, such as a library call alone."""
    multithreaded: bool = False
    """True for work that needs several CPUs, which is not kept to one."""

    @property
    def is_timed(self) -> bool:
        """Return whether its time is measured."""
        return any(metric.name == TIME.name for metric in self.metrics)

    @property
    def is_counted(self) -> bool:
        """Return whether it has figures that are no times, such as memory."""
        has_counts = not self.is_timed or any(m.name in MEMORY_NAMES for m in self.metrics)
        return has_counts and self.level is not Level.LOAD

    @property
    def is_exact(self) -> bool:
        """Return whether all figures are the same in every process."""
        return all(metric.exact for metric in self.metrics)

    @property
    def is_curve_point(self) -> bool:
        """Return whether it is one of the points of a parameter's curve, and answers no target."""
        return self.id != self.benchmark and not self.targets
