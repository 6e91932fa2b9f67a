"""pyperf: the JSON that its ``-o`` writes, for ``pyperf show`` and ``pyperf compare_to``.

Each process is a run with one value. pyperf takes lower for better and knows seconds, bytes and
whole numbers above zero: what is none of these is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from veperf.model import Machine, Run
from veperf.writers.facts import moment, python
from veperf.writers.figures import Figure, figures, left_out, refuse_nothing, safe, seconds, unique
from veperf.writers.written import Written, json_text

_JSON_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class _Fitting:
    """A figure in one of pyperf's units."""

    figure: Figure
    unit: str
    values: Sequence[float]


def write(run: Run) -> Written:
    """The file.

    Raises:
        UsageError: nothing fits the format.
    """
    found = figures(run)
    fitting = [one for figure in found if (one := _fitting(figure)) is not None]
    refuse_nothing(fitting, run, "pyperf JSON")
    names = unique([one.figure.full_name.strip() for one in fitting])
    when = moment(run.created)
    common = _machine(run.machine) | {"date": when.isoformat(sep=" ") if when else ""}
    document = {
        "version": _JSON_VERSION,
        "metadata": {key: value for key, value in common.items() if value},
        "benchmarks": [_benchmark(one, name) for one, name in zip(fitting, names, strict=True)],
    }
    kept = {id(one.figure) for one in fitting}
    others = (figure.full_name for figure in found if id(figure) not in kept)
    return Written(json_text(document), left_out(others, "as pyperf has no such unit or direction"))


def _fitting(figure: Figure) -> _Fitting | None:
    if figure.metric.better == "higher":
        return None
    times_s = seconds(figure)
    if times_s is not None:
        one = _Fitting(figure, "second", times_s)
    elif figure.metric.unit in ("B", "B/op"):
        one = _Fitting(figure, "byte", figure.values)
    else:
        one = _Fitting(figure, "integer", figure.values)
        if not all(value.is_integer() for value in figure.values):
            return None
    return one if min(one.values) > 0 and figure.full_name.strip() else None


def _benchmark(one: _Fitting, name: str) -> dict[str, Any]:
    loops = {"loops": one.figure.loops, "inner_loops": one.figure.operations}
    return {
        "metadata": {"name": name, "unit": one.unit}
        | {key: count for key, count in loops.items() if count >= 1},
        "runs": [{"values": [value]} for value in one.values],
    }


def _machine(machine: Machine) -> dict[str, Any]:
    implementation, version = python(machine)
    texts = {
        "cpu_model_name": machine.cpu_model,
        "platform": machine.system,
        "python_implementation": implementation.lower(),
        "python_version": version,
    }
    facts: dict[str, Any] = {key: safe(text).strip() for key, text in texts.items()}
    return facts | {"cpu_count": max(0, machine.cores)}
