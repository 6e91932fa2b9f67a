"""Results that a process printed, as the reader of their format finds them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_low
from types import MappingProxyType

from msgspec.structs import replace

from veperf.core.case import TIME, Case, Metric
from veperf.core.errors import DataError, UsageError
from veperf.core.run import CaseResult, Failure, Sample
from veperf.formats.readers import INPUT_FORMAT_NAMES, read_runs
from veperf.stats.process_values import process_value

AUTO = "auto"
"""Format that is detected by what is printed."""
_ALIASES: Mapping[str, str] = MappingProxyType({"google": "google-benchmark"})
_SPEED = "MB/s"


@dataclass(slots=True)
class PrintedResult:
    """Values of one benchmark, from one or several processes."""

    case: Case
    values: dict[str, list[float]] = field(default_factory=dict)
    """By metric."""
    loops: int = 1
    failure: Failure | None = None

    def extend(self, other: "PrintedResult") -> None:
        """Add the values of the same benchmark in another process."""
        for name, values in other.values.items():
            self.values.setdefault(name, []).extend(values)
        self.failure = self.failure or other.failure

    def without_first(self) -> "PrintedResult":
        """Return it without the first value of each metric, which was a warm-up."""
        values = {name: values[1:] for name, values in self.values.items()}
        return PrintedResult(self.case, values, self.loops, self.failure)

    def case_result(self) -> CaseResult:
        """Return a value a metric: of times a robust low one, of all else the median as printed.

        What disturbs a time makes it longer; what disturbs a count, such as an allocation of the
        language's own runtime, is rare. The times are there as samples, too, for the guardrails.
        """
        if self.failure is not None:
            return CaseResult(self.case.id, failure=self.failure)
        figures = {
            name: process_value(values) if name == TIME.name else median_low(values)
            for name, values in self.values.items()
            if values
        }
        times = self.values.get(TIME.name, [])
        samples = tuple(Sample(max(1, round(t * self.loops)), None, None) for t in times)
        return CaseResult(self.case.id, loops=self.loops, samples=samples, figures=figures)


def require_format(name: str) -> None:
    """Check that results can be read in the format ``name``.

    Raises:
        UsageError: they can't.
    """
    if name != AUTO and _ALIASES.get(name, name) not in INPUT_FORMAT_NAMES:
        known = ", ".join((AUTO, *_ALIASES, *INPUT_FORMAT_NAMES))
        raise UsageError(f"no format {name!r}; known are {known}")


def read_results(
    text: str, format: str, suites: Mapping[str, str] | None = None
) -> dict[str, PrintedResult]:
    """Read what a process printed: the results by the ids of their cases.

    ``suites`` are names of suites in place of those that the reader chose, by what the benchmarks
    are of: for Go, the package.

    Raises:
        DataError: it is not of that format, has no results, or is of several runs.
    """
    data, name = text.encode("utf-8", "replace"), _ALIASES.get(format, format)
    runs = read_runs(data, "its output", format="" if name == AUTO else name)
    if len(runs) != 1:
        raise DataError(f"its output: {len(runs)} runs, and one is compared")
    run = runs[0].run
    results: dict[str, PrintedResult] = {}
    for case in run.cases:
        suite = (suites or {}).get(case.what, case.suite)
        id = f"{suite}/{case.id.removeprefix(f'{case.suite}/')}"
        metrics = tuple(_judged(case.metrics))
        values: dict[str, list[float]] = {metric.name: [] for metric in metrics}
        results[case.id] = PrintedResult(replace(case, id=id, metrics=metrics), values)
    for pass_ in run.passes:
        for result in pass_.results:
            printed = results[result.case]
            printed.loops = max(printed.loops, result.loops)
            printed.failure = printed.failure or result.failure
            for metric, value in result.figures.items():
                if metric in printed.values:
                    printed.values[metric].append(value)
    return {printed.case.id: printed for printed in results.values()}


def _judged(metrics: Iterable[Metric]) -> Sequence[Metric]:
    """Return ``metrics`` without a speed that is the time in other words."""
    known = tuple(metrics)
    is_timed = any(metric.name == TIME.name for metric in known)
    return [metric for metric in known if not (is_timed and metric.unit == _SPEED)]
