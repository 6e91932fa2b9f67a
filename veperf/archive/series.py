"""Series: the figures of each metric of each case over the runs of one machine class.

All are gathered from the summary in one pass over its files, however many cases there are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from veperf.archive.summary_tables import FigureColumns, Floats, Ints, TextColumn
from veperf.core.case import TIME, Better, Clock, Direction

_KNOWN: tuple[Better, Better] = ("lower", "higher")
_KIND = ("case", "metric", "unit", "better", "clock")


@dataclass(frozen=True, slots=True, eq=False)
class CaseSeries:
    """The figures of one metric of one case, by one clock, in the order of the runs."""

    case: str
    metric: str
    unit: str
    better: Direction
    clock: Clock
    run: Ints
    """Indices of the runs, ascending, shape (n,)."""
    values: Floats
    low: Floats
    high: Floats
    processes: Ints


@dataclass(frozen=True, slots=True)
class _Kind:
    """Figures of one kind differ in their runs and values alone."""

    case: str
    metric: str
    unit: str
    better: str
    clock: str


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Figures of one kind in one file, of shape (n,); ``numbers`` is value, low, high (3, n)."""

    kind: _Kind
    run: Ints
    numbers: Floats
    processes: Ints
    judged: int
    """Number of those that verdicts use."""
    last: tuple[int, int]
    """The last run, and minus the place of its figure in the file."""


def gather_series(tables: Iterable[FigureColumns], metric: str = "") -> dict[str, CaseSeries]:
    """Return the series of ``metric`` of each case, by case, sorted.

    By default it is time, else the first metric of the case's last run. A metric whose unit has
    changed is another metric: the unit is that of the last run. The clock is that by which most
    runs judge it.

    Args:
        tables: all figures of one machine class, in parts.
        metric: its name.
    """
    cases: dict[str, dict[str, list[_Part]]] = {}
    for table in tables:
        for part in _parts(table):
            metrics = cases.setdefault(part.kind.case, {})
            metrics.setdefault(part.kind.metric, []).append(part)
    series: dict[str, CaseSeries] = {}
    for case in sorted(cases):
        metrics = cases.pop(case)  # all of them twice would be much memory
        if (name := metric or _main_metric(metrics)) in metrics:
            series[case] = _series(metrics[name])
    return series


def _main_metric(metrics: Mapping[str, list[_Part]]) -> str:
    if TIME.name in metrics:
        return TIME.name
    last = (part for parts in metrics.values() for part in parts)
    return max(last, key=attrgetter("last")).kind.metric


def _series(parts: list[_Part]) -> CaseSeries:
    unit = max(parts, key=attrgetter("last")).kind.unit
    parts = [part for part in parts if part.kind.unit == unit]
    by_cpu = sum(part.judged for part in parts if part.kind.clock == "cpu")
    clock: Clock = "cpu" if 2 * by_cpu > sum(part.judged for part in parts) else "wall"
    parts = [part for part in parts if part.kind.clock == clock]
    run = np.concatenate([part.run for part in parts])
    order = np.argsort(run, kind="stable")
    values, low, high = np.concatenate([part.numbers for part in parts], axis=1)[:, order]
    processes = np.concatenate([part.processes for part in parts])
    newest = max(parts, key=attrgetter("last")).kind
    return CaseSeries(
        case=newest.case,
        metric=newest.metric,
        unit=newest.unit,
        better=next((known for known in _KNOWN if newest.better == known), "unknown"),
        clock=clock,
        run=run[order],
        values=values,
        low=low,
        high=high,
        processes=processes[order],
    )


def _parts(table: FigureColumns) -> list[_Part]:
    """Divide figures by their kind."""
    columns: list[TextColumn] = [getattr(table, name) for name in _KIND]
    code = np.zeros(table.run.size, dtype=np.int64)
    for column in columns:
        code = code * max(1, len(column.names)) + column.codes
    _, first, codes = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(codes.astype(np.int16) if first.size < 2**15 else codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=first.size)).tolist()
    parts: list[_Part] = []
    begin = 0
    for row, end in zip(first.tolist(), ends, strict=True):
        rows: NDArray[np.intp] = order[begin:end]
        begin = end
        run = table.run[rows]
        newest = int(run.argmax())
        parts.append(
            _Part(
                _Kind(*(column.names[column.codes[row]] for column in columns)),
                run,
                np.stack([table.value[rows], table.low[rows], table.high[rows]]),
                table.processes[rows],
                int(np.count_nonzero(table.judged[rows])),
                (int(run[newest]), -int(rows[newest])),
            )
        )
    return parts
