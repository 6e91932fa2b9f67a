"""What the summary keeps of a run: which it was, and one line a metric."""

from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from veperf.judge.series import series_of
from veperf.judge.shift import median
from veperf.model import Better, Clock, Run


class RunFacts(Struct, frozen=True):
    """Which run it was."""

    id: str
    completed_ns: int
    """When its complete.json was written: tells it from another run of that id."""
    created: str
    machine: str
    """The machine class."""
    cpu_model: str
    python: str
    commit: str
    dirty: bool

    @property
    def made(self) -> datetime | None:
        """When it was begun; None where the run gives no time that can be read."""
        try:
            when = datetime.fromisoformat(self.created)
        except ValueError:
            return None
        return when if when.tzinfo else when.replace(tzinfo=UTC)


class Figure(Struct, frozen=True):
    """One metric of one case by one clock: what the judge makes of its processes' values."""

    case: str
    metric: str
    unit: str
    better: Better
    clock: Clock
    judged: bool
    """Whether the judge goes by this clock."""
    value: float
    """Median over processes."""
    low: float
    high: float
    """Its interval, as ``judge.median`` gives it."""
    processes: int


def facts_of(run: Run, completed_ns: int) -> RunFacts:
    """Which run ``run`` is."""
    return RunFacts(
        id=run.id,
        completed_ns=completed_ns,
        created=run.created,
        machine=run.machine.name,
        cpu_model=run.machine.cpu_model,
        python=run.machine.python,
        commit=run.revision.commit,
        dirty=run.revision.dirty,
    )


def figures_of(run: Run) -> list[Figure]:
    """Every metric of every case of ``run`` that has finite values, in its order."""
    clocks: tuple[Clock, Clock] = ("cpu", "wall")
    return [
        Figure(
            case=series.case,
            metric=series.metric,
            unit=series.unit,
            better=series.better,
            clock=clock,
            judged=clock == series.clock,
            value=found.value,
            low=found.low,
            high=found.high,
            processes=values.size,
        )
        for series in series_of(run).values()
        for clock in clocks
        for values in [series.on(clock)[np.isfinite(series.on(clock))]]
        if values.size
        for found in [median(values)]
    ]
