"""SQL over tables of samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.archive.hints import command
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.protocol import Storage
from veperf.errors import CorruptFileError, UsageError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

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
