"""A/B comparisons of the code of two sides, of two commands, and of results that programs print."""

import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec.structs import replace

from veperf.abtest import sequential_comparison
from veperf.abtest.affected.unaffected import EffectOfChange, find_unaffected
from veperf.abtest.benchmark_pairs import BenchmarkPairs
from veperf.abtest.command_instructions import count_commands
from veperf.abtest.command_pairs import CommandPairs
from veperf.abtest.counts import (
    INSTRUCTIONS_SHARE,
    BenchmarkCounts,
    count_benchmarks,
    counts_instructions,
)
from veperf.abtest.discovery import DiscoveredCases, discover_cases, needed_modules
from veperf.abtest.long_pairs import measure_long_pairs
from veperf.abtest.loop import run_pairs
from veperf.abtest.memory_pairs import MemoryPairs
from veperf.abtest.pair import PairMeasurer
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sequential_comparison import SequentialComparison, is_count_metric
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import (
    ABChange,
    ABConfig,
    ABGuardrail,
    ABRun,
    ABSide,
    CommandValue,
)
from veperf.core.case import TIME, Case, Level, Metric
from veperf.core.text import plural
from veperf.measure.machine import describe_machine
from veperf.stats.look_schedule import LookSchedule, looks_up_to, schedule_looks
from veperf.stats.pair_dependence import pooled_autocorrelation
from veperf.stats.paired import PairRule

COMMAND = "command"
"""Id of the only case in a comparison of two commands."""
CPU_TIME = Metric("cpu", "ns")
SAMPLES = 20
"""Samples of a benchmark on each side of a pair; fewer of one whose calls are long."""
MIN_SAMPLE_NS = 2_000_000
"""Least length of a sample. Many short ones find more than few long ones in the same time."""
RUNS = 2
"""Runs of a command on each side of a pair."""
_MORE_PAIRS = 1.01
_RECORDING_SHARE = 0.75
"""Share of the time budget for recording what benchmarks execute, which is done once."""


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
    began = time.monotonic()
    discovered = discover_cases({"a": old, "b": new}, config)
    names = {"a": old.description.name, "b": new.description.name}
    one_sided = [
        sequential_comparison.one_sided_change(id, TIME, side, names[side])
        for id, side in discovered.only.items()
    ]
    until = None
    if config.time_budget_s is not None:
        until = began + _RECORDING_SHARE * config.time_budget_s
    effect = _find_unaffected(old, new, discovered, config, until, progress)
    cases = [case for case in discovered.common if case.id not in effect.unaffected]
    modules = {
        letter: needed_modules(of_side, cases) for letter, of_side in discovered.modules.items()
    }
    pairs = BenchmarkPairs({"a": old.code, "b": new.code}, modules, config, time_alone)
    counts = BenchmarkCounts(config)
    if cases and not time_alone:
        counts = count_benchmarks(pairs.sides, pairs.modules, cases, config, progress)
    sides = (old.description, new.description)
    plan = _Plan(pairs, cases, sides, one_sided, config)
    run = _compare_beside(counts, plan, began, progress)
    return replace(run, unaffected=effect.unaffected, affected=effect.affected)


def _find_unaffected(
    old: PreparedSide,
    new: PreparedSide,
    discovered: DiscoveredCases,
    config: ABConfig,
    until: float | None,
    progress: ComparisonProgress,
) -> EffectOfChange:
    """Return which cases the change can affect; none is told apart where all are to be compared.

    What they execute is recorded up to ``until``, by ``time.monotonic``.
    """
    if config.compare_all or not discovered.common:
        return EffectOfChange()
    progress.planned(["finding out which benchmarks the change can affect"])
    cases, modules = discovered.common, discovered.modules["a"]
    added = [name for name in discovered.modules["b"] if name not in modules]
    effect = find_unaffected(old, new, modules, cases, config.timeout_s, until, added)
    reasons = Counter(effect.affected.values())
    progress.planned(
        [
            f"{plural(len(effect.unaffected), 'benchmark')} unaffected, "
            f"{len(effect.affected):,} compared",
            *(f"{reason}: {plural(n, 'benchmark')}" for reason, n in reasons.most_common()),
        ]
    )
    return effect


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


