"""The summary as tables: facts of runs and their figures, in Arrow and in NumPy."""

import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from veperf.archive.query import PARQUET
from veperf.archive.run_summary import RunFacts, SummaryFigure
from veperf.core.errors import CorruptFileError

if TYPE_CHECKING:
    import pyarrow as pa

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]

_TEXT_COLUMNS = ("run", "case", "metric", "unit", "better", "clock")
_REPEATED_FACTS = ("machine", "cpu_model", "python", "branch", "profile")
_NO_NUMBERS = np.empty(0, np.int32)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN = -(2**63)
_GROUP_ROWS = 8_192
"""Rows of a row group: the least that is read of a file for one case."""


def facts_schema() -> "pa.Schema":
    """Return the columns of a table of facts: a row per run."""
    import pyarrow as pa

    types: dict[type, Any] = {int: pa.int64(), bool: pa.bool_(), str: pa.string()}
    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            (name, text if name in _REPEATED_FACTS else types[RunFacts.__annotations__[name]])
            for name in RunFacts.__struct_fields__
        ]
        + [("month", text), ("created_us", pa.int64()), ("packed", pa.bool_())]
    )


def facts_table(runs: Iterable[RunFacts]) -> "pa.Table":
    """Return the facts of ``runs`` as a table."""
    rows = [(*astuple(run), run.month, _created_us(run), False) for run in runs]
    return _table(rows, facts_schema())


def _created_us(run: RunFacts) -> int:
    """Return when it was begun, in µs since 1970; the least number where that is unknown."""
    created = run.created_at
    return _UNKNOWN if created is None else (created - _EPOCH) // timedelta(microseconds=1)


def facts_of(table: "pa.Table") -> tuple[RunFacts, ...]:
    """Return the facts in a table of facts."""
    columns = [column_values(table, name) for name in RunFacts.__struct_fields__]
    return tuple(map(RunFacts, *columns))


def column_values(table: "pa.Table", column: str) -> list[Any]:
    """Return a column as a list; one of repeated text several times as fast as ``to_pylist``."""
    import pyarrow as pa

    values: list[Any]
    if pa.types.is_dictionary(table.schema.field(column).type):
        text = text_column(table, column)
        values = [text.names[code] for code in text.codes.tolist()]
    else:
        values = table[column].to_pylist()
    return values


def join_facts(first: "pa.Table", second: "pa.Table") -> "pa.Table":
    """Return the facts of both, by completion stamp, of equal ones by id."""
    import pyarrow as pa

    if not second.num_rows:
        return first
    facts = pa.concat_tables([first, second]).unify_dictionaries().combine_chunks()
    return facts.sort_by([("stamp_ns", "ascending"), ("id", "ascending")])


def ids_by_partition(facts: "pa.Table") -> "dict[tuple[str, str], pa.ChunkedArray]":
    """Return the ids of the runs of each month and machine class."""
    month, machine = (text_column(facts, name) for name in ("month", "machine"))
    keys = month.codes.astype(np.int64) * len(machine.names) + machine.codes
    order = np.argsort(keys, kind="stable")
    distinct, starts = np.unique(keys[order], return_index=True)
    ids = facts["id"].take(_arrow(order))
    ends = [*starts[1:].tolist(), keys.size][: starts.size]
    return {
        (month.names[key // len(machine.names)], machine.names[key % len(machine.names)]): ids[
            start:end
        ]
        for key, start, end in zip(distinct.tolist(), starts.tolist(), ends, strict=True)
    }


def figures_schema() -> "pa.Schema":
    """Return the columns of a table of figures: the id of the run, and ``SummaryFigure``'s."""
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            *((name, text) for name in _TEXT_COLUMNS),
            ("judged", pa.bool_()),
            *((name, pa.float64()) for name in ("value", "low", "high")),
            ("processes", pa.int32()),
        ]
    )


