"""CPU time of an operation by stage, from the figures of a case."""

import math
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean

from veperf.core.case import Case
from veperf.core.load import GENERATOR
from veperf.core.run import CaseResult
from veperf.core.text import format_percent
from veperf.core.units import convert

PREFIX = "cpu_"
"""The prefix of figures that are the CPU time of a stage."""
UNIT = "us"


def stage_times(results: Iterable[CaseResult], unit_of: Callable[[str], str]) -> dict[str, float]:
    """Return the CPU time of an item by stage, in µs, as means over the processes that have one.

    ``unit_of`` returns the unit of a figure. Empty where the figures make no sense as shares.
    """
    counted = [r for r in results if any(n.startswith(PREFIX) for n in r.figures)]
    names = dict.fromkeys(n for r in counted for n in r.figures if n.startswith(PREFIX))
    times = {
        name.removeprefix(PREFIX): fmean(
            convert(r.figures.get(name, 0.0), unit_of(name), UNIT) for r in counted
        )
        for name in names
    }
    is_sensible = all(time >= 0 for time in times.values()) and 0 < sum(times.values()) < math.inf
    return times if is_sensible else {}


def describe_largest_stage(case: Case, results: Iterable[CaseResult]) -> str:
    """Return words for the stage that dominates the work: 62 % of the CPU time is in verify.

    A load's generator is none of them. Empty where there are fewer than two stages.
    """
    units = {metric.name: metric.unit for metric in case.metrics}
    times = stage_times(results, lambda name: units.get(name, UNIT))
    return _describe_largest({name: t for name, t in times.items() if name != GENERATOR})


def _describe_largest(times: Mapping[str, float]) -> str:
    total = sum(times.values())
    if len(times) < 2 or not total:
        return ""
    largest = max(times, key=lambda stage: times[stage])
    return f"{format_percent(times[largest] / total)} of the CPU time is in {largest}"
