"""The figures behind a report, as JSON that a reader can copy out of the page."""

import json
import math
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from veperf.core.case import TIME
from veperf.core.run import Run
from veperf.core.verdict import Change, ChangeStatus, Verdict
from veperf.report.case_summary import Measured
from veperf.stats.process_values import Series

_DIGITS = 6
_OF_CHANGES = ("case", "metric", "status", "clock", "ratio", "low", "high", "p_adjusted")


def raw_json(run: Run, verdict: Verdict, measured: Iterable[Measured]) -> str:
    """Run, verdict and the value of each process; one list item a line, ASCII only.

    Samples and latencies are left out: they are in run.json beside the page. So are comparisons
    with a baseline that does not have the case, and what the page says in words.
    """
    shown = list(measured)
    content = {
        "run": run.id,
        "created": run.created,
        "revision": msgspec.to_builtins(run.revision),
        "machine": msgspec.to_builtins(run.machine),
        "config": msgspec.to_builtins(run.config),
        "verdict": _judged(verdict),
        "series": [_series(one.series) for one in shown if one.series.metric == TIME.name],
        "figures": _figures(one.series for one in shown if one.series.metric != TIME.name),
    }
    return _lines(content)


def _compared(verdict: Verdict) -> tuple[Change, ...]:
    return tuple(c for c in verdict.changes if c.status is not ChangeStatus.NO_BASELINE)


def _judged(verdict: Verdict) -> object:
    kept = msgspec.to_builtins(replace(verdict, changes=_compared(verdict)))
    for one in kept["targets"]:
        del one["reason"]
    kept["changes"] = [{name: one[name] for name in _OF_CHANGES} for one in kept["changes"]]
    return kept


def _figures(found: Iterable[Series]) -> list[object]:
    """One item a case: a load case has a dozen figures."""
    by_case: dict[str, dict[str, object]] = {}
    for series in found:
        values = {"unit": series.unit, "values": series.values.tolist()}
        by_case.setdefault(series.case, {})[series.metric] = values
    return [{"case": case, "figures": figures} for case, figures in by_case.items()]


def _series(found: Series) -> dict[str, object]:
    return {
        "case": found.case,
        "metric": found.metric,
        "unit": found.unit,
        "clock": found.clock,
        "loops": found.loops,
        "operations": found.operations,
        "values": found.values.tolist(),
        "wall_median": found.wall_median,
        "wall_p99": found.wall_p99,
    }


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
