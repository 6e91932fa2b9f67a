"""Two runs side by side, by the rules of benchstat (golang.org/x/perf/cmd/benchstat).

A sample is summed up by its median and the interval of order statistics that covers the median
with at least 95 %: with the n values in order and B binomial (n, 1/2),

    [x(l), x(r)],    P(l <= B < r) >= 0.95

Probabilities are added from the middle outwards, the greater first and of two equal ones the left,
until they suffice; from 31 values on the normal approximation replaces the binomial. Where l or r
lies outside the sample, that end is infinite. Two samples differ where the two-sided Mann-Whitney
test rejects at 0.05. A metric that is declared exact has no distribution: its mode stands for it,
and any difference counts.

This describes two runs, and knows no smallest effect that matters, no direction, no machine and no
number of comparisons. The verdict does: see ``screen``.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

import numpy as np

from veperf.core.case import TIME, Clock, Metric
from veperf.core.run import Run
from veperf.core.units import base_unit
from veperf.stats.mann_whitney import mann_whitney, smallest_u_p
from veperf.stats.process_values import Series, SeriesKey, series_of

CONFIDENCE = 0.95
ALPHA = 0.05
_MOST_BINOMIAL = 30


@dataclass(frozen=True, slots=True)
class ValueSummary:
    """Summary of one side of a row, in the table's unit."""

    center: float
    low: float
    high: float
    """Infinite, as ``low``, where the sample is too small for an interval."""
    n: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class DifferenceTest:
    """Test for a difference between the two sides of a row."""

    p: float | None
    """None where values are exact and need no test."""
    differ: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """Row of a table: one metric of one case in both runs."""

    case: str
    metric: str
    base: ValueSummary | None
    new: ValueSummary | None
    test: DifferenceTest | None
    """None where one side is missing."""

    @property
    def ratio(self) -> float | None:
        """New / base; None where a side is missing or the base is zero and the other is not."""
        if self.base is None or self.new is None:
            return None
        if self.base.center == self.new.center:
            return 1.0
        return self.new.center / self.base.center if self.base.center else None


@dataclass(frozen=True, slots=True)
class Geomean:
    """Last row of a table: the geometric means, None where there is none."""

    base: float | None
    new: float | None
    ratio: float | None
    """Geometric mean of the ratios of rows that have both sides."""
    base_notes: tuple[str, ...] = ()
    new_notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitTable:
    """All rows of one suite, metric and unit."""

    suite: str
    metric: str
    unit: str
    """Base unit, such as seconds or bytes."""
    rows: tuple[UnitRow, ...]
    geomean: Geomean


def benchstat_tables(base: Run, new: Run) -> tuple[UnitTable, ...]:
    """Return a table for each suite, metric and base unit of either run, in the runs' order."""
    sides = _by_table(base), _by_table(new)
    suites = list(dict.fromkeys(case.suite for run in (base, new) for case in run.cases))
    tables: list[UnitTable] = []
    for suite, metric, unit in sorted(sides[0] | sides[1], key=lambda key: suites.index(key[0])):
        columns = [side.get((suite, metric, unit), {}) for side in sides]
        exact = any(m.exact for column in columns for m, _ in column.values())
        rows = tuple(
            _row(case, metric, *_values(*(column.get(case) for column in columns)), exact=exact)
            for case in columns[0] | columns[1]
        )
        rows = tuple(row for row in rows if row.base or row.new)
        if rows:
            name = f"{unit}/op" if metric == TIME.name else unit
            tables.append(UnitTable(suite, metric, name, rows, _geomean(rows)))
    return tuple(tables)


