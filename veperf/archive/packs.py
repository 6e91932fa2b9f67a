"""Packs: many old runs in few files.

::

    <archive>/packs/<pack>/
      runs.zip          the runs' folders as they were, without samples.parquet
      samples.parquet   the samples of all of them, as a table for queries
      figures.parquet   their facts and figures, for the summary; see ``pack_figures``
      pack.json         the manifest, written last: the pack's runs and checksums

``unzip`` restores the folders.
"""

import contextlib
import struct
import threading
import weakref
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct

from veperf.archive.files import MAX_FILE_BYTES, checksum_of
from veperf.archive.manifest import COMPLETE, PACKS, decode_stamp, is_run_id
from veperf.archive.query import SampleTable
from veperf.archive.storage.base import Storage, read_stored_json
from veperf.core.errors import CorruptFileError, DataError, StorageError

ZIP, TABLE, MANIFEST = "runs.zip", "samples.parquet", "pack.json"
FIGURES = "figures.parquet"
"""The summary's part of a pack, which packs of earlier versions lack."""
_FORMAT = 1
# Exceptions that zipfile raises for damaged and hostile files.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)


class Pack(Struct, frozen=True):
    """Content of pack.json."""

    runs: dict[str, int]
    """Time at which each run's complete.json was written, in ns since 1970, by run id."""
    sha256: dict[str, str]
    """Checksums in hexadecimal, by file name."""
    replaces: tuple[str, ...] = ()
    """Names of the packs that this one replaces, which no longer count."""
    order: dict[str, int] = {}
    """Stamp of each run, see ``completion_order``; empty in packs of earlier versions."""
    format: int = _FORMAT


