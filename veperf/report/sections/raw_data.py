"""The raw data of a report: figures as JSON, and links to the run's files."""

import json
import math
from collections.abc import Iterable
from fnmatch import fnmatch

import msgspec
from msgspec.structs import replace

from veperf.archive.storage.base import Storage
from veperf.core.case import TIME
from veperf.core.errors import CorruptFileError
from veperf.core.escape import as_html
from veperf.core.run import Run
from veperf.core.verdict import Change, ChangeStatus, Verdict
from veperf.report.case_summary import MeasuredMetric
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.stats.process_values import Series

_DIGITS = 6
_CHANGE_FIELDS = ("case", "metric", "status", "clock", "ratio", "low", "high", "p_adjusted")


def raw_json(run: Run, verdict: Verdict, measured: Iterable[MeasuredMetric]) -> str:
    """Return run, verdict and process values as JSON, a list item a line, in ASCII.

    Samples and latencies are left out: they are in run.json beside the page. So are comparisons
    with a baseline that does not have the case, and texts of the page.
    """
    metrics = list(measured)
    content = {
        "run": run.id,
        "created": run.created,
        "revision": msgspec.to_builtins(run.revision),
        "machine": msgspec.to_builtins(run.machine),
        "config": msgspec.to_builtins(run.config),
        "verdict": _verdict_data(verdict),
        "series": [
            _series(metric.series) for metric in metrics if metric.series.metric == TIME.name
        ],
        "figures": _figures(
            metric.series for metric in metrics if metric.series.metric != TIME.name
        ),
    }
    return _indented(content)


def _compared(verdict: Verdict) -> tuple[Change, ...]:
    return tuple(c for c in verdict.changes if c.status is not ChangeStatus.NO_BASELINE)


def _verdict_data(verdict: Verdict) -> object:
    data = msgspec.to_builtins(replace(verdict, changes=_compared(verdict)))
    for target in data["targets"]:
        del target["reason"]
    data["changes"] = [
        {name: change[name] for name in _CHANGE_FIELDS} for change in data["changes"]
    ]
    return data


def _figures(metrics: Iterable[Series]) -> list[object]:
    """Return an item for each case, with all its figures."""
    by_case: dict[str, dict[str, object]] = {}
    for series in metrics:
        values = {"unit": series.unit, "values": series.values.tolist()}
        by_case.setdefault(series.case, {})[series.metric] = values
    return [{"case": case, "figures": figures} for case, figures in by_case.items()]


def _series(series: Series) -> dict[str, object]:
    return {
        "case": series.case,
        "metric": series.metric,
        "unit": series.unit,
        "clock": series.clock,
        "loops": series.loops,
        "operations": series.operations,
        "values": series.values.tolist(),
        "wall_median": series.wall_median,
        "wall_p99": series.wall_p99,
    }


def _indented(value: object, depth: int = 0) -> str:
    """Return JSON that is indented two levels deep, with a line for each item below."""
    if depth < 2 and isinstance(value, dict) and value:
        inner = [f"{json.dumps(k)}: {_indented(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(inner) + "\n}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "[\n" + ",\n".join(_indented(item, 2) for item in value) + "\n]"
    return json.dumps(_plain(value), separators=(",", ":"))


def _plain(value: object) -> object:
    """Return ``value`` with rounded numbers; NaN and infinities, which JSON lacks, as None."""
    match value:
        case float():
            return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


_KNOWN = {
    "run.json": "the whole run with every sample",
    "samples.parquet": "the samples as a table",
    "complete.json": "checksums of both",
}
_FLAMEGRAPHS = "*flamegraph*.html"
NOTHING = "This run is in no archive."


def files_section(folder: Storage | None) -> Fragment:
    """Return links to the run's data and to its flamegraphs, where it has some."""
    names = _names(folder)
    files = [(name, what) for name, what in _KNOWN.items() if name in names]
    files += [
        (name, "where memory was allocated")
        for name in names
        if fnmatch(name.rpartition("/")[2], _FLAMEGRAPHS)
    ]
    if not files:
        return markup.paragraph_fragment(NOTHING)
    items = "".join(
        f"<li>{markup.hyperlink(name, name)}: {as_html(what)}</li>" for name, what in files
    )
    return Fragment(f"<ul>{items}</ul>", "\n".join(f"{name}: {what}" for name, what in files))


def _names(folder: Storage | None) -> list[str]:
    try:
        return folder.names() if folder is not None else []
    except CorruptFileError:
        return []
