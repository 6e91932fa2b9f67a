"""Plain tables in long form, a row a value: CSV and parquet, as ``veperf import`` reads CSV."""

import csv
import io
from collections.abc import Iterator

from veperf.model import Run
from veperf.writers.figures import figures, safe
from veperf.writers.written import Written

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
    for figure in figures(run):
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
