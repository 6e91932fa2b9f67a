"""Bringing an archive of earlier versions up to what this one writes, file by file.

Manifests, comparisons and packs of earlier versions are read as they are. They lack the stamp that
says what was completed last, and a checksum of their own; packs lack the figures of their runs,
without which a summary parses these. Each file is replaced atomically and says itself whether it is
up to date: an interrupted migration goes on where it stopped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from veperf.archive.comparisons import ab_folder, ab_ids, read_ab
from veperf.archive.completion_order import COMPARISON
from veperf.archive.files import CHECKSUM, checksum
from veperf.archive.manifest import COMPLETE, decode_stamp, read_complete_run, run_faults
from veperf.archive.pack_figures import RunFigures
from veperf.archive.packs import FIGURES, MANIFEST, PackedFiles
from veperf.archive.storage.base import Lock, Storage, read_stored_json, write_stored_json
from veperf.archive.store import Archive
from veperf.archive.version_noise import FOLDER as NOISE
from veperf.archive.version_noise import read_version_noise, version_noise_classes
from veperf.core.errors import CorruptFileError, DataError


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """The result for one run, comparison, pack or record of noise."""

    name: str
    """Where its file is."""
    is_changed: bool = False
    """False where it was up to date."""
    fault: str = ""
    """Reason why it stays as it is: it is damaged."""


_Fields: TypeAlias = Callable[[], dict[str, object]]


def migrate_archive(archive: Archive) -> Iterator[MigrationStep]:
    """Bring ``archive`` up to date, a step at a time as the results are consumed.

    Everything is checked before; what is damaged stays as it is.

    Raises:
        UnknownRunError: there is no archive.
        NewerFormatError: a pack was written by a later version.
        StorageError: the archive can't be written.
    """
    archive.require_exists()
    with archive.storage.lock() as lock:
        written_ns = archive.unpacked()
        for run in sorted(written_ns):
            fields = partial(_run_fields, archive, run, written_ns[run])
            yield _migrate(archive.at(run), COMPLETE, fields, lock)
        for name in archive.packs.names():
            fields = partial(_pack_fields, archive, name)
            yield _migrate(archive.packs.storage.at(name), MANIFEST, fields, lock)
        for id in ab_ids(archive.storage):
            fields = partial(_comparison_fields, archive.storage, id)
            yield _migrate(ab_folder(archive.storage, id), COMPARISON, fields, lock)
        for machine in version_noise_classes(archive.storage):
            fields = partial(_noise_fields, archive.storage, machine)
            yield _migrate(archive.storage.at(NOISE), f"{machine}.json", fields, lock)


def _migrate(folder: Storage, file: str, fields: _Fields, lock: Lock) -> MigrationStep:
    """Give ``file`` its checksum and ``fields``, unless it is up to date."""
    where = folder.where(file)
    try:
        document = read_stored_json(folder, file, dict[str, Any])
        if CHECKSUM in document and (file != MANIFEST or FIGURES in document.get("sha256", {})):
            return MigrationStep(where)
        more = fields()
        lock.check()
        write_stored_json(folder, file, document, **more)
    except DataError as error:
        return MigrationStep(where, fault=str(error))
    return MigrationStep(where, is_changed=True)


def _run_fields(archive: Archive, run: str, written_ns: int) -> dict[str, object]:
    folder = archive.at(run)
    if faults := run_faults(run, folder):
        raise CorruptFileError(faults[0])
    stamp = decode_stamp(folder.read(COMPLETE), folder.where(COMPLETE))
    return {"stamp_ns": stamp or written_ns}


def _pack_fields(archive: Archive, name: str) -> dict[str, object]:
    packs = archive.packs
    if faults := packs.pack_faults(name):
        raise CorruptFileError(faults[0])
    order, figures = packs.order_in_zip(name), RunFigures()
    for run, completed_ns in packs.runs_in(name).items():
        whole = read_complete_run(run, PackedFiles(packs, name, run))
        figures.add(whole, completed_ns, order[run])
    data = figures.encode()
    packs.storage.at(name).write(FIGURES, data)
    return {"order": order, "sha256": {**packs.checksums(name), FIGURES: checksum(data)}}


def _comparison_fields(archive: Storage, id: str) -> dict[str, object]:
    read_ab(archive, id)
    folder = ab_folder(archive, id)
    return {"stamp_ns": decode_stamp(folder.read(COMPARISON), folder.where(COMPARISON))}


def _noise_fields(archive: Storage, machine_class: str) -> dict[str, object]:
    read_version_noise(archive, machine_class)
    return {}
