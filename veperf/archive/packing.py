"""Writing packs."""

import secrets
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from veperf.archive.completion import SAMPLES, RunFiles, read_complete
from veperf.archive.files import write_json
from veperf.archive.packs import MANIFEST, TABLE, ZIP, Pack, checksum_of
from veperf.archive.storage.protocol import Lock, Storage
from veperf.archive.tables import samples_schema, samples_table
from veperf.archive.together import in_order

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
    with packs.fill(name, lock) as new:
        _write_zip(new / ZIP, runs, packs.at_once)
        _write_table(new / TABLE, runs, packs.at_once)
        sums = {file: checksum_of((new / file).open("rb")) for file in (ZIP, TABLE)}
        stamps = {run: completed_ns[run] for run in runs}
        write_json(new / MANIFEST, Pack(stamps, sums, tuple(replaces)))


def _write_zip(path: Path, runs: Mapping[str, RunFiles], at_once: int) -> None:
    contents = in_order(at_once, _contents, runs.values())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for run, content in zip(runs, contents, strict=True):
            for name, data in content.items():
                member = zipfile.ZipInfo(f"{run}/{name}", _EPOCH)
                packed.writestr(member, data, zipfile.ZIP_DEFLATED)


def _contents(files: RunFiles) -> dict[str, bytes]:
    return {name: files.read(name) for name in files.names() if name != SAMPLES}


def _write_table(path: Path, runs: Mapping[str, RunFiles], at_once: int) -> None:
    import pyarrow.parquet as pq

    read = in_order(at_once, lambda item: read_complete(*item), runs.items())
    with pq.ParquetWriter(path, samples_schema(), compression="zstd") as table:
        for run in read:
            table.write_table(samples_table(run))
