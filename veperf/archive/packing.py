"""Writing packs."""

import secrets
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from veperf.archive.completion import SAMPLES, RunFiles, read_complete
from veperf.archive.files import write_json
from veperf.archive.packs import MANIFEST, TABLE, ZIP, Pack, checksum_of
from veperf.archive.storage import Lock, Storage
from veperf.archive.tables import samples_schema, samples_table

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_pack(
    packs: Storage,
    runs: Mapping[str, RunFiles],
    completed_ns: Mapping[str, int],
    lock: Lock,
    replaces: Sequence[str] = (),
) -> None:
    """Pack ``runs``, all of them intact, into a new pack in ``packs``.

    From one moment to the next it stands for the packs that it ``replaces``, by name. ``lock`` is
    that of the archive.

    Raises:
        CorruptFileError: a run can't be read.
        StorageError: ``packs`` can't be written, or the disk is full; nothing is there then.
    """
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    with packs.fill(name) as new:
        _write_zip(new / ZIP, runs)
        _write_table(new / TABLE, runs)
        sums = {file: checksum_of((new / file).open("rb")) for file in (ZIP, TABLE)}
        stamps = {run: completed_ns[run] for run in runs}
        write_json(new / MANIFEST, Pack(stamps, sums, tuple(replaces)))
        lock.check()


def _write_zip(path: Path, runs: Mapping[str, RunFiles]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for run, files in runs.items():
            for name in files.names():
                if name != SAMPLES:
                    member = zipfile.ZipInfo(f"{run}/{name}", _EPOCH)
                    packed.writestr(member, files.read(name), zipfile.ZIP_DEFLATED)


def _write_table(path: Path, runs: Mapping[str, RunFiles]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, samples_schema(), compression="zstd") as table:
        for run, files in runs.items():
            table.write_table(samples_table(read_complete(run, files)))
