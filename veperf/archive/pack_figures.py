"""The facts and figures of a pack's runs, so that a summary need not parse these runs again."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from veperf.archive.files import checksum, decode_json
from veperf.archive.packs import FIGURES, Packs
from veperf.archive.run_summary import RunFacts, run_facts, run_figures
from veperf.archive.summary_tables import (
    decode_table,
    encode_table,
    figures_schema,
    figures_table,
    join_figures,
    text_column,
)
from veperf.core.errors import CorruptFileError, DataError
from veperf.core.run import Run

if TYPE_CHECKING:
    import pyarrow as pa

_METADATA = b"veperf"
# Format history of figures.parquet:
#   1  the first. Where the figures of a run change, so does this: others are made from the runs
_FORMAT = 1


class _Header(msgspec.Struct, frozen=True):
    runs: tuple[RunFacts, ...]
    format: int = _FORMAT


@dataclass(slots=True)
class RunFigures:
    """Facts and figures of some runs."""

    runs: list[RunFacts] = field(default_factory=list)
    tables: list["pa.Table"] = field(default_factory=list)
    """See ``summary_tables.figures_schema``."""

    def add(self, run: Run, completed_ns: int, stamp_ns: int) -> None:
        """Add a run with that time of writing and that completion stamp."""
        self.runs.append(run_facts(run, completed_ns, stamp_ns))
        self.tables.append(figures_table({run.id: run_figures(run)}))

    def extend(self, other: "RunFigures") -> None:
        """Add the runs of ``other``."""
        self.runs += other.runs
        self.tables += other.tables

    @property
    def rows(self) -> int:
        """Number of figures."""
        return sum(table.num_rows for table in self.tables)

    def encode(self) -> bytes:
        """Return all of it as the bytes of a Parquet file."""
        header = msgspec.json.encode(_Header(tuple(self.runs)))
        return encode_table(join_figures(self.tables), {_METADATA: header})


def packed_figures(packs: Packs, name: str) -> RunFigures | None:
    """Return what the pack ``name`` has of this; None where it lacks it, or it is damaged.

    Raises:
        StorageError: the place is inaccessible.
    """
    expected = packs.checksums(name).get(FIGURES)
    if expected is None:
        return None
    file = f"{name}/{FIGURES}"
    where = packs.storage.where(file)
    try:
        data = packs.storage.read(file)
        if checksum(data) != expected:
            return None
        table = decode_table(data, where, figures_schema())
        text = (table.schema.metadata or {}).get(_METADATA, b"")
        header = decode_json(text, where, _Header, newest_format=_FORMAT)
        ids = {run.id for run in header.runs}
        if header.format != _FORMAT or not ids.issuperset(text_column(table, "run").names):
            raise CorruptFileError(f"{where} has figures without a run")
    except DataError:
        return None
    return RunFigures(list(header.runs), [table.replace_schema_metadata()])
