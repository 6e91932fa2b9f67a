"""Samples as a table: one row a sample, the same columns in parquet and in pandas."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from veperf.model import Run

if TYPE_CHECKING:
    import pyarrow as pa


def samples_table(run: Run) -> "pa.Table":
    """One row a sample.

    Columns: run, created, machine, commit, suite, case, process, sample, loops, operations,
    wall_ns and cpu_ns (of one operation), switches (of the whole sample).
    """
    import pyarrow as pa

    return pa.Table.from_pylist(list(_rows(run)), schema=samples_schema())


def samples_schema() -> "pa.Schema":
    """The columns of ``samples_table`` and their types."""
    import pyarrow as pa

    return pa.schema(
        [
            ("run", pa.string()),
            ("created", pa.string()),
            ("machine", pa.string()),
            ("commit", pa.string()),
            ("suite", pa.string()),
            ("case", pa.string()),
            ("process", pa.int32()),
            ("sample", pa.int32()),
            ("loops", pa.int64()),
            ("operations", pa.int64()),
            ("wall_ns", pa.float64()),
            ("cpu_ns", pa.float64()),
            ("switches", pa.int64()),
        ]
    )


def samples_parquet(run: Run) -> bytes:
    """The table as a parquet file's bytes."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(samples_table(run), buffer, compression="zstd")
    return buffer.getvalue()


def _rows(run: Run) -> Iterator[dict[str, object]]:
    suites = {case.id: case.suite for case in run.cases}
    for one in run.passes:
        for result in one.results:
            each = result.loops * result.operations
            for index, sample in enumerate(result.samples):
                yield {
                    "run": run.id,
                    "created": run.created,
                    "machine": run.machine.name,
                    "commit": run.revision.commit,
                    "suite": suites[result.case],
                    "case": result.case,
                    "process": one.index,
                    "sample": index,
                    "loops": result.loops,
                    "operations": result.operations,
                    "wall_ns": sample.wall_ns / each,
                    "cpu_ns": None if sample.cpu_ns is None else sample.cpu_ns / each,
                    "switches": sample.switches,
                }
