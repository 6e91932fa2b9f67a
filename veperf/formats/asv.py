"""airspeed velocity: a file of its ``results`` folder, of layout 2 or the older 1.

In layout 2 ``results`` maps a benchmark to a row under ``result_columns``, cut off after the last
column with a value; in layout 1 to its result, or to an object. A benchmark with parameters has a
list entry for each combination of them, the last parameter varying fastest; null is a failure, NaN
a combination that was skipped. A result is the median of its samples, which are left out unless
they were asked for; its statistics are columns such as ``stats_q_25`` in layout 2, and the object
``stats`` in layout 1. Units and names of parameters are in ``benchmarks.json``, one folder up from
the results. The version of a benchmark, a hash of its code, is part of what it measures:
results of two versions can't be compared.
"""

import itertools
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from veperf.core.case import TIME, Metric
from veperf.core.errors import DataError
from veperf.core.run import Revision, Summary
from veperf.formats.imported import (
    VALUE,
    ParsedRun,
    Provenance,
    clean_name,
    fault_of,
    metric_of,
    plain_params,
)
from veperf.formats.source import SourceFile, is_readable_file, load_source, shorten

TOOL = "asv"

_SHORT = 24
"""Digits of a version, a SHA-256, that are enough to tell it from others."""
_MOST_COMBINATIONS = 100_000
_WHOLE_NUMBER = re.compile(r"-?\d{1,15}", re.ASCII)
_NO_UNIT = "unit"
"""What asv writes for a benchmark without a unit of its own."""
MACHINE_FILE = "machine.json"
"""Description of the machine, beside the results."""


class AsvFile(Struct, frozen=True):
    """A file of asv's results."""

    results: dict[str, Any]
    version: int
    result_columns: list[str] = []
    commit_hash: str = ""
    date: float | None = None
    """Date of the commit, in ms since 1970."""
    params: dict[str, Any] = {}
    benchmark_version: dict[str, Any] = {}
    """Versions in layout 1."""
    python: str = ""


def is_asv_file(source: SourceFile) -> bool:
    """Return whether the file has the keys of asv's results."""
    return {"results", "commit_hash", "version"} <= source.keys


class AsvListed(Struct, frozen=True):
    """A benchmark in asv's list of them."""

    unit: str = ""
    param_names: list[str] = []


def read_asv(source: SourceFile) -> ParsedRun:
    """Read the run in a file of asv's results, with what the list of benchmarks says of them."""
    file = source.document_as(AsvFile)
    if file.version not in (1, 2):
        raise source.corrupt(
            f"layout {file.version} of asv's results is not supported; 1 and 2 are"
        )
    run = ParsedRun(TOOL)
    versions = file.benchmark_version
    listing = _listing(Path(source.name))
    for number, (name, row) in source.account.each("benchmark", list(file.results.items())):
        source.account.take(number)
        match row:
            case list() if file.version == 2:
                fields = dict(zip(file.result_columns, row, strict=False))
                _benchmark(run, source, name, fields, _listed(source, listing, name))
            case dict() if file.version == 1:
                fields = {"version": versions.get(name), **row}
                _benchmark(run, source, name, fields, _listed(source, listing, name))
            case None | int() | float() if file.version == 1:
                fields = {"version": versions.get(name), "result": row}
                _benchmark(run, source, name, fields, _listed(source, listing, name))
            case None:
                run.benchmark(TOOL, name).failure = "it failed"
            case _:
                raise source.corrupt(f"{shorten(name)}: not a result of layout {file.version}")
    run.provenance = _provenance(file)
    return run


def _listing(results: Path) -> Mapping[str, object]:
    """Return asv's list of benchmarks for a file in its folder; empty if there is none."""
    path = results.parent.parent / "benchmarks.json"
    if not (is_readable_file(results.with_name(MACHINE_FILE)) and is_readable_file(path)):
        return {}
    try:
        document = load_source(path).document
    except DataError:
        return {}
    return document if isinstance(document, dict) else {}


def _listed(source: SourceFile, listing: Mapping[str, object], name: str) -> AsvListed:
    return source.optional_as(listing.get(name), AsvListed) or AsvListed()


