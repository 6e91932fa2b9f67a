"""airspeed velocity: a file of its ``results`` folder, of layout 2 or the older 1.

In layout 2 ``results`` maps a benchmark to a row under ``result_columns``, cut off after the last
column with a value; in layout 1 to its result, or to an object. A benchmark with parameters has a
list entry for each combination of them, the last parameter varying fastest; null is a failure, NaN
a combination that was skipped.
"""

import itertools
import math
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from veperf.core.case import TIME, Metric
from veperf.core.run import Revision
from veperf.formats.imported import ParsedBenchmark, ParsedRun, Provenance, metric_of
from veperf.formats.source import SourceFile, shorten

TOOL = "asv"

_VALUE = "value"
_MOST_COMBINATIONS = 100_000


class AsvFile(Struct, frozen=True):
    """A file of asv's results."""

    results: dict[str, Any]
    version: int
    result_columns: list[str] = []
    commit_hash: str = ""
    date: float | None = None
    """Date of the commit, in ms since 1970."""
    params: dict[str, Any] = {}
    python: str = ""


def is_asv_file(source: SourceFile) -> bool:
    """Return whether the file has the keys of asv's results."""
    return {"results", "commit_hash", "version"} <= source.keys


def read_asv(source: SourceFile) -> ParsedRun:
    """Read the run in a file of asv's results."""
    file = source.document_as(AsvFile)
    if file.version not in (1, 2):
        raise source.corrupt(
            f"layout {file.version} of asv's results is not supported; 1 and 2 are"
        )
    run = ParsedRun(TOOL)
    for name, row in file.results.items():
        match row:
            case list() if file.version == 2:
                _benchmark(run, source, name, dict(zip(file.result_columns, row, strict=False)))
            case dict() if file.version == 1:
                _benchmark(run, source, name, row)
            case None | int() | float() if file.version == 1:
                _benchmark(run, source, name, {"result": row})
            case None:
                pass  # no result
            case _:
                raise source.corrupt(f"{shorten(name)}: not a result of layout {file.version}")
    run.provenance = _provenance(file)
    return run


def _benchmark(run: ParsedRun, source: SourceFile, name: str, row: dict[str, Any]) -> None:
    combinations = _combinations(source, name, row.get("params") or [])
    metric, factor = _metric(name)
    guessed = metric.name == _VALUE
    results, samples = row.get("result"), row.get("samples")
    for index, combination in enumerate(combinations):
        full_name = f"{name}({', '.join(combination)})" if combination else name
        parsed = run.benchmark(TOOL, full_name, benchmark=name)
        value = _at(results, index)
        if results is None or (isinstance(results, list) and value is None):
            parsed.failure = "it failed"
        elif _is_number(value) and value == value:  # NaN is not itself
            sample = _at(samples, index)
            values = sample if isinstance(sample, list) and sample else [value]
            _add(parsed, source, metric, [_scaled(v, factor) for v in values], row, index)
            if guessed:
                run.note_guess(metric)


def _add(
    parsed: ParsedBenchmark,
    source: SourceFile,
    metric: Metric,
    values: list[float | None],
    row: dict[str, Any],
    index: int,
) -> None:
    number = _at(row.get("stats_number"), index)
    for value in values:
        if value is None:
            raise source.corrupt(f"{shorten(parsed.name)}: a sample is not a number")
        parsed.add({metric: value}, number if type(number) is int else 1)


def _combinations(source: SourceFile, name: str, params: Any) -> list[tuple[str, ...]]:
    if not isinstance(params, list) or not all(isinstance(p, list) for p in params):
        raise source.corrupt(f"{shorten(name)}: the parameters are not lists")
    if math.prod(max(1, len(p)) for p in params) > _MOST_COMBINATIONS:
        raise source.corrupt(f"{shorten(name)}: more than {_MOST_COMBINATIONS} combinations")
    return list(itertools.product(*([_text(v) for v in p] for p in params)))


def _metric(name: str) -> tuple[Metric, float]:
    """Return metric and factor by the prefix of the function's name, as asv does."""
    function = name.rpartition(".")[2].lower()
    if function.startswith("time"):
        return TIME, 1e9
    if function.startswith(("mem", "peakmem")):
        return metric_of("memory", "B")[0], 1.0
    return metric_of(_VALUE, "")[0], 1.0


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
