"""The figures of a summary as arrays, a row a figure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from veperf.model import TIME

if TYPE_CHECKING:
    import pyarrow as pa

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
