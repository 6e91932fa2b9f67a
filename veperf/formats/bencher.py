"""Bencher Metric Format: benchmark to measure to value and interval, for ``bencher run``.

https://bencher.dev/docs/reference/bencher-metric-format: at most 1,024 characters a benchmark's
name, 64 a measure's. The built-in measures are ``latency`` in ns and ``throughput`` in operations
a second; others carry their unit in their name.
"""

import re
from collections.abc import Sequence
from hashlib import sha256

from veperf.core.run import Run
from veperf.formats.exported_values import (
    Figure,
    Written,
    json_text,
    refuse_nothing,
    unique,
    values_by_case,
)

_LONGEST_NAME = 1024
_LONGEST_MEASURE = 64


def write(run: Run) -> Written:
    """The file.

    Raises:
        UsageError: the run has no values.
    """
    found = values_by_case(run)
    refuse_nothing(found, run, "Bencher Metric Format")
    by_case: dict[str, list[Figure]] = {}
    for figure in found:
        by_case.setdefault(figure.name, []).append(figure)
    names = unique([_shortened(name or "benchmark", _LONGEST_NAME) for name in by_case])
    return Written(
        json_text({n: _measures(f) for n, f in zip(names, by_case.values(), strict=True)})
    )


def _measures(of_case: Sequence[Figure]) -> dict[str, dict[str, float]]:
    names = unique([_measure(figure) for figure in of_case], "{}-{}")
    estimates = [figure.estimate for figure in of_case]
    return {
        name: {"value": found.value, "lower_value": found.low, "upper_value": found.high}
        for name, found in zip(names, estimates, strict=True)
    }


def _measure(figure: Figure) -> str:
    metric = figure.metric
    if figure.is_time:
        return "latency"
    if metric.name == "throughput" and metric.unit.endswith("/s"):
        return "throughput"
    whole = f"{metric.name}-{metric.unit.replace('%', 'percent')}"
    slug = re.sub(r"[^a-z0-9]+", "-", whole.lower()).strip("-")
    return _shortened(slug or "value", _LONGEST_MEASURE)


def _shortened(name: str, longest: int) -> str:
    """At most ``longest`` less the room for a number, and still unlike others."""
    room = longest - len(" (9999)")
    if len(name) <= room:
        return name
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{name[: room - 9]}-{digest}"
