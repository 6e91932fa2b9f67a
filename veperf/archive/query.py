"""Tables of samples, and SQL queries over them."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from veperf.archive.cli_hints import command_hint
from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.ordered_map import ordered_map
from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.run import Run

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

_NO_EXTENSIONS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
"""DuckDB would otherwise download extensions that it thinks a URL needs."""


PARQUET: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
"""How tables are written; readers that check checksums of pages find them."""


@dataclass(frozen=True, slots=True)
class SampleTable:
    """A Parquet file of samples in the archive."""

    name: str
    sha256: str
    """Its checksum when it was written, in hexadecimal."""
    left_out: frozenset[str] = frozenset()
    """Runs in it that are ignored, as they are in another table too."""


def query_samples(storage: Storage, tables: Sequence[SampleTable], sql: str) -> "pd.DataFrame":
    """Run ``sql`` (DuckDB) over the table ``samples``, which is all ``tables`` in ``storage``.

    DuckDB checks no checksum of pages, so each file is checked as a whole before.

    Raises:
        CorruptFileError: a table is damaged, or was packed or removed in between.
        UsageError: DuckDB refuses the query.
    """
    import duckdb

    verify = command_hint("archive", "verify", archive=storage)
    unreadable = f"a table of samples can't be read; {verify} says which"
    digests = ordered_map(storage.concurrency, lambda table: storage.digest(table.name), tables)
    for table, digest in zip(tables, digests, strict=True):
        if digest != table.sha256:
            raise CorruptFileError(
                f"{storage.where(table.name)} has changed since it was written (checksum differs): "
                f"restore it from a copy; {verify} names all that is damaged"
            )
    with duckdb.connect(config=dict(_NO_EXTENSIONS)) as connection:
        try:
            samples = _samples_relation(connection, storage, tables)  # noqa: F841 - named in sql
        except duckdb.Error as error:
            raise CorruptFileError(f"{unreadable}{_error_text(storage, error)}") from None
        try:
            frame: pd.DataFrame = connection.sql(sql).df()
        except duckdb.Error as error:
            if not (text := _error_text(storage, error)):
                raise CorruptFileError(unreadable) from None
            raise UsageError(f"the query failed{text}") from None
    return frame


def _samples_relation(
    connection: "duckdb.DuckDBPyConnection", storage: Storage, tables: Sequence[SampleTable]
) -> "duckdb.DuckDBPyRelation":
    """Return the union of all ``tables``, with columns matched by name."""
    import duckdb

    files = storage.duckdb_paths(connection, [table.name for table in tables])
    whole = [file for file, table in zip(files, tables, strict=True) if not table.left_out]
    parts = [connection.read_parquet(whole, union_by_name=True)] if whole else []
    for file, table in zip(files, tables, strict=True):
        if table.left_out:
            runs = map(duckdb.ConstantExpression, sorted(table.left_out))
            counts = duckdb.ColumnExpression("run").isnotin(*runs)
            parts.append(connection.read_parquet([file]).filter(counts))
    samples = parts[0]
    for part in parts[1:]:  # noqa: B007 - named in sql
        samples = connection.sql("FROM samples UNION ALL BY NAME FROM part")
    return samples


def _error_text(storage: Storage, error: "duckdb.Error") -> str:
    """Return a colon and DuckDB's message; empty where it may quote a storage provider."""
    import duckdb

    of_sql = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)
    # An error of a filesystem comes back as invalid input, with its whole message.
    raised = isinstance(error, duckdb.InvalidInputException)
    if isinstance(storage, LocalStorage) or (isinstance(error, of_sql) and not raised):
        return f": {error}"
    return ""


def samples_table(run: Run) -> "pa.Table":
    """Return the samples of a run as a table with a row per sample.

    Columns: run, created, machine, commit, suite, case, process, sample, loops, operations,
    wall_ns and cpu_ns (of one operation), switches (of the whole sample).
    """
    import pyarrow as pa

    return pa.Table.from_pylist(list(_rows(run)), schema=samples_schema())


def samples_schema() -> "pa.Schema":
    """Return the columns of ``samples_table`` and their types."""
    import pyarrow as pa

    names = ("run", "created", "machine", "commit", "suite", "case")
    return pa.schema(
        [
            *((name, pa.string()) for name in names),
            *((name, pa.int32()) for name in ("process", "sample")),
            *((name, pa.int64()) for name in ("loops", "operations")),
            *((name, pa.float64()) for name in ("wall_ns", "cpu_ns")),
            ("switches", pa.int64()),
        ]
    )


def samples_parquet(run: Run) -> bytes:
    """Return ``samples_table`` as the bytes of a Parquet file."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(samples_table(run), buffer, **PARQUET)
    return buffer.getvalue()


def _rows(run: Run) -> Iterator[dict[str, object]]:
    suites = {case.id: case.suite for case in run.cases}
    for pass_ in run.passes:
        for result in pass_.results:
            operations = result.loops * result.operations
            for index, sample in enumerate(result.samples):
                yield {
                    "run": run.id,
                    "created": run.created,
                    "machine": run.machine.name,
                    "commit": run.revision.commit,
                    "suite": suites[result.case],
                    "case": result.case,
                    "process": pass_.index,
                    "sample": index,
                    "loops": result.loops,
                    "operations": result.operations,
                    "wall_ns": sample.wall_ns / operations,
                    "cpu_ns": None if sample.cpu_ns is None else sample.cpu_ns / operations,
                    "switches": sample.switches,
                }
