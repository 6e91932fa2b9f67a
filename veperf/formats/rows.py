"""Plain tables in long form, as CSV, JSON lines or Parquet: one row per value.

Input columns: ``benchmark`` (or ``name``), ``value``, and optionally ``metric`` (default ``time``),
``unit`` (``ns``), ``better`` (``lower``, ``higher``, ``unknown``), ``exact`` (``true`` for what
can't vary), ``definition`` (only equal ones are compared) and ``process``. The value of a process
is the median of its rows. Without ``process`` each row is a repetition. A row without a
value, or with one that is no measurement, is a failure of its process or repetition. What is said
of a metric in one row holds for all its rows of that benchmark, and may not contradict another.
``parameters``, an object in JSON, are part of what a benchmark is. Tables that veperf wrote have
``COLUMNS``, and so give each case the tool, package and suite that it had.
"""

import contextlib
import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeAlias

from msgspec.structs import replace

from veperf.core.case import ASSUMED_UNIT, TIME, Direction, Metric, Params
from veperf.core.json_text import parse_json
from veperf.core.run import Run
from veperf.core.text import join_words
from veperf.core.units import same_dimension_factor, unit_family
from veperf.formats.exported import ExportedFile, exported_metrics, require_values, safe_text
from veperf.formats.go_test import TOOL as GO_TOOL
from veperf.formats.imported import (
    NS_PER_UNIT,
    ParsedBenchmark,
    ParsedRun,
    clean_name,
    fault_of,
    named_with,
    plain_params,
    slug,
    time_or_metric,
)
from veperf.formats.source import MAX_FILE_BYTES, SourceFile, shorten

CSV, LINES, PARQUET = "csv", "json-lines", "parquet"

_NAMES = ("benchmark", "name")
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_DELIMITERS = ",;\t"
_LONGEST_NUMBER = 400
_OWN = frozenset({"tool", "package", "suite", "benchmark", "parameters", "clock"})
"""Columns by which a table is one that veperf wrote."""
_COLUMNS_READ = _OWN | {
    *("name", "value", "metric", "unit", "better", "exact", "definition", "process")
}
_LONGEST_TOOL = 50
_MOST_ROWS = 5_000_000


def is_csv_table(source: SourceFile) -> bool:
    """Return whether the header has the required columns."""
    head = _head(source)[0]
    return "value" in head and any(name in head for name in _NAMES)


def is_json_lines(source: SourceFile) -> bool:
    """Return whether the first line is an object with the required fields."""
    if not source.first_line.lstrip().startswith("{"):
        return False
    try:
        first = parse_json(source.first_line)
    except ValueError:
        return False
    return isinstance(first, dict) and "value" in first and any(name in first for name in _NAMES)


def read_csv_table(source: SourceFile) -> ParsedRun:
    """Read the run in a CSV file, separated by comma, semicolon or tab as its header is."""
    return _read(source, CSV, _csv_rows(source))


def is_parquet_table(source: SourceFile) -> bool:
    """Return whether the file begins as a Parquet file does."""
    return source.data.startswith(b"PAR1")


def read_parquet_table(source: SourceFile) -> ParsedRun:
    """Read the run in a Parquet file."""
    return _read(source, PARQUET, _parquet_rows(source))


def read_json_lines(source: SourceFile) -> ParsedRun:
    """Read the run in a file of JSON lines."""
    return _read(source, LINES, _line_rows(source))


@dataclass(slots=True)
class _Column:
    """The values of a metric of a benchmark, in the unit of its first row."""

    unit: str
    better: Direction | None = None
    exact: bool = False
    definition: str = ""
    values: list[float] = field(default_factory=list)
    by_process: dict[str, list[float]] = field(default_factory=dict)

    def metric(self, name: str) -> tuple[Metric, float]:
        """Return the metric ``name``, and the factor for values to its unit."""
        is_assumed = name == TIME.name and not self.unit
        metric, factor = time_or_metric(name, "ns" if is_assumed else self.unit, self.better)
        definition = ASSUMED_UNIT if is_assumed else self.definition
        return replace(metric, definition=definition, exact=self.exact), factor


