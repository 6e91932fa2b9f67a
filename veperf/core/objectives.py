"""Objectives beside the published targets: service levels of loads, and limits at sizes."""

from typing import Literal

from msgspec import Struct

from veperf.core.target import Target

Bound = Literal["at least", "at most"]

AVAILABILITY = "availability"
"""Share of requests that succeeded, in %."""
ERROR_BUDGET = "error_budget"
"""Time in the window that the share of failed requests comes to; or, in %, how much it is of what
the availability leaves."""


class Objective(Struct, frozen=True):
    """A limit on one metric of a load."""

    metric: str
    bound: Bound
    limit: float
    unit: str

    @property
    def better(self) -> Literal["lower", "higher"]:
        """The better direction."""
        return "higher" if self.bound == "at least" else "lower"


class ServiceLevel(Struct, frozen=True):
    """A service level objective: what is promised of some loads."""

    name: str
    objectives: tuple[Objective, ...]
    match: tuple[str, ...] = ()
    """Globs of the benchmarks that it is about; all where it is empty."""
    window_s: float | None = None
    """Time over which it is promised."""
    what: str = ""


class DegradationRules(Struct, frozen=True):
    """The largest ratios of an operation's cost at 10 times the size to its cost, by severity."""

    acceptable: float
    warning: float
    critical: float


class ScaleLimit(Struct, frozen=True):
    """A limit, and the size at which it holds."""

    target: Target
    size_of: str = ""
    """What there are so many of, such as ``validators``; empty where no size is declared."""
    size: float | None = None


class ScaleBaselines(Struct, frozen=True):
    """Limits and rules of a test of scale."""

    source: str
    limits: tuple[ScaleLimit, ...]
    rules: DegradationRules
