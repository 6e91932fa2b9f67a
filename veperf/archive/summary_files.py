"""The files of an archive's summary: figures by month and machine class, and an index.

::

    <archive>/.summary/
      index.json                 names the other files; replaced last
      runs-<sha256>.parquet      a row per run: its facts
      <month>/<sha256>.parquet   figures of a machine class's runs of that month, sorted by case

Files never change but for the index: a writer that is killed leaves the old summary, and files
that no index names, which the next writer deletes.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from veperf.archive.files import checksum
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.archive.summary_tables import (
    column_values,
    decode_table,
    encode_table,
    facts_schema,
    facts_table,
    figures_schema,
    sort_by_case,
)
from veperf.core.errors import CorruptFileError, DataError

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = ".summary"
INDEX = "index.json"
_SUFFIX = ".parquet"
# Format history:
#   1  segments of runs in any order, one Parquet file each, without an index
#   2  with completion stamps
#   3  an index, figures by month and machine class
# Another format is built anew.
_FORMAT = 3
_TRIES = 3
"""Attempts to read an index and the facts that it names, which another process may replace."""

PartitionKey = tuple[str, str]
"""A month and a machine class."""


class _Partition(Struct, frozen=True):
    month: str
    machine: str
    file: str


class _Index(Struct, frozen=True):
    facts: str
    partitions: tuple[_Partition, ...]
    packs: dict[str, int]
    format: int = _FORMAT


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """The content of a summary's files."""

    facts: "pa.Table"
    """Of all runs, in the order of completion; see ``summary_tables.facts_schema``."""
    partitions: Mapping[PartitionKey, str] = field(default_factory=dict)
    """Names of the files with figures."""
    packs: Mapping[str, int] = field(default_factory=dict)
    """The archive's packs, all of whose runs the summary has, and when they were written."""
    file: str = ""
    """Name of the file with the facts; empty where there is none."""

    @property
    def completed_ns(self) -> dict[str, int]:
        """Times at which the manifests of runs were written, in ns since 1970, by run id."""
        ids, times = column_values(self.facts, "id"), column_values(self.facts, "completed_ns")
        return dict(zip(ids, times, strict=True))

    @property
    def packed(self) -> dict[str, int]:
        """The same of runs in packs."""
        facts = self.facts.filter(self.facts["packed"])
        ids, times = column_values(facts, "id"), column_values(facts, "completed_ns")
        return dict(zip(ids, times, strict=True))

    def without(self, broken: Collection[str]) -> "StoredSummary":
        """Return it without the runs whose figures are in ``broken`` files."""
        lost = {key for key, file in self.partitions.items() if file in broken}
        if not lost:
            return self
        keys = zip(
            column_values(self.facts, "month"), column_values(self.facts, "machine"), strict=True
        )
        facts = self.facts.filter([key not in lost for key in keys])
        kept = {key: file for key, file in self.partitions.items() if key not in lost}
        return StoredSummary(facts, kept)

    def confirmed(self, complete: Mapping[str, int]) -> "StoredSummary":
        """Return it with those runs only that ``complete`` has, written at the same time."""
        known = self.completed_ns
        if known.items() <= complete.items():
            return self
        facts = self.facts.filter([complete.get(run) == time for run, time in known.items()])
        return StoredSummary(facts, self.partitions, {}, self.file)

    def with_packs(self, packed: Collection[str], packs: Mapping[str, int]) -> "StoredSummary":
        """Return it with a note of which runs are ``packed``, and of the packs if it has all."""
        import pyarrow as pa

        ids = column_values(self.facts, "id")
        mask = pa.array([run in packed for run in ids], pa.bool_())
        place = self.facts.schema.get_field_index("packed")
        facts = self.facts.set_column(place, "packed", mask)
        known = packs if set(packed) <= set(ids) else {}
        return StoredSummary(facts, self.partitions, known, self.file)


def read_summary(folder: Storage) -> StoredSummary:
    """Read index and facts; an empty summary where they are missing, broken or of another format.

    Raises:
        StorageError: the place is inaccessible.
    """
    for _ in range(_TRIES):
        try:
            index = read_stored_json(folder, INDEX, _Index, newest_format=_FORMAT)
        except DataError:
            break
        if index.format != _FORMAT:
            break
        with contextlib.suppress(DataError):
            facts = decode_table(
                _read_checked(folder, index.facts), folder.where(index.facts), facts_schema()
            )
            partitions = {(p.month, p.machine): p.file for p in index.partitions}
            return StoredSummary(facts, partitions, index.packs, index.facts)
    return StoredSummary(facts_table(()))


def read_partition(
    folder: Storage, file: str, cases: Collection[str] = (), columns: Sequence[str] | None = None
) -> "pa.Table":
    """Read figures, of these ``cases`` or of all, and of them these ``columns`` or all.

    Raises:
        CorruptFileError: the file is missing or broken.
        StorageError: the place is inaccessible.
    """
    data = _read_checked(folder, file)
    return decode_table(data, folder.where(file), figures_schema(), cases, columns)


def write_partition(folder: Storage, month: str, figures: "pa.Table") -> str:
    """Write figures to a file of their own, and return its name.

    Raises:
        StorageError: it can't be written.
    """
    data = encode_table(sort_by_case(figures))
    name = f"{month}/{checksum(data)}{_SUFFIX}"
    folder.write(name, data)
    return name


def write_summary(folder: Storage, summary: StoredSummary) -> StoredSummary:
    """Write facts and index, delete all other files, and return what is there then.

    Needs the lock of ``folder``.

    Raises:
        StorageError: it can't be written.
    """
    data = encode_table(summary.facts)
    file = f"runs-{checksum(data)}{_SUFFIX}"
    if file != summary.file:
        folder.write(file, data)
    partitions = [_Partition(*key, name) for key, name in sorted(summary.partitions.items())]
    index = _Index(file, tuple(partitions), dict(sorted(summary.packs.items())))
    write_stored_json(folder, INDEX, index)
    kept = {INDEX, file, *summary.partitions.values()}
    with contextlib.suppress(CorruptFileError):  # something else is among the files
        folder.delete([name for name in folder.names() if _is_replaced(name, kept)])
    return StoredSummary(summary.facts, summary.partitions, summary.packs, file)


def _is_replaced(name: str, kept: Collection[str]) -> bool:
    return name.endswith(_SUFFIX) and name not in kept


def _read_checked(folder: Storage, name: str) -> bytes:
    """Read a file whose name has its checksum.

    Raises:
        CorruptFileError: it is missing, or is not what was written.
    """
    data = folder.read(name)
    if not name.removesuffix(_SUFFIX).endswith(checksum(data)):
        raise CorruptFileError(f"{folder.where(name)} has changed since it was written")
    return data
