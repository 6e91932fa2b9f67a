"""Screen of a run against recorded baselines: is it slower than it was?

A screen and not a gate: on a shared machine something else may have changed since the baseline, and
no correction repairs that. A significant slowdown is therefore ``suspect``, to be confirmed by
measuring both versions side by side, unless the effect is beyond doubt and the calibration run
shows no drift of the machine. Results of other tools have no calibration run; there it must be
beyond what another state of the same machine explains.
"""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from veperf.core.baseline import Baseline, BaselineSeries
from veperf.core.case import MEMORY_NAMES, TIME, Level
from veperf.core.options import CompareOptions
from veperf.core.run import Run
from veperf.core.text import describe_p_value, format_exact, plural
from veperf.core.verdict import Change, ChangeStatus
from veperf.stats.paired import decide_status
from veperf.stats.process_values import Floats, Series, SeriesKey, series_of
from veperf.stats.two_sample import (
    ALPHA,
    MARGIN,
    MIN_EFFECT,
    TwoSampleComparison,
    describe_evidence,
    holm,
    two_sided_status,
)
from veperf.verdicts.baseline import (
    baselines_of,
    date_of,
    definition_differences,
    machine_differences,
    match_baselines,
    python_differences,
)
from veperf.verdicts.conditions import conditions_of
from veperf.verdicts.counts import count_change, is_counted, repeats, unknown_direction
from veperf.verdicts.sides import (
    GROSS,
    Evidence,
    ScreenRule,
    Sides,
    can_reach,
    common_direction,
    match_sides,
    weigh_family,
)


def screen(
    run: Run,
    baselines: Sequence[Baseline],
    *,
    alpha: float = ALPHA,
    min_effect: float = MIN_EFFECT,
    margin: float = MARGIN,
    fail_over: float | None = CompareOptions.fail_over,
    in_turn: bool = False,
) -> tuple[Change, ...]:
    """Return a change for each metric of each case of ``run``, in its order, memory last.

    Load is left out. Counts that repeat are judged by ``count_change``, memory only where a
    baseline has it; other metrics as follows, and counts that don't repeat, in a family of theirs.

    Decided as by ``compare_two_samples``, its tests for slower and for faster each corrected by
    Holm's method. What decides, ``slower`` and ``faster``, is corrected over all comparisons of the
    run, whatever their suite or metric: they are one family, as one false alarm among them fails
    the gate. What only asks to look closer, ``suspect`` and ``changed``, is corrected within its
    suite. ``slower`` needs the whole interval beyond ``fail_over``, and either a calibration run
    within 10 % of the baseline's, or, where there is none, results of another tool or a ``run`` of
    which somebody says that it is of the same machine; any other significant slowdown is
    ``suspect``. By default ``fail_over`` is 20 %, and 5 % of counts and on the same machine.
    Results that were made ``in_turn`` with those of the baseline, one by one, are of the same
    machine, and compared as pairs.

    ``error`` where the case failed throughout or a value is no number, ``no baseline`` where none
    has the metric in its unit, ``other machine`` where machine class, CPU model or Python minor
    version differ, of counts only Python's, or where the metric is defined otherwise, as by another
    version of the benchmark: the ratio is given, and not judged. ``not enough samples`` also where
    the correction is over so many comparisons that no values could be significant. A metric of
    which neither side knows the better direction is ``changed`` where it would be slower or faster.

    Raises:
        UsageError: a setting is out of its range.
    """
    rule = ScreenRule(alpha, min_effect, margin, fail_over)
    recorded = match_baselines(run, baselines)
    loads = {case.id for case in run.cases if case.level is Level.LOAD}
    every = [series for series in series_of(run).values() if series.case not in loads]
    matched = [(series, recorded.get((*_key(series), series.unit))) for series in every]
    changes: dict[SeriesKey, Change] = {}
    families: dict[bool, list[Sides]] = {False: [], True: []}
    for series, match in matched:
        counted = _counted(series, match)
        if counted and repeats(series, counted[1]):
            changes[_key(series)] = _count(series, *counted, run, rule)
        elif counted or series.metric not in MEMORY_NAMES:
            sides = match_sides(series, match, run, in_turn=in_turn, is_count=counted is not None)
            families[sides.is_count].append(sides)
    for family in families.values():
        testable = sum(sides.is_testable for sides in family)
        weighed = weigh_family(family, rule, testable)
        pairs = [_Pair(*pair) for pair in zip(family, weighed, strict=True)]
        changes |= _changes(pairs, run, rule)
    in_order = sorted(every, key=lambda series: series.metric in MEMORY_NAMES)
    return tuple(changes[_key(series)] for series in in_order if _key(series) in changes)


