"""Pairs of Go benchmarks: each in fresh processes of its own, with equal iterations on both sides.

A pair is A B B A, or B A A B: two processes a side, one after the other. The order of the
benchmarks is drawn anew for each pair, the environment's size for each process, and the pairs take
turns with the binaries, which differ in their layouts.
"""

import random
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field

from veperf.abtest.pair import LETTERS, PairResult, SideLetter, alternate_sides
from veperf.core.case import Case
from veperf.core.run import CaseResult, Failure
from veperf.measure.cpus import choose_cpu, usable_cpus
from veperf.programs.go_binaries import run_binary
from veperf.programs.go_build import BuiltPackage
from veperf.programs.go_discovery import failure_reason, printed_name
from veperf.programs.go_sampling import Sampling
from veperf.programs.printed_results import PrintedResult

RUNS = 2
"""Processes of a benchmark on each side of a pair."""


@dataclass(frozen=True, slots=True)
class GoBenchmark:
    """A benchmark that both sides have, a sub-benchmark among them, and how to run it."""

    case: Case
    name: str
    """Its name without the number of processors."""
    processors: int
    sampling: Sampling
    built: Mapping[SideLetter, BuiltPackage]


@dataclass(frozen=True, slots=True)
class GoPairs:
    """Measures pairs of Go benchmarks."""

    benchmarks: Mapping[str, GoBenchmark]
    """By the id of their case."""
    suites: Mapping[str, str]
    seed: int
    timeout_s: float
    turns: Counter[str] = field(default_factory=Counter)
    """Pairs so far of each case, which take turns with its binaries: the tests go by that, and a
    case is not in every pair where the time is short."""

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        """Measure pair ``index``; a failure costs only its own benchmark."""
        generator = random.Random(f"{self.seed}/{index}")  # noqa: S311 - an order, no secret
        order = [self.benchmarks[case.id] for case in cases]
        generator.shuffle(order)
        for benchmark in order:
            began = time.monotonic()
            results = self._results(index, benchmark)
            self.turns[benchmark.case.id] += 1
            yield PairResult(benchmark.case, results["a"], results["b"], time.monotonic() - began)

    def _results(self, index: int, benchmark: GoBenchmark) -> dict[SideLetter, CaseResult]:
        case = benchmark.case
        # With one processor there is one thread: both sides take turns on the same CPU.
        cpu = choose_cpu(usable_cpus(), index) if benchmark.processors == 1 else None
        collected = {letter: PrintedResult(case) for letter in LETTERS}
        for letter in alternate_sides(index, RUNS):
            result = self._run(benchmark, letter, cpu)
            if result.failure is not None:
                results = {each: CaseResult(case.id) for each in LETTERS}
                results[letter] = CaseResult(case.id, failure=result.failure)
                return results
            collected[letter].extend(result)
        for result in collected.values():
            result.loops = benchmark.sampling.iterations
        return {letter: result.case_result() for letter, result in collected.items()}

    def _run(self, benchmark: GoBenchmark, letter: SideLetter, cpu: int | None) -> PrintedResult:
        built, sampling = benchmark.built[letter], benchmark.sampling
        run = run_binary(
            built.binaries[self.turns[benchmark.case.id] % len(built.binaries)],
            built.package.folder,
            sampling.request(benchmark.name, benchmark.processors),
            self.timeout_s,
            self.suites,
            cpu=cpu,
        )
        printed = printed_name(benchmark.name, benchmark.processors)
        result = run.results.get(printed)
        failure = run.failure
        if failure is None and result is not None and result.failure is None:
            return result.without_first() if sampling.count > 1 else result
        if failure is None:
            was_skipped = printed in run.skipped or benchmark.name in run.skipped
            reason = "it was skipped" if was_skipped else "it printed no result"
            failure = Failure("invalid", reason, run.process.output[-4000:])
        if failure.kind == "raised" and (
            reason := failure_reason(run.process.output, benchmark.name)
        ):
            failure = Failure("raised", reason, failure.traceback)
        return PrintedResult(benchmark.case, failure=failure)