def summarise_values(values: Sequence[float], *, exact: bool = False) -> ValueSummary:
    """Return median and interval of ``values``, not empty; mode and range where ``exact``."""
    ordered = sorted(values)
    n = len(ordered)
    if exact:
        counts = Counter(ordered)
        mode = max(counts, key=lambda value: (counts[value], -value))
        note = ""
        if len(counts) > 1:
            ends = f"{_plain(ordered[0])} to {_plain(ordered[-1])}"
            note = f"exact distribution expected, but values range from {ends}"
        return ValueSummary(mode, ordered[0], ordered[-1], n, note)
    left, right = _median_ranks(n)
    low = ordered[left - 1] if left >= 1 else -math.inf
    high = ordered[right - 1] if right <= n else math.inf
    note = ""
    if math.isinf(low) or math.isinf(high):
        least = next(k for k in range(2, 50) if _median_ranks(k)[0] >= 1)
        note = f"need >= {least} samples for confidence interval at level {CONFIDENCE:g}"
    return ValueSummary(float(np.median(ordered)), low, high, n, note)


def compare_values(
    base: Sequence[float], new: Sequence[float], *, exact: bool = False
) -> DifferenceTest:
    """Test two samples, neither of them empty, for a difference of any kind."""
    if exact:
        return DifferenceTest(None, True)
    if len({*base, *new}) == 1:
        return DifferenceTest(1.0, False, "all samples are equal")
    p = mann_whitney(base, new).p_two_sided
    least = next(k for k in range(1, 50) if 2 * smallest_u_p(k, k) <= ALPHA)
    note = ""
    if p > ALPHA and len(base) < least and len(new) < least:
        note = f"need >= {least} samples to detect a difference at alpha level {ALPHA:g}"
    return DifferenceTest(p, p <= ALPHA, note)


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


def _by_table(run: Run) -> dict[tuple[str, str, str], dict[str, tuple[Metric, Series]]]:
    tables: dict[tuple[str, str, str], dict[str, tuple[Metric, Series]]] = {}
    series: Mapping[SeriesKey, Series] = series_of(run)
    for case in run.cases:
        for metric in case.metrics:
            key = case.suite, metric.name, base_unit(metric.unit)[0]
            tables.setdefault(key, {})[case.id] = metric, series[case.id, metric.name]
    return tables


def _values(*sides: tuple[Metric, Series] | None) -> list[list[float]]:
    """Return the finite values of each side in the base unit, by a clock that both have."""
    clocks = {series.clock for _, series in filter(None, sides)}
    clock: Clock = "cpu" if clocks == {"cpu"} else "wall"
    return [
        [
            v * base_unit(side[0].unit)[1]
            for v in side[1].by_clock(clock).tolist()
            if math.isfinite(v)
        ]
        if side
        else []
        for side in sides
    ]


def _row(case: str, metric: str, base: list[float], new: list[float], *, exact: bool) -> UnitRow:
    return UnitRow(
        case,
        metric,
        summarise_values(base, exact=exact) if base else None,
        summarise_values(new, exact=exact) if new else None,
        compare_values(base, new, exact=exact) if base and new else None,
    )


def _geomean(rows: Sequence[UnitRow]) -> Geomean:
    base_notes: list[str] = []
    new_notes: list[str] = []
    paired = [row for row in rows if row.base and row.new]
    ratios = [row.ratio for row in paired]
    if any(row.new for row in rows) and len(paired) != sum(row.base is not None for row in rows):
        new_notes.append("benchmark set differs from baseline; geomeans may not be comparable")
    base = _geometric_mean([row.base.center for row in rows if row.base])
    new = _geometric_mean([row.new.center for row in rows if row.new])
    for mean, notes, has_values in (
        (base, base_notes, any(row.base for row in rows)),
        (new, new_notes, any(row.new for row in rows)),
    ):
        if mean is None and has_values:
            notes.append("summaries must be >0 to compute geomean")
    ratio = None
    if paired and None not in ratios:
        ratio = _geometric_mean([r for r in ratios if r is not None])
        if ratio is None:
            new_notes.append("ratios must be >0 to compute geomean")
    return Geomean(base, new, ratio, tuple(base_notes), tuple(new_notes))


def _geometric_mean(values: Sequence[float]) -> float | None:
    if not values or min(values) <= 0:
        return None
    return math.exp(fmean(map(math.log, values)))


def _plain(value: float) -> str:
    return f"{value:.15g}"
