"""Loop of an A/B comparison: pairs are measured until all is decided or the time is up."""

import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from msgspec.structs import replace

from veperf.abtest import sequential_comparison
from veperf.abtest.benchmark_pairs import BenchmarkPairs
from veperf.abtest.budget_planner import BudgetPlanner, CountingClock, Position
from veperf.abtest.command_instructions import count_commands
from veperf.abtest.command_pairs import CommandPairs
from veperf.abtest.counts import (
    INSTRUCTIONS_SHARE,
    BenchmarkCounts,
    count_benchmarks,
    counts_instructions,
)
from veperf.abtest.discovery import discover_cases
from veperf.abtest.long_pairs import measure_long_pairs
from veperf.abtest.memory_pairs import MemoryPairs
from veperf.abtest.pair import PairMeasurer
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import (
    ABChange,
    ABConfig,
    ABGuardrail,
    ABRound,
    ABRun,
    ABSide,
    CommandValue,
)
from veperf.core.case import TIME, Case, Level, Metric
from veperf.measure.machine import CpuTimes, describe_machine, frequency_mhz, load_average
from veperf.stats.look_schedule import LookSchedule, looks_up_to, schedule_looks
from veperf.stats.pair_dependence import pooled_autocorrelation
from veperf.stats.paired import PairRule


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
) -> LoopResult:
    """Measure pairs of those ``comparisons`` that are undecided, until none is.

    Dear ones are left out where the time budget is too short for all. When it is up, the undecided
    get a last look, if they have pairs enough for one; after Ctrl-C they get none.

    Raises:
        MeasureError: a side can't be run at all.
    """
    rounds: list[ABRound] = []
    planner = BudgetPlanner(budget_s, looks.looks[0], clock)
    stopped: Literal["", "time", "hand"] = ""
    try:
        while undecided := [c for c in comparisons if c.change is None]:
            chosen = planner.choose([_position(comparison) for comparison in undecided])
            if plan := planner.describe(chosen, len(rounds), looks.looks[-1]):
                progress.planned(plan)
            if not chosen:
                stopped = "time"
                break
            progress.pair_started(len(rounds), comparisons)
            conditions = _Conditions()
            planner.pair_started()
            selected = [c for c in undecided if c.case.id in chosen]
            _measure_pair(pairs, len(rounds), selected, progress, planner)
            rounds.append(conditions.round(_common_cpu(selected)))
    except KeyboardInterrupt:
        stopped = "hand"
    for comparison in comparisons:
        if comparison.change is None:
            progress.decided(_last_change(comparison, planner, by_hand=stopped == "hand"))
    return LoopResult(tuple(rounds), stopped)


def _measure_pair(
    pairs: PairMeasurer,
    index: int,
    comparisons: Sequence[SequentialComparison],
    progress: ComparisonProgress,
    planner: BudgetPlanner,
) -> None:
    """Measure one pair, or those cases of it for which there is time."""
    by_case = {comparison.case.id: comparison for comparison in comparisons}
    results = pairs.measure(index, [comparison.case for comparison in comparisons])
    with contextlib.closing(results):
        for result in results:
            comparison = by_case[result.case.id]
            change = comparison.add(result)
            planner.measured(result.case.id, result.seconds)
            progress.measured(comparison)
            if change is not None:
                progress.decided(change)
            if planner.left_s <= 0 or (index == 0 and not _may_explore(planner, comparisons)):
                return


def _may_explore(planner: BudgetPlanner, comparisons: Sequence[SequentialComparison]) -> bool:
    """Return whether the first pair may go on to those of ``comparisons`` that have none yet."""
    undecided = [comparison for comparison in comparisons if comparison.change is None]
    measured = [_position(comparison) for comparison in undecided if comparison.pairs]
    return planner.allows_next(measured, len(undecided) - len(measured))


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


def _position(comparison: SequentialComparison) -> Position:
    return Position(comparison.case.id, comparison.pairs, comparison.next_look)


