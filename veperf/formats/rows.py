"""Plain tables in long form, as CSV, JSON lines or Parquet: one row per value.

Input columns: ``benchmark`` (or ``name``), ``value``, and optionally ``metric`` (default ``time``),
``unit`` (``ns``), ``better`` (``lower``, ``higher``, ``unknown``) and ``process``. The value of a
process is the median of its rows. Without ``process`` each row is a repetition. A row without a
value, or with one that is no measurement, is a failure of its process or repetition. What is said
of a metric in one row holds for all its rows of that benchmark, and may not contradict another.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from msgspec.structs import replace

from veperf.core.case import ASSUMED_UNIT, TIME, Direction, Metric
from veperf.core.errors import CorruptFileError
from veperf.core.json_text import parse_json
from veperf.core.run import Run
from veperf.core.units import same_dimension_factor
from veperf.formats.exported import ExportedFile, exported_metrics, safe_text
from veperf.formats.imported import (
    NS_PER_UNIT,
    ParsedBenchmark,
    ParsedRun,
    clean_name,
    fault_of,
    time_or_metric,
)
from veperf.formats.source import MAX_FILE_BYTES, SourceFile, shorten

CSV, LINES, PARQUET = "csv", "json-lines", "parquet"

_NAMES = ("benchmark", "name")
_DELIMITERS = ",;\t"
_LONGEST_NUMBER = 400
_COLUMNS_READ = frozenset({*_NAMES, "value", "metric", "unit", "better", "process"})
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
    values: list[float] = field(default_factory=list)
    by_process: dict[str, list[float]] = field(default_factory=dict)

    def metric(self, name: str) -> tuple[Metric, float]:
        """Return the metric ``name``, and the factor for values to its unit."""
        is_assumed = name == TIME.name and not self.unit
        metric, factor = time_or_metric(name, "ns" if is_assumed else self.unit, self.better)
        return replace(metric, definition=ASSUMED_UNIT if is_assumed else ""), factor


def _read(
    source: SourceFile, tool: str, rows: Iterable[tuple[int, Mapping[str, Any]]]
) -> ParsedRun:
    run = ParsedRun(tool)
    benchmarks: dict[str, dict[str, _Column]] = {}
    for line, row in rows:
        # Names that differ by a space alone are of two benchmarks.
        name = _text(row, "benchmark") or _text(row, "name")
        if not name.strip():
            raise source.corrupt("a value without a benchmark", line)
        unit = _text(row, "unit").strip()
        measured = unit if unit and unit not in NS_PER_UNIT else TIME.name
        metric = _text(row, "metric").strip() or measured
        column = benchmarks.setdefault(name, {}).setdefault(metric, _Column(unit))
        column.better = _better(source, column.better, row, line)
        factor = _factor(unit, column.unit)
        if factor is None:
            before, now = (shorten(u) or "no unit" for u in (column.unit, unit))
            raise source.corrupt(f"{shorten(metric)} in {now}, in {before} before", line)
        process = _text(row, "process").strip()
        values = column.by_process.setdefault(process, []) if process else column.values
        values.append(_value(source, row, line) * factor)
    for name, columns in benchmarks.items():
        _add(run, run.benchmark(tool, name), columns)
    return run


def _add(run: ParsedRun, parsed: ParsedBenchmark, columns: Mapping[str, _Column]) -> None:
    """Add the repetitions, then the processes, of a benchmark."""
    metrics = [(*column.metric(name), column) for name, column in columns.items()]
    if any(metric.definition == ASSUMED_UNIT for metric, *_ in metrics):
        run.note("assuming ns for times without a unit, which are not compared with stated units")
    for index in range(max(len(column.values) for *_, column in metrics)):
        parsed.add({m: c.values[index] * f for m, f, c in metrics if index < len(c.values)})
    for process in dict.fromkeys(p for *_, column in metrics for p in column.by_process):
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


def _factor(unit: str, to: str) -> float | None:
    """Return the factor for values in ``unit`` to those in ``to``; None if there is none."""
    if unit in NS_PER_UNIT and to in NS_PER_UNIT:
        return NS_PER_UNIT[unit] / NS_PER_UNIT[to]
    return same_dimension_factor(unit, to)


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
    rows = csv.reader(source.lines, delimiter=delimiter)
    started = False
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if started and any(cell.strip() for cell in row[len(head) :]):
                # Such as 1,5 for a decimal comma: its whole part would be taken for the value.
                raise source.corrupt(f"{len(row)} cells for {len(head)} columns", rows.line_num)
            if started:
                yield rows.line_num, dict(zip(head, row, strict=False))
            started = True
    except csv.Error as error:
        raise source.corrupt(f"not CSV: {shorten(str(error))}", rows.line_num) from error


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
        number = 0
        for batch in file.iter_batches(columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise source.corrupt(f"unreadable Parquet: {shorten(str(error))}") from error


def _line_rows(source: SourceFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(source.lines, 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError as error:
            raise source.corrupt(f"not JSON: {shorten(str(error))}", number) from error
        if not isinstance(row, dict):
            raise CorruptFileError(f"{source.name}:{number}: not an object")
        yield number, row


COLUMNS = (
    "run", "created", "machine", "commit", "suite", "benchmark", "metric", "unit", "better",
    "clock", "process", "value",
)  # fmt: skip

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@")


def write_csv_table(run: Run) -> ExportedFile:
    """Write a run as CSV, with values in full precision and ``COLUMNS`` as the header."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(run):
        writer.writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in row])
    return ExportedFile(file.getvalue())


def write_parquet_table(run: Run) -> ExportedFile:
    """Write a run as Parquet: ``process`` is an integer, ``value`` a float, all else text."""
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
    for figure in exported_metrics(run):
        metric_columns = (
            safe_text(figure.case.suite),
            figure.name,
            figure.metric_name,
            figure.unit,
            figure.metric.better,
            figure.clock,
        )
        for process, value in zip(figure.processes, figure.values, strict=True):
            yield (*place, *metric_columns, process, value)


def escape_formula(text: str) -> str:
    """Return ``text`` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
