"""Writing packs, and taking folders away so that nobody sees half of one."""

import contextlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from veperf.archive.completion import SAMPLES, RunFiles, read_complete
from veperf.archive.files import storage_error, write_json
from veperf.archive.packs import MANIFEST, TABLE, ZIP, Pack, file_checksum
from veperf.archive.tables import samples_schema, samples_table
from veperf.errors import StorageError

UNFINISHED, _REMOVED = ".new-", ".removed-"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_pack(
    folder: Path,
    runs: Mapping[str, RunFiles],
    completed_ns: Mapping[str, int],
    replaces: Sequence[str] = (),
) -> None:
    """Pack ``runs``, all of them intact, into a new pack in ``folder``.

    From one moment to the next it stands for the packs that it ``replaces``, by name.

    Raises:
        CorruptFileError: a run can't be read.
        StorageError: ``folder`` can't be written, or the disk is full; nothing is there then.
    """
    token = secrets.token_hex(4)
    new = folder / f"{UNFINISHED}{token}"
    pack = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{token}"
    try:
        new.mkdir(parents=True)
        _write_zip(new / ZIP, runs)
        _write_table(new / TABLE, runs)
        sums = {name: file_checksum(new / name) for name in (ZIP, TABLE)}
        stamps = {run: completed_ns[run] for run in runs}
        write_json(new / MANIFEST, Pack(stamps, sums, tuple(replaces)))
        new.rename(pack)
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(pack, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def remove(folder: Path) -> None:
    """Take ``folder`` away: at once for whoever reads, then file by file.

    Raises:
        StorageError: it can't be removed.
    """
    hidden = folder.with_name(_REMOVED + secrets.token_hex(4))
    try:
        folder.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as error:
        raise storage_error(folder, error) from error


def sweep(folder: Path) -> None:
    """Remove what a killed writer or remover left in ``folder``, which nobody else may be in."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.startswith((UNFINISHED, _REMOVED)):
                shutil.rmtree(entry.path, ignore_errors=True)


def _write_zip(path: Path, runs: Mapping[str, RunFiles]) -> None:
    with path.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for run, files in runs.items():
                for name in files.names():
                    if name != SAMPLES:
                        member = zipfile.ZipInfo(f"{run}/{name}", _EPOCH)
                        packed.writestr(member, files.read(name), zipfile.ZIP_DEFLATED)
        file.flush()
        os.fsync(file.fileno())


def _write_table(path: Path, runs: Mapping[str, RunFiles]) -> None:
    import pyarrow.parquet as pq

    with path.open("wb") as file:
        with pq.ParquetWriter(file, samples_schema(), compression="zstd") as table:
            for run, files in runs.items():
                table.write_table(samples_table(read_complete(run, files)))
        file.flush()
        os.fsync(file.fileno())
