"""github-action-benchmark: its tools ``customSmallerIsBetter`` and ``customBiggerIsBetter``.

A file has metrics of one direction only. ``range`` is half the width of the interval.
"""

from veperf.core.case import Better
from veperf.core.run import Run
from veperf.formats.exported import (
    ExportedFile,
    ExportedMetric,
    exported_metrics,
    indented_json,
    left_out_note,
    require_values,
    unique_names,
)


def write_smaller_is_better(run: Run) -> ExportedFile:
    """Write the metrics of which smaller is better.

    Raises:
        UsageError: there is none.
    """
    return _write(run, "lower")


def write_bigger_is_better(run: Run) -> ExportedFile:
    """Write the metrics of which bigger is better.

    Raises:
        UsageError: there is none.
    """
    return _write(run, "higher")


def _write(run: Run, better: Better) -> ExportedFile:
    metrics = exported_metrics(run)
    chosen = [figure for figure in metrics if figure.metric.better == better]
    which = "smaller" if better == "lower" else "bigger"
    require_values(chosen, run, f"metrics of which {which} is better")
    names = unique_names([figure.full_name for figure in chosen])
    entries = [_entry(figure, name) for figure, name in zip(chosen, names, strict=True)]
    others = (figure.full_name for figure in metrics if figure.metric.better != better)
    return ExportedFile(indented_json(entries), left_out_note(others, f"as {which} is not better"))


def _entry(figure: ExportedMetric, name: str) -> dict[str, str | float]:
    estimate = figure.estimate
    return {
        "name": name,
        "unit": figure.unit,
        "value": estimate.value,
        "range": f"± {(estimate.high - estimate.low) / 2:.6g}",
        "extra": f"{len(figure.values)} processes\n{estimate.confidence:.0%} interval "
        f"{estimate.low:.6g} to {estimate.high:.6g} {figure.unit}",
    }