def compare_runs(
    base: Run,
    new: Run,
    *,
    alpha: float = ALPHA,
    min_effect: float = MIN_EFFECT,
    margin: float = MARGIN,
    fail_over: float | None = CompareOptions.fail_over,
    same_machine: bool = False,
) -> tuple[Change, ...]:
    """Screen ``new`` against ``base`` as though that were its recorded baseline.

    With ``same_machine``, both were made on one machine under the same conditions. Two runs of a
    file in which they took turns are compared as pairs.

    Raises:
        UsageError: a setting is out of its range.
    """
    changes = screen(
        replace(new, same_machine=new.same_machine or same_machine),
        baselines_of(base),
        alpha=alpha,
        min_effect=min_effect,
        margin=margin,
        fail_over=fail_over,
        in_turn=bool(new.alternation) and base.alternation == new.alternation,
    )
    failures = base.first_failures
    return tuple(
        replace(change, reason=f"failed on the base side: {failures[change.case].message}")
        if change.status is ChangeStatus.NO_BASELINE and change.case in failures
        else change
        for change in changes
    )


def _key(series: Series) -> SeriesKey:
    return series.case, series.metric


def _counted(
    series: Series, match: tuple[Baseline, BaselineSeries] | None
) -> tuple[Baseline, BaselineSeries] | None:
    """Return ``match`` of a count that has numbers on both sides, else None."""
    if match is None or not series.n or not is_counted(series, match[1]) or not match[1].wall:
        return None
    return match if np.isfinite(series.wall).all() else None


def _count(
    series: Series, baseline: Baseline, recorded: BaselineSeries, run: Run, rule: ScreenRule
) -> Change:
    """Return the change of a count that repeats."""
    better = common_direction(recorded.better, series.better)
    change = count_change(series, recorded, better=better, fail_over=rule.fail_over)
    different = (
        *python_differences(run.machine, baseline.machine),
        *definition_differences(series.definition, recorded.definition),
    )
    if different:
        reason = f"{'; '.join(different)}: not judged; {change.reason}"
        return replace(change, status=ChangeStatus.OTHER_MACHINE, reason=reason)
    reason = change.reason + _of_any_machine(run, baseline) + _failed_passes(series)
    return replace(change, reason=reason)


def _of_any_machine(run: Run, baseline: Baseline | None) -> str:
    """Return the words for a count that is judged although its machine differs; else nothing."""
    different = machine_differences(run.machine, baseline.machine) if baseline else ()
    return f"; {'; '.join(different)}, on which counts do not depend" if different else ""


class _Pair(Struct, frozen=True, eq=False):
    """Two sides and their evidence before correction."""

    sides: Sides
    evidence: Evidence

    @property
    def comparison(self) -> TwoSampleComparison:
        return self.evidence.comparison

    @property
    def key(self) -> SeriesKey:
        return _key(self.sides.series)


class _Corrected(Struct, frozen=True):
    """A pair's p-values after Holm's correction over a family."""

    p_slower: float
    p_faster: float
    comparisons: int


class _Correction(Struct, frozen=True):
    """A pair's p-values after correction over the whole run, and within its suite."""

    run: _Corrected
    suite: _Corrected