def _last_change(
    comparison: SequentialComparison, planner: BudgetPlanner, *, by_hand: bool
) -> ABChange:
    if by_hand:
        return comparison.stop()
    if comparison.has_look:
        return comparison.finish()
    return comparison.leave_out(planner.not_compared(comparison.case.id, comparison.pairs))


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


COMMAND = "command"
"""Id of the only case in a comparison of two commands."""
CPU_TIME = Metric("cpu", "ns")
SAMPLES = 20
"""Samples of a benchmark on each side of a pair; fewer of one whose calls are long."""
MIN_SAMPLE_NS = 2_000_000
"""Least length of a sample. Many short ones find more than few long ones in the same time."""
RUNS = 2
"""Runs of a command on each side of a pair."""


def compare_sides(
    old: PreparedSide,
    new: PreparedSide,
    config: ABConfig,
    progress: ComparisonProgress,
    *,
    time_alone: bool = False,
) -> ABRun:
    """Measure in pairs the benchmarks that both sides have, until each is decided.

    With ``time_alone``, without the guardrails and counts that take processes of their own.

    Raises:
        UsageError: of any kind: an unknown benchmark, too few pairs.
        MeasureError: a side can't be run at all.
    """
    discovered = discover_cases({"a": old, "b": new}, config)
    names = {"a": old.description.name, "b": new.description.name}
    one_sided = [
        sequential_comparison.one_sided_change(id, TIME, names[side])
        for id, side in discovered.only.items()
    ]
    pairs = BenchmarkPairs({"a": old.code, "b": new.code}, discovered.modules, config, time_alone)
    began = time.monotonic()
    counts = BenchmarkCounts(config)
    if not time_alone:
        counts = count_benchmarks(pairs.sides, pairs.modules, discovered.common, config, progress)
    sides = (old.description, new.description)
    plan = _Plan(pairs, discovered.common, sides, one_sided, config)
    return _compare_beside(counts, plan, began, progress)


