"""github-action-benchmark: its tools ``customSmallerIsBetter`` and ``customBiggerIsBetter``.

A file has metrics of one direction only, which is the tool's name and is not in the file. ``range``
is half the width of the interval, as a number or a percentage of the value.
"""

import math
import re

from msgspec import Struct

from veperf.core.case import TIME, Better
from veperf.core.run import Run, Summary
from veperf.formats.exported import (
    ExportedFile,
    ExportedMetric,
    exported_metrics,
    indented_json,
    left_out_note,
    require_values,
    unique_names,
)
from veperf.formats.imported import NS_PER_UNIT, VALUE, ParsedRun, metric_of
from veperf.formats.source import SourceFile

TOOL = "github-action-benchmark"

_RANGE = re.compile(r"(?:±|\+/-|\+-)?\s*(\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?)\s*(%?)")


class GithubActionEntry(Struct, frozen=True):
    """An entry of the file."""

    name: str
    unit: str
    value: float | None
    range: str | float | None = None
    extra: str | None = None


def is_github_action_file(source: SourceFile) -> bool:
    """Return whether the file is a list of objects with name, unit and value."""
    return {"name", "unit", "value"} <= source.entry_keys


def read_github_action(source: SourceFile) -> ParsedRun:
    """Read the run in a file of which the direction is known by its units alone."""
    return _read(source, None)


def read_smaller_is_better(source: SourceFile) -> ParsedRun:
    """Read the run in a file of ``customSmallerIsBetter``."""
    return _read(source, "lower")


def read_bigger_is_better(source: SourceFile) -> ParsedRun:
    """Read the run in a file of ``customBiggerIsBetter``."""
    return _read(source, "higher")


def _read(source: SourceFile, better: Better | None) -> ParsedRun:
    run = ParsedRun(TOOL)
    entries = source.document_as(list[GithubActionEntry])
    for number, entry in source.account.each("value", entries):
        source.account.take(number)
        # veperf names what it writes by the case, and by the metric where that is not the time.
        factor = NS_PER_UNIT.get(entry.unit)
        metric, scale = metric_of(VALUE, entry.unit, better), 1.0
        if factor is not None and better != "higher":
            metric, scale = TIME, factor
        value = math.nan if entry.value is None else entry.value
        half = _half_width(entry.range, value)
        low, high = (None, None) if half is None else (value - half, value + half)
        summary = Summary(low=low, high=high).times(scale)
        run.benchmark(TOOL, entry.name).add({metric: value * scale}, 1, {metric.name: summary})
    run.note("each value of a file of github-action-benchmark is a summary of several")
    return run


def _half_width(spread: str | float | None, value: float) -> float | None:
    match = None if spread is None else _RANGE.fullmatch(str(spread).strip())
    if match is None:
        return None
    width = float(match[1])
    width = abs(value) * width / 100 if match[2] else width
    return width if math.isfinite(width) else None


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
    reason = f"as {which} is not known to be better"
    return ExportedFile(indented_json(entries), left_out_note(others, reason))


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
