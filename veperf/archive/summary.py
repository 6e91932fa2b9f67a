"""The summary of an archive: the figures of all its runs in few files, quick to read.

It is a cache in ``<archive>/.summary`` that readers bring up to date: missing, broken or outdated
segments are rebuilt from the runs. Writers of runs don't touch it.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from veperf.archive.files import checksum, decode_json
from veperf.archive.query import PARQUET
from veperf.archive.run_summary import RunFacts, SummaryFigure, run_facts, run_figures
from veperf.archive.storage.base import Storage
from veperf.archive.store import Archive
from veperf.core.errors import CorruptFileError, DataError, StorageError

if TYPE_CHECKING:
    import pyarrow as pa

# Format history: 1 the first; 2 with completion stamps, without which a segment is built anew.
_FORMAT = 2
_METADATA = b"veperf"
_SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True)
class Segment:
    """The figures of some runs: one file of the summary."""

    runs: tuple[RunFacts, ...]
    table: "pa.Table"
    """A row per figure: ``run``, an index into ``runs``, and the fields of ``SummaryFigure``."""


class _Header(Struct, frozen=True):
    runs: tuple[RunFacts, ...]
    format: int = _FORMAT


def build_segment(figures: Mapping[RunFacts, Sequence[SummaryFigure]]) -> Segment:
    """Build a segment from the figures of some runs."""
    import pyarrow as pa

    rows = [
        {"run": index, **msgspec.structs.asdict(figure)}
        for index, run_figures in enumerate(figures.values())
        for figure in run_figures
    ]
    return Segment(tuple(figures), pa.Table.from_pylist(rows, schema=_schema()))


def join_segments(segments: Iterable[Segment], completed_ns: Mapping[str, int]) -> Segment:
    """Join segments into one, with each run once, and only runs that ``completed_ns`` confirms."""
    import pyarrow as pa
    import pyarrow.compute as pc

    runs: dict[str, RunFacts] = {}
    tables: list[pa.Table] = []
    for segment in segments:
        indices = []
        for facts in segment.runs:
            is_kept = completed_ns.get(facts.id) == facts.completed_ns and facts.id not in runs
            indices.append(len(runs) if is_kept else None)
            if is_kept:
                runs[facts.id] = facts
        run_column = pc.take(pa.array(indices, pa.int32()), segment.table["run"])
        table = segment.table.set_column(0, "run", run_column)
        tables.append(table.filter(pc.is_valid(run_column)) if None in indices else table)
    if not tables:
        return build_segment({})
    return Segment(tuple(runs.values()), pa.concat_tables(tables).unify_dictionaries())


def read_segments(folder: Storage) -> tuple[dict[str, Segment], list[str]]:
    """Read the segments in ``folder`` by file name, and list the broken files.

    Raises:
        StorageError: the place is inaccessible.
    """
    segments: dict[str, Segment] = {}
    broken: list[str] = []
    try:
        names = [name for name in folder.names() if name.endswith(_SUFFIX)]
    except CorruptFileError:
        return {}, []
    for name in names:
        try:
            segments[name] = _decode(folder, name)
        except DataError:
            broken.append(name)
    return segments, broken


def write_segment(folder: Storage, segment: Segment) -> str:
    """Write ``segment`` to a file in ``folder``, and return the file name.

    Raises:
        StorageError: ``folder`` can't be written, or the disk is full.
    """
    import pyarrow.parquet as pq

    header = msgspec.json.encode(_Header(segment.runs))
    buffer = io.BytesIO()
    table = segment.table.replace_schema_metadata({_METADATA: header})
    pq.write_table(table, buffer, **PARQUET)
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
        raise CorruptFileError(f"{where} has changed since it was written (checksum differs)")
    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise CorruptFileError(f"{where} is not a segment: {error}") from error
    header = (table.schema.metadata or {}).get(_METADATA, b"")
    runs = decode_json(header, where, _Header, newest_format=_FORMAT).runs
    if not table.schema.equals(_schema()) or any(c.null_count for c in table.columns):
        raise CorruptFileError(f"{where} is not a segment of this version")
    ends = pc.min_max(table["run"]).as_py()
    if table.num_rows and not 0 <= ends["min"] <= ends["max"] < len(runs):
        raise CorruptFileError(f"{where} has figures without a run")
    return Segment(runs, table)


@cache
def _schema() -> "pa.Schema":
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            ("run", pa.int32()),
            *((name, text) for name in ("case", "metric", "unit", "better", "clock")),
            ("judged", pa.bool_()),
            *((name, pa.float64()) for name in ("value", "low", "high")),
            ("processes", pa.int32()),
        ]
    )


FOLDER = ".summary"
_RUNS_PER_SEGMENT = 200
"""Runs that are read before a segment is written: the most that a killed process loses."""
_MIN_RUNS_TO_WRITE = 5
"""Fewer new runs than these are not written to a segment, but read each time."""

Progress = Callable[[int, int], None]
"""Called with the number of runs read so far, and the number to read."""


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """The figures of an archive's complete runs."""

    runs: tuple[RunFacts, ...]
    """In the order in which they were completed, see ``completion_order``."""
    table: "pa.Table"
    """A row per figure, in any order: ``run``, an index into ``runs``, and the fields of
    ``SummaryFigure``."""
    left_out: dict[str, str]
    """Reasons why complete runs, and links in their place, can't be read, by run id."""


