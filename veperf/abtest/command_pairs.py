"""Pairs of runs of two shell commands, to compare programs in any language.

Commands that keep no more than one CPU busy, as their warm-up runs show, take turns on one CPU, so
that CPUs of different speeds are not compared.
"""

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from veperf.abtest.pair import LETTERS, PairResult, SideLetter, alternate_sides
from veperf.abtest.processes import ProcessPlan, ProcessRun, run_process
from veperf.core.ab_records import CommandValue
from veperf.core.case import Case
from veperf.core.run import CaseResult, Failure, Sample
from veperf.measure.cpus import choose_cpu, usable_cpus

_MAX_OUTPUT = 20_000


@dataclass(slots=True)
class CommandPairs:
    """Runs two commands in turn, after a warm-up run of each."""

    commands: Mapping[SideLetter, str]
    value: CommandValue
    """Value of a command that is compared."""
    runs: int
    """Runs of each command in a pair."""
    timeout_s: float
    """Time limit for one run of one command."""
    _needs_one_cpu: bool = False

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure pair ``index`` of the one case."""
        (case,) = cases
        runs: dict[SideLetter, list[_Run]] = {"a": [], "b": []}
        warmups = 1 if index == 0 else 0
        cpu = choose_cpu(usable_cpus(), index)
        for number, side in enumerate(alternate_sides(index, warmups + self.runs)):
            if index == 0 and number == 2 * warmups:
                warm = (runs["a"][0], runs["b"][0])
                self._needs_one_cpu = all(run.process.keeps_one_cpu for run in warm)
            run = _run(
                self.commands[side],
                self.timeout_s,
                printed=self.value == "printed",
                cpu=cpu if self._needs_one_cpu else None,
            )
            if run.failure is not None:
                results = {s: CaseResult(case.id) for s in LETTERS}
                results[side] = CaseResult(case.id, failure=run.failure)
                yield PairResult(case, results["a"], results["b"])
                return
            runs[side].append(run)
        kept = {side: runs[side][warmups:] for side in LETTERS}
        a, b = (self._result(case, kept[side]) for side in LETTERS)
        seconds = sum(run.sample.wall_ns for side in LETTERS for run in kept[side]) / 1e9
        yield PairResult(case, a, b, seconds)

    def _result(self, case: Case, runs: "Sequence[_Run]") -> CaseResult:
        if self.value == "time":
            return CaseResult(case.id, samples=tuple(run.sample for run in runs))
        values = [run.sample.cpu_ns if self.value == "cpu" else run.printed for run in runs]
        mean = sum(value for value in values if value is not None) / len(values)
        return CaseResult(case.id, figures={case.metrics[0].name: mean})


@dataclass(frozen=True, slots=True)
class _Run:
    """Result of a run of a command."""

    process: ProcessRun
    printed: float = math.nan
    failure: Failure | None = None

    @property
    def sample(self) -> Sample:
        return self.process.sample


def _run(command: str, timeout_s: float, *, printed: bool, cpu: int | None) -> _Run:
    run = run_process(command, ProcessPlan(timeout_s=timeout_s, keeps_output=printed, cpu=cpu))
    if run.failure is not None or not printed:
        return _Run(run, failure=run.failure)
    lines = run.output.strip().splitlines()
    try:
        return _Run(run, float(lines[-1]))
    except (IndexError, ValueError):
        last = repr(lines[-1][:80]) if lines else "nothing"
        message = f"the last line printed must be a number, not {last}"
        return _Run(run, failure=Failure("invalid", message, run.output[-_MAX_OUTPUT:]))
