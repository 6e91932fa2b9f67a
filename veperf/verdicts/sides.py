"""The two sides of a comparison with a baseline, and the evidence that they give.

Process values of veperf's own runs are compared by ranks. What other tools have measured has no
processes that anybody knows of, and often no values: where it has enough of them it is compared by
ranks as well, else by Welch's test on what there is: values, intervals, quartiles or standard
deviations. Which test is made depends on the numbers of values and comparisons alone.

Counts that don't repeat are compared as the values of other tools, whoever counted them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from veperf.core.baseline import Baseline, BaselineSeries
from veperf.core.case import Clock, Direction
from veperf.core.run import Run, Summary
from veperf.core.text import format_metric_effect, join_words, plural
from veperf.core.units import is_time
from veperf.core.verdict import ChangeStatus
from veperf.stats.log_estimates import (
    Center,
    LogEstimate,
    compare_estimates,
    estimate_of_summary,
    estimates_of_rows,
)
from veperf.stats.mann_whitney import smallest_u_p
from veperf.stats.paired import PairRule, evaluate_pairs, log_ratios
from veperf.stats.process_values import Floats, Series
from veperf.stats.two_sample import TwoSampleComparison, compare_rows, obstacle_to_ranks
from veperf.stats.wilcoxon import smallest_signed_rank_p
from veperf.verdicts.baseline import (
    definition_differences,
    machine_differences,
    python_differences,
)
from veperf.verdicts.counts import unknown_direction

GROSS = 2.0
"""Ratio from which one value a side is suspect, and a few can be slower: it takes more than another
mode of a benchmark. Benchmark actions alert at the same ratio by default."""


@dataclass(frozen=True, slots=True)
class ScreenRule:
    """Sizes of change that count, and the errors that are permitted."""

    alpha: float
    min_effect: float
    margin: float
    fail_over: float | None
    """None for the default, which depends on what is known of the machine."""

    def __post_init__(self) -> None:
        PairRule(  # refuses settings that are out of range
            min_effect=self.min_effect,
            margin=self.margin,
            fail_over=self.margin,
            alpha=self.alpha,
        )


class Sides(Struct, frozen=True, eq=False):
    """A series and its baseline, in the same unit and by the same clock."""

    series: Series
    clock: Clock
    new: Floats
    base: Floats
    """Empty where there is no baseline."""
    base_summary: Summary | None
    baseline: Baseline | None
    differences: tuple[str, ...]
    """Facts that make the machines, or the metrics themselves, incomparable."""
    better: Direction
    made_elsewhere: bool
    """True where another tool has measured: what the values are is not known, nor the machine."""
    in_turn: bool = False
    """True where the values of both sides were made in turn, in the same order."""
    is_count: bool = False
    """True of counts that don't repeat: nothing of the machine is in them."""

    @property
    def is_from_nothing(self) -> bool:
        """True of what was always zero and never is, or of a rate that fell to zero.

        No ratio says how much worse that is: it is beyond all limits.
        """
        zero, other = (self.base, self.new)
        if self.better == "higher":
            zero, other = other, zero
        both = zero.size > 0 and other.size > 0
        return both and not zero.any() and bool(other.min() > 0)

    @property
    def is_testable(self) -> bool:
        """True where both sides have values, or statistics of them, of comparable machines."""
        has_both = self.baseline is not None and not self.differences
        return has_both and all(
            values.size > 1 or summary is not None
            for values, summary in (
                (self.base, self.base_summary),
                (self.new, self.series.summary),
            )
        )


class Evidence(Struct, frozen=True, eq=False):
    """Comparison of two sides before correction, and how it was made."""

    comparison: TwoSampleComparison
    sizes: str
    """Numbers of values in words, with the test where that is not by ranks."""
    by_ranks: bool = True
    of_few: bool = False
    """True for Welch's test of a side with less than 5 values."""


def match_sides(
    series: Series,
    recorded: tuple[Baseline, BaselineSeries] | None,
    run: Run,
    *,
    in_turn: bool,
    is_count: bool = False,
) -> Sides:
    """Return ``series``, of ``run``, with what was ``recorded``, be it ``in_turn`` with it."""
    made_elsewhere = run.source != "veperf"
    if recorded is None:
        new = series.by_clock(series.clock)
        empty = np.array([], dtype=np.float64)
        return Sides(
            series, series.clock, new, empty, None, None, (), series.better, made_elsewhere
        )
    baseline, base_series = recorded
    clock: Clock = "cpu" if series.clock == base_series.clock == "cpu" else "wall"
    base = base_series.cpu if clock == "cpu" else base_series.wall
    # Hosts may be named anew for each job; a CPU is not.
    machine = replace(run.machine, host="") if run.same_machine else run.machine
    differences = python_differences if is_count else machine_differences
    return Sides(
        series=series,
        clock=clock,
        new=series.by_clock(clock),
        base=np.array(base, dtype=np.float64),
        base_summary=base_series.summary,
        baseline=baseline,
        differences=(
            *differences(machine, baseline.machine),
            *definition_differences(series.definition, base_series.definition),
        ),
        better=common_direction(base_series.better, series.better),
        made_elsewhere=made_elsewhere,
        in_turn=in_turn,
        is_count=is_count,
    )


