"""Is it slower than it was? A run against recorded baselines.

A screen and no gate: on a shared machine something else may have changed since the baseline, and
no correction repairs that. What it finds slower is therefore ``suspect``, to be confirmed by
measuring both versions side by side, unless the effect is beyond doubt and the machine's yardstick
has not moved.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from veperf.core.case import MEMORY_NAMES, TIME, Clock, Level
from veperf.core.run import Machine, Run
from veperf.core.verdict import Baseline, BaselineSeries, Change, ChangeStatus
from veperf.core.words import effect, percent, plural
from veperf.stats.mann_whitney import smallest_u_p_value
from veperf.stats.process_values import Floats, Key, Series, series_of
from veperf.stats.two_sample import ALPHA, MARGIN, Independent, decide, evidence, holm, independent
from veperf.verdicts.baseline import DRIFT_LIMIT, baselines_of, day, differences, drift, matching
from veperf.verdicts.counts import count_changes

FAIL_PERCENT = 20.0


def screen(
    run: Run,
    baselines: Sequence[Baseline],
    *,
    alpha: float = ALPHA,
    fail_percent: float = FAIL_PERCENT,
) -> tuple[Change, ...]:
    """One change for each metric of each case of ``run``, in its order, load left out; memory last.

    Memory, where a baseline has it, by ``count_changes``; the rest as follows.

    Decided as by ``independent``, its tests for slower and for faster each corrected by Holm over
    the suite's comparisons. ``slower`` needs the whole interval beyond ``fail_percent`` and a
    yardstick within 10 % of the baseline's; what is otherwise found slower is ``suspect``.
    ``error`` where the case failed throughout or a value is no number, ``no baseline`` where none
    has the metric in its unit, ``other machine`` where machine class, CPU model or Python minor
    version differ: the ratio is given, and not judged. ``not enough samples`` also where so many
    comparisons are corrected for that no values could be found slower.

    Raises:
        UsageError: ``alpha`` is not between 0 and 1.
    """
    recorded = matching(run, baselines)
    loads = {case.id for case in run.cases if case.level is Level.LOAD}
    pairs = [
        _pair(series, recorded.get((series.case, series.metric, series.unit)), run.machine, alpha)
        for series in series_of(run).values()
        if series.case not in loads and series.metric not in MEMORY_NAMES
    ]
    corrected = _correct(pairs, {case.id: case.suite for case in run.cases})
    changes = [_change(pair, corrected.get(pair.key), run, alpha, fail_percent) for pair in pairs]
    return (*changes, *count_changes(run, baselines, fail_percent=fail_percent))


def compare_runs(
    base: Run, new: Run, *, alpha: float = ALPHA, fail_percent: float = FAIL_PERCENT
) -> tuple[Change, ...]:
    """``new`` screened against ``base`` as though that were its recorded baseline.

    Raises:
        UsageError: ``alpha`` is not between 0 and 1.
    """
    return screen(new, baselines_of(base), alpha=alpha, fail_percent=fail_percent)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A series, what it is compared with, and what the two say by themselves."""

    series: Series
    clock: Clock
    new: Floats
    base: Floats
    """Empty where there is no baseline."""
    found: Independent
    baseline: Baseline | None
    differences: tuple[str, ...]

    @property
    def key(self) -> Key:
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
        baseline, then = recorded
        clock = "cpu" if series.clock == then.clock == "cpu" else "wall"
        base = np.array(then.cpu if clock == "cpu" else then.wall, dtype=np.float64)
    new = series.on(clock)
    found = independent(base, new, better=series.better, alpha=alpha)
    different = differences(machine, baseline.machine) if baseline else ()
    return _Pair(series, clock, new, base, found, baseline, different)


def _correct(pairs: Sequence[_Pair], suites: Mapping[str, str]) -> dict[Key, _Corrected]:
    """Holm's correction over each suite's pairs that a verdict can be given on."""
    families: dict[str, list[_Pair]] = {}
    for pair in pairs:
        tested = not math.isnan(pair.found.p_slower) and not pair.differences
        if tested and pair.found.status is not ChangeStatus.NOT_ENOUGH:
            families.setdefault(suites[pair.series.case], []).append(pair)
    corrected: dict[Key, _Corrected] = {}
    for family in families.values():
        slower = holm([p.found.p_slower for p in family])
        faster = holm([p.found.p_faster for p in family])
        for pair, p_slower, p_faster in zip(family, slower, faster, strict=True):
            corrected[pair.key] = _Corrected(float(p_slower), float(p_faster), len(family))
    return corrected


