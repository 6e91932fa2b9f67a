"""Loop of an A/B comparison: pairs are measured until all is decided or the time is up."""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from veperf.abtest.budget_planner import BudgetPlanner, CountingClock, Position
from veperf.abtest.pair import PairMeasurer
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABChange, ABRound
from veperf.measure.machine import CpuTimes, frequency_mhz, load_average
from veperf.stats.look_schedule import LookSchedule

ALL_CASES = "all results"
"""Name in plans of cases that are measured together."""


@dataclass(frozen=True, slots=True)
class LoopResult:
    """Course of a comparison; its results are in the comparisons, all of which are decided."""

    rounds: tuple[ABRound, ...]
    stopped: Literal["", "time", "hand"]


def run_pairs(
    pairs: PairMeasurer,
    comparisons: Sequence[SequentialComparison],
    progress: ComparisonProgress,
    budget_s: float | None,
    *,
    looks: LookSchedule,
    clock: CountingClock = time.monotonic,
    are_joint: bool = False,
) -> LoopResult:
    """Measure pairs of those ``comparisons`` that are undecided, until none is.

    A case may have several, of a metric each, that its pairs decide one by one. Dear cases are left
    out where the time budget is too short for all, or all of them where they ``are_joint``: where a
    pair always measures all. When the budget is up, the undecided get a last look, if they have
    pairs enough for one; after Ctrl-C they get none.

    Raises:
        MeasureError: a side can't be run at all.
    """
    rounds: list[ABRound] = []
    planner = BudgetPlanner(budget_s, looks.looks[0], clock)
    stopped: Literal["", "time", "hand"] = ""

    def unit_of(case: str) -> str:
        """Return what is planned: the case, or all of them as one."""
        return ALL_CASES if are_joint else case

    try:
        while undecided := [c for c in comparisons if c.change is None]:
            chosen = planner.choose(_positions(undecided, unit_of))
            if plan := planner.describe(chosen, len(rounds), looks.looks[-1]):
                progress.planned(plan)
            if not chosen:
                stopped = "time"
                break
            progress.pair_started(len(rounds), comparisons)
            conditions = _Conditions()
            planner.pair_started()
            selected = [c for c in undecided if unit_of(c.case.id) in chosen]
            _measure_pair(pairs, len(rounds), selected, progress, planner, unit_of)
            rounds.append(conditions.round(_common_cpu(selected)))
    except KeyboardInterrupt:
        stopped = "hand"
    for comparison in comparisons:
        if comparison.change is None:
            unit = unit_of(comparison.case.id)
            progress.decided(_last_change(comparison, unit, planner, by_hand=stopped == "hand"))
    return LoopResult(tuple(rounds), stopped)


def _measure_pair(
    pairs: PairMeasurer,
    index: int,
    comparisons: Sequence[SequentialComparison],
    progress: ComparisonProgress,
    planner: BudgetPlanner,
    unit_of: Callable[[str], str],
) -> None:
    """Measure one pair, or those cases of it for which there is time."""
    by_case: dict[str, list[SequentialComparison]] = {}
    for comparison in comparisons:
        by_case.setdefault(comparison.case.id, []).append(comparison)
    results = pairs.measure(index, [of_case[0].case for of_case in by_case.values()])
    with contextlib.closing(results):
        for result in results:
            for comparison in by_case[result.case.id]:
                change = comparison.add(result)
                progress.measured(comparison)
                if change is not None:
                    progress.decided(change)
            unit = unit_of(result.case.id)
            planner.measured(unit, result.seconds)
            if unit == ALL_CASES:
                continue  # the others are measured already
            if planner.left_s <= 0 or (index == 0 and not _may_explore(planner, comparisons)):
                return


def _may_explore(planner: BudgetPlanner, comparisons: Sequence[SequentialComparison]) -> bool:
    """Return whether the first pair may go on to those of ``comparisons`` that have none yet."""
    positions = _positions([c for c in comparisons if c.change is None], str)
    measured = [position for position in positions if position.pairs]
    return planner.allows_next(measured, len(positions) - len(measured))


def _common_cpu(comparisons: Sequence[SequentialComparison]) -> int | None:
    """Return the CPU of the last pair of ``comparisons``; None where it is not the same for all."""
    cpus = {
        sample.cpu
        for comparison in comparisons
        for result in comparison.measured[-1:]
        for sample in (*result.a.samples, *result.b.samples)
        if not comparison.case.multithreaded
    }
    return cpus.pop() if len(cpus) == 1 else None


def _positions(
    undecided: Iterable[SequentialComparison], unit_of: Callable[[str], str]
) -> list[Position]:
    """Return the position of each unit: where its comparison with the next look is."""
    positions: dict[str, Position] = {}
    for comparison in undecided:
        unit = unit_of(comparison.case.id)
        position = Position(unit, comparison.pairs, comparison.next_look)
        known = positions.get(unit)
        if known is None or position.missing < known.missing:
            positions[unit] = position
    return list(positions.values())


def _last_change(
    comparison: SequentialComparison, unit: str, planner: BudgetPlanner, *, by_hand: bool
) -> ABChange:
    if by_hand:
        return comparison.stop()
    if comparison.has_look:
        return comparison.finish()
    return comparison.leave_out(planner.not_compared(unit, comparison.pairs))


class _Conditions:
    """Conditions of the machine from now on."""

    def __init__(self) -> None:
        self._since, self._ticks = time.monotonic(), CpuTimes.now()

    def round(self, cpu: int | None) -> ABRound:
        return ABRound(
            seconds=time.monotonic() - self._since,
            load=load_average(),
            steal_ratio=self._ticks.steal_ratio(CpuTimes.now()),
            frequency_mhz=frequency_mhz(),
            cpu=cpu,
        )
