"""The facts and figures of a run that the archive's summary keeps, and its columns."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from veperf.core.case import TIME, Clock, Direction
from veperf.core.run import Run
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import series_of

if TYPE_CHECKING:
    import pyarrow as pa


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

    @property
    def created_at(self) -> datetime | None:
        """Time at which it was begun; None where the run has no readable time."""
        try:
            time = datetime.fromisoformat(self.created)
        except ValueError:
            return None
        return time if time.tzinfo else time.replace(tzinfo=UTC)


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


_TEXT_COLUMNS = ("case", "metric", "unit", "better", "clock")

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class TextColumn:
    """A column of text with few distinct values, encoded as a dictionary."""

    codes: Ints
    """Indices into ``names``, shape (n,)."""
    names: tuple[str, ...]

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Return the mask of the rows that equal ``name``, shape (n,)."""
        code = self.names.index(name) if name in self.names else -1
        mask: NDArray[np.bool_] = self.codes == code
        return mask

    def distinct(self, rows: Ints) -> list[str]:
        """Return the distinct values in ``rows``, sorted."""
        return sorted(self.names[code] for code in np.unique(self.codes[rows]))


@dataclass(frozen=True, slots=True, eq=False)
class FigureColumns:
    """The fields of all figures, and ``run``, the index of their run; all of shape (n,)."""

    run: Ints
    case: TextColumn
    metric: TextColumn
    unit: TextColumn
    better: TextColumn
    clock: TextColumn
    judged: NDArray[np.bool_]
    value: Floats
    low: Floats
    high: Floats
    processes: Ints

    def main_metric(self, rows: Ints) -> str:
        """Return the default metric: time, else the first of the last run in ``rows``."""
        if TIME.name in self.metric.distinct(rows):
            return TIME.name
        runs = self.run[rows]
        return self.metric.names[int(self.metric.codes[rows[runs == runs.max()][0]])]


def figure_columns(table: "pa.Table") -> FigureColumns:
    """Return the columns of a summary's ``table``."""
    columns: dict[str, Any] = {
        name: _text_column(table, name) if name in _TEXT_COLUMNS else table[name].to_numpy()
        for name in table.column_names
    }
    return FigureColumns(**columns)


def _text_column(table: "pa.Table", column: str) -> TextColumn:
    import pyarrow as pa

    array = table[column].unify_dictionaries().combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # without chunks, where the table is empty
        return TextColumn(np.empty(0, dtype=np.int32), ())
    return TextColumn(array.indices.to_numpy(), tuple(array.dictionary.to_pylist()))