def _benchmark(
    run: ParsedRun, source: SourceFile, name: str, row: dict[str, Any], listed: AsvListed
) -> None:
    combinations = _combinations(source, name, row.get("params") or [])
    metric, factor = _metric(name, listed.unit)
    if version := _text(row.get("version")):
        metric = replace(metric, definition=f"version {clean_name(version)[:_SHORT]}")
    results, samples = row.get("result"), row.get("samples")
    for index, combination in enumerate(combinations):
        full_name = f"{name}({', '.join(combination)})" if combination else name
        params = plain_params(
            {key: _plain(text) for key, text in zip(listed.param_names, combination, strict=False)}
        )
        parsed = run.benchmark(TOOL, full_name, benchmark=name, params=params)
        value, sample = _at(results, index), _at(samples, index)
        has_sample = isinstance(sample, list) and bool(sample)
        if results is None or (isinstance(results, list) and value is None):
            parsed.failure = "it failed"
        elif isinstance(value, float) and math.isnan(value) and not has_sample:
            parsed.skipped = True
            run.note(f"{shorten(full_name)} was skipped, or its result is no number")
        elif _is_number(value):
            for number in sample if has_sample else ():
                scaled = _scaled(number, factor)
                parsed.add({metric: math.nan if scaled is None else scaled}, _loops(row, index))
            scaled = _scaled(value, factor) or 0.0
            if not has_sample:
                summary = _summary(row, index).times(factor)
                summaries = {metric.name: summary} if summary.n else {}
                parsed.add({metric: scaled}, _loops(row, index), summaries)
            elif fault := fault_of(metric, scaled):
                parsed.failure = f"its result is {fault}"


def _loops(row: dict[str, Any], index: int) -> int:
    number = _at(row.get("stats_number"), index)
    return number if type(number) is int else 1


def _summary(row: dict[str, Any], index: int) -> Summary:
    """Return the statistics of a result, in its own unit."""
    stats = _at(row.get("stats"), index)

    def value(column: str, key: str | None = None) -> float | None:
        old = stats.get(key or column) if isinstance(stats, dict) else None
        number = _at(row.get(f"stats_{column}"), index) if old is None else old
        return _finite(number)

    interval = stats.get("ci_99") if isinstance(stats, dict) else None
    low, high = (
        (_finite(end) for end in interval)
        if isinstance(interval, list) and len(interval) == 2
        else (value("ci_99_a"), value("ci_99_b"))
    )
    count = value("repeat", "n") or value("repeat")
    return Summary(
        center="median",
        n=int(count) if count else None,
        low=low,
        high=high,
        confidence=None if low is None or high is None else 0.99,
        standard_deviation=value("std"),
        q1=value("q_25"),
        q3=value("q_75"),
        minimum=value("min"),
        maximum=value("max"),
    )


def _finite(value: Any) -> float | None:
    number = _scaled(value, 1.0)
    return number if number is not None and math.isfinite(number) else None


def _combinations(source: SourceFile, name: str, params: Any) -> list[tuple[str, ...]]:
    if not isinstance(params, list) or not all(isinstance(p, list) for p in params):
        raise source.corrupt(f"{shorten(name)}: the parameters are not lists")
    if math.prod(max(1, len(p)) for p in params) > _MOST_COMBINATIONS:
        raise source.corrupt(f"{shorten(name)}: more than {_MOST_COMBINATIONS} combinations")
    return list(itertools.product(*([_text(v) for v in p] for p in params)))


def _plain(text: str) -> int | str:
    """Return a value of a parameter, which asv writes as Python shows it: ``10``, ``'down'``."""
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text


def _metric(name: str, unit: str) -> tuple[Metric, float]:
    """Return metric and factor by the prefix of the function's name, as asv does.

    ``unit`` is that of results which are neither times nor memory; empty where it is not known.
    """
    function = name.rpartition(".")[2].lower()
    if function.startswith("time"):
        return TIME, 1e9
    if function.startswith(("mem", "peakmem")):
        return metric_of("memory", "B"), 1.0
    return metric_of(VALUE, "" if unit == _NO_UNIT else unit), 1.0


def _provenance(file: AsvFile) -> Provenance:
    def text(key: str) -> str:
        return _text(file.params.get(key) or "")

    cores = text("num_cpu")
    try:
        created = datetime.fromtimestamp(file.date / 1000, UTC).isoformat() if file.date else ""
    except (ValueError, OverflowError, OSError):
        created = ""
    return Provenance(
        cpu_model=text("cpu"),
        cores=int(cores) if cores.isascii() and cores.isdigit() and len(cores) < 6 else 0,
        system=f"{text('os')} {text('arch')}".strip(),
        python=_python(text("python") or file.python),
        host=text("machine"),
        created=created,
        revision=Revision(file.commit_hash),
    )


def _python(version: str) -> str:
    """Return ``Python 3.11`` for ``3.11``, and nothing for a path to an interpreter."""
    return f"Python {version}" if version[:1].isdigit() else ""


def _at(values: Any, index: int) -> Any:
    """Return an entry; asv writes a list for a single combination as its only value."""
    if isinstance(values, list):
        return values[index] if index < len(values) else None
    return values if index == 0 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scaled(value: Any, factor: float) -> float | None:
    try:
        return float(value) * factor if _is_number(value) else None
    except OverflowError:
        return math.inf


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value) if _is_number(value) else ""