def load_summary(archive: Archive, progress: Progress | None = None) -> ArchiveSummary:
    """Load the summary of ``archive``, and bring it up to date.

    New runs are read; they are added to the summary if they are many and the archive is writable.

    Raises:
        UnknownRunError: there is no archive.
        DataError: none of its runs can be read.
    """
    archive.require_exists()
    completed_ns = archive.completed_ns()
    folder = archive.storage.at(FOLDER)
    progress = progress or _no_progress
    segments, broken = read_segments(folder)
    if broken or len(_missing_runs(completed_ns, segments.values())) >= _MIN_RUNS_TO_WRITE:
        segments = _update_segments(archive, completed_ns, folder, segments, progress)
    left_out: dict[str, str] = {}
    missing = _missing_runs(completed_ns, segments.values())
    new = _read_missing(archive, missing, left_out, progress)
    joined = join_segments([*segments.values(), *new], completed_ns)
    if left_out and not joined.runs:
        archive.read(next(iter(left_out)))
    return _in_order(joined, archive.links() | left_out)


def _update_segments(
    archive: Archive,
    completed_ns: Mapping[str, int],
    folder: Storage,
    segments: dict[str, Segment],
    progress: Progress,
) -> dict[str, Segment]:
    """Read the missing runs, write their segments, and return all segments by file name.

    Where nothing can be written, return ``segments`` unchanged.
    """
    with contextlib.suppress(StorageError):  # the archive may be read-only
        folder.require_writable()
        with folder.lock():
            segments, broken = read_segments(folder)
            folder.delete(broken)
            missing = _missing_runs(completed_ns, segments.values())
            for new in _read_missing(archive, missing, {}, progress):
                _add_segment(folder, segments, new, completed_ns)
    return segments


def _add_segment(
    folder: Storage, segments: dict[str, Segment], new: Segment, completed_ns: Mapping[str, int]
) -> None:
    """Write ``new`` merged with smaller segments: each run is rewritten only a few times."""
    absorbed: dict[str, Segment] = {}
    size = len(new.runs)
    for name, segment in sorted(segments.items(), key=lambda item: len(item[1].runs)):
        if len(segment.runs) <= size:
            absorbed[name] = segment
            size += len(segment.runs)
    merged = join_segments([new, *absorbed.values()], completed_ns) if absorbed else new
    new_name = write_segment(folder, merged)
    for name in absorbed:
        del segments[name]
    folder.delete(absorbed.keys() - {new_name})
    segments[new_name] = merged


def _missing_runs(completed_ns: Mapping[str, int], segments: Iterable[Segment]) -> dict[str, int]:
    known = {(facts.id, facts.completed_ns) for s in segments for facts in s.runs}
    return {run: time_ns for run, time_ns in completed_ns.items() if (run, time_ns) not in known}


def _read_missing(
    archive: Archive, missing: Mapping[str, int], left_out: dict[str, str], progress: Progress
) -> Iterator[Segment]:
    """Yield segments with the figures of the runs that are ``missing``."""
    remaining, done = iter(missing.items()), 0
    while batch := dict(islice(remaining, _RUNS_PER_SEGMENT)):
        figures: dict[RunFacts, list[SummaryFigure]] = {}
        stamps = archive.completion_stamps(batch)
        for (run_id, completed_ns), run in zip(
            batch.items(), archive.read_each(batch), strict=True
        ):
            if isinstance(run, DataError):
                left_out[run_id] = str(run)
            else:
                figures[run_facts(run, completed_ns, stamps[run_id])] = run_figures(run)
            done += 1
            progress(done, len(missing))
        if figures:
            yield build_segment(figures)


def _in_order(segment: Segment, left_out: dict[str, str]) -> ArchiveSummary:
    import pyarrow as pa

    runs = segment.runs
    order = sorted(range(len(runs)), key=lambda i: (runs[i].stamp_ns, runs[i].id))
    indices = np.empty(len(runs), dtype=np.int32)
    indices[order] = np.arange(len(runs), dtype=np.int32)
    run_column = pa.array(indices[segment.table["run"].to_numpy()])
    table = segment.table.set_column(0, "run", run_column)
    return ArchiveSummary(tuple(runs[i] for i in order), table, left_out)


def _no_progress(done: int, total: int) -> None:
    """Ignore the progress."""