def common_direction(base: Direction, new: Direction) -> Direction:
    """Return the better direction that either side knows; unknown where they contradict."""
    known = {base, new} - {"unknown"}
    return known.pop() if len(known) == 1 else "unknown"


def weigh_family(family: Sequence[Sides], rule: ScreenRule, comparisons: int) -> list[Evidence]:
    """Compare both sides of each of ``family`` among as many ``comparisons``.

    Those are what the correction will be over. Sides of the same sizes are compared together.
    """
    weighed: dict[int, Evidence] = {}
    ranked: dict[tuple[int, int, Direction], list[int]] = {}
    estimated: list[int] = []
    for index, sides in enumerate(family):
        evidence = _weigh_alone(sides, rule, comparisons)
        if evidence is not None:
            weighed[index] = evidence
        elif _is_estimated(sides, rule, comparisons):
            estimated.append(index)
        else:
            _by_size(ranked, index, sides)
    for index, item in _by_estimates([(index, family[index]) for index in estimated], rule):
        if item is not None:
            weighed[index] = item
        else:
            _by_size(ranked, index, family[index])
    for (*_, better), indices in ranked.items():
        compared = compare_rows(
            np.array([family[index].base for index in indices]),
            np.array([family[index].new for index in indices]),
            better=better,
            min_effect=rule.min_effect,
            margin=rule.margin,
            alpha=rule.alpha,
        )
        for index, comparison in zip(indices, compared, strict=True):
            weighed[index] = Evidence(comparison, _sizes(family[index]))
    return [weighed[index] for index in range(len(family))]


def _by_size(groups: dict[tuple[int, int, Direction], list[int]], index: int, sides: Sides) -> None:
    groups.setdefault((sides.base.size, sides.new.size, sides.better), []).append(index)


def _weigh_alone(sides: Sides, rule: ScreenRule, comparisons: int) -> Evidence | None:
    """Return the evidence of what can't be ranked, or has pairs; None of all others."""
    values = [*sides.base.tolist(), *sides.new.tolist()]
    has_both = sides.base.size > 0 and sides.new.size > 0
    is_plain = has_both and all(map(math.isfinite, values)) and min(values) > 0
    if not is_plain and _is_of_no_time(sides):
        reason = "a time of 0 or less has no ratio that could be judged"
        return Evidence(_undecided(sides, ChangeStatus.INCONCLUSIVE, reason), _sizes(sides))
    if not is_plain and (obstacle := obstacle_to_ranks(sides.base, sides.new)) is not None:
        return Evidence(_undecided(sides, *obstacle), _sizes(sides))
    is_other = sides.made_elsewhere or sides.is_count
    if is_other and sides.in_turn and _can_pair(sides, rule.alpha, comparisons):
        return _by_pairs(sides, rule)
    return None


def _is_estimated(sides: Sides, rule: ScreenRule, comparisons: int) -> bool:
    """Return whether statistics of the sides decide, or ranks of such sizes never could."""
    if not (sides.made_elsewhere or sides.is_count):
        return False
    has_summary = sides.series.summary is not None or sides.base_summary is not None
    return has_summary or not can_reach(sides, rule.alpha, comparisons)


def _sizes(sides: Sides) -> str:
    if sides.made_elsewhere:
        return f"{sides.base.size} against {plural(sides.new.size, 'value')}"
    return f"{sides.base.size} against {plural(sides.new.size, 'process', 'processes')}"


def _is_of_no_time(sides: Sides) -> bool:
    """Return whether there are times, such as waits, of 0 or less on either side, but not alone."""
    values = np.concatenate((sides.base, sides.new))
    is_compared = sides.base.size > 0 and sides.new.size > 0 and bool(values.any())
    return is_compared and is_time(sides.series.unit) and bool(values.min() <= 0)


def can_reach(sides: Sides, alpha: float, comparisons: int) -> bool:
    """Return whether any values of these numbers are significant by ranks after correction."""
    tails = 2 if sides.better == "unknown" else 1
    least = smallest_u_p(sides.base.size, sides.new.size)
    return tails * comparisons * least <= alpha and 2 * least <= alpha


def _can_pair(sides: Sides, alpha: float, comparisons: int) -> bool:
    """Return whether both sides took turns, often enough for pairs to be significant."""
    n = sides.new.size
    tails = 2 if sides.better == "unknown" else 1
    positive = min(sides.base.min(), sides.new.min()) > 0
    enough = max(2, tails * comparisons) * smallest_signed_rank_p(n) <= alpha
    return sides.in_turn and sides.base.size == n and bool(positive) and enough


