"""Pairs of two commands that print many results, each of which is compared by itself."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from veperf.abtest.comparison import COMMAND, RUNS, compare_results
from veperf.abtest.pair import LETTERS, PairResult, SideLetter, alternate_sides
from veperf.abtest.processes import ProcessPlan, run_process
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sequential_comparison import failed_result, one_sided_change
from veperf.core.ab_records import ABChange, ABConfig, ABRun, ABSide
from veperf.core.case import TIME, Case
from veperf.core.errors import DataError
from veperf.core.run import CaseResult, Failure
from veperf.programs.printed_results import PrintedResult, read_results

_NOTHING: Mapping[str, PrintedResult] = {}


@dataclass(frozen=True, slots=True)
class _Output:
    """Results that a run of a command printed."""

    results: Mapping[str, PrintedResult] = field(default_factory=dict)
    failure: Failure | None = None
    """Failure of the command, which may have printed results all the same."""


@dataclass(slots=True)
class ResultPairs:
    """Runs two commands in turn, and pairs the results of the same name."""

    commands: Mapping[SideLetter, str]
    format: str
    timeout_s: float
    """Time limit for one run of one command."""
    failed: dict[SideLetter, Failure] = field(default_factory=dict)
    """Failures of the first runs, in spite of which there were results."""

    def run(self, letter: SideLetter) -> _Output:
        """Run the command of a side once, and read what it printed."""
        plan = ProcessPlan(timeout_s=self.timeout_s, keeps_output=True)
        process = run_process(self.commands[letter], plan)
        failure, results = process.failure, _NOTHING
        try:
            results = read_results(process.output, self.format)
        except DataError as error:
            failure = failure or Failure("invalid", str(error), process.output[-4000:])
        return _Output(results, failure)

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure pair ``index``: all results at once, of two runs of each command."""
        began = time.monotonic()
        collected: dict[SideLetter, dict[str, PrintedResult]] = {letter: {} for letter in LETTERS}
        for letter in alternate_sides(index, RUNS):
            output = self.run(letter)
            for case in cases:
                result = self._result(case, output, letter)
                collected[letter].setdefault(case.id, PrintedResult(case)).extend(result)
        share_s = (time.monotonic() - began) / len(cases)
        for case in cases:
            a, b = (collected[letter][case.id].case_result() for letter in LETTERS)
            if a.failure is not None and b.failure is not None:
                b = CaseResult(case.id)
            yield PairResult(case, a, b, share_s)

    def _result(self, case: Case, output: _Output, letter: SideLetter) -> PrintedResult:
        """Return the result of a case; it failed where it is not there, or its command did."""
        result = output.results.get(case.id)
        # A command that fails whenever it runs, as one of its results does, was reported once.
        is_news = output.failure is not None and letter not in self.failed
        if result is not None and not is_news:
            return result
        failure = output.failure or Failure("invalid", "it was not printed")
        return PrintedResult(case, failure=failure)


def compare_printed(
    commands: tuple[str, str], config: ABConfig, progress: ComparisonProgress
) -> ABRun:
    """Compare two commands, the old one first, result by result.

    Raises:
        UsageError: too few pairs.
    """
    began = time.monotonic()
    old, new = commands
    pairs = ResultPairs({"a": old, "b": new}, config.results_format, config.timeout_s)
    progress.planned(["running each command once"])
    first = {letter: pairs.run(letter) for letter in LETTERS}
    settled, cases = _settle(pairs, first)
    for change in settled:
        progress.decided(change)
    left = config
    if config.time_budget_s is not None:
        spent_s = time.monotonic() - began
        left = replace(config, time_budget_s=max(config.time_budget_s - spent_s, 0.0))
    sides = (ABSide(old), ABSide(new))
    run = compare_results(pairs, cases, sides, settled, left, progress, are_joint=True)
    return replace(run, config=config)


def _settle(
    pairs: ResultPairs, first: Mapping[SideLetter, _Output]
) -> tuple[list[ABChange], list[Case]]:
    """Return the changes that need no pairs, and the cases that do."""
    settled: list[ABChange] = []
    for letter, output in first.items():
        explained = any(result.failure is not None for result in output.results.values())
        if output.failure is not None:
            pairs.failed[letter] = output.failure
            if not explained and not settled:
                settled.append(failed_result(COMMAND, letter, output.failure))
    if any(not output.results for output in first.values()):
        return settled, []
    cases = []
    for id in dict.fromkeys(id for output in first.values() for id in output.results):
        a, b = (first[letter].results.get(id) for letter in LETTERS)
        if b is not None and b.failure is not None:
            settled.append(failed_result(id, "b", b.failure))
        elif a is not None and a.failure is not None:
            settled.append(failed_result(id, "a", a.failure))
        elif a is None or b is None:
            there: SideLetter = "a" if b is None else "b"
            settled.append(one_sided_change(id, TIME, there, pairs.commands[there]))
        else:
            case, one_sided = _common(a, b, pairs)
            settled += one_sided
            cases += [case] if case.metrics else []
    return settled, cases


def _common(
    a: PrintedResult, b: PrintedResult, pairs: ResultPairs
) -> tuple[Case, Sequence[ABChange]]:
    """Return the case with the metrics of both sides, and a change of each of the others."""
    metrics = {metric.name: metric for metric in a.case.metrics}
    common = tuple(metric for metric in b.case.metrics if metric.name in metrics)
    names = {metric.name for metric in common}
    sides: Sequence[tuple[SideLetter, PrintedResult]] = (("a", a), ("b", b))
    one_sided = [
        one_sided_change(a.case.id, metric, letter, pairs.commands[letter])
        for letter, result in sides
        for metric in result.case.metrics
        if metric.name not in names
    ]
    return replace(b.case, metrics=common), one_sided
