"""The summary of an archive: the figures of all its runs, read at once.

It is a cache in ``<archive>/.summary``, brought up to date by whoever wants to read it: what is
missing, broken or behind is made anew from the runs. Writers of runs don't touch it.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from veperf.archive.files import checksum, decode_json
from veperf.archive.run_summary import Figure, RunFacts, facts_of, figures_of
from veperf.archive.storage.base import Storage
from veperf.archive.store import Archive
from veperf.core.errors import CorruptFileError, DataError, StorageError

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


FOLDER = ".summary"
_AT_ONCE = 200
"""Runs that are read before a segment is written: what a killed process loses at most."""
_WORTH_A_FILE = 5
"""So many new runs are written down; fewer are read each time."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Progress = Callable[[int, int], None]
"""Called with how many runs have been read, and how many there are to read."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of an archive's complete runs."""

    runs: tuple[RunFacts, ...]
    """Oldest first; those without a date that can be read before all others."""
    table: "pa.Table"
    """A row a figure, in any order: ``run``, the place of its run in ``runs``, and the fields of
    ``Figure``."""
    left_out: dict[str, str]
    """Complete runs that can't be read, by id, and why."""


def summarise(archive: Archive, progress: Progress | None = None) -> Summary:
    """The summary of ``archive``, brought up to date.

    A few new runs are read each time; so are many where the archive can't be written.
    """
    completed_ns = archive.completed_ns()
    folder = archive.storage.at(FOLDER)
    tell = progress or _ignore
    found, broken = read_segments(folder)
    if broken or len(_missing(completed_ns, found.values())) >= _WORTH_A_FILE:
        found = _update(archive, completed_ns, folder, found, tell)
    left_out: dict[str, str] = {}
    missing = _missing(completed_ns, found.values())
    segments = [*found.values(), *_read(archive, missing, left_out, tell)]
    return _in_order(joined(segments, completed_ns), left_out)


def _update(
    archive: Archive,
    completed_ns: Mapping[str, int],
    folder: Storage,
    found: dict[str, Segment],
    progress: Progress,
) -> dict[str, Segment]:
    """The segments by file, once all that can be read is in one and all that can be is written.

    Those that were ``found`` before, where nothing can be written.
    """
    with contextlib.suppress(StorageError):  # the archive is not ours to write
        folder.require_writable()
        with folder.lock():
            found, broken = read_segments(folder)
            folder.delete(broken)
            missing = _missing(completed_ns, found.values())
            for new in _read(archive, missing, {}, progress):
                _add(folder, found, new, completed_ns)
    return found


def _add(
    folder: Storage, found: dict[str, Segment], new: Segment, completed_ns: Mapping[str, int]
) -> None:
    """Write ``new``, with those in it that are smaller: each run is written but a few times."""
    absorbed: dict[str, Segment] = {}
    size = len(new.runs)
    for name, segment in sorted(found.items(), key=lambda item: len(item[1].runs)):
        if len(segment.runs) <= size:
            absorbed[name] = segment
            size += len(segment.runs)
    whole = joined([new, *absorbed.values()], completed_ns) if absorbed else new
    written = write_segment(folder, whole)
    for name in absorbed:
        del found[name]
    folder.delete(absorbed.keys() - {written})
    found[written] = whole


def _missing(completed_ns: Mapping[str, int], segments: Iterable[Segment]) -> dict[str, int]:
    known = {(facts.id, facts.completed_ns) for s in segments for facts in s.runs}
    return {run: when for run, when in completed_ns.items() if (run, when) not in known}


def _read(
    archive: Archive, missing: Mapping[str, int], left_out: dict[str, str], progress: Progress
) -> Iterator[Segment]:
    """The figures of the runs that are ``missing``, some at a time."""
    rest, done = iter(missing.items()), 0
    while some := dict(islice(rest, _AT_ONCE)):
        figures: dict[RunFacts, list[Figure]] = {}
        for (run_id, completed_ns), found in zip(some.items(), archive.attempts(some), strict=True):
            if isinstance(found, DataError):
                left_out[run_id] = str(found)
            else:
                figures[facts_of(found, completed_ns)] = figures_of(found)
            done += 1
            progress(done, len(missing))
        if figures:
            yield segment_of(figures)


def _in_order(segment: Segment, left_out: dict[str, str]) -> Summary:
    import numpy as np
    import pyarrow as pa

    runs = segment.runs
    order = sorted(range(len(runs)), key=lambda i: (runs[i].made or _LONG_AGO, runs[i].id))
    places = np.empty(len(runs), dtype=np.int32)
    places[order] = np.arange(len(runs), dtype=np.int32)
    moved = pa.array(places[segment.table["run"].to_numpy()])
    table = segment.table.set_column(0, "run", moved)
    return Summary(tuple(runs[i] for i in order), table, left_out)


def _ignore(done: int, total: int) -> None:
    """For who does not want to know."""
