"""Counts of a run against those of recorded baselines: compared without a test where they repeat.

Allocations of an operation, its bytes and instructions, and whatever a file declares to be exact
don't depend on how busy or fast a machine is, so there is no noise to test against. Of an exact
metric one value a side is enough, and any difference counts. Another count that repeats, the same
in every process of each side, has changed, too, by however little; where one value doesn't show
that it would, by over 1 %. Counts that don't repeat, by hash seeds and the moments of garbage
collection, have noise like any other metric: the screen tests them.
"""

import math

from veperf.core.baseline import BaselineSeries
from veperf.core.case import MEMORY_NAMES, Direction
from veperf.core.options import EffectOptions
from veperf.core.text import format_effect
from veperf.core.units import is_count
from veperf.core.verdict import Change, ChangeStatus
from veperf.stats.process_values import Series

_NEGLIGIBLE = 0.01
COUNT_FAIL_OVER = EffectOptions.fail_over
"""More of a count that is ``slower`` where nobody has set it: as side by side, as the machine is in
neither."""


def is_counted(series: Series, recorded: BaselineSeries) -> bool:
    """Return whether the metric is declared exact, measures memory, or has the unit of a count."""
    declared = series.exact or recorded.exact
    return declared or series.metric in MEMORY_NAMES or is_count(series.unit)


def repeats(series: Series, recorded: BaselineSeries) -> bool:
    """Return whether a count is the same in all values of each side, as far as they show it."""
    has_summary = series.summary is not None or recorded.summary is not None
    return not has_summary and len({*recorded.wall}) == 1 == len({*series.wall.tolist()})


def count_change(
    series: Series, recorded: BaselineSeries, *, better: Direction, fail_over: float | None
) -> Change:
    """Compare a count that repeats with the recorded one; both have values, which are finite.

    ``slower`` stands for a change for the worse by more than ``fail_over``, 5 % if that is None,
    ``suspect`` for one by less, ``faster`` for one for the better, ``changed`` where the better
    direction is unknown, ``ok`` for none. ``inconclusive``: up to 1 % apart, and one value does not
    show whether it repeats.
    """
    limit = COUNT_FAIL_OVER if fail_over is None else fail_over
    before, after = recorded.wall[0], float(series.wall[0])
    n_base, n_new = len(recorded.wall), series.n
    ratio = _ratio(*((after, before) if better == "higher" else (before, after)))
    is_known = series.exact or recorded.exact or min(n_base, n_new) > 1
    status = _status(before, after, is_known=is_known)
    if status is ChangeStatus.CHANGED and better != "unknown":
        status = _directed(ratio, is_worse=(after > before) == (better == "lower"), limit=limit)
    return Change(
        case=series.case,
        metric=series.metric,
        unit=series.unit,
        status=status,
        base=before,
        new=after,
        ratio=ratio if math.isfinite(ratio) else None,
        low=None,
        high=None,
        confidence=None,
        p=None,
        p_adjusted=None,
        n_base=n_base,
        n_new=n_new,
        clock=series.clock,
        reason=_reason(status, series, before, after),
        margin=None,
        better=better,
        fail_over=COUNT_FAIL_OVER,
    )


def unknown_direction(name: str) -> str:
    """Return the hint for a metric, or its unit, whose better direction is unknown."""
    return f"which direction of {name} is better is not known: say it with --better"


def _status(before: float, after: float, *, is_known: bool) -> ChangeStatus:
    """Return ``changed``, ``ok`` or ``inconclusive``; ``is_known`` that the count repeats."""
    if before == after:
        return ChangeStatus.OK
    if is_known or abs(after - before) > _NEGLIGIBLE * abs(before):
        return ChangeStatus.CHANGED
    return ChangeStatus.INCONCLUSIVE


def _ratio(before: float, after: float) -> float:
    """Return after / before; infinite where that is zero, NaN where a value is negative."""
    if min(before, after) < 0:
        return math.nan
    if before == after:
        return 1.0
    return after / before if before else math.inf


def _directed(ratio: float, *, is_worse: bool, limit: float) -> ChangeStatus:
    if not is_worse:
        return ChangeStatus.FASTER
    return ChangeStatus.SLOWER if ratio > 1 + limit else ChangeStatus.SUSPECT


def _reason(status: ChangeStatus, series: Series, before: float, after: float) -> str:
    # All digits: one allocation more among thousands is a change.
    unit = series.unit or series.metric
    counts = f"{_all_digits(after)} {unit} where there were {_all_digits(before)}"
    match status:
        case ChangeStatus.OK:
            return counts
        case ChangeStatus.INCONCLUSIVE:
            return f"{counts}: one value does not show whether such a count repeats"
    if min(before, after) > 0:
        counts = f"{format_effect(after / before, 'more', 'less')}: {counts}"
    if status is ChangeStatus.CHANGED:
        return f"{counts}; {unknown_direction(unit)}"
    if status is not ChangeStatus.FASTER and series.metric in MEMORY_NAMES:
        return f"{counts}; `veperf memory {series.case}` shows which lines"
    return f"{counts}, a count, which needs no test"


def _all_digits(value: float) -> str:
    return f"{value:,.12g}"
