"""Plain tables in long form, as CSV or as JSON lines: a row a value.

Columns: ``benchmark`` (or ``name``), ``value``, and as wanted ``metric`` (``time`` when not given),
``unit`` (``ns``), ``better`` (``lower``, ``higher``) and ``process``. Rows of the same process
belong together: its value is their median. Without ``process`` each row is a repetition.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any

from veperf.errors import CorruptFileError
from veperf.interop.collect import Collector
from veperf.interop.json_text import parse
from veperf.interop.metrics import NS, time_or
from veperf.interop.names import clean
from veperf.interop.source import Source, brief
from veperf.model import TIME, Better, Metric

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