def compare_results(
    pairs: PairMeasurer,
    cases: Sequence[Case],
    sides: tuple[ABSide, ABSide],
    settled: Sequence[ABChange],
    config: ABConfig,
    progress: ComparisonProgress,
    *,
    are_joint: bool = False,
) -> ABRun:
    """Compare every metric of ``cases``, which programs print; see ``run_pairs`` for ``are_joint``.

    ``settled`` are changes that need no pairs, such as results of one side. What fails does so as a
    whole: of a case that failed there is one change more than of its metrics decided by then.

    Raises:
        MeasureError: a side can't be run at all.
    """
    results = [replace(case, metrics=(metric,)) for case in cases for metric in case.metrics]
    run = _compare(pairs, results, sides, settled, config, progress, are_joint=are_joint)
    failed: set[str] = set()
    changes = []
    for change in run.changes:
        if change.failure is None or change.case not in failed:
            changes.append(change)
        if change.failure is not None:
            failed.add(change.case)
    return replace(run, changes=tuple(changes))


def _compare(
    pairs: PairMeasurer,
    cases: Sequence[Case],
    sides: tuple[ABSide, ABSide],
    one_sided: Sequence[ABChange],
    config: ABConfig,
    progress: ComparisonProgress,
    *,
    are_joint: bool = False,
) -> ABRun:
    """Compare the first metric of each of ``cases``.

    Counts are a family of their own: of most, no test is made.
    """
    now, began = datetime.now(UTC), time.monotonic()
    looks = schedule_looks(looks_up_to(config.max_pairs))
    comparisons: list[SequentialComparison] = []
    autocorrelation = _Autocorrelation(comparisons)
    counts = sum(is_count_metric(case.metrics[0]) for case in cases)
    for case in cases:
        is_count = is_count_metric(case.metrics[0])
        rule = pair_rule(config, case.metrics[0], counts if is_count else len(cases) - counts)
        comparisons.append(SequentialComparison(case, rule, looks, autocorrelation))
    budget_s = config.time_budget_s
    result = run_pairs(pairs, comparisons, progress, budget_s, looks=looks, are_joint=are_joint)
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


@dataclass(slots=True)
class _Autocorrelation:
    """Autocorrelation of the pairs of all ``comparisons``: one has too few of them to tell."""

    comparisons: Sequence[SequentialComparison]
    _value: float = 0.0
    _pairs: int = 0

    def __call__(self) -> float:
        """Return that of the pairs so far, estimated anew when they are at least 1 % more.

        It is asked at each look of each case, of which there may be thousands.
        """
        timed = [c for c in self.comparisons if not is_count_metric(c.case.metrics[0])]
        pairs = sum(comparison.pairs for comparison in timed)
        if pairs > _MORE_PAIRS * self._pairs:
            self._value = pooled_autocorrelation([comparison.log_ratios for comparison in timed])
            self._pairs = pairs
        return self._value


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
    """Return the rule for ``metric`` of one of so many ``benchmarks``.

    Of a metric that may be better either way, both are tested as if less were, at half the level
    each: more and less are the same answer.
    """
    tests = benchmarks
    better = metric.better
    if better == "unknown":
        tests, better = 2 * benchmarks, "lower"
    return PairRule(
        better=better,
        min_effect=config.min_effect,
        margin=config.margin,
        fail_over=config.fail_over,
        alpha=config.alpha,
        comparisons=tests * config.comparisons,
        version_noise=config.version_noise if metric == TIME else 0.0,
        layouts=0 if is_count_metric(metric) else config.layouts,
    )