def _correct(pairs: Sequence[_Pair], run: Run) -> dict[SeriesKey, _Correction]:
    """Apply Holm's correction to all pairs that can be judged."""
    suites = {case.id: case.suite for case in run.cases}
    family = [
        pair
        for pair in pairs
        if not math.isnan(pair.comparison.p_slower)
        and not pair.sides.differences
        and pair.comparison.status is not ChangeStatus.NOT_ENOUGH
    ]
    by_suite: dict[str, list[_Pair]] = {}
    for pair in family:
        by_suite.setdefault(suites[pair.sides.series.case], []).append(pair)
    within = {key: c for group in by_suite.values() for key, c in _holm(group).items()}
    return {key: _Correction(c, within[key]) for key, c in _holm(family).items()}


def _holm(family: Sequence[_Pair]) -> dict[SeriesKey, _Corrected]:
    slower = holm([pair.comparison.p_slower for pair in family])
    faster = holm([pair.comparison.p_faster for pair in family])
    return {
        pair.key: _Corrected(float(p_slower), float(p_faster), len(family))
        for pair, p_slower, p_faster in zip(family, slower, faster, strict=True)
    }


def _changes(pairs: Sequence[_Pair], run: Run, rule: ScreenRule) -> dict[SeriesKey, Change]:
    corrected = _correct(pairs, run)
    return {pair.key: _change(pair, corrected.get(pair.key), run, rule) for pair in pairs}


def _change(pair: _Pair, corrected: _Correction | None, run: Run, rule: ScreenRule) -> Change:
    status, reason = _judge(pair, corrected, run, rule)
    sides, comparison = pair.sides, pair.comparison
    is_judged_count = sides.is_count and not sides.differences
    return Change(
        case=sides.series.case,
        metric=sides.series.metric,
        unit=sides.series.unit,
        status=status,
        base=_median(sides.base),
        new=_median(sides.new),
        ratio=_known(comparison.ratio),
        low=_known(comparison.low),
        high=_known(comparison.high),
        confidence=_known(comparison.confidence),
        p=None if sides.differences else _known(_p_worse(pair, comparison)),
        p_adjusted=_known(_p_worse(pair, corrected.run)) if corrected else None,
        n_base=comparison.n_base,
        n_new=comparison.n_new,
        clock=sides.clock,
        reason=reason
        + (_of_any_machine(run, sides.baseline) if is_judged_count else "")
        + _failed_passes(sides.series),
        margin=rule.margin,
        better=sides.better,
        fail_over=conditions_of(sides, run, rule).usual_fail_over,
    )


def _failed_passes(series: Series) -> str:
    if not series.failed or not series.n:
        return ""
    return f"; failed in {plural(series.failed, 'pass', 'passes')}"


def _judge(
    pair: _Pair, corrected: _Correction | None, run: Run, rule: ScreenRule
) -> tuple[ChangeStatus, str]:
    sides, series, comparison = pair.sides, pair.sides.series, pair.comparison
    if series.n == 0 and series.failed:
        failure = run.first_failures[series.case]
        passes = plural(series.failed, "pass", "passes")
        return ChangeStatus.ERROR, f"failed in {passes}: {failure.message}"
    if not all(map(math.isfinite, sides.new.tolist())):
        return ChangeStatus.ERROR, comparison.reason
    if sides.baseline is None:
        return ChangeStatus.NO_BASELINE, "no recorded baseline has it"
    if sides.differences:
        where = f"the baseline of {date_of(sides.baseline.recorded)} is not comparable"
        overruled = ", though said to be of the same machine" if run.same_machine else ""
        different = "; ".join(sides.differences)
        return ChangeStatus.OTHER_MACHINE, (
            f"{where} ({different}){overruled}: not judged; {_evidence(pair, math.nan)}"
        )
    status, reason = comparison.status, comparison.reason
    if corrected is not None:
        status, reason = _decided(pair, corrected, run, rule)
    if sides.is_count and status in (ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH):
        status = ChangeStatus.SUSPECT if sides.is_from_nothing else ChangeStatus.INCONCLUSIVE
        reason = f"the counts vary too much to tell: {reason}"
    return status, reason


