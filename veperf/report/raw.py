"""The figures behind a report, as JSON that a reader can copy out of the page."""

import json
import math
from collections.abc import Iterable

import msgspec

from veperf.model import Run, Verdict
from veperf.report.summary import Measured

_DIGITS = 6


def raw_json(run: Run, verdict: Verdict, measured: Iterable[Measured]) -> str:
    """Run, verdict and the value of each process; one list item a line, ASCII only.

    Samples are left out: they are in run.json beside the page.
    """
    content = {
        "run": run.id,
        "created": run.created,
        "revision": msgspec.to_builtins(run.revision),
        "machine": msgspec.to_builtins(run.machine),
        "config": msgspec.to_builtins(run.config),
        "verdict": msgspec.to_builtins(verdict),
        "series": [
            {
                "case": one.series.case,
                "metric": one.series.metric,
                "unit": one.series.unit,
                "clock": one.series.clock,
                "loops": one.series.loops,
                "operations": one.series.operations,
                "cpu": one.series.cpu.tolist(),
                "wall": one.series.wall.tolist(),
                "wall_median": one.series.wall_median,
                "wall_p99": one.series.wall_p99,
            }
            for one in measured
        ],
    }
    return _lines(content)


def _lines(value: object, depth: int = 0) -> str:
    """Indented two levels deep, one line for each thing below."""
    if depth < 2 and isinstance(value, dict) and value:
        inner = [f"{json.dumps(k)}: {_lines(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(inner) + "\n}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(_lines(item, 2) for item in value) + "\n]"
    return json.dumps(_plain(value), separators=(",", ":"))


def _plain(value: object) -> object:
    """``value`` with numbers short and NaN and infinities, which JSON can't say, as null."""
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
