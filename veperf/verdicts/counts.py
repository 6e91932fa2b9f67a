"""Has it come to need more memory? Counts of a run against those of recorded baselines.

What an operation allocates does not depend on how busy or fast a machine is, so there is no noise
to test against: a count that is the same in every process on both sides, and differs between them,
has changed, by however little. Where processes differ, by hash seeds and the moments at which
garbage is collected, it takes values that don't overlap, and medians that are over 1 % apart.
"""

from collections.abc import Sequence

import numpy as np

from veperf.core.case import MEMORY_NAMES
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Change, ChangeStatus
from veperf.core.words import effect
from veperf.stats.process_values import Floats, Series, series_of
from veperf.verdicts.baseline import differences, matching

_NEGLIGIBLE = 0.01


def count_changes(
    run: Run, baselines: Sequence[Baseline], *, fail_percent: float
) -> tuple[Change, ...]:
    """One change for each memory metric of ``run`` that a baseline has, in its order.

    ``slower`` stands for more than ``fail_percent`` more, ``suspect`` for a little more, ``faster``
    for less, ``ok`` for the same.
    """
    recorded = matching(run, baselines)
    changes = []
    for series in series_of(run).values():
        found = recorded.get((series.case, series.metric, series.unit))
        if series.metric in MEMORY_NAMES and found is not None and series.n:
            baseline, then = found
            base = np.array(then.wall, dtype=np.float64)
            status, reason = _judge(series, base, fail_percent)
            if other := differences(run.machine, baseline.machine):
                status, reason = ChangeStatus.OTHER_MACHINE, f"{'; '.join(other)}: not judged"
            changes.append(_change(series, base, status, reason))
    return tuple(changes)


def _judge(series: Series, base: Floats, fail_percent: float) -> tuple[ChangeStatus, str]:
    new = series.wall
    before, after = float(np.median(base)), float(np.median(new))
    # All digits: one allocation more among thousands is a change.
    words = f"{_exact(after)} {series.unit} where there were {_exact(before)}"
    if not _differ(base, new):
        return ChangeStatus.OK, words
    ratio = after / before if before else np.inf
    if after < before:
        return ChangeStatus.FASTER, f"{effect(ratio, 'more', 'less')}: {words}"
    reason = (
        f"{effect(ratio, 'more', 'less')}: {words}; `veperf memory {series.case}` shows which lines"
    )
    far = ratio > 1 + fail_percent / 100
    return (ChangeStatus.SLOWER if far else ChangeStatus.SUSPECT), reason


def _differ(base: Floats, new: Floats) -> bool:
    if np.ptp(base) == 0 and np.ptp(new) == 0:
        return bool(base[0] != new[0])
    apart = base.max() < new.min() or new.max() < base.min()
    before, after = float(np.median(base)), float(np.median(new))
    return bool(apart and abs(after - before) > _NEGLIGIBLE * before)


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