def _read(
    source: SourceFile, tool: str, rows: Iterable[tuple[int, Mapping[str, Any]]]
) -> ParsedRun:
    run = ParsedRun(tool)
    benchmarks: dict[_Place, dict[str, _Column]] = {}
    params_of: dict[_Place, Params] = {}
    tools: dict[str, None] = {}
    unread: dict[str, None] = {}
    for line, row in rows:
        place, params = _place(source, tool, row, line)
        if place not in params_of:
            params_of[place] = params
            unread |= dict.fromkeys(key for key in row if key not in _COLUMNS_READ | set(COLUMNS))
        tools[_text(row, "tool") if row.keys() >= _OWN else ""] = None
        unit = _text(row, "unit").strip()
        measured = unit_family(unit)[0] if unit and unit not in NS_PER_UNIT else TIME.name
        metric = _text(row, "metric").strip() or measured
        column = benchmarks.setdefault(place, {}).setdefault(metric, _Column(unit))
        column.better = _better(source, column.better, row, line)
        column.exact = column.exact or _text(row, "exact").strip().lower() == "true"
        column.definition = column.definition or clean_name(_text(row, "definition").strip())
        factor = same_dimension_factor(unit, column.unit)
        if factor is None:
            before, now = (shorten(u) or "no unit" for u in (column.unit, unit))
            raise source.corrupt(f"{shorten(metric)} in {now}, in {before} before", line)
        process = _text(row, "process").strip()
        values = column.by_process.setdefault(process, []) if process else column.values
        values.append(_value(source, row, line) * factor)
        source.account.take(line)
    for place, columns in benchmarks.items():
        suite, package, name, _ = place
        _add(run, run.benchmark(suite, name, what=package, params=params_of[place]), columns)
    if unread:
        run.note(f"columns that are not read: {shorten(join_words(list(unread)[:10]))}")
    own = next(iter(tools), "")
    if len(tools) == 1 and own not in ("", "veperf") and len(own) <= _LONGEST_TOOL:
        run.tool = clean_name(own)
    return run


_Place: TypeAlias = tuple[str, str, str, str]
"""Suite, package, name and parameters of a benchmark."""


def _place(
    source: SourceFile, tool: str, row: Mapping[str, Any], line: int
) -> tuple[_Place, Params]:
    """Return which benchmark a row is of, and its parameters.

    Raises:
        CorruptFileError: it names none.
    """
    # Names that differ by a space alone are of two benchmarks.
    name = _text(row, "benchmark") or _text(row, "name")
    # Other tools have nameless ones, such as hyperfine for an empty command.
    if not name.strip() and not row.keys() >= _OWN:
        raise source.corrupt("a value without a benchmark", line)
    raw_params = row.get("parameters")
    params = _params(source, raw_params, line)
    if not row.keys() >= _OWN:
        params = _in_order(params)
        name = named_with(name, params)
        return (tool, "", name, ""), params
    suite = _text(row, "suite")
    if slug(suite) != suite or not suite:
        suite = tool
    elif _text(row, "tool") == "veperf":
        name = name.removeprefix(f"{suite}/")
    return (suite, _text(row, "package"), name, str(raw_params or "")), params


def _params(source: SourceFile, raw_params: object, line: int) -> Params:
    """Return parameters, be they an object or its JSON.

    Raises:
        CorruptFileError: they are something else, or one of them is neither number nor text.
    """
    params = {} if raw_params in (None, "") else raw_params
    if isinstance(params, str):
        with contextlib.suppress(ValueError):
            params = parse_json(params)
    if not isinstance(params, dict):
        cell = shorten(raw_params if isinstance(raw_params, str) else repr(raw_params))
        problem = 'parameters are an object in JSON, such as {"n": 1000}, not'
        raise source.corrupt(f"{problem} {cell}", line)
    for key, value in params.items():
        if isinstance(value, list | dict):
            kind = type(value).__name__
            raise source.corrupt(f"parameter {shorten(key)} is a {kind}, no number or text", line)
    return plain_params(params)


def _in_order(params: Params) -> Params:
    """Return parameters by name, and numbers as such, be they text or not: 1, 1.0 and "1" alike."""
    return {key: _number_or_text(params[key]) for key in sorted(params)}


def _number_or_text(value: int | float | str) -> int | float | str:
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number


def _add(run: ParsedRun, parsed: ParsedBenchmark, columns: Mapping[str, _Column]) -> None:
    """Add the repetitions, then the processes, of a benchmark."""
    metrics = [(*column.metric(name), column) for name, column in columns.items()]
    if any(metric.definition == ASSUMED_UNIT for metric, *_ in metrics):
        run.note("assuming ns for times without a unit, which are not compared with stated units")
    for index in range(max(len(column.values) for *_, column in metrics)):
        parsed.add({m: c.values[index] * f for m, f, c in metrics if index < len(c.values)})
    processes = list(dict.fromkeys(p for *_, column in metrics for p in column.by_process))
    if all(process.isascii() and process.isdigit() for process in processes):
        processes.sort(key=lambda process: (len(process), process))
    for process in processes:
        parsed.add(
            {
                m: _of_process(m, c.by_process[process]) * f
                for m, f, c in metrics
                if process in c.by_process
            }
        )


def _of_process(metric: Metric, values: list[float]) -> float:
    """Return the median of a process, or a value of it that is no measurement."""
    return next((value for value in values if fault_of(metric, value)), median(values))


def _better(
    source: SourceFile, before: Direction | None, row: Mapping[str, Any], line: int
) -> Direction | None:
    """Return the better direction that rows state: that of ``row``, or of those ``before`` it."""
    match _text(row, "better").strip():
        case "lower" | "higher" | "unknown" as now:
            known = {now, before} - {"unknown", None}
            if len(known) > 1:
                raise source.corrupt(f"better is {now}, and was {before} in a row before", line)
            return now if before is None or now in known else before
        case "":
            return before
        case other:
            raise source.corrupt(
                f"better must be lower, higher or unknown, not {shorten(other)}", line
            )


