"""What the summary keeps of a run: which it was, and one line a metric."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.core.case import TIME, Better, Clock
from veperf.core.run import Run
from veperf.stats.hodges_lehmann import median
from veperf.stats.process_values import series_of

if TYPE_CHECKING:
    import pyarrow as pa


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


Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """A column of texts, few of which differ."""

    codes: Ints
    """Places in ``names``, shape (n,)."""
    names: tuple[str, ...]

    def rows(self, name: str) -> NDArray[np.bool_]:
        """Where the column says ``name``, shape (n,)."""
        code = self.names.index(name) if name in self.names else -1
        found: NDArray[np.bool_] = self.codes == code
        return found

    def among(self, rows: Ints) -> list[str]:
        """What the column says in ``rows``, each once, in order."""
        return sorted(self.names[code] for code in np.unique(self.codes[rows]))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The fields of ``facts.Figure``, and ``run``, the place of its run; all of shape (n,)."""

    run: Ints
    case: Names
    metric: Names
    unit: Names
    better: Names
    clock: Names
    judged: NDArray[np.bool_]
    value: Floats
    low: Floats
    high: Floats
    processes: Ints

    def main_metric(self, rows: Ints) -> str:
        """The metric for who names none: time, else the first of the last run among ``rows``."""
        if TIME.name in self.metric.among(rows):
            return TIME.name
        runs = self.run[rows]
        return self.metric.names[int(self.metric.codes[rows[runs == runs.max()][0]])]


def columns_of(table: "pa.Table") -> Columns:
    """The columns of a summary's ``table``."""
    return Columns(
        run=table["run"].to_numpy(),
        case=_names(table, "case"),
        metric=_names(table, "metric"),
        unit=_names(table, "unit"),
        better=_names(table, "better"),
        clock=_names(table, "clock"),
        judged=table["judged"].to_numpy(),
        value=table["value"].to_numpy(),
        low=table["low"].to_numpy(),
        high=table["high"].to_numpy(),
        processes=table["processes"].to_numpy(),
    )


def _names(table: "pa.Table", column: str) -> Names:
    import pyarrow as pa

    found = table[column].unify_dictionaries().combine_chunks()
    if isinstance(found, pa.ChunkedArray):  # of no chunk, where the table is empty
        return Names(np.empty(0, dtype=np.int32), ())
    return Names(found.indices.to_numpy(), tuple(found.dictionary.to_pylist()))
