"""Loop of an A/B comparison: pairs are measured until all is decided or the time is up."""

import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from veperf.abtest import sequential_comparison
from veperf.abtest.benchmark_pairs import BenchmarkPairs
from veperf.abtest.command_pairs import CommandPairs
from veperf.abtest.discovery import discover_cases
from veperf.abtest.pair import PairMeasurer
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import ABChange, ABConfig, ABRound, ABRun, ABSide, CommandValue
from veperf.core.case import TIME, Case, Level, Metric
from veperf.measure.machine import CpuTimes, describe_machine, frequency_mhz, load_average
from veperf.stats.look_schedule import looks_up_to, schedule_looks
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
) -> LoopResult:
    """Measure pairs of those ``comparisons`` that are undecided, until none is.

    When the time budget is up, the undecided ones get a last look; after Ctrl-C they get none.

    Raises:
        MeasureError: a side can't be run at all.
    """
    rounds: list[ABRound] = []
    until = None if budget_s is None else time.monotonic() + budget_s
    stopped: Literal["", "time", "hand"] = ""
    try:
        while not stopped and (undecided := [c for c in comparisons if c.change is None]):
            progress.pair_started(len(rounds), comparisons)
            conditions = _Conditions()
            if not _measure_pair(pairs, len(rounds), undecided, progress, until):
                stopped = "time"
            rounds.append(conditions.round())
    except KeyboardInterrupt:
        stopped = "hand"
    for comparison in comparisons:
        if comparison.change is None:
            is_stopped = stopped == "hand"
            progress.decided(comparison.stop() if is_stopped else comparison.finish())
    return LoopResult(tuple(rounds), stopped)


def _measure_pair(
    pairs: PairMeasurer,
    index: int,
    comparisons: Sequence[SequentialComparison],
    progress: ComparisonProgress,
    until: float | None,
) -> bool:
    """Measure one pair; False where time was up before its end."""
    by_case = {comparison.case.id: comparison for comparison in comparisons}
    results = pairs.measure(index, [comparison.case for comparison in comparisons])
    with contextlib.closing(results):
        for result in results:
            comparison = by_case[result.case.id]
            change = comparison.add(result)
            progress.measured(comparison)
            if change is not None:
                progress.decided(change)
            if until is not None and time.monotonic() >= until:
                return all(c.change is not None for c in comparisons)
    return True


class _Conditions:
    """Conditions of the machine from now on."""

    def __init__(self) -> None:
        self._since, self._ticks = time.monotonic(), CpuTimes.now()

    def round(self) -> ABRound:
        return ABRound(
            seconds=time.monotonic() - self._since,
            load=load_average(),
            steal_ratio=self._ticks.steal_ratio(CpuTimes.now()),
            frequency_mhz=frequency_mhz(),
        )


COMMAND = "command"
"""Id of the only case in a comparison of two commands."""
CPU_TIME = Metric("cpu", "ns")
SAMPLES = 8
"""Samples of a benchmark on each side of a pair."""
RUNS = 2
"""Runs of a command on each side of a pair."""


def compare_sides(
    old: PreparedSide, new: PreparedSide, config: ABConfig, progress: ComparisonProgress
) -> ABRun:
    """Measure in pairs the benchmarks that both sides have, until each is decided.

    Raises:
        UsageError: of any kind: an unknown benchmark, too few pairs.
        MeasureError: a side can't be run at all.
    """
    discovered = discover_cases({"a": old, "b": new}, config.select, config.modules)
    names = {"a": old.description.name, "b": new.description.name}
    one_sided = [
        sequential_comparison.one_sided_change(id, TIME, names[side])
        for id, side in discovered.only.items()
    ]
    pairs = BenchmarkPairs({"a": old.code, "b": new.code}, discovered.modules, config)
    sides = (old.description, new.description)
    return _compare(pairs, discovered.common, sides, one_sided, config, progress)


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
    return _compare(pairs, [case], (ABSide(a), ABSide(b)), [], config, progress)


def _compare(
    pairs: PairMeasurer,
    cases: Sequence[Case],
    sides: tuple[ABSide, ABSide],
    one_sided: Sequence[ABChange],
    config: ABConfig,
    progress: ComparisonProgress,
) -> ABRun:
    now = datetime.now(UTC)
    looks = schedule_looks(looks_up_to(config.max_pairs))
    comparisons = [
        SequentialComparison(case, _rule(case, config, len(cases)), looks) for case in cases
    ]
    result = run_pairs(pairs, comparisons, progress, config.time_budget_s)
    base, new = sides
    return ABRun(
        id=f"{now:%Y%m%d-%H%M%S}-{new.revision.commit[:7] or 'nocommit'}-{secrets.token_hex(4)}",
        created=now.isoformat(timespec="seconds"),
        base=base,
        new=new,
        config=config,
        machine=describe_machine(),
        changes=(*(c.change for c in comparisons if c.change is not None), *one_sided),
        rounds=result.rounds,
        stopped=result.stopped,
    )


def _rule(case: Case, config: ABConfig, benchmarks: int) -> PairRule:
    return PairRule(
        better=case.metrics[0].better,
        fail_over=config.fail_over,
        alpha=config.alpha,
        comparisons=benchmarks * config.comparisons,
    )
