"""What a run says of each case, before anybody judges it."""

import math
from dataclasses import dataclass

from veperf.core.case import Case
from veperf.core.run import Run
from veperf.stats.hodges_lehmann import Estimate, median
from veperf.stats.process_values import Series, series_of


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of one case, with the median of its per-process values."""

    case: Case
    series: Series
    estimate: Estimate | None
    """None where no process yielded a finite value."""

    @property
    def name(self) -> str:
        """The case, and the metric unless that is time."""
        return measured_name(self.series.case, self.series.metric)


def measured_name(case: str, metric: str) -> str:
    """How a case and its metric are called together."""
    return case if metric == "time" else f"{case} · {metric}"


def summarise(run: Run) -> tuple[Measured, ...]:
    """Every metric of every case of ``run``, in the run's order."""
    series = series_of(run)
    return tuple(
        Measured(case, found, estimate(found.values.tolist()))
        for case in run.cases
        for metric in case.metrics
        for found in [series[case.id, metric.name]]
    )


def estimate(values: list[float]) -> Estimate | None:
    """Median and interval of the finite ones of ``values``; None when there is none."""
    finite = [v for v in values if math.isfinite(v)]
    return median(finite) if finite else None
