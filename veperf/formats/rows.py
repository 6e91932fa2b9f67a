"""Plain tables in long form, as CSV or as JSON lines: a row a value.

Columns: ``benchmark`` (or ``name``), ``value``, and as wanted ``metric`` (``time`` when not given),
``unit`` (``ns``), ``better`` (``lower``, ``higher``) and ``process``. Rows of the same process
belong together: its value is their median. Without ``process`` each row is a repetition.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any

from veperf.core.case import TIME, Better, Metric
from veperf.core.errors import CorruptFileError
from veperf.core.json_text import parse
from veperf.core.run import Run
from veperf.formats.collector import NS, Collector, clean, time_or
from veperf.formats.exported_values import Written, safe, values_by_case
from veperf.formats.source import Source, brief

CSV, LINES = "csv", "json-lines"

_NAMES = ("benchmark", "name")
_DELIMITERS = ",;\t"
_LONGEST_NUMBER = 400


def is_csv(source: Source) -> bool:
    """Whether the head names the columns that are needed."""
    head = _head(source)[0]
    return "value" in head and any(name in head for name in _NAMES)


def is_lines(source: Source) -> bool:
    """Whether the first line is an object with the fields that are needed."""
    if not source.first_line.lstrip().startswith("{"):
        return False
    try:
        first = parse(source.first_line)
    except ValueError:
        return False
    return isinstance(first, dict) and "value" in first and any(name in first for name in _NAMES)


def read_csv(source: Source) -> Collector:
    """The run in a CSV file; comma, semicolon and tab separate, whichever the head has."""
    return _read(source, CSV, _csv_rows(source))


def read_lines(source: Source) -> Collector:
    """The run in a file of JSON lines."""
    return _read(source, LINES, _line_rows(source))


def _read(source: Source, tool: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Collector:
    run = Collector(tool)
    processes: dict[tuple[str, str], dict[Metric, list[float]]] = {}
    repetitions: dict[str, dict[Metric, list[float]]] = {}
    for line, row in rows:
        name = _text(row, "benchmark") or _text(row, "name")
        if not name:
            raise source.corrupt("a value without a benchmark", line)
        metric, factor = _metric(source, run, row, line)
        value = _value(source, row, line) * factor
        if process := _text(row, "process"):
            processes.setdefault((name, process), {}).setdefault(metric, []).append(value)
            repetitions.setdefault(name, {})
        else:
            repetitions.setdefault(name, {}).setdefault(metric, []).append(value)
    of_process: dict[str, list[dict[Metric, float]]] = {}
    for (name, _), metrics in processes.items():
        of_process.setdefault(name, []).append({m: median(v) for m, v in metrics.items()})
    for name, columns in repetitions.items():
        one = run.benchmark(tool, name)
        for index in range(max(map(len, columns.values()), default=0)):
            one.add({m: values[index] for m, values in columns.items() if index < len(values)})
        for figures in of_process.get(name, []):
            one.add(figures)
    return run


def _metric(
    source: Source, run: Collector, row: Mapping[str, Any], line: int
) -> tuple[Metric, float]:
    told, unit = _text(row, "better"), _text(row, "unit")
    better: Better | None = None
    match told:
        case "lower" | "higher":
            better = told
        case "":
            pass
        case _:
            raise source.corrupt(f"better is lower or higher, not {brief(told)}", line)
    name = _text(row, "metric") or (unit if unit and unit not in NS else TIME.name)
    if name == TIME.name and not unit:
        unit = "ns"
        run.note("times without a unit are taken as ns")
    metric, factor, guessed = time_or(name, unit, better)
    if guessed:
        run.guessed(metric)
    return metric, factor


def _value(source: Source, row: Mapping[str, Any], line: int) -> float:
    given = row.get("value")
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return float(given)
        if isinstance(given, str) and len(given) <= _LONGEST_NUMBER and "_" not in given:
            return float(given)
    except OverflowError:
        return float("inf")
    except ValueError:
        pass
    raise source.corrupt(f"no number: {brief(str(given)) if isinstance(given, str) else ''}", line)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53:
        return str(value)
    return clean(value.strip()) if isinstance(value, str) else ""


def _head(source: Source) -> tuple[list[str], str]:
    line = source.first_line[:10_000]
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        cells = []
    return [cell.strip().lower() for cell in cells], delimiter


def _csv_rows(source: Source) -> Iterator[tuple[int, Mapping[str, Any]]]:
    head, delimiter = _head(source)
    rows = csv.reader(source.lines, delimiter=delimiter)
    started = False
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if started:
                yield rows.line_num, dict(zip(head, row, strict=False))
            started = True
    except csv.Error as error:
        raise source.corrupt(f"no CSV: {brief(str(error))}", rows.line_num) from error


def _line_rows(source: Source) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(source.lines, 1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except ValueError as error:
            raise source.corrupt(f"no JSON: {brief(str(error))}", number) from error
        if not isinstance(row, dict):
            raise CorruptFileError(f"{source.name}:{number}: no object")
        yield number, row


COLUMNS = (
    "run", "created", "machine", "commit", "suite", "benchmark", "metric", "unit", "better",
    "clock", "process", "value",
)  # fmt: skip

# A spreadsheet takes what begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@")


def write_csv(run: Run) -> Written:
    """Values in full precision, under a head with the names of ``COLUMNS``."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(run):
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return Written(file.getvalue())


def write_parquet(run: Run) -> Written:
    """The same columns; ``process`` is an integer, ``value`` a float, all else text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"process": pa.int32(), "value": pa.float64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in _rows(run)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="zstd")
    return Written(buffer.getvalue())


def _rows(run: Run) -> Iterator[tuple[str | int | float, ...]]:
    found = (run.id, run.created, run.machine.name, run.revision.commit)
    place = tuple(map(safe, found))
    for figure in values_by_case(run):
        what = (
            safe(figure.case.suite),
            figure.name,
            figure.metric_name,
            figure.unit,
            figure.metric.better,
            figure.clock,
        )
        for process, value in zip(figure.processes, figure.values, strict=True):
            yield (*place, *what, process, value)


def harmless(text: str) -> str:
    """``text`` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