def _decided(
    pair: _Pair, corrected: _Correction, run: Run, rule: ScreenRule
) -> tuple[ChangeStatus, str]:
    comparison, sides = pair.comparison, pair.sides
    directed = sides.better != "unknown"
    status = decide_status(
        corrected.suite.p_slower,
        corrected.run.p_faster if directed else corrected.suite.p_faster,
        comparison.p_equivalent,
        alpha_change=rule.alpha,
        alpha_ok=rule.alpha,
    )
    match two_sided_status(status, sides.better):
        case ChangeStatus.CHANGED:
            evidence = _evidence(pair, _p_worse(pair, corrected.suite))
            name = sides.series.unit or sides.series.metric
            return ChangeStatus.CHANGED, f"{evidence}; {unknown_direction(name)}"
        case ChangeStatus.SLOWER:
            return _slower(pair, corrected, run, rule)
        case ChangeStatus.FASTER:
            return ChangeStatus.FASTER, _evidence(pair, corrected.run.p_faster)
        case ChangeStatus.OK:
            worse = _words(sides)[0] if directed else "more or less"
            evidence = _evidence(pair, comparison.p_equivalent)
            limit = format_exact(100 * rule.margin, "%")
            return ChangeStatus.OK, f"less than {limit} {worse}: {evidence}"
    if pair.evidence.by_ranks and not can_reach(sides, rule.alpha, corrected.suite.comparisons):
        return ChangeStatus.NOT_ENOUGH, (
            f"{_evidence(pair, math.nan)}: among {corrected.suite.comparisons} comparisons so few "
            "can't show any slowdown; measure more passes"
        )
    noise = "" if sides.is_count else "can't be told from noise: "
    return ChangeStatus.INCONCLUSIVE, noise + _evidence(pair, corrected.suite.p_slower)


def _slower(
    pair: _Pair, corrected: _Correction, run: Run, rule: ScreenRule
) -> tuple[ChangeStatus, str]:
    """Return ``slower`` or ``suspect`` for a slowdown that is significant within its suite."""
    conditions = conditions_of(pair.sides, run, rule)
    limit, doubt = conditions.fail_over, ""
    low = math.inf if pair.sides.is_from_nothing else pair.comparison.low
    if not low > 1 + limit:
        doubt = "; "
    elif pair.evidence.of_few and not low > GROSS:
        percent = format_exact(100 * (GROSS - 1), "%")
        doubt = f"; of so few values only what is beyond {percent} for sure is slower: "
    elif corrected.run.p_slower > rule.alpha:
        p = describe_p_value(corrected.run.p_slower)
        doubt = f" within its suite; {p} among all {corrected.run.comparisons} comparisons: "
    elif conditions.doubt:
        doubt = f"; {conditions.doubt}: "
    if doubt:
        evidence = _evidence(pair, corrected.suite.p_slower)
        return ChangeStatus.SUSPECT, f"{evidence}{doubt}{conditions.confirm}"
    evidence = _evidence(pair, corrected.run.p_slower)
    beyond = f"beyond {format_exact(100 * limit, '%')} for sure"
    return ChangeStatus.SLOWER, f"{evidence}; {beyond}{conditions.machine}"


def _evidence(pair: _Pair, p: float) -> str:
    worse, better = _words(pair.sides)
    sizes = pair.evidence.sizes
    return describe_evidence(pair.comparison, p, worse=worse, better=better, sizes=sizes)


def _p_worse(pair: _Pair, p: TwoSampleComparison | _Corrected) -> float:
    """Return the p of a change for the worse; in either direction where both may be that."""
    return min(p.p_slower, p.p_faster) if pair.sides.better == "unknown" else p.p_slower


def _words(sides: Sides) -> tuple[str, str]:
    if sides.better == "unknown" or (sides.is_count and sides.better == "lower"):
        return "more", "less"
    return ("slower", "faster") if sides.series.metric == TIME.name else ("worse", "better")


def _median(values: Floats) -> float | None:
    ordered, n = sorted(values.tolist()), values.size
    return _known((ordered[(n - 1) // 2] + ordered[n // 2]) / 2) if n else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
