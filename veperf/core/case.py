"""TODO."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

Params = dict[str, int | float | str]
Better = Literal["lower", "higher"]
Clock = Literal["cpu", "wall"]


class Level(StrEnum):
    """How much of the system a benchmark touches."""

    MICRO = "micro"
    COMPONENT = "component"
    INTEGRATION = "integration"
    LOAD = "load"


# ---------------------------------------------------------------- what is measured


class Metric(Struct, frozen=True):
    """A figure that a case yields once a process: its name, unit and good direction."""

    name: str
    unit: str
    better: Better = "lower"
    exact: bool = False
    """Whether it can't vary, such as the size of a file: one value says all, and differs or not."""


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
    """One benchmark with one set of parameters: what is measured and judged as a unit.

    ``id`` is the benchmark's own id where the parameters are the defaults, otherwise the id
    followed by those that differ: ``transaction/block_processing[transactions=100]``.
    """

    id: str
    benchmark: str
    suite: str
    level: Level
    what: str
    params: Params = {}
    metrics: tuple[Metric, ...] = (TIME,)
    targets: dict[str, str] = {}
    """Metric name to the id of the target that it answers."""
    floor: str = ""
    """The case that measures what this one can't do without, such as a library's call alone."""
