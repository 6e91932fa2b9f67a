"""SQL over tables of samples."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from veperf.archive.storage import LocalStorage, Storage
from veperf.errors import CorruptFileError, UsageError

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_QUIET = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
"""DuckDB would fetch what it thinks that an address needs."""
_UNREADABLE = "a table of samples can't be read, `veperf archive verify` says which"


def query(storage: Storage, tables: Sequence[str], sql: str) -> "pd.DataFrame":
    """Run ``sql`` (DuckDB) over the table ``samples``, which is all ``tables`` in ``storage``.

    Raises:
        CorruptFileError: one of them is damaged, or was packed or removed meanwhile.
        UsageError: DuckDB refuses the query.
    """
    import duckdb

    with duckdb.connect(config=dict(_QUIET)) as connection:
        files = storage.serve(connection, tables)
        try:
            samples = connection.read_parquet(files, union_by_name=True)  # noqa: F841 - named in sql
        except duckdb.Error as error:
            raise CorruptFileError(f"{_UNREADABLE}{_words(storage, error)}") from None
        try:
            found: pd.DataFrame = connection.sql(sql).df()
        except duckdb.Error as error:
            if not (words := _words(storage, error)):
                raise CorruptFileError(_UNREADABLE) from None
            raise UsageError(f"the query failed{words}") from None
    return found


def _words(storage: Storage, error: "duckdb.Error") -> str:
    """What DuckDB says, after a colon; nothing where that may be a provider's words."""
    import duckdb

    of_sql = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)
    # What a filesystem raises comes back as invalid input, with all that it says.
    raised = isinstance(error, duckdb.InvalidInputException)
    if isinstance(storage, LocalStorage) or (isinstance(error, of_sql) and not raised):
        return f": {error}"
    return ""