def _value(source: SourceFile, row: Mapping[str, Any], line: int) -> float:
    raw_value = row.get("value")
    if raw_value is None or raw_value == "":
        return math.nan
    try:
        if isinstance(raw_value, int | float) and not isinstance(raw_value, bool):
            return float(raw_value)
        if (
            isinstance(raw_value, str)
            and len(raw_value) <= _LONGEST_NUMBER
            and "_" not in raw_value
        ):
            return float(raw_value)
    except OverflowError:
        return float("inf")
    except ValueError:
        pass
    if isinstance(raw_value, bool):
        raw_value = str(raw_value).lower()
    text = raw_value if isinstance(raw_value, str) else type(raw_value).__name__
    raise source.corrupt(f"no number: {shorten(text)}", line)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53:
        return str(value)
    return clean_name(value) if isinstance(value, str) else ""


def _head(source: SourceFile) -> tuple[list[str], str]:
    line = source.first_line[:10_000]
    delimiter = max(_DELIMITERS, key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        cells = []
    return [cell.strip().lower() for cell in cells], delimiter


def _csv_rows(source: SourceFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    head, delimiter = _head(source)
    is_own = set(head) >= _OWN
    started = False
    for number, row in source.each_row(delimiter):
        if not started:
            started = True
            source.account.skip(number, "headers")
            continue
        if any(cell.strip() for cell in row[len(head) :]):
            # Such as 1,5 for a decimal comma: its whole part would be taken for the value.
            raise source.corrupt(f"{len(row)} cells for {len(head)} columns", number)
        cells = map(_without_escape, row) if is_own else row
        yield number, dict(zip(head, cells, strict=False))


def _parquet_rows(source: SourceFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(source.data))
        groups = range(file.metadata.num_row_groups)
        size = sum(file.metadata.row_group(index).total_byte_size for index in groups)
        if file.metadata.num_rows > _MOST_ROWS or size > MAX_FILE_BYTES:
            raise source.corrupt(f"more than {_MOST_ROWS:,} rows, or too large when unpacked")
        columns = [name for name in file.schema_arrow.names if name in _COLUMNS_READ]
        source.account.begin("row", file.metadata.num_rows)
        number = 0
        for batch in file.iter_batches(columns=columns):
            for row in batch.to_pylist():
                number += 1
                # Those that are not read are named once.
                yield number, row if number > 1 else dict.fromkeys(file.schema_arrow.names) | row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise source.corrupt(f"unreadable Parquet: {shorten(str(error))}") from error


def _line_rows(source: SourceFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in source.each_line():
        row: object = None
        with contextlib.suppress(ValueError):
            row = parse_json(line)
        if isinstance(row, dict):
            yield number, row
        else:
            source.account.refuse(number, "not an object in JSON: cut off, or something else")


COLUMNS = (
    "run", "created", "machine", "commit", "tool", "package", "suite", "benchmark", "parameters",
    "metric", "unit", "better", "exact", "definition", "clock", "process", "value",
)  # fmt: skip

# A spreadsheet takes a cell that begins with one of these for a formula. What begins so after
# apostrophes gets one more, so that it can be read back.
_FORMULA = ("=", "+", "-", "@")


def write_csv_table(run: Run) -> ExportedFile:
    """Write a run as CSV, with values in full precision and ``COLUMNS`` as the header.

    Raises:
        UsageError: the run has no values.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(run):
        writer.writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in row])
    return ExportedFile(file.getvalue())


def write_parquet_table(run: Run) -> ExportedFile:
    """Write a run as Parquet: ``process`` is an integer, ``value`` a float, all else text.

    Raises:
        UsageError: the run has no values.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"process": pa.int32(), "value": pa.float64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in _rows(run)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="zstd")
    return ExportedFile(buffer.getvalue())


def _rows(run: Run) -> Iterator[tuple[str | int | float, ...]]:
    run_columns = (run.id, run.created, run.machine.name, run.revision.commit)
    place = tuple(map(safe_text, run_columns))
    metrics = exported_metrics(run)
    require_values(metrics, run, "a table")
    for figure in metrics:
        case = figure.case
        metric_columns = (
            safe_text(run.source),
            safe_text(case.what) if run.source == GO_TOOL else "",
            safe_text(case.suite),
            figure.name if run.source == "veperf" else figure.local_name,
            safe_text(json.dumps(case.params, ensure_ascii=False)) if case.params else "",
            figure.metric_name,
            figure.unit,
            figure.metric.better,
            "true" if figure.metric.exact else "",
            safe_text(figure.metric.definition),
            figure.clock,
        )
        for process, value in zip(figure.processes, figure.values, strict=True):
            yield (*place, *metric_columns, process, value)


def escape_formula(text: str) -> str:
    """Return ``text`` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def _without_escape(text: str) -> str:
    return text.removeprefix("'") if text.lstrip("'").startswith(_FORMULA) else text
