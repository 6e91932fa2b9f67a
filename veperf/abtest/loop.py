"""Pair after pair, until everything is decided, time is up or somebody says stop."""

import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from veperf.abtest import sequential_comparison
from veperf.abtest.benchmark_pairs import BenchmarkPairs
from veperf.abtest.checkouts import Prepared
from veperf.abtest.command_pairs import CommandPairs
from veperf.abtest.discovery import survey
from veperf.abtest.pair import Pairs
from veperf.abtest.progress import Progress
from veperf.abtest.sequential_comparison import Contest
from veperf.core.ab import ABChange, ABConfig, ABRound, ABRun, ABSide, CommandValue
from veperf.core.case import TIME, Case, Level, Metric
from veperf.measure.machine import CpuTimes, describe_machine, frequency_mhz, load_average
from veperf.stats.look_schedule import looks_up_to, plan
from veperf.stats.pairs import PairRule


@dataclass(frozen=True, slots=True)
class Driven:
    """How a comparison went; what it found is in its contests, all of which are decided."""

    rounds: tuple[ABRound, ...]
    stopped: Literal["", "time", "hand"]


def drive(
    pairs: Pairs, contests: Sequence[Contest], progress: Progress, budget_s: float | None
) -> Driven:
    """Make pairs of those ``contests`` that are undecided, until none is.

    With a budget, the time alone ends what is undecided by then, with a last look. Ctrl-C ends
    it without one.

    Raises:
        MeasureError: a side can't be run at all.
    """
    rounds: list[ABRound] = []
    until = None if budget_s is None else time.monotonic() + budget_s
    stopped: Literal["", "time", "hand"] = ""
    try:
        while not stopped and (open_ := [c for c in contests if c.decided is None]):
            progress.pair_started(len(rounds), contests)
            watch = _Watch()
            if not _pair(pairs, len(rounds), open_, progress, until):
                stopped = "time"
            rounds.append(watch.round())
    except KeyboardInterrupt:
        stopped = "hand"
    for contest in contests:
        if contest.decided is None:
            decided = contest.break_off() if stopped == "hand" else contest.run_out()
            progress.decided(decided)
    return Driven(tuple(rounds), stopped)


def _pair(
    pairs: Pairs,
    index: int,
    contests: Sequence[Contest],
    progress: Progress,
    until: float | None,
) -> bool:
    """Make one pair; False where time was up before its end."""
    by_case = {contest.case.id: contest for contest in contests}
    measuring = pairs.measure(index, [contest.case for contest in contests])
    with contextlib.closing(measuring):
        for measured in measuring:
            contest = by_case[measured.case.id]
            decided = contest.add(measured)
            progress.measured(contest)
            if decided is not None:
                progress.decided(decided)
            if until is not None and time.monotonic() >= until:
                return all(c.decided is not None for c in contests)
    return True


class _Watch:
    """What the machine is like from now on."""

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
"""The one case of a comparison of two commands."""
CPU_TIME = Metric("cpu", "ns")
SAMPLES = 8
"""Of a benchmark on each side of a pair."""
RUNS = 2
"""Of a command on each side of a pair."""


def compare_sides(old: Prepared, new: Prepared, config: ABConfig, progress: Progress) -> ABRun:
    """Measure the benchmarks that both sides have in pairs, until each is decided.

    Raises:
        UsageError: of any kind: an unknown benchmark, too few pairs.
        MeasureError: a side can't be run at all.
    """
    found = survey({"a": old, "b": new}, config.select, config.modules)
    names = {"a": old.said.name, "b": new.said.name}
    alone = [
        sequential_comparison.one_sided(id, TIME, names[side]) for id, side in found.only.items()
    ]
    pairs = BenchmarkPairs({"a": old.side, "b": new.side}, found.modules, config)
    return _compare(pairs, found.common, (old.said, new.said), alone, config, progress)


def compare_commands(
    commands: tuple[str, str],
    value: CommandValue,
    printed: Metric,
    config: ABConfig,
    progress: Progress,
) -> ABRun:
    """Run two commands, the old one first, in pairs until it is decided.

    ``printed`` is what they print, where that is what counts.

    Raises:
        UsageError: too few pairs.
    """
    metric = {"time": TIME, "cpu": CPU_TIME, "printed": printed}[value]
    case = Case(COMMAND, COMMAND, COMMAND, Level.INTEGRATION, "A command.", metrics=(metric,))
    a, b = commands
    pairs = CommandPairs({"a": a, "b": b}, value, config.samples, config.timeout_s)
    return _compare(pairs, [case], (ABSide(a), ABSide(b)), [], config, progress)


def _compare(
    pairs: Pairs,
    cases: Sequence[Case],
    sides: tuple[ABSide, ABSide],
    alone: Sequence[ABChange],
    config: ABConfig,
    progress: Progress,
) -> ABRun:
    now = datetime.now(UTC)
    looks = plan(looks_up_to(config.max_pairs))
    contests = [Contest(case, _rule(case, config, len(cases)), looks) for case in cases]
    driven = drive(pairs, contests, progress, config.time_budget_s)
    base, new = sides
    return ABRun(
        id=f"{now:%Y%m%d-%H%M%S}-{new.revision.commit[:7] or 'nocommit'}-{secrets.token_hex(4)}",
        created=now.isoformat(timespec="seconds"),
        base=base,
        new=new,
        config=config,
        machine=describe_machine(),
        changes=(*(c.decided for c in contests if c.decided is not None), *alone),
        rounds=driven.rounds,
        stopped=driven.stopped,
    )


def _rule(case: Case, config: ABConfig, benchmarks: int) -> PairRule:
    return PairRule(
        better=case.metrics[0].better,
        fail_effect=config.fail_effect,
        comparisons=benchmarks * config.among,
    )