def _change(
    pair: _Pair, corrected: _Corrected | None, run: Run, alpha: float, fail_percent: float
) -> Change:
    status, reason = _judge(pair, corrected, run, alpha, fail_percent)
    if pair.series.failed and pair.series.n:
        reason += f"; failed in {plural(pair.series.failed, 'pass', 'passes')}"
    found = pair.found
    return Change(
        case=pair.series.case,
        metric=pair.series.metric,
        unit=pair.series.unit,
        status=status,
        base=_median(pair.base),
        new=_median(pair.new),
        ratio=_known(found.ratio),
        low=_known(found.low),
        high=_known(found.high),
        confidence=_known(found.confidence),
        p=None if pair.differences else _known(found.p_slower),
        p_adjusted=_known(corrected.p_slower) if corrected else None,
        n_base=found.n_base,
        n_new=found.n_new,
        clock=pair.clock,
        reason=reason,
    )


def _judge(
    pair: _Pair, corrected: _Corrected | None, run: Run, alpha: float, fail_percent: float
) -> tuple[ChangeStatus, str]:
    series, found = pair.series, pair.found
    if series.n == 0 and series.failed:
        return ChangeStatus.ERROR, f"failed in {plural(series.failed, 'pass', 'passes')}"
    if not np.isfinite(pair.new).all():
        return ChangeStatus.ERROR, found.reason
    if pair.baseline is None:
        return ChangeStatus.NO_BASELINE, "no recorded baseline has it"
    if pair.differences:
        where = f"the baseline of {day(pair.baseline.recorded)} is not comparable"
        return ChangeStatus.OTHER_MACHINE, (
            f"{where} ({'; '.join(pair.differences)}): not judged; {_evidence(pair, math.nan)}"
        )
    if corrected is None:
        return found.status, found.reason
    return _decided(pair, corrected, drift(run, pair.baseline), alpha, fail_percent)


def _decided(
    pair: _Pair,
    corrected: _Corrected,
    drifted: float | None,
    alpha: float,
    fail_percent: float,
) -> tuple[ChangeStatus, str]:
    found = pair.found
    status = decide(corrected.p_slower, corrected.p_faster, found.p_equivalent, alpha)
    match status:
        case ChangeStatus.SLOWER:
            return _slower(pair, corrected, drifted, fail_percent)
        case ChangeStatus.FASTER:
            return status, _evidence(pair, corrected.p_faster)
        case ChangeStatus.OK:
            worse, _ = _words(pair)
            evidence = _evidence(pair, found.p_equivalent)
            return status, f"less than {percent(MARGIN)} {worse}: {evidence}"
    if corrected.comparisons * smallest_u_p_value(found.n_base, found.n_new) > alpha:
        return ChangeStatus.NOT_ENOUGH, (
            f"{_evidence(pair, math.nan)}: among {corrected.comparisons} comparisons so few can't "
            "show any slowdown; measure more passes"
        )
    return status, f"can't be told from noise: {_evidence(pair, corrected.p_slower)}"


def _slower(
    pair: _Pair, corrected: _Corrected, drifted: float | None, fail_percent: float
) -> tuple[ChangeStatus, str]:
    evidence = _evidence(pair, corrected.p_slower)
    confirm = "confirm by measuring both versions side by side (A/B)"
    if not pair.found.low > 1 + fail_percent / 100:
        return ChangeStatus.SUSPECT, f"{evidence}; {confirm}"
    if drifted is None:
        return ChangeStatus.SUSPECT, f"{evidence}; there is no yardstick: {confirm}"
    if abs(drifted) > DRIFT_LIMIT:
        machine = f"the machine itself is {effect(1 + drifted)} than then"
        return ChangeStatus.SUSPECT, f"{evidence}; {machine}: {confirm}"
    machine = f"the machine itself is {effect(1 + drifted)}"
    return ChangeStatus.SLOWER, f"{evidence}; beyond {fail_percent:g} % for sure, while {machine}"


def _evidence(pair: _Pair, p: float) -> str:
    worse, better = _words(pair)
    return evidence(pair.found, p, worse=worse, better=better)


def _words(pair: _Pair) -> tuple[str, str]:
    return ("slower", "faster") if pair.series.metric == TIME.name else ("worse", "better")


def _median(values: Floats) -> float | None:
    return _known(float(np.median(values))) if values.size else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
