"""Runs side by side, by the rules of benchstat (golang.org/x/perf/cmd/benchstat).

A sample is summed up by its median and the interval of order statistics that covers the median
with at least 95 %: with the n values in order and B binomial (n, 1/2),

    [x(l), x(r)],    P(l <= B < r) >= 0.95

Probabilities are added from the middle outwards, the greater first and of two equal ones the left,
until they suffice; from 31 values on the normal approximation replaces the binomial. Where l or r
lies outside the sample, that end is infinite. Two samples differ where the two-sided Mann-Whitney
test rejects at 0.05. A metric that is declared exact has no distribution: its mode stands for it,
and any difference counts.

This describes runs, and knows no smallest effect that matters, no direction, no machine and no
number of comparisons. The verdict does: see ``screen``.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import NormalDist, fmean
from typing import Literal

import numpy as np
from msgspec import Struct, structs

from veperf.core.case import TIME, Clock, Metric
from veperf.core.run import Run
from veperf.core.units import base_unit, unit_family
from veperf.stats.mann_whitney import mann_whitney_rows, smallest_u_p
from veperf.stats.process_values import Series, series_of

CONFIDENCE = 0.95
ALPHA = 0.05
_MOST_BINOMIAL = 30
_FEWEST_TO_DIFFER = next(k for k in range(1, 50) if 2 * smallest_u_p(k, k) <= ALPHA)


class ValueSummary(Struct, frozen=True):
    """Summary of a side of a row, in the table's unit."""

    center: float
    low: float
    high: float
    """Infinite, as ``low``, where the sample is too small for an interval."""
    n: int
    notes: tuple[str, ...] = ()


class DifferenceTest(Struct, frozen=True):
    """Test for a difference between a side of a row and the base."""

    p: float | None
    """None where values are exact and need no test."""
    differ: bool
    note: str = ""


class UnitRow(Struct, frozen=True):
    """Row of a table: one metric of one case in all runs of the table."""

    case: str
    metric: str
    sides: tuple[ValueSummary | None, ...]
    """By column, the base first; None where a run has no value of it."""
    tests: tuple[DifferenceTest | None, ...]
    """By column; None of the base, and where either side is missing."""

    def ratio(self, column: int) -> float | None:
        """Return the side in ``column`` / base; None where there is none, as to a base of zero."""
        base, new = self.sides[0], self.sides[column]
        if base is None or new is None:
            return None
        if base.center == new.center:
            return 1.0
        return new.center / base.center if base.center else None


@dataclass(frozen=True, slots=True)
class ColumnMeans:
    """Geometric means of a column, None where there is none."""

    mean: float | None
    ratio: float | None = None
    """Of the ratios of rows that have both this side and the base."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitTable:
    """All rows of one suite, metric and unit."""

    suite: str
    title: str
    """The suite, or what it stands for, in words."""
    metric: str
    unit: str
    """Base unit, such as seconds or bytes."""
    runs: tuple[int, ...]
    """Numbers of the runs that have values of it, a column each; the first is the base."""
    rows: tuple[UnitRow, ...]
    means: tuple[ColumnMeans, ...]
    """By column."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of runs that somebody arranged: what stands where, and what doesn't fit together."""

    titles: Mapping[str, str] = field(default_factory=dict)
    """Titles of tables by suite; the suite itself where there is none."""
    order: Mapping[str, int] = field(default_factory=dict)
    """Places of cases; those without one follow in the order of the runs."""
    notes: Mapping[tuple[int, str], str] = field(default_factory=dict)
    """Notes by number of run and case."""


_PLAIN = Layout()
_Column = dict[str, tuple[Metric, Series]]


def benchstat_tables(*runs: Run, layout: Layout = _PLAIN) -> tuple[UnitTable, ...]:
    """Return a table for each suite, metric and base unit of any run, in the runs' order."""
    sides = [_by_table(run) for run in runs]
    suites = list(dict.fromkeys(case.suite for run in runs for case in run.cases))
    places = {suite: place for place, suite in enumerate(suites)}
    keys = sorted(dict.fromkeys(key for side in sides for key in side), key=lambda k: places[k[0]])
    tables: list[UnitTable] = []
    for key in keys:
        columns = [side.get(key, {}) for side in sides]
        table = _table(*key, columns, layout)
        if table.rows:
            tables.append(table)
    return tuple(tables)


