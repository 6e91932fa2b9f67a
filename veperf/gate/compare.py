"""From two sides to what a comparison of them found."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from veperf.gate import change
from veperf.gate.contest import Contest
from veperf.gate.drive import drive
from veperf.gate.live import Progress
from veperf.gate.sides import Prepared
from veperf.gate.survey import survey
from veperf.judge.looks import looks_up_to, plan
from veperf.judge.pairs import PairRule
from veperf.measure.ab.benchmarks import BenchmarkPairs
from veperf.measure.ab.commands import CommandPairs
from veperf.measure.ab.pair import Pairs
from veperf.measure.machine import describe_machine
from veperf.model import (
    TIME,
    ABChange,
    ABConfig,
    ABRun,
    ABSide,
    Case,
    CommandValue,
    Level,
    Metric,
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
    alone = [change.one_sided(id, TIME, names[side]) for id, side in found.only.items()]
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