def figures_table(figures: Mapping[str, Sequence[SummaryFigure]]) -> "pa.Table":
    """Return the figures of some runs, by id, as a table with a row per figure."""
    rows = [(run, *astuple(figure)) for run, of_run in figures.items() for figure in of_run]
    return _table(rows, figures_schema())


def _table(rows: Sequence[tuple[object, ...]], schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    if not rows:
        return schema.empty_table()
    columns = zip(*rows, strict=True)
    arrays = [_column(values, f.type) for values, f in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


# Not by pa.array, pa.scalar or to_numpy, which import pandas.
def _column(values: Sequence[Any], kind: "pa.DataType") -> "pa.Array":
    """Return values without gaps as an array of Arrow."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        codes = {name: code for code, name in enumerate(dict.fromkeys(values))}
        indices = np.array([codes[name] for name in values], dtype=np.int32)
        return pa.DictionaryArray.from_arrays(_arrow(indices), _strings(list(codes)))
    if pa.types.is_string(kind):
        return _strings(values)
    if pa.types.is_boolean(kind):
        return _arrow(np.array(values, dtype=np.uint8)).cast(kind)
    return _arrow(np.array(values, dtype=kind.to_pandas_dtype()))


def _strings(values: Sequence[str]) -> "pa.Array":
    import pyarrow as pa

    texts = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def join_figures(tables: Iterable["pa.Table"]) -> "pa.Table":
    """Return all rows of these tables of figures."""
    import pyarrow as pa

    every = list(tables) or [figures_schema().empty_table()]
    return pa.concat_tables(every).unify_dictionaries().combine_chunks()


def of_runs(figures: "pa.Table", ids: "pa.ChunkedArray") -> "pa.Table":
    """Return the rows of ``figures`` whose run is in ``ids``."""
    import pyarrow.compute as pc

    return _rows_with(figures, "run", lambda runs: pc.is_in(runs, value_set=ids))


def of_cases(figures: "pa.Table", cases: Collection[str]) -> "pa.Table":
    """Return the rows of ``figures`` of these cases; all where none is named."""
    import pyarrow as pa

    if not cases:
        return figures

    def is_wanted(names: "pa.Array") -> "pa.Array":
        mask = np.array([name in cases for name in names.to_pylist()], dtype=np.uint8)
        return _arrow(mask).cast(pa.bool_())

    return _rows_with(figures, "case", is_wanted)


def _rows_with(
    figures: "pa.Table", column: str, is_wanted: "Callable[[pa.Array], pa.Array]"
) -> "pa.Table":
    import pyarrow.compute as pc

    if not figures.num_rows:
        return figures
    array = figures[column].unify_dictionaries().combine_chunks()
    mask = is_wanted(array.dictionary)
    return figures if pc.all(mask).as_py() else figures.filter(mask.take(array.indices))


def take_rows(table: "pa.Table", places: Sequence[int]) -> "pa.Table":
    """Return the rows at these indices."""
    return table.take(_arrow(np.array(places, dtype=np.int64)))


def sort_by_case(figures: "pa.Table") -> "pa.Table":
    """Return the rows sorted by case, so that a few row groups hold all of one."""
    column = text_column(figures, "case")
    rank = np.argsort(np.argsort(np.array(column.names, dtype=np.object_)))
    order = np.argsort(rank[column.codes], kind="stable") if column.names else column.codes
    return figures.take(_arrow(np.asarray(order, dtype=np.int64)))


def encode_table(table: "pa.Table", metadata: Mapping[bytes, bytes] | None = None) -> bytes:
    """Return a table as the bytes of a Parquet file, with text about it."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(metadata), buffer, row_group_size=_GROUP_ROWS, **PARQUET
    )
    return buffer.getvalue()


def decode_table(
    data: bytes,
    where: str,
    schema: "pa.Schema",
    cases: Collection[str] = (),
    columns: Sequence[str] | None = None,
) -> "pa.Table":
    """Decode a table, or only these ``columns`` of it, and of one of figures only these ``cases``.

    Raises:
        CorruptFileError: it is none, or has other columns or gaps.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        is_known = file.schema_arrow.equals(schema)
        groups = [*range(file.num_row_groups)]
        if is_known and cases:
            groups = [i for i in groups if _may_have(file.metadata, i, cases)]
        table = file.read_row_groups(groups, columns, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise CorruptFileError(f"{where} is not a table of a summary: {error}") from error
    if is_known and not any(column.null_count for column in table.columns):
        return of_cases(table, cases)
    raise CorruptFileError(f"{where} is not a table of this version's summary")


def _may_have(metadata: Any, group: int, cases: Collection[str]) -> bool:
    """Return False where the statistics of a row group exclude all of ``cases``."""
    statistics = metadata.row_group(group).column(_TEXT_COLUMNS.index("case")).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= case <= statistics.max for case in cases)


@dataclass(frozen=True, slots=True, eq=False)
class TextColumn:
    """A column of text with few distinct values, encoded as a dictionary."""

    codes: Ints
    """Indices into ``names``, shape (n,)."""
    names: tuple[str, ...]

    def mask(self, name: str) -> NDArray[np.bool_]:
        """Return the mask of the rows that equal ``name``, shape (n,)."""
        code = self.names.index(name) if name in self.names else -1
        mask: NDArray[np.bool_] = self.codes == code
        return mask

    def counts(self) -> list[int]:
        """Return the number of rows of each of ``names``."""
        numbers: list[int] = np.bincount(self.codes, minlength=len(self.names)).tolist()
        return numbers

    def distinct(self, rows: Ints) -> list[str]:
        """Return the distinct values in ``rows``, sorted."""
        return sorted(self.names[code] for code in np.unique(self.codes[rows]))


@dataclass(frozen=True, slots=True, eq=False)
class FigureColumns:
    """The fields of figures, and ``run``, the index of their run; all of shape (n,)."""

    run: Ints
    case: TextColumn
    metric: TextColumn
    unit: TextColumn
    better: TextColumn
    clock: TextColumn
    judged: NDArray[np.bool_]
    value: Floats
    low: Floats
    high: Floats
    processes: Ints


def figure_columns(table: "pa.Table", places: Mapping[str, int]) -> FigureColumns:
    """Return the columns of a table of figures; ``places`` are the indices of runs, by id."""
    columns: dict[str, Any] = {
        name: text_column(table, name) if name in _TEXT_COLUMNS else _numbers(table[name])
        for name in table.column_names
    }
    run: TextColumn = columns.pop("run")
    index = np.array([places.get(name, -1) for name in run.names], dtype=np.int32)
    return FigureColumns(run=index[run.codes], **columns)


def text_column(table: "pa.Table", column: str) -> TextColumn:
    """Return a column of text of a table of figures."""
    if not table.num_rows:
        return TextColumn(np.empty(0, dtype=np.int32), ())
    array = table[column].unify_dictionaries().combine_chunks()
    return TextColumn(_numbers(array.indices), tuple(array.dictionary.to_pylist()))


def _arrow(numbers: NDArray[Any]) -> "pa.Array":
    """Return an array of numbers in Arrow."""
    import pyarrow as pa

    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, numbers.size, [None, pa.py_buffer(numbers)])


def _numbers(column: "pa.Array | pa.ChunkedArray") -> NDArray[Any]:
    """Return numbers or truth values without gaps as an array, and without importing pandas."""
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        return _numbers(column.cast(pa.uint8())).astype(np.bool_)
    if not isinstance(column, pa.ChunkedArray):
        return np.from_dlpack(column)
    parts = [np.from_dlpack(chunk) for chunk in column.chunks]
    return parts[0] if len(parts) == 1 else np.concatenate([_NO_NUMBERS, *parts])
