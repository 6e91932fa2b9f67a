"""TODO."""

from typing import Literal

from msgspec import Struct

from veperf.core.case import Clock, Metric
from veperf.core.run import Failure, Machine, Revision
from veperf.core.verdict import ChangeStatus, Severity

# Format history of ab.json:
#   1  the first
AB_FORMAT = 1


CommandValue = Literal["time", "cpu", "printed"]


class ABSide(Struct, frozen=True):
    """One of the two that an A/B comparison runs."""

    name: str
    """As it was asked for: a commit's name, ``working tree``, or a shell command."""
    revision: Revision = Revision()
    environment: str = ""
    """Where its packages come from, if not from where veperf itself runs."""


class ABConfig(Struct, frozen=True):
    """How an A/B comparison was asked for."""

    select: tuple[str, ...]
    modules: tuple[str, ...]
    samples: int
    """Of each side in a pair."""
    min_sample_ns: int
    seed: int
    timeout_s: float
    """For one benchmark in one process."""
    max_pairs: int
    fail_effect: float
    """A slowdown that is surely more than this share is a failure, and else a warning."""
    time_budget_s: float | None = None
    among: int = 1
    """Comparisons of the same change, this one included, as on several machine classes: a false
    alarm in any of them is one of the change."""


class ABPair(Struct, frozen=True):
    """What one pair of processes says of one benchmark, in its unit, for one operation."""

    base: float
    new: float
    base_samples: tuple[float, ...] = ()
    new_samples: tuple[float, ...] = ()


class ABLook(Struct, frozen=True):
    """The evidence after so many pairs; ratios over 1 are worse, whatever the direction."""

    pairs: int
    ratio: float | None
    low: float | None
    high: float | None
    p_slower: float | None
    p_faster: float | None
    p_equivalent: float | None
    alpha_change: float
    """What ``p_slower`` or ``p_faster`` may be at most to decide; 0 is never."""
    alpha_ok: float
    """What ``p_equivalent`` may be at most to decide."""


class ABChange(Struct, frozen=True):
    """One benchmark, old and new code side by side."""

    case: str
    metric: Metric
    status: ChangeStatus
    severity: Severity
    """``none`` unless the status is ``slower``."""
    reason: str
    clock: Clock = "wall"
    loops: int = 1
    base: float | None = None
    new: float | None = None
    """Medians over pairs."""
    ratio: float | None = None
    """Hodges-Lehmann estimate of new by base; over 1 is worse, whatever the direction."""
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    p_slower: float | None = None
    pairs: tuple[ABPair, ...] = ()
    path: tuple[ABLook, ...] = ()
    failure: Failure | None = None


class ABRound(Struct, frozen=True):
    """What the machine was like while one pair was measured."""

    seconds: float
    load: float
    """One-minute load average at its end."""
    steal_ratio: float | None
    frequency_mhz: float | None


class ABRun(Struct, frozen=True):
    """A whole A/B comparison."""

    id: str
    created: str
    base: ABSide
    new: ABSide
    config: ABConfig
    machine: Machine
    changes: tuple[ABChange, ...]
    rounds: tuple[ABRound, ...]
    stopped: Literal["", "time", "hand"] = ""
    """What ended it before all was decided: its time budget, or somebody's hand."""
    format: int = AB_FORMAT


class ABPlace(Struct, frozen=True):
    """One of the places where a change was compared: a machine class, or a repeat on it."""

    name: str
    found: ABRun | None
    missing: str = ""
    """Why there is no comparison."""