def compare_commands(
    commands: tuple[str, str],
    value: CommandValue,
    printed: Metric,
    config: ABConfig,
    progress: ComparisonProgress,
) -> ABRun:
    """Run two commands, the old one first, in pairs until it is decided.

    ``printed`` is the metric of the number that they print, where that is compared.

    Raises:
        UsageError: too few pairs.
    """
    metric = {"time": TIME, "cpu": CPU_TIME, "printed": printed}[value]
    case = Case(COMMAND, COMMAND, COMMAND, Level.INTEGRATION, "A command.", metrics=(metric,))
    a, b = commands
    pairs = CommandPairs({"a": a, "b": b}, value, config.samples, config.timeout_s)
    began = time.monotonic()
    counts = BenchmarkCounts(config)
    if counts_instructions(config):
        progress.planned(["counting instructions, some 50 times slower than the CPU"])
        share = 1.0 if config.decide_by == "instructions" else INSTRUCTIONS_SHARE
        until = None if config.time_budget_s is None else began + share * config.time_budget_s
        counted = count_commands({"a": a, "b": b}, config.timeout_s, until)
        counts.counted["instructions"] = {COMMAND: counted}
    plan = _Plan(pairs, [case], (ABSide(a), ABSide(b)), [], config)
    return _compare_beside(counts, plan, began, progress)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Cases to compare, and on what."""

    pairs: PairMeasurer
    cases: Sequence[Case]
    sides: tuple[ABSide, ABSide]
    one_sided: Sequence[ABChange]
    config: ABConfig


def _compare_beside(
    counts: BenchmarkCounts, plan: _Plan, began: float, progress: ComparisonProgress
) -> ABRun:
    """Compare beside ``counts``, which have used the time budget since ``began``, or by them."""
    config = plan.config
    if config.decide_by == "instructions":
        changes = [counts.decide(case.id) for case in plan.cases]
        for change in changes:
            progress.decided(change)
        decided = (*changes, *plan.one_sided)
        run = _compare(plan.pairs, [], plan.sides, decided, config, progress)
        return replace(run, stopped=counts.stopped)
    left = config
    if config.time_budget_s is not None:
        spent_s = time.monotonic() - began
        left = replace(config, time_budget_s=max(config.time_budget_s - spent_s, 0.0))
    run = _compare(plan.pairs, plan.cases, plan.sides, plan.one_sided, left, progress)
    reconciled = tuple(map(counts.add_to, run.changes))
    for by_time, change in zip(run.changes, reconciled, strict=True):
        if change.status is not by_time.status:
            progress.decided(change)
    return replace(run, config=config, changes=reconciled)


def _compare(
    pairs: PairMeasurer,
    cases: Sequence[Case],
    sides: tuple[ABSide, ABSide],
    one_sided: Sequence[ABChange],
    config: ABConfig,
    progress: ComparisonProgress,
) -> ABRun:
    now, began = datetime.now(UTC), time.monotonic()
    looks = schedule_looks(looks_up_to(config.max_pairs))
    comparisons: list[SequentialComparison] = []

    def autocorrelation() -> float:
        """Return that of the pairs of all cases: one has too few of them to tell."""
        return pooled_autocorrelation([comparison.log_ratios for comparison in comparisons])

    for case in cases:
        rule = pair_rule(config, case.metrics[0], len(cases))
        comparisons.append(SequentialComparison(case, rule, looks, autocorrelation))
    result = run_pairs(pairs, comparisons, progress, config.time_budget_s, looks=looks)
    changes = [c.change for c in comparisons if c.change is not None]
    stopped = result.stopped
    if isinstance(pairs, BenchmarkPairs) and not pairs.is_time_alone and stopped != "hand":
        until = None if config.time_budget_s is None else began + config.time_budget_s
        try:
            changes = _with_later_guardrails(pairs, comparisons, looks, until, progress)
        except KeyboardInterrupt:
            stopped = "hand"
    base, new = sides
    return ABRun(
        id=f"{now:%Y%m%d-%H%M%S}-{new.revision.commit[:7] or 'nocommit'}-{secrets.token_hex(4)}",
        created=now.isoformat(timespec="seconds"),
        base=base,
        new=new,
        config=config,
        machine=describe_machine(),
        changes=(*changes, *one_sided),
        rounds=result.rounds,
        stopped=stopped,
        autocorrelation=autocorrelation(),
    )


def _with_later_guardrails(
    pairs: BenchmarkPairs,
    comparisons: Sequence[SequentialComparison],
    looks: LookSchedule,
    until: float | None,
    progress: ComparisonProgress,
) -> list[ABChange]:
    """Return the changes with the guardrails that take processes of their own.

    ``until`` is the end of the time budget, by ``time.monotonic``.
    """
    measured = [c for c in comparisons if c.has_look and c.change and not c.change.failure]
    later: dict[str, tuple[ABGuardrail, ...]] = {c.case.id: () for c in comparisons}
    if measured:
        progress.planned(["then long pairs and memory, for the guardrails"])
        rule = pair_rule(pairs.config, TIME, len(comparisons))
        for case, guardrail in measure_long_pairs(pairs, measured, rule, looks, until).items():
            later[case] += (guardrail,)
        memory = MemoryPairs(pairs.sides, pairs.modules, pairs.config, until)
        for case, guardrails in memory.measure([c.case for c in measured]).items():
            later[case] += guardrails
    return [
        replace(c.change, guardrails=(*c.change.guardrails, *later[c.case.id]))
        for c in comparisons
        if c.change is not None
    ]


def pair_rule(config: ABConfig, metric: Metric, benchmarks: int) -> PairRule:
    """Return the rule for ``metric`` of one of so many ``benchmarks``."""
    return PairRule(
        better=metric.better,
        min_effect=config.min_effect,
        margin=config.margin,
        fail_over=config.fail_over,
        alpha=config.alpha,
        comparisons=benchmarks * config.comparisons,
        version_noise=config.version_noise if metric == TIME else 0.0,
    )