class Packs:
    """The packs of one archive. A pack never changes, so each is read once."""

    def __init__(self, archive: Storage) -> None:
        self.storage = archive.at(PACKS)
        self._manifests: dict[str, Pack] = {}
        self._zips: dict[str, zipfile.ZipFile] = {}
        self._opening = threading.Lock()

    def names(self) -> list[str]:
        """Return the names of the whole packs that no other replaces, oldest first.

        Raises:
            StorageError: the place is inaccessible.
        """
        packs = self._whole()
        return sorted(packs.keys() - _replaced(packs))

    def replaced(self) -> list[str]:
        """Return the names of replaced packs that still exist."""
        packs = self._whole()
        return sorted(_replaced(packs) & packs.keys())

    def runs(self) -> dict[str, int]:
        """Return all packed runs, with the time of completion in ns since 1970."""
        return {
            run: completed_ns
            for runs in self.counted_runs().values()
            for run, completed_ns in runs.items()
        }

    def runs_in(self, name: str) -> dict[str, int]:
        """Return the runs of one whole pack, with the time of completion in ns since 1970."""
        return self._manifests[name].runs

    def checksums(self, name: str) -> dict[str, str]:
        """Return the checksums of the files of one whole pack, in hexadecimal, by file name."""
        return self._manifests[name].sha256

    def listed(self) -> dict[str, int]:
        """Return when the manifest of each pack was written, in ns since 1970, by its name."""
        return {name: files[MANIFEST] for name, files in self.storage.folders(MANIFEST).items()}

    def order(self) -> dict[str, int]:
        """Return the stamps of all packed runs."""
        order: dict[str, int] = {}
        for name, runs in self.counted_runs().items():
            stamps = self._manifests[name].order or self.order_in_zip(name)
            order |= {run: stamps.get(run, written_ns) for run, written_ns in runs.items()}
        return order

    def order_in_zip(self, name: str) -> dict[str, int]:
        """Return the stamps of the runs in one pack, from their own manifests.

        Of a manifest that has none or can't be read it is the time of writing.
        """
        order = dict(self._manifests[name].runs)
        for run in order:
            files = PackedFiles(self, name, run)
            with contextlib.suppress(CorruptFileError):
                stamp = decode_stamp(files.read(COMPLETE), files.where(COMPLETE))
                order[run] = stamp or order[run]
        return order

    def counted_runs(self) -> dict[str, dict[str, int]]:
        """Return the runs of each pack, by its name, that are not in a newer pack as well.

        A process that was suspended for long during a compaction may leave a pack of runs that
        others have packed meanwhile. Their pack, which was begun later, counts.
        """
        runs_by_pack: dict[str, dict[str, int]] = {}
        in_newer: set[str] = set()
        for name in reversed(self.names()):
            runs = self._manifests[name].runs
            runs_by_pack[name] = {
                run: completed_ns for run, completed_ns in runs.items() if run not in in_newer
            }
            in_newer |= runs.keys()
        return runs_by_pack

    def files(self, run_id: str) -> "PackedFiles | None":
        """Return the files of a run, or None if it is not packed."""
        for name in reversed(self.names()):
            if run_id in self._manifests[name].runs:
                return PackedFiles(self, name, run_id)
        return None

    def tables(self) -> tuple[list[SampleTable], set[str]]:
        """Return the tables with the samples of all packed runs, each run once, and these runs."""
        tables, runs = [], set[str]()
        for name, counted in self.counted_runs().items():
            if counted:
                manifest = self._manifests[name]
                others = frozenset(manifest.runs.keys() - counted.keys())
                sha256 = manifest.sha256.get(TABLE, "")
                tables.append(SampleTable(f"{PACKS}/{name}/{TABLE}", sha256, others))
                runs |= counted.keys()
        return tables, runs

    def faults(self) -> list[str]:
        """Return the faults of the packs' own files, one sentence per file."""
        faults: list[str] = []
        names = set(self.storage.folders(ZIP, TABLE, MANIFEST))
        with contextlib.suppress(DataError):  # an unreadable pack, which is named below
            names -= set(self.replaced())
        for name in sorted(names):
            faults += self.pack_faults(name)
        return faults

    def pack_faults(self, name: str) -> list[str]:
        """Return the faults of the files of one pack."""
        pack = self.storage.at(name)
        try:
            manifest = read_stored_json(pack, MANIFEST, Pack, newest_format=_FORMAT)
        except DataError as error:
            return [str(error)]
        faults: list[str] = []
        for file in (ZIP, TABLE, *([FIGURES] if FIGURES in manifest.sha256 else [])):
            try:
                if checksum_of(pack.open(file)) != manifest.sha256.get(file):
                    faults.append(
                        f"{pack.where(file)} has changed since it was written (checksum differs)"
                    )
            except CorruptFileError as error:
                faults.append(str(error))
            except StorageError:
                raise
            except OSError as error:
                faults.append(f"can't read {pack.where(file)}: {error.strerror}")
        with (
            contextlib.suppress(OSError, *_BROKEN),
            pack.open(ZIP) as file_of_zip,
            zipfile.ZipFile(file_of_zip) as packed,
        ):
            if {name.partition("/")[0] for name in packed.namelist()} != manifest.runs.keys():
                faults.append(f"{pack.where(MANIFEST)} names other runs than {ZIP} holds")
        return faults

    def read(self, name: str, member: str) -> bytes:
        """Return the bytes of a file in the zip of the pack ``name``.

        Raises:
            CorruptFileError: it is missing, damaged, or larger than ``MAX_FILE_BYTES``.
        """
        path = f"{self.where(name)}:{member}"
        try:
            info = self._zip(name).getinfo(member)
            if info.file_size > MAX_FILE_BYTES:
                raise CorruptFileError(f"{path} is larger than any file of veperf")
            return self._zip(name).read(info)
        except KeyError as error:
            raise CorruptFileError(f"{path} does not exist") from error
        except (CorruptFileError, StorageError):
            raise
        except (OSError, *_BROKEN) as error:
            raise CorruptFileError(f"can't read {path}: {error}") from error

    def members(self, name: str) -> list[str]:
        """Return the names of the files in the zip of the pack ``name``.

        Raises:
            CorruptFileError: the zip is damaged.
        """
        try:
            return self._zip(name).namelist()
        except (CorruptFileError, StorageError):
            raise
        except (OSError, *_BROKEN) as error:
            raise CorruptFileError(f"can't read {self.where(name)}: {error}") from error

    def where(self, name: str) -> str:
        """Return the path or URL of the zip of the pack ``name``."""
        return self.storage.where(f"{name}/{ZIP}")

    def _whole(self) -> dict[str, Pack]:
        """Return all whole packs by name, including replaced ones.

        Raises:
            CorruptFileError, NewerFormatError: a pack's manifest can't be read, so that nobody
                knows what runs it holds.
        """
        listed = self.storage.folders(MANIFEST)
        while True:
            try:
                packs = {name: self._manifest(name) for name in listed}
            except DataError:
                # A pack may have been replaced and removed between the two requests.
                before, listed = listed, self.storage.folders(MANIFEST)
                if before.keys() <= listed.keys():
                    raise
            else:
                return {name: pack for name, pack in packs.items() if pack is not None}

    def _manifest(self, name: str) -> Pack | None:
        """Return a pack's manifest, or None if it is hostile: if it names paths."""
        if name not in self._manifests:
            pack = read_stored_json(self.storage.at(name), MANIFEST, Pack, newest_format=_FORMAT)
            if all(map(is_run_id, (*pack.runs, *pack.replaces))):
                self._manifests[name] = pack
        return self._manifests.get(name)

    def _zip(self, name: str) -> zipfile.ZipFile:
        with self._opening:
            if name not in self._zips:
                file = self.storage.open(f"{name}/{ZIP}")
                weakref.finalize(self, file.close)  # the ZipFile would leave it open
                self._zips[name] = zipfile.ZipFile(file)
            return self._zips[name]


@dataclass(frozen=True, slots=True)
class PackedFiles:
    """The files of a packed run, as ``manifest.RunFiles``."""

    packs: Packs
    pack: str
    run: str

    def where(self, name: str) -> str:
        """Return the path of the zip, and the name in it."""
        return f"{self.packs.where(self.pack)}:{self.run}/{name}"

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            CorruptFileError: as ``Packs.read``.
        """
        return self.packs.read(self.pack, f"{self.run}/{name}")

    def names(self) -> list[str]:
        """Return the names of the run's files in the pack.

        Raises:
            CorruptFileError: the pack is damaged.
        """
        prefix = f"{self.run}/"
        members = self.packs.members(self.pack)
        return sorted(m.removeprefix(prefix) for m in members if m.startswith(prefix))


def _replaced(packs: Mapping[str, Pack]) -> set[str]:
    return {old for pack in packs.values() for old in pack.replaces}