def _by_pairs(sides: Sides, rule: ScreenRule) -> Evidence:
    """Return the evidence of the signed-rank test, of values in the same order on both sides."""
    two_sided = sides.better == "unknown"
    better: Direction = "lower" if two_sided else sides.better
    pair_rule = PairRule(
        min_effect=rule.min_effect, margin=rule.margin, fail_over=rule.margin, alpha=rule.alpha
    )
    ratios = log_ratios(sides.base, sides.new, better)
    pairs = evaluate_pairs(ratios, pair_rule)
    p_slower, p_faster, p_equivalent = pairs.p_slower, pairs.p_faster, pairs.p_equivalent
    if two_sided:
        p_slower, p_faster = min(1.0, 2 * p_slower), min(1.0, 2 * p_faster)
        p_equivalent = max(p_equivalent, evaluate_pairs(-ratios, pair_rule).p_equivalent)
    comparison = TwoSampleComparison(
        ratio=pairs.ratio,
        low=pairs.low,
        high=pairs.high,
        confidence=pairs.confidence,
        p_slower=p_slower,
        p_faster=p_faster,
        p_equivalent=p_equivalent,
        status=ChangeStatus.INCONCLUSIVE,
        n_base=pairs.pairs,
        n_new=pairs.pairs,
        reason="",
    )
    return Evidence(comparison, plural(pairs.pairs, "pair"), by_ranks=False)


def _by_estimates(
    family: Sequence[tuple[int, Sides]], rule: ScreenRule
) -> Iterator[tuple[int, Evidence | None]]:
    """Yield the evidence by Welch's test, or by the ratio alone; None where values are zero."""
    bases = _estimates([(s.base, s.base_summary, s.series.summary) for _, s in family])
    news = _estimates([(s.new, s.series.summary, s.base_summary) for _, s in family])
    comparable: dict[Direction, list[tuple[int, Sides, LogEstimate, LogEstimate]]] = {}
    for (index, sides), base, new in zip(family, bases, news, strict=True):
        if base is None or new is None:
            has_summary = sides.series.summary is not None or sides.base_summary is not None
            is_single = has_summary or min(sides.base.size, sides.new.size) == 1
            yield index, _by_ratio(sides) if is_single else None
        elif {base.center, new.center} == {"mean", "median"}:
            which = f"the {base.center} of one side can't be compared with the {new.center}"
            undecided = _undecided(sides, ChangeStatus.INCONCLUSIVE, f"{which} of another")
            yield index, Evidence(undecided, "", by_ranks=False)
        else:
            comparable.setdefault(sides.better, []).append((index, sides, base, new))
    for better, group in comparable.items():
        compared = compare_estimates(
            [(base, new) for _, _, base, new in group],
            better=better,
            min_effect=rule.min_effect,
            margin=rule.margin,
            alpha=rule.alpha,
        )
        for (index, _, base, new), comparison in zip(group, compared, strict=True):
            of_few = base.is_of_few or new.is_of_few
            sizes = _estimate_sizes(base, new)
            yield index, Evidence(comparison, sizes, by_ranks=False, of_few=of_few)


def _estimates(
    every: Sequence[tuple[Floats, Summary | None, Summary | None]],
) -> list[LogEstimate | None]:
    """Return the estimates of values, each with its summary and that of the other side."""
    estimates: dict[int, LogEstimate | None] = {}
    alike: dict[tuple[int, Center | None], list[int]] = {}
    for index, (values, summary, other) in enumerate(every):
        if summary is not None:
            estimates[index] = estimate_of_summary(float(values[0]), summary)
        else:
            alike.setdefault((values.size, other.center if other else None), []).append(index)
    for (_, center), indices in alike.items():
        rows = estimates_of_rows(np.array([every[index][0] for index in indices]), center)
        estimates |= dict(zip(indices, rows, strict=True))
    return [estimates[index] for index in range(len(every))]


def _estimate_sizes(base: LogEstimate, new: LogEstimate) -> str:
    bases = list(dict.fromkeys((base.basis, new.basis)))
    sizes = f"{base.n} against {new.n} values" if base.n and new.n else "of unknown numbers"
    if bases == ["values"]:
        return f"{sizes}, Welch's test"
    return f"by the {join_words(bases)}, {sizes}"


def _by_ratio(sides: Sides) -> Evidence | None:
    """Return what there is to say where a side has one value, and nothing shows its spread."""
    base, new = float(np.median(sides.base)), float(np.median(sides.new))
    if not min(base, new) > 0:
        return None
    before, after = (new, base) if sides.better == "higher" else (base, new)
    ratio = after / before
    size = format_metric_effect(ratio, sides.series.metric, sides.better)
    reason = f"{size}; one value: nothing to judge by"
    status = ChangeStatus.INCONCLUSIVE
    if sides.better == "unknown" and not 1 / GROSS < ratio < GROSS:
        status, reason = ChangeStatus.CHANGED, f"{reason} but the size of the change"
        reason += f"; {unknown_direction(sides.series.unit or sides.series.metric)}"
    elif sides.better != "unknown" and ratio >= GROSS:
        status, reason = ChangeStatus.SUSPECT, f"{reason} but the size of the change"
    return Evidence(_undecided(sides, status, reason, ratio), "", by_ranks=False)


def _undecided(
    sides: Sides, status: ChangeStatus, reason: str, ratio: float = math.nan
) -> TwoSampleComparison:
    n_base, n_new = sides.base.size, sides.new.size
    return TwoSampleComparison(
        status=status, n_base=n_base, n_new=n_new, reason=reason, ratio=ratio
    )
