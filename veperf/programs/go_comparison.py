"""The comparison of the Go benchmarks of two commits, or of a commit and the working tree."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from msgspec.structs import replace

from veperf.abtest.comparison import compare_results
from veperf.abtest.pair import LETTERS, SideLetter
from veperf.abtest.progress import ComparisonProgress
from veperf.abtest.sequential_comparison import failed_result, one_sided_change
from veperf.core.ab_records import ABChange, ABConfig, ABRun
from veperf.core.case import TIME, Metric
from veperf.core.errors import UsageError
from veperf.core.run import Failure
from veperf.formats.go_lines import suites_of
from veperf.formats.go_test import WHOLE_PACKAGE
from veperf.programs.go_build import BuiltPackage
from veperf.programs.go_discovery import (
    Discovered,
    discover,
    printed_name,
)
from veperf.programs.go_pairs import GoBenchmark, GoPairs
from veperf.programs.go_sampling import SamplingChooser, allocated
from veperf.programs.go_sides import FEWEST_LAYOUTS, GoSettings, GoSide, prepare_go_sides


def compare_go(
    base: str,
    head: str | None,
    settings: GoSettings,
    config: ABConfig,
    progress: ComparisonProgress,
) -> ABRun:
    """Build the test binaries of both sides, and compare their benchmarks in pairs.

    The time budget is for running them: building comes on top.

    Raises:
        UsageError: no repository, commit, toolchain, or no benchmark.
        MeasureError: a side can't be checked out, or `go list` fails.
    """
    with contextlib.ExitStack() as stack:
        sides = stack.enter_context(prepare_go_sides(base, head, settings))
        layouts = min(side.count_layouts(settings) for side in sides.values())
        config = replace(config, layouts=layouts if layouts >= FEWEST_LAYOUTS else 0)
        paths = sorted({path for side in sides.values() for path in side.packages})
        common = [path for path in paths if all(path in side.packages for side in sides.values())]
        built = {
            letter: stack.enter_context(side.build(common, settings, progress))
            for letter, side in sides.items()
        }
        began = time.monotonic()
        suites = suites_of(paths)
        chooser = SamplingChooser(config.timeout_s, suites)
        collection = _Collection(sides, built, suites, config, chooser)
        for path in paths:
            if path not in common:
                collection.add_one_sided(path)
        for path, processors in product(common, settings.processors):
            progress.planned([f"finding the benchmarks of {path}"])
            for note in collection.add(path, processors, settings.selection.bench):
                progress.planned([note])
        if not collection.benchmarks and not collection.settled:
            raise UsageError(
                f"no Go benchmark fits {settings.selection.bench!r} in "
                f"{', '.join(settings.selection.patterns)}"
            )
        for change in collection.settled:
            progress.decided(change)
        left = config
        if config.time_budget_s is not None:
            spent_s = time.monotonic() - began
            left = replace(config, time_budget_s=max(config.time_budget_s - spent_s, 0.0))
        run = compare_results(
            GoPairs(collection.benchmarks, suites, config.seed, config.timeout_s),
            [benchmark.case for benchmark in collection.benchmarks.values()],
            (sides["a"].describe(settings), sides["b"].describe(settings)),
            collection.settled,
            left,
            progress,
        )
        return replace(run, config=config)


@dataclass(slots=True)
class _Collection:
    """Benchmarks to compare, and changes that need no pairs."""

    sides: Mapping[SideLetter, GoSide]
    built: Mapping[SideLetter, Mapping[str, BuiltPackage]]
    suites: Mapping[str, str]
    config: ABConfig
    chooser: SamplingChooser
    benchmarks: dict[str, GoBenchmark] = field(default_factory=dict)
    settled: list[ABChange] = field(default_factory=list)

    def add_one_sided(self, path: str) -> None:
        """Add the benchmark functions of a package that only one side has, which is not built."""
        for letter, side in self.sides.items():
            if path in side.packages:
                for function in side.packages[path].functions:
                    self._one_sided(f"{self.suites[path]}/{function}", TIME, letter)

    def add(self, path: str, processors: int, bench: str) -> list[str]:
        """Add the benchmarks of a package that both sides have; return notes on the others."""
        suite = self.suites[path]
        built = {letter: self.built[letter][path] for letter in LETTERS}
        for letter in LETTERS:
            if (failure := built[letter].failure) is not None:
                self._failed(f"{suite}/{WHOLE_PACKAGE}", letter, failure)
        if any(each.failure is not None for each in built.values()):
            return []
        sides: dict[SideLetter, Discovered] = {
            letter: discover(built[letter], bench, processors, self.config.timeout_s, self.suites)
            for letter in LETTERS
        }
        for letter, discovered in sides.items():
            if discovered.failure is not None:
                self._failed(f"{suite}/{WHOLE_PACKAGE}", letter, discovered.failure)
        names = dict.fromkeys(
            name for side in sides.values() for name in (*side.results, *side.failures)
        )
        for name in names:
            id = f"{suite}/{printed_name(name, processors)}"
            if not self._settle(id, name, sides):
                self._pair(id, name, processors, sides, built)
        skipped = sorted((sides["a"].skipped & sides["b"].skipped) - {*names})
        return [f"{suite}/{name} skips itself on both sides: not compared" for name in skipped]

    def _settle(self, id: str, name: str, sides: Mapping[SideLetter, Discovered]) -> bool:
        """Add the change of a benchmark that can't be paired; return whether that is so."""
        for letter in reversed(LETTERS):
            if (failure := sides[letter].failures.get(name)) is not None:
                self._failed(id, letter, failure)
                return True
        if all(name in side.results for side in sides.values()):
            return False
        there: SideLetter = "a" if name in sides["a"].results else "b"
        other = sides["b" if there == "a" else "a"]
        if other.failure is None:  # else it may be among those that are unknown
            detail = ", skipped in the other side" if _was_skipped(name, other) else ""
            self._one_sided(id, TIME, there, detail)
        return True

    def _pair(
        self,
        id: str,
        name: str,
        processors: int,
        sides: Mapping[SideLetter, Discovered],
        built: Mapping[SideLetter, BuiltPackage],
    ) -> None:
        """Add a benchmark that both sides have, and those of its metrics that only one has."""
        results = {letter: sides[letter].results[name] for letter in LETTERS}
        metrics = {
            letter: {metric.name: metric for metric in results[letter].case.metrics}
            for letter in LETTERS
        }
        for letter in LETTERS:
            for metric in metrics[letter].values():
                if any(metric.name not in of_side for of_side in metrics.values()):
                    self._one_sided(id, metric, letter)
        common = tuple(metric for key, metric in metrics["b"].items() if key in metrics["a"])
        if common:
            case = replace(results["b"].case, id=id, metrics=common)
            sampling = self.chooser.choose(
                built["a"], name, processors, results["a"], max(map(allocated, results.values()))
            )
            self.benchmarks[id] = GoBenchmark(case, name, processors, sampling, built)

    def _one_sided(self, id: str, metric: Metric, letter: SideLetter, detail: str = "") -> None:
        name = self.sides[letter].name
        self.settled.append(one_sided_change(id, metric, letter, name, detail))

    def _failed(self, id: str, letter: SideLetter, failure: Failure) -> None:
        if all(change.case != id for change in self.settled):
            self.settled.append(failed_result(id, letter, failure))


def _was_skipped(name: str, side: Discovered) -> bool:
    return name in side.skipped or name.partition("/")[0] in side.skipped
