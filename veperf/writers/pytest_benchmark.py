"""pytest-benchmark: JSON as its ``--benchmark-json`` writes, for ``pytest-benchmark compare``.

A round is a process. Times are in seconds; what is no time has no place in the format.
"""

from collections.abc import Sequence
from statistics import mean, median
from typing import Any

import numpy as np

from veperf.model import Machine, Revision, Run
from veperf.writers.facts import moment, python
from veperf.writers.figures import Figure, figures, left_out, refuse_nothing, safe, seconds, unique
from veperf.writers.written import Written, json_text

_LIKE_VERSION = "5.3.1"


def write(run: Run) -> Written:
    """The file.

    Raises:
        UsageError: no case has a time.
    """
    found = [(figure, seconds(figure)) for figure in figures(run)]
    timed = [(figure, times_s) for figure, times_s in found if times_s is not None]
    refuse_nothing(timed, run, "pytest-benchmark JSON")
    names = unique([figure.full_name for figure, _ in timed])
    when = moment(run.created)
    document = {
        "machine_info": _machine(run.machine),
        "commit_info": _commit(run.revision),
        "benchmarks": [
            _benchmark(figure, name, times_s)
            for (figure, times_s), name in zip(timed, names, strict=True)
        ],
        "datetime": when.isoformat() if when else "",
        "version": _LIKE_VERSION,
    }
    others = (figure.full_name for figure, times_s in found if times_s is None)
    return Written(json_text(document), left_out(others, "as they are no times"))


def _benchmark(figure: Figure, name: str, times_s: Sequence[float]) -> dict[str, Any]:
    params = figure.case.params if figure.is_time else {}
    return {
        "group": safe(figure.case.suite),
        "name": name,
        "fullname": name,
        "params": {safe(k): safe(v) if isinstance(v, str) else v for k, v in params.items()}
        or None,
        "param": None,
        "extra_info": {"clock": figure.clock, "level": figure.case.level.value},
        "options": {},
        "stats": _stats(times_s, figure.loops * figure.operations),
    }


def _stats(times_s: Sequence[float], iterations: int) -> dict[str, Any]:
    ordered = sorted(times_s)
    middle, spread = mean(ordered), _deviation(ordered)
    q1, q3 = np.quantile(ordered, [0.25, 0.75]).tolist()
    fence = 1.5 * (q3 - q1)
    inside = [t for t in ordered if q1 - fence <= t <= q3 + fence]
    far = sum(abs(t - middle) > spread for t in ordered)
    beyond = len(ordered) - len(inside)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": middle,
        "stddev": spread,
        "rounds": len(ordered),
        "median": median(ordered),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond,
        "stddev_outliers": far,
        "outliers": f"{far};{beyond}",
        "ld15iqr": inside[0],
        "hd15iqr": inside[-1],
        "ops": 1 / middle if middle else 0.0,
        "total": sum(ordered),
        "data": list(times_s),
        "iterations": iterations,
    }


def _deviation(times_s: Sequence[float]) -> float:
    """The standard deviation of a sample, whose squares may be beyond what a number can hold."""
    scale = max(map(abs, times_s))
    if len(times_s) < 2 or not scale:
        return 0.0
    return float(np.std(np.divide(times_s, scale), ddof=1)) * scale


def _machine(machine: Machine) -> dict[str, Any]:
    system, _, release = safe(machine.system).partition(" ")
    implementation, version = python(machine)
    return {
        "node": safe(machine.name),
        "processor": safe(machine.cpu_model),
        "machine": safe(machine.name),
        "python_implementation": implementation,
        "python_version": version,
        "release": release,
        "system": system,
        "cpu": {"brand_raw": safe(machine.cpu_model), "count": machine.cores},
    }


def _commit(revision: Revision) -> dict[str, Any]:
    return {
        "id": safe(revision.commit),
        "branch": safe(revision.branch),
        "dirty": revision.dirty,
    }