def _table(
    suite: str, metric: str, family: str, columns: Sequence[_Column], layout: Layout
) -> UnitTable:
    metrics = [m for column in columns for m, _ in column.values()]
    exact = any(m.exact for m in metrics)
    # benchstat's base unit where all have the same one; else that of the family, such as bytes.
    bases = {base_unit(m.unit)[0] for m in metrics}
    in_base = base_unit if len(bases) == 1 else unit_family
    unit = bases.pop() if len(bases) == 1 else family
    cases = list(dict.fromkeys(case for column in columns for case in column))
    cases.sort(key=lambda case: layout.order.get(case, len(layout.order)))
    values = {case: _values(in_base, [column.get(case) for column in columns]) for case in cases}
    runs = [run for run in range(len(columns)) if any(sides[run] for sides in values.values())]
    kept = {case: [sides[run] for run in runs] for case, sides in values.items() if any(sides)}
    none: list[DifferenceTest | None] = [None] * len(kept)
    tests = [none, *(_tests(kept, column, exact) for column in range(1, len(runs)))]
    rows = []
    for (case, sides), *of_row in zip(kept.items(), *tests, strict=True):
        summaries = []
        for run, numbers in zip(runs, sides, strict=True):
            summary = summarise_values(numbers, exact=exact) if numbers else None
            if summary and (note := layout.notes.get((run, case))):
                summary = structs.replace(summary, notes=(note, *summary.notes))
            summaries.append(summary)
        rows.append(UnitRow(case, metric, tuple(summaries), tuple(of_row)))
    return UnitTable(
        suite=suite,
        title=layout.titles.get(suite, suite),
        metric=metric,
        unit=f"{unit}/op" if metric == TIME.name else unit,
        runs=tuple(runs),
        rows=tuple(rows),
        means=tuple(_means(rows, column) for column in range(len(runs))),
    )


def sort_rows(table: UnitTable, order: Literal["file", "name", "change"]) -> UnitTable:
    """Return ``table`` with its rows in ``order``: as they are, by name, or by size of change.

    The largest change in any column comes first, in either direction, and what doesn't differ last.
    """

    def size(row: UnitRow) -> float:
        columns = [i for i, test in enumerate(row.tests) if test and test.differ]
        ratios = [row.ratio(i) for i in columns]
        # A change from or to zero is beyond any ratio.
        return max((abs(math.log(r)) if r and r > 0 else math.inf for r in ratios), default=-1.0)

    if order == "name":
        return replace(table, rows=tuple(sorted(table.rows, key=lambda row: row.case)))
    if order == "change":
        return replace(table, rows=tuple(sorted(table.rows, key=size, reverse=True)))
    return table


def summarise_values(values: Sequence[float], *, exact: bool = False) -> ValueSummary:
    """Return median and interval of ``values``, not empty; mode and range where ``exact``."""
    ordered = sorted(values)
    n = len(ordered)
    if exact:
        counts = Counter(ordered)
        mode = max(counts, key=lambda value: (counts[value], -value))
        notes: tuple[str, ...] = ()
        if len(counts) > 1:
            ends = f"{_plain(ordered[0])} to {_plain(ordered[-1])}"
            notes = (f"exact distribution expected, but values range from {ends}",)
        return ValueSummary(mode, ordered[0], ordered[-1], n, notes)
    left, right = _median_ranks(n)
    median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    if left >= 1 and right <= n:
        return ValueSummary(median, ordered[left - 1], ordered[right - 1], n)
    low = ordered[left - 1] if left >= 1 else -math.inf
    high = ordered[right - 1] if right <= n else math.inf
    least = next(k for k in range(2, 50) if _median_ranks(k)[0] >= 1)
    note = f"need >= {least} samples for confidence interval at level {CONFIDENCE:g}"
    return ValueSummary(median, low, high, n, (note,))


