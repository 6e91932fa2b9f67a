"""Screen of a run against recorded baselines: is it slower than it was?

A screen and not a gate: on a shared machine something else may have changed since the baseline, and
no correction repairs that. A significant slowdown is therefore ``suspect``, to be confirmed by
measuring both versions side by side, unless the effect is beyond doubt and the calibration run
shows no drift of the machine.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from veperf.core.baseline import Baseline, BaselineSeries
from veperf.core.case import MEMORY_NAMES, TIME, Clock, Level
from veperf.core.run import Machine, Run
from veperf.core.text import format_effect, format_exact, plural
from veperf.core.verdict import Change, ChangeStatus
from veperf.stats.mann_whitney import smallest_u_p
from veperf.stats.paired import decide_status
from veperf.stats.process_values import Floats, Series, SeriesKey, series_of
from veperf.stats.two_sample import (
    ALPHA,
    MARGIN,
    TwoSampleComparison,
    compare_two_samples,
    describe_evidence,
    holm,
)
from veperf.verdicts.baseline import (
    DRIFT_LIMIT,
    baselines_of,
    date_of,
    machine_differences,
    machine_drift,
    match_baselines,
)
from veperf.verdicts.memory_counts import memory_changes

FAIL_OVER = 0.2


def screen(
    run: Run,
    baselines: Sequence[Baseline],
    *,
    alpha: float = ALPHA,
    fail_over: float = FAIL_OVER,
) -> tuple[Change, ...]:
    """Return a change for each metric of each case of ``run``, in its order, memory last.

    Load is left out. Memory, where a baseline has it, is judged by ``memory_changes``, other
    metrics as follows.

    Decided as by ``compare_two_samples``, its tests for slower and for faster each corrected by
    Holm's method over the suite's comparisons. ``slower`` needs the whole interval beyond
    ``fail_over`` and a calibration run within 10 % of the baseline's; any other significant
    slowdown is ``suspect``. ``error`` where the case failed throughout or a value is no number,
    ``no baseline`` where none has the metric in its unit, ``other machine`` where machine class,
    CPU model or Python minor version differ: the ratio is given, and not judged. ``not enough
    samples`` also where the correction is over so many comparisons that no values could be
    significant.

    Raises:
        UsageError: ``alpha`` is not between 0 and 1.
    """
    recorded = match_baselines(run, baselines)
    loads = {case.id for case in run.cases if case.level is Level.LOAD}
    pairs = [
        _pair(series, recorded.get((series.case, series.metric, series.unit)), run.machine, alpha)
        for series in series_of(run).values()
        if series.case not in loads and series.metric not in MEMORY_NAMES
    ]
    corrected = _correct(pairs, {case.id: case.suite for case in run.cases})
    changes = [_change(pair, corrected.get(pair.key), run, alpha, fail_over) for pair in pairs]
    return (*changes, *memory_changes(run, baselines, fail_over=fail_over))


def compare_runs(
    base: Run, new: Run, *, alpha: float = ALPHA, fail_over: float = FAIL_OVER
) -> tuple[Change, ...]:
    """Screen ``new`` against ``base`` as though that were its recorded baseline.

    Raises:
        UsageError: ``alpha`` is not between 0 and 1.
    """
    return screen(new, baselines_of(base), alpha=alpha, fail_over=fail_over)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A series, its baseline, and the comparison of the two before correction."""

    series: Series
    clock: Clock
    new: Floats
    base: Floats
    """Empty where there is no baseline."""
    comparison: TwoSampleComparison
    baseline: Baseline | None
    differences: tuple[str, ...]

    @property
    def key(self) -> SeriesKey:
        return self.series.case, self.series.metric


@dataclass(frozen=True, slots=True)
class _Corrected:
    """A pair's p-values after Holm's correction."""

    p_slower: float
    p_faster: float
    comparisons: int


def _pair(
    series: Series,
    recorded: tuple[Baseline, BaselineSeries] | None,
    machine: Machine,
    alpha: float,
) -> _Pair:
    clock, base, baseline = series.clock, np.array([]), None
    if recorded is not None:
        baseline, base_series = recorded
        clock = "cpu" if series.clock == base_series.clock == "cpu" else "wall"
        base = np.array(base_series.cpu if clock == "cpu" else base_series.wall, dtype=np.float64)
    new = series.by_clock(clock)
    comparison = compare_two_samples(base, new, better=series.better, alpha=alpha)
    different = machine_differences(machine, baseline.machine) if baseline else ()
    return _Pair(series, clock, new, base, comparison, baseline, different)


def _correct(pairs: Sequence[_Pair], suites: Mapping[str, str]) -> dict[SeriesKey, _Corrected]:
    """Apply Holm's correction over each suite's pairs that can be judged."""
    families: dict[str, list[_Pair]] = {}
    for pair in pairs:
        tested = not math.isnan(pair.comparison.p_slower) and not pair.differences
        if tested and pair.comparison.status is not ChangeStatus.NOT_ENOUGH:
            families.setdefault(suites[pair.series.case], []).append(pair)
    corrected: dict[SeriesKey, _Corrected] = {}
    for family in families.values():
        slower = holm([p.comparison.p_slower for p in family])
        faster = holm([p.comparison.p_faster for p in family])
        for pair, p_slower, p_faster in zip(family, slower, faster, strict=True):
            corrected[pair.key] = _Corrected(float(p_slower), float(p_faster), len(family))
    return corrected


