"""Memory counts of a run against those of recorded baselines.

Allocations of an operation don't depend on how busy or fast a machine is, so there is no noise to
test against: a count that is the same in every process of each side, and differs between the sides,
has changed, by however little. Where processes differ, by hash seeds and the moments of garbage
collection, a change takes values that don't overlap and medians that are over 1 % apart.
"""

from collections.abc import Sequence

import numpy as np

from veperf.core.baseline import Baseline
from veperf.core.case import MEMORY_NAMES
from veperf.core.run import Run
from veperf.core.text import format_effect
from veperf.core.verdict import Change, ChangeStatus
from veperf.stats.process_values import Floats, Series, series_of
from veperf.verdicts.baseline import machine_differences, match_baselines

_NEGLIGIBLE = 0.01


def memory_changes(
    run: Run, baselines: Sequence[Baseline], *, fail_over: float
) -> tuple[Change, ...]:
    """Return a change for each memory metric of ``run`` that a baseline has, in the run's order.

    ``slower`` stands for more than ``fail_over`` more, ``suspect`` for less more than that,
    ``faster`` for less, ``ok`` for the same.
    """
    recorded = match_baselines(run, baselines)
    changes = []
    for series in series_of(run).values():
        match = recorded.get((series.case, series.metric, series.unit))
        if series.metric in MEMORY_NAMES and match is not None and series.n:
            baseline, base_series = match
            base = np.array(base_series.wall, dtype=np.float64)
            status, reason = _judge(series, base, fail_over)
            if different := machine_differences(run.machine, baseline.machine):
                status, reason = ChangeStatus.OTHER_MACHINE, f"{'; '.join(different)}: not judged"
            changes.append(_change(series, base, status, reason))
    return tuple(changes)


def _judge(series: Series, base: Floats, fail_over: float) -> tuple[ChangeStatus, str]:
    new = series.wall
    before, after = float(np.median(base)), float(np.median(new))
    # All digits: one allocation more among thousands is a change.
    counts = f"{_exact(after)} {series.unit} where there were {_exact(before)}"
    if not _has_changed(base, new):
        return ChangeStatus.OK, counts
    ratio = after / before if before else np.inf
    if after < before:
        return ChangeStatus.FASTER, f"{format_effect(ratio, 'more', 'less')}: {counts}"
    reason = (
        f"{format_effect(ratio, 'more', 'less')}: {counts}; `veperf memory {series.case}` shows "
        "which lines"
    )
    fails = ratio > 1 + fail_over
    return (ChangeStatus.SLOWER if fails else ChangeStatus.SUSPECT), reason


def _has_changed(base: Floats, new: Floats) -> bool:
    if np.ptp(base) == 0 and np.ptp(new) == 0:
        return bool(base[0] != new[0])
    overlap = base.max() >= new.min() and new.max() >= base.min()
    before, after = float(np.median(base)), float(np.median(new))
    return bool(not overlap and abs(after - before) > _NEGLIGIBLE * before)


def _change(series: Series, base: Floats, status: ChangeStatus, reason: str) -> Change:
    before, after = float(np.median(base)), float(np.median(series.wall))
    return Change(
        case=series.case,
        metric=series.metric,
        unit=series.unit,
        status=status,
        base=before,
        new=after,
        ratio=after / before if before else None,
        low=None,
        high=None,
        confidence=None,
        p=None,
        p_adjusted=None,
        n_base=base.size,
        n_new=series.n,
        clock=series.clock,
        reason=reason,
    )


def _exact(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
