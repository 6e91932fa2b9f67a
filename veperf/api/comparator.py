"""VirtEngine's comparator: each figure against its baseline, by two percentages and nothing else.

For those who gate by it today. ``veperf ci`` is the stricter judge: it also asks how many
repetitions there are, and shows the interval.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import Struct

from veperf.api.results import RunLike
from veperf.api.runs import resolve_run
from veperf.archive.baselines import load_targets
from veperf.archive.files import encode_json, write_file
from veperf.core import paths
from veperf.core.errors import UnknownBenchmarkError, UnknownTargetError, UsageError
from veperf.core.run import Run
from veperf.core.target import Target, TargetSet
from veperf.formats import virtengine
from veperf.stats.process_values import Series, series_of
from veperf.verdicts.targets import beyond_limit, in_unit_of

Status = Literal["pass", "warn", "fail"]

# Limits and percents are decimal: a value at a bound must not miss it by its last bit.
_ROUNDING = 1e-9


class ComparisonResult(Struct, frozen=True):
    """A figure and its baseline, in ``unit``."""

    name: str
    """The target's id."""
    baseline: float
    current: float | None
    """The median of what was measured; None where that failed, or is no such figure."""
    unit: str
    change_percent: float | None
    """Of the baseline; more is worse or better as it is for ``unit``."""
    status: Status


class ReportSummary(Struct, frozen=True):
    """Number of results by status."""

    total: int
    passed: int
    warnings: int
    failed: int
    overall_status: Status


class ComparisonReport(Struct, frozen=True):
    """Everything that was compared."""

    version: str
    """Of the baselines."""
    generated_at: str
    summary: ReportSummary
    results: tuple[ComparisonResult, ...]


class Comparator:
    """Compares figures with baselines, and keeps the results for a report.

    >>> comparator = Comparator("BASELINE_METRICS.json", warn=10, fail=20)
    >>> comparator.compare("bench.txt")                        # a file of go test
    >>> comparator.compare({"transaction/hash_compute": 950})  # in the target's unit
    >>> comparator.generate_report().summary.overall_status
    """

    def __init__(
        self, baselines: TargetSet | str | Path | None = None, warn: float = 10, fail: float = 20
    ) -> None:
        """Create a comparator.

        Args:
            baselines: a file like VirtEngine's ``BASELINE_METRICS.json``, or targets; veperf's
                published ones when not given.
            warn: percent worse than the baseline from which on (not included) to warn.
            fail: likewise to fail.

        Raises:
            UsageError: ``0 <= warn <= fail`` does not hold.
            DataError: the file can't be read, or has a field that no target is made of.
        """
        if not 0 <= warn <= fail < math.inf:
            raise UsageError(f"0 <= warn <= fail must hold, not {warn} and {fail}")
        match baselines:
            case None:
                targets = load_targets(paths.default_baselines_folder())
            case TargetSet():
                targets = baselines
            case _:
                targets = virtengine.read_baseline_metrics_file(baselines)
        self.baselines = targets
        self.warn = warn
        self.fail = fail
        self.unlisted: tuple[str, ...] = ()
        """Benchmarks that were passed over as nobody has listed them, with targets or without."""
        self._results: list[ComparisonResult] = []

    def compare(self, results: RunLike | Mapping[str, float]) -> tuple[ComparisonResult, ...]:
        """Compare a run's figures, or ``results`` by target id in the target's unit.

        Benchmarks that answer no target are passed over; ``unlisted`` has those of which nobody
        has said so.

        Args:
            results: a result, a run, a run's name, another tool's file, or plain figures.

        Raises:
            UnknownTargetError: there is no baseline for a target that is named or answered.
            UnknownBenchmarkError: nothing is known of any benchmark of another tool's.
            VeperfError: as ``veperf.load`` and ``veperf.read``.
        """
        if isinstance(results, Mapping):
            compared = tuple(
                self._result(self._target(id), _figure(v)) for id, v in results.items()
            )
        else:
            compared = tuple(self._of_run(resolve_run(results)))
        self._results += compared
        return compared

    def generate_report(
        self, results: RunLike | Mapping[str, float] | None = None
    ) -> ComparisonReport:
        """Report on ``results``; when not given, on everything that was compared so far.

        Raises:
            UsageError: nothing was compared: that must not pass.
            VeperfError: as ``compare``.
        """
        compared = tuple(self._results) if results is None else self.compare(results)
        if not compared:
            raise UsageError("nothing was compared with the baselines: there is nothing to report")
        counts = Counter(result.status for result in compared)
        worst: Status = "fail" if counts["fail"] else "warn" if counts["warn"] else "pass"
        return ComparisonReport(
            version=self.baselines.version,
            generated_at=datetime.now(UTC).isoformat(timespec="seconds"),
            summary=ReportSummary(
                len(compared), counts["pass"], counts["warn"], counts["fail"], worst
            ),
            results=compared,
        )

    def _of_run(self, run: Run) -> Iterator[ComparisonResult]:
        aimed, unlisted = _known(run)
        self.unlisted += unlisted
        series = series_of(aimed)
        for case in aimed.cases:
            for metric, id in case.targets.items():
                target = self._target(id)
                yield self._result(target, _value(target, series.get((case.id, metric))))

    def _target(self, id: str) -> Target:
        for target in self.baselines.targets:
            if target.id == id:
                return target
        raise UnknownTargetError(f"no baseline for {id}")

    def _result(self, target: Target, value: float) -> ComparisonResult:
        current = value if math.isfinite(value) and value >= 0 else None
        return ComparisonResult(
            name=target.id,
            baseline=target.limit,
            current=current,
            unit=target.unit,
            change_percent=_change_percent(target, current),
            status=self._status(target, current),
        )

    def _status(self, target: Target, current: float | None) -> Status:
        if current is None:
            return "fail"
        over_percent = 100 * beyond_limit(current, target)
        if over_percent > self.fail + _ROUNDING:
            return "fail"
        return "warn" if over_percent > self.warn + _ROUNDING else "pass"


def save_report(report: ComparisonReport, path: str | Path) -> None:
    """Write ``report`` to ``path`` as JSON.

    Raises:
        StorageError: that can't be written.
    """
    write_file(Path(path), encode_json(report))


def _known(run: Run) -> tuple[Run, tuple[str, ...]]:
    """Return ``run`` with its targets, and its benchmarks that are not listed.

    Raises:
        UnknownBenchmarkError: those are all that it has.
    """
    if run.source == "veperf":
        return run, ()
    listed = virtengine.load_go_benchmarks()
    run = virtengine.with_go_targets(run, listed)
    unlisted = tuple(
        case.id
        for case in run.cases
        if not case.targets and not virtengine.is_listed_go_benchmark(case, listed)
    )
    if len(unlisted) == len(run.cases):
        raise UnknownBenchmarkError(virtengine.unlisted_message(unlisted))
    return run, unlisted


def _figure(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"expected a figure, not {str(value)[:100]!r}") from error


def _value(target: Target, series: Series | None) -> float:
    if series is None:
        return math.nan
    values = [in_unit_of(target, series.metric, series.unit, value) for value in series.values]
    return float(np.median(values)) if values else math.nan


def _change_percent(target: Target, current: float | None) -> float | None:
    if current is None or not target.limit:
        return None
    return 100 * (current - target.limit) / target.limit