def _change(
    pair: _Pair, corrected: _Corrected | None, run: Run, alpha: float, fail_over: float
) -> Change:
    status, reason = _judge(pair, corrected, run, alpha, fail_over)
    if pair.series.failed and pair.series.n:
        reason += f"; failed in {plural(pair.series.failed, 'pass', 'passes')}"
    comparison = pair.comparison
    return Change(
        case=pair.series.case,
        metric=pair.series.metric,
        unit=pair.series.unit,
        status=status,
        base=_median(pair.base),
        new=_median(pair.new),
        ratio=_known(comparison.ratio),
        low=_known(comparison.low),
        high=_known(comparison.high),
        confidence=_known(comparison.confidence),
        p=None if pair.differences else _known(comparison.p_slower),
        p_adjusted=_known(corrected.p_slower) if corrected else None,
        n_base=comparison.n_base,
        n_new=comparison.n_new,
        clock=pair.clock,
        reason=reason,
    )


def _judge(
    pair: _Pair, corrected: _Corrected | None, run: Run, alpha: float, fail_over: float
) -> tuple[ChangeStatus, str]:
    series, comparison = pair.series, pair.comparison
    if series.n == 0 and series.failed:
        return ChangeStatus.ERROR, f"failed in {plural(series.failed, 'pass', 'passes')}"
    if not np.isfinite(pair.new).all():
        return ChangeStatus.ERROR, comparison.reason
    if pair.baseline is None:
        return ChangeStatus.NO_BASELINE, "no recorded baseline has it"
    if pair.differences:
        where = f"the baseline of {date_of(pair.baseline.recorded)} is not comparable"
        return ChangeStatus.OTHER_MACHINE, (
            f"{where} ({'; '.join(pair.differences)}): not judged; {_evidence(pair, math.nan)}"
        )
    if corrected is None:
        return comparison.status, comparison.reason
    return _decided(pair, corrected, machine_drift(run, pair.baseline), alpha, fail_over)


def _decided(
    pair: _Pair,
    corrected: _Corrected,
    drifted: float | None,
    alpha: float,
    fail_over: float,
) -> tuple[ChangeStatus, str]:
    comparison = pair.comparison
    status = decide_status(
        corrected.p_slower,
        corrected.p_faster,
        comparison.p_equivalent,
        alpha_change=alpha,
        alpha_ok=alpha,
    )
    match status:
        case ChangeStatus.SLOWER:
            return _slower(pair, corrected, drifted, fail_over)
        case ChangeStatus.FASTER:
            return status, _evidence(pair, corrected.p_faster)
        case ChangeStatus.OK:
            worse, _ = _words(pair)
            evidence = _evidence(pair, comparison.p_equivalent)
            return status, f"less than {format_exact(100 * MARGIN, '%')} {worse}: {evidence}"
    if corrected.comparisons * smallest_u_p(comparison.n_base, comparison.n_new) > alpha:
        return ChangeStatus.NOT_ENOUGH, (
            f"{_evidence(pair, math.nan)}: among {corrected.comparisons} comparisons so few can't "
            "show any slowdown; measure more passes"
        )
    return status, f"can't be told from noise: {_evidence(pair, corrected.p_slower)}"


def _slower(
    pair: _Pair, corrected: _Corrected, drifted: float | None, fail_over: float
) -> tuple[ChangeStatus, str]:
    evidence = _evidence(pair, corrected.p_slower)
    confirm = "confirm by measuring both versions side by side (A/B)"
    if not pair.comparison.low > 1 + fail_over:
        return ChangeStatus.SUSPECT, f"{evidence}; {confirm}"
    if drifted is None:
        return (
            ChangeStatus.SUSPECT,
            f"{evidence}; no calibration run shows whether the machine drifted: {confirm}",
        )
    if abs(drifted) > DRIFT_LIMIT:
        machine = f"the machine itself is {format_effect(1 + drifted)} than then"
        return ChangeStatus.SUSPECT, f"{evidence}; {machine}: {confirm}"
    machine = f"the machine itself is {format_effect(1 + drifted)}"
    return (
        ChangeStatus.SLOWER,
        f"{evidence}; beyond {format_exact(100 * fail_over, '%')} for sure, while {machine}",
    )


def _evidence(pair: _Pair, p: float) -> str:
    worse, better = _words(pair)
    return describe_evidence(pair.comparison, p, worse=worse, better=better)


def _words(pair: _Pair) -> tuple[str, str]:
    return ("slower", "faster") if pair.series.metric == TIME.name else ("worse", "better")


def _median(values: Floats) -> float | None:
    return _known(float(np.median(values))) if values.size else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
