"""The facts and figures of a run that the archive's summary keeps."""

from datetime import UTC, datetime

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from veperf.core.case import Clock, Direction
from veperf.core.run import Run
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import series_of

UNDATED = "undated"
"""Month of runs without a readable date."""


class RunFacts(Struct, frozen=True):
    """Identity of a run: machine, commit and time."""

    id: str
    completed_ns: int
    """Time at which its complete.json was written, in ns since 1970; tells runs of one id apart."""
    created: str
    machine: str
    """The machine class."""
    cpu_model: str
    python: str
    commit: str
    dirty: bool
    stamp_ns: int
    """Its place in histories: its completion stamp, see ``completion_order``; of another tool's
    results the time that they give, as old ones are imported in any order."""
    branch: str = ""
    profile: str = ""
    passes: int = 0
    cases: int = 0
    """Number of its cases."""

    @property
    def created_at(self) -> datetime | None:
        """Time at which it was begun; None where the run has no readable time."""
        try:
            time = datetime.fromisoformat(self.created)
        except ValueError:
            return None
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    @property
    def month(self) -> str:
        """Month in which it was begun, in UTC: ``2026-11``."""
        try:
            created = self.created_at
            return UNDATED if created is None else f"{created.astimezone(UTC):%Y-%m}"
        except OverflowError:  # in the zone of a date in the year 1 or 9999
            return UNDATED


class SummaryFigure(Struct, frozen=True):
    """Estimate of one metric of one case by one clock, over the process values of a run."""

    case: str
    metric: str
    unit: str
    better: Direction
    clock: Clock
    judged: bool
    """True if verdicts use this clock."""
    value: float
    """Median over processes, in ``unit``."""
    low: float
    high: float
    """Its confidence interval, see ``hodges_lehmann.median``."""
    processes: int


def run_facts(run: Run, completed_ns: int, stamp_ns: int) -> RunFacts:
    """Return the facts of ``run``, which has that time of writing and that completion stamp."""
    facts = RunFacts(
        id=run.id,
        completed_ns=completed_ns,
        created=run.created,
        machine=run.machine.name,
        cpu_model=run.machine.cpu_model,
        python=run.machine.python,
        commit=run.revision.commit,
        dirty=run.revision.dirty,
        stamp_ns=stamp_ns,
        branch=run.revision.branch,
        profile=run.config.profile,
        passes=len(run.passes),
        cases=len(run.cases),
    )
    if run.source == "veperf" or facts.created_at is None:
        return facts
    return replace(facts, stamp_ns=int(1e9 * facts.created_at.timestamp()))


def run_figures(run: Run) -> list[SummaryFigure]:
    """Return the figures of every metric of every case of ``run`` that has finite values."""
    clocks: tuple[Clock, Clock] = ("cpu", "wall")
    return [
        SummaryFigure(
            case=series.case,
            metric=series.metric,
            unit=series.unit,
            better=series.better,
            clock=clock,
            judged=clock == series.clock,
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
            processes=values.size,
        )
        for series in series_of(run).values()
        for clock in clocks
        for values in [series.by_clock(clock)[np.isfinite(series.by_clock(clock))]]
        if values.size
        for estimate in [estimate_median(values)]
    ]
