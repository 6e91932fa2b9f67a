"""The files of the summary: each holds the figures of some runs, as a table in parquet.

A file's name is its checksum, so that what is damaged shows before anything believes it.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from veperf.archive.facts import Figure, RunFacts
from veperf.archive.files import checksum, decode_json
from veperf.archive.storage.protocol import Storage
from veperf.errors import CorruptFileError, DataError

if TYPE_CHECKING:
    import pyarrow as pa

# Format history: 1 the first.
_FORMAT = 1
_METADATA = b"veperf"
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class Segment:
    """The figures of some runs."""

    runs: tuple[RunFacts, ...]
    table: "pa.Table"
    """A row a figure: ``run``, the place of its run in ``runs``, and the fields of ``Figure``."""


class _Header(Struct, frozen=True):
    runs: tuple[RunFacts, ...]
    format: int = _FORMAT


def segment_of(figures: Mapping[RunFacts, Sequence[Figure]]) -> Segment:
    """The figures of some runs as a segment."""
    import pyarrow as pa

    rows = [
        {"run": place, **msgspec.structs.asdict(figure)}
        for place, found in enumerate(figures.values())
        for figure in found
    ]
    return Segment(tuple(figures), pa.Table.from_pylist(rows, schema=_schema()))


def joined(segments: Iterable[Segment], completed_ns: Mapping[str, int]) -> Segment:
    """One segment of all the runs that are still as ``completed_ns`` says, each of them once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    runs: dict[str, RunFacts] = {}
    tables: list[pa.Table] = []
    for segment in segments:
        places = []
        for facts in segment.runs:
            stays = completed_ns.get(facts.id) == facts.completed_ns and facts.id not in runs
            places.append(len(runs) if stays else None)
            if stays:
                runs[facts.id] = facts
        moved = pc.take(pa.array(places, pa.int32()), segment.table["run"])
        table = segment.table.set_column(0, "run", moved)
        tables.append(table.filter(pc.is_valid(moved)) if None in places else table)
    if not tables:
        return segment_of({})
    return Segment(tuple(runs.values()), pa.concat_tables(tables).unify_dictionaries())


def read_segments(folder: Storage) -> tuple[dict[str, Segment], list[str]]:
    """The segments in ``folder`` by file, and the files there that are broken.

    Raises:
        StorageError: there is no way to them.
    """
    found: dict[str, Segment] = {}
    broken: list[str] = []
    try:
        names = [name for name in folder.names() if name.endswith(_SUFFIX)]
    except CorruptFileError:
        return {}, []
    for name in names:
        try:
            found[name] = _decode(folder, name)
        except DataError:
            broken.append(name)
    return found, broken


def write_segment(folder: Storage, segment: Segment) -> str:
    """Write ``segment`` to a file in ``folder``, and return that.

    Raises:
        StorageError: ``folder`` can't be written, or the disk is full.
    """
    import pyarrow.parquet as pq

    header = msgspec.json.encode(_Header(segment.runs))
    buffer = io.BytesIO()
    table = segment.table.replace_schema_metadata({_METADATA: header})
    pq.write_table(table, buffer, compression="zstd")
    data = buffer.getvalue()
    name = checksum(data) + _SUFFIX
    folder.write(name, data)
    return name


def _decode(folder: Storage, name: str) -> Segment:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    data, where = folder.read(name), folder.where(name)
    if checksum(data) != name.removesuffix(_SUFFIX):
        raise CorruptFileError(f"{where} is not what was written (checksum differs)")
    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise CorruptFileError(f"{where} is no segment: {error}") from error
    header = (table.schema.metadata or {}).get(_METADATA, b"")
    runs = decode_json(header, where, _Header, newest_format=_FORMAT).runs
    if not table.schema.equals(_schema()) or any(c.null_count for c in table.columns):
        raise CorruptFileError(f"{where} is no segment of this version")
    ends = pc.min_max(table["run"]).as_py()
    if table.num_rows and not 0 <= ends["min"] <= ends["max"] < len(runs):
        raise CorruptFileError(f"{where} has figures of no run")
    return Segment(runs, table)


@cache
def _schema() -> "pa.Schema":
    import pyarrow as pa

    name = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("run", pa.int32()),
            ("case", name),
            ("metric", name),
            ("unit", name),
            ("better", name),
            ("clock", name),
            ("judged", pa.bool_()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("processes", pa.int32()),
        ]
    )
