"""SQL over tables of samples."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.archive.cli_hints import command
from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.run import Run

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

_QUIET = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
"""DuckDB would fetch what it thinks that an address needs."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file of samples."""

    name: str
    left_out: frozenset[str] = frozenset()
    """Runs in it that don't count, as they are in another table."""


def query(storage: Storage, tables: Sequence[Table], sql: str) -> "pd.DataFrame":
    """Run ``sql`` (DuckDB) over the table ``samples``, which is all ``tables`` in ``storage``.

    Raises:
        CorruptFileError: one of them is damaged, or was packed or removed meanwhile.
        UsageError: DuckDB refuses the query.
    """
    import duckdb

    verify = command("archive", "verify", archive=storage)
    unreadable = f"a table of samples can't be read, {verify} says which"
    with duckdb.connect(config=dict(_QUIET)) as connection:
        try:
            samples = _samples(connection, storage, tables)  # noqa: F841 - named in sql
        except duckdb.Error as error:
            raise CorruptFileError(f"{unreadable}{_words(storage, error)}") from None
        try:
            found: pd.DataFrame = connection.sql(sql).df()
        except duckdb.Error as error:
            if not (words := _words(storage, error)):
                raise CorruptFileError(unreadable) from None
            raise UsageError(f"the query failed{words}") from None
    return found


def _samples(
    connection: "duckdb.DuckDBPyConnection", storage: Storage, tables: Sequence[Table]
) -> "duckdb.DuckDBPyRelation":
    """All ``tables``, columns by name; those of which a part counts are few."""
    import duckdb

    files = storage.serve(connection, [table.name for table in tables])
    whole = [file for file, table in zip(files, tables, strict=True) if not table.left_out]
    parts = [connection.read_parquet(whole, union_by_name=True)] if whole else []
    for file, table in zip(files, tables, strict=True):
        if table.left_out:
            runs = map(duckdb.ConstantExpression, sorted(table.left_out))
            rest = duckdb.ColumnExpression("run").isnotin(*runs)
            parts.append(connection.read_parquet([file]).filter(rest))
    samples = parts[0]
    for part in parts[1:]:  # noqa: B007 - named in sql
        samples = connection.sql("FROM samples UNION ALL BY NAME FROM part")
    return samples


def _words(storage: Storage, error: "duckdb.Error") -> str:
    """What DuckDB says, after a colon; nothing where that may be a provider's words."""
    import duckdb

    of_sql = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)
    # What a filesystem raises comes back as invalid input, with all that it says.
    raised = isinstance(error, duckdb.InvalidInputException)
    if isinstance(storage, LocalStorage) or (isinstance(error, of_sql) and not raised):
        return f": {error}"
    return ""


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


def frame_of(runs: Iterable[Run]) -> "pd.DataFrame":
    """One row a run.

    Columns: id, created, commit, branch, machine, python, profile, passes, cases.
    """
    import pandas as pd

    columns = ["id", "created", "commit", "branch", "machine", "python", "profile"]
    columns += ["passes", "cases"]
    return pd.DataFrame([_row(run) for run in runs], columns=columns)


def _row(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "created": run.created,
        "commit": run.revision.commit[:12],
        "branch": run.revision.branch,
        "machine": run.machine.name,
        "python": run.machine.python,
        "profile": run.config.profile,
        "passes": len(run.passes),
        "cases": len(run.cases),
    }
