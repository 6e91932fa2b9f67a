"""The metrics of a run, each with its median, before they are judged."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from veperf.core.case import MEMORY_NAMES, Case
from veperf.core.run import Run
from veperf.core.text import format_quantity
from veperf.stats.hodges_lehmann import Estimate, estimate_median
from veperf.stats.process_values import Series, series_of


@dataclass(frozen=True, slots=True)
class MeasuredMetric:
    """A metric of a case, with the median of its process values."""

    case: Case
    series: Series
    estimate: Estimate | None
    """None where no process yielded a finite value."""

    @property
    def name(self) -> str:
        """The id of the case, and the metric unless that is time."""
        return measured_name(self.series.case, self.series.metric)

    @property
    def spread(self) -> float | None:
        """The range of the process values, as a share of their median."""
        if self.estimate is None or not self.estimate.value:
            return None
        values = self.series.values
        return float(values.max() - values.min()) / abs(self.estimate.value)

    @property
    def is_memory(self) -> bool:
        """Return whether the metric is a memory figure."""
        return self.series.metric in MEMORY_NAMES


def measured_name(case: str, metric: str) -> str:
    """Return the name of a metric of a case; time is not named."""
    return case if metric == "time" else f"{case} · {metric}"


def summarise_cases(run: Run) -> tuple[MeasuredMetric, ...]:
    """Return every metric of every case of ``run``, in the run's order."""
    series_by_name = series_of(run)
    return tuple(
        MeasuredMetric(case, series, median_estimate(series.values.tolist()))
        for case in run.cases
        for metric in case.metrics
        for series in [series_by_name[case.id, metric.name]]
    )


def lower_bounds(measured: Iterable[MeasuredMetric]) -> dict[tuple[str, str], Estimate]:
    """Return by case and metric the estimate of the benchmark that is the case's lower bound."""
    by_name = {(metric.case.id, metric.series.metric): metric for metric in measured}
    bounds: dict[tuple[str, str], Estimate] = {}
    for key, metric in by_name.items():
        bound = by_name.get((metric.case.lower_bound, metric.series.metric))
        if bound is not None and bound.estimate and bound.series.unit == metric.series.unit:
            bounds[key] = bound.estimate
    return bounds


def estimate_text(estimate: Estimate | None, unit: str) -> str:
    """Return the value of an estimate with its unit, or a dash without one."""
    return format_quantity(estimate.value if estimate else None, unit)


def median_estimate(values: list[float]) -> Estimate | None:
    """Return median and interval of the finite ``values``; None when there is none."""
    finite = [v for v in values if math.isfinite(v)]
    return estimate_median(finite) if finite else None