def _tests(
    rows: Mapping[str, Sequence[Sequence[float]]], column: int, exact: bool
) -> list[DifferenceTest | None]:
    """Return the tests of a column's values against the base's, by row.

    Rows of the same numbers of values are tested together.
    """
    tests: list[DifferenceTest | None] = [None] * len(rows)
    alike: dict[tuple[int, int], list[tuple[int, Sequence[float], Sequence[float]]]] = {}
    for row, sides in enumerate(rows.values()):
        base, new = sides[0], sides[column]
        if base and new and exact:
            tests[row] = DifferenceTest(None, True)
        elif base and new and base[0] == new[0] and len({*base, *new}) == 1:
            tests[row] = DifferenceTest(1.0, False, "all samples are equal")
        elif base and new:
            alike.setdefault((len(base), len(new)), []).append((row, base, new))
    for (n_base, n_new), group in alike.items():
        note = ""
        if max(n_base, n_new) < _FEWEST_TO_DIFFER:
            least = _FEWEST_TO_DIFFER
            note = f"need >= {least} samples to detect a difference at alpha level {ALPHA:g}"
        results = mann_whitney_rows(
            np.array([base for _, base, _ in group]), np.array([new for *_, new in group])
        )
        for (row, *_), result in zip(group, results, strict=True):
            p = result.p_two_sided
            tests[row] = DifferenceTest(p, p <= ALPHA, note if p > ALPHA else "")
    return tests


@lru_cache(maxsize=1024)
def _median_ranks(n: int) -> tuple[int, int]:
    """Return the ranks l and r, from 1; 0 and n + 1 lie outside the sample."""
    if n > _MOST_BINOMIAL:
        return _normal_ranks(n)
    probabilities = [math.comb(n, b) / 2**n for b in range(n + 1)]
    left = (n + 2) // 2 - 1
    right = left + 1
    covered = probabilities[left]
    while covered < CONFIDENCE and (left > 0 or right <= n):
        before = probabilities[left - 1] if left > 0 else 0.0
        after = probabilities[right] if right <= n else 0.0
        if before >= after:
            left -= 1
        else:
            right += 1
        covered += max(before, after)
    return left, right


def _normal_ranks(n: int) -> tuple[int, int]:
    """Return the same by the normal approximation, to whole ranks, the right one less if it can."""
    normal = NormalDist(n / 2, math.sqrt(n) / 2)
    low = normal.inv_cdf((1 - CONFIDENCE) / 2)
    left = math.floor(low - 0.5) + 1
    right = math.ceil(n - low - 0.5) + 1
    if normal.cdf(right - 1.5) - normal.cdf(left - 0.5) >= CONFIDENCE:
        right -= 1
    return max(0, left), min(n + 1, right)


def _by_table(run: Run) -> dict[tuple[str, str, str], _Column]:
    tables: dict[tuple[str, str, str], _Column] = {}
    series = series_of(run)
    for case in run.cases:
        for metric in case.metrics:
            key = case.suite, metric.name, unit_family(metric.unit)[0]
            tables.setdefault(key, {})[case.id] = metric, series[case.id, metric.name]
    return tables


def _values(
    in_base: Callable[[str], tuple[str, float]], sides: Sequence[tuple[Metric, Series] | None]
) -> list[list[float]]:
    """Return the finite values of each side in the base unit, by a clock that all have."""
    clocks = {side[1].clock for side in sides if side}
    clock: Clock = "cpu" if clocks == {"cpu"} else "wall"
    values: list[list[float]] = []
    for side in sides:
        factor = in_base(side[0].unit)[1] if side else 1.0
        numbers = side[1].by_clock(clock).tolist() if side else []
        values.append([v * factor for v in numbers if math.isfinite(v)])
    return values


def _means(rows: Sequence[UnitRow], column: int) -> ColumnMeans:
    """Return the geometric means of a column, and what they don't hold for."""
    notes: list[str] = []
    paired = [row for row in rows if row.sides[0] and row.sides[column]]
    if len(paired) != sum(row.sides[0] is not None for row in rows):
        notes.append("benchmark set differs from baseline; geomeans may not be comparable")
    mean = _geometric_mean([side.center for row in rows if (side := row.sides[column])])
    if mean is None:
        notes.append("summaries must be >0 to compute geomean")
    ratios = [row.ratio(column) for row in paired]
    ratio = None
    if column and paired and None not in ratios:
        ratio = _geometric_mean([r for r in ratios if r is not None])
        if ratio is None:
            notes.append("ratios must be >0 to compute geomean")
    return ColumnMeans(mean, ratio, tuple(notes))


def _geometric_mean(values: Sequence[float]) -> float | None:
    if not values or min(values) <= 0:
        return None
    return math.exp(fmean(map(math.log, values)))


def _plain(value: float) -> str:
    return f"{value:.15g}"
