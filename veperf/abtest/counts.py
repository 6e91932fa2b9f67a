"""Counts of the benchmarks of both sides, before the pairs, and what they change in verdicts."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec.structs import replace

from veperf.abtest.bytecode_counts import BytecodeCounter
from veperf.abtest.callgrind import require_valgrind
from veperf.abtest.count_verdict import (
    CountedCase,
    decide_by_count,
    judge_count,
    reconcile_counts,
)
from veperf.abtest.instruction_counts import InstructionCounter
from veperf.abtest.pair import OUT_OF_TIME, SideLetter
from veperf.abtest.progress import ComparisonProgress
from veperf.core.ab_records import ABChange, ABConfig, ABCount, Witness
from veperf.core.case import TIME, Case
from veperf.measure.worker_client import CodeSource

# Of the time budget, until pairs are measured.
_BYTECODES_SHARE = 0.1
INSTRUCTIONS_SHARE = 0.5
"""Share of the time budget by which instructions must be counted, before pairs are measured."""
_STOPPED = "stopped by hand"


class CaseCounter(Protocol):
    """Counts something of a case on both sides."""

    def count(self, case: Case, until: float | None) -> CountedCase:
        """Count ``case``, until that time (``time.monotonic``); a failure costs only this one."""

    def close(self) -> None:
        """End the processes."""


@dataclass(slots=True)
class BenchmarkCounts:
    """Counts of benchmarks, by witness and case."""

    config: ABConfig
    counted: dict[Witness, Mapping[str, CountedCase]] = field(default_factory=dict)

    def add_to(self, change: ABChange) -> ABChange:
        """Return ``change`` with its counts, as it stands beside them."""
        return reconcile_counts(replace(change, counts=self._of_case(change.case)))

    def decide(self, case: str) -> ABChange:
        """Return the change of ``case`` that instructions alone decide."""
        others = [c for c in self._of_case(case) if c.witness != "instructions"]
        return decide_by_count(case, self.counted["instructions"][case], others, self.config)

    @property
    def stopped(self) -> Literal["", "time", "hand"]:
        """Reason why instructions are not counted of all cases."""
        missing = {counted.missing for counted in self.counted.get("instructions", {}).values()}
        return "hand" if _STOPPED in missing else "time" if OUT_OF_TIME in missing else ""

    def _of_case(self, case: str) -> tuple[ABCount, ...]:
        judged = [
            judge_count(witness, counted[case], self.config)
            for witness, counted in self.counted.items()
            if case in counted
        ]
        # Bytecodes that nobody asked for are there or not.
        return tuple(
            count
            for count in judged
            if count.base is not None
            or count.witness in self.config.witness
            or count.witness == "instructions"
        )


def counts_instructions(config: ABConfig) -> bool:
    """Return True where the comparison counts instructions."""
    return "instructions" in config.witness or config.decide_by == "instructions"


def require_counter(config: ABConfig) -> None:
    """Check that what ``config`` wants to be counted can be.

    Raises:
        MeasureError: valgrind is not installed.
    """
    if counts_instructions(config):
        require_valgrind()


def count_benchmarks(
    sides: Mapping[SideLetter, CodeSource],
    modules: Mapping[SideLetter, tuple[str, ...]],
    cases: Sequence[Case],
    config: ABConfig,
    progress: ComparisonProgress,
) -> BenchmarkCounts:
    """Count bytecodes, and instructions where they are wanted, of those ``cases`` that are timed.

    After Ctrl-C, instructions that are to decide stay as far as they are counted.

    Raises:
        MeasureError: valgrind is needed and not installed.
    """
    began, budget_s = time.monotonic(), config.time_budget_s
    counts = BenchmarkCounts(config)

    def until(share: float) -> float | None:
        return None if budget_s is None else began + share * budget_s

    progress.planned(["counting bytecodes"])
    with closing(BytecodeCounter(sides, modules, config.timeout_s)) as bytecodes:
        counts.counted["bytecodes"] = dict(_count(bytecodes, cases, until(_BYTECODES_SHARE)))
    if counts_instructions(config):
        decide = config.decide_by == "instructions"
        share = 1.0 if decide else INSTRUCTIONS_SHARE
        instructions = dict.fromkeys((case.id for case in cases), CountedCase(missing=_STOPPED))
        counts.counted["instructions"] = instructions
        progress.planned(["starting Python under valgrind, some 50 times slower than the CPU"])
        with closing(InstructionCounter(sides, modules, config.timeout_s)) as counter:
            try:
                for case, counted in _count(counter, cases, until(share)):
                    instructions[case] = counted
                    if not counted.missing:
                        progress.planned([f"instructions of {case} counted"])
            except KeyboardInterrupt:
                if not decide:
                    raise
    return counts


def _count(
    counter: CaseCounter, cases: Sequence[Case], until: float | None
) -> Iterator[tuple[str, CountedCase]]:
    for case in cases:
        if case.metrics[0] != TIME:
            yield case.id, CountedCase(missing="it is not a matter of time")
        elif until is not None and time.monotonic() >= until:
            yield case.id, CountedCase(missing=OUT_OF_TIME)
        else:
            counted = counter.count(case, until)
            if counted.failure is not None and until is not None and time.monotonic() >= until:
                counted = CountedCase(missing=OUT_OF_TIME)
            yield case.id, counted
