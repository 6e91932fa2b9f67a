"""Old runs packed together, as many files in few.

::

    <archive>/packs/<pack>/
      runs.zip          the runs' folders as they were, less samples.parquet
      samples.parquet   the samples of all of them, as a table for queries
      pack.json         written last: the pack is whole, and these are its runs and checksums

``unzip`` gives the folders back.
"""

import contextlib
import hashlib
import struct
import threading
import weakref
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from msgspec import Struct

from veperf.archive.files import MAX_FILE_BYTES
from veperf.archive.manifest import PACKS, is_name
from veperf.archive.query import Table
from veperf.archive.storage.base import Storage
from veperf.archive.storage.json_files import read_document
from veperf.core.errors import CorruptFileError, DataError, StorageError

ZIP, TABLE, MANIFEST = "runs.zip", "samples.parquet", "pack.json"
_FORMAT = 1
# What zipfile raises of damaged and of hostile files.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)


class Pack(Struct, frozen=True):
    """The content of pack.json."""

    runs: dict[str, int]
    """When each run's complete.json was written, in ns since 1970, by run id."""
    sha256: dict[str, str]
    """Checksums in hexadecimal, by name of file."""
    replaces: tuple[str, ...] = ()
    """Names of the packs that this one stands for, which count no more."""
    format: int = _FORMAT


class Packs:
    """The packs of one archive. They never change, so each is read once."""

    def __init__(self, archive: Storage) -> None:
        self.storage = archive.at(PACKS)
        self._manifests: dict[str, Pack] = {}
        self._zips: dict[str, zipfile.ZipFile] = {}
        self._opening = threading.Lock()

    def names(self) -> list[str]:
        """Names of the whole packs that no other stands for, oldest first.

        Raises:
            StorageError: there is no way to them.
        """
        whole = self._whole()
        return sorted(whole.keys() - _replaced(whole))

    def replaced(self) -> list[str]:
        """Names of packs that another stands for, and that are still there."""
        whole = self._whole()
        return sorted(_replaced(whole) & whole.keys())

    def runs(self) -> dict[str, int]:
        """Every packed run, with the time of its completion in ns since 1970."""
        return {run: when for runs in self.counted().values() for run, when in runs.items()}

    def runs_of(self, name: str) -> dict[str, int]:
        """The same of one whole pack."""
        return self._manifests[name].runs

    def counted(self) -> dict[str, dict[str, int]]:
        """The runs of each pack, by its name, that are not in a newer one as well.

        A process that was suspended for long in a compaction may have left a pack of runs that
        others have packed meanwhile. Theirs, begun later, is the one that counts.
        """
        found: dict[str, dict[str, int]] = {}
        known: set[str] = set()
        for name in reversed(self.names()):
            runs = self._manifests[name].runs
            found[name] = {run: when for run, when in runs.items() if run not in known}
            known |= runs.keys()
        return found

    def files(self, run_id: str) -> "PackedFiles | None":
        """The files of a run, if it is packed."""
        for name in reversed(self.names()):
            if run_id in self._manifests[name].runs:
                return PackedFiles(self, name, run_id)
        return None

    def tables(self) -> tuple[list[Table], set[str]]:
        """The tables that have the samples of all packed runs, each run once; and these runs."""
        tables, runs = [], set[str]()
        for name, counted in self.counted().items():
            if counted:
                others = frozenset(self._manifests[name].runs.keys() - counted.keys())
                tables.append(Table(f"{PACKS}/{name}/{TABLE}", others))
                runs |= counted.keys()
        return tables, runs

    def faults(self) -> list[str]:
        """What is wrong with the packs' own files, a sentence a file."""
        found: list[str] = []
        there = self.storage.folders(ZIP, TABLE, MANIFEST)
        for name in sorted(there.keys() - set(self.replaced())):
            found += self.faults_of(name)
        return found

    def faults_of(self, name: str) -> list[str]:
        """The same of one of them."""
        pack = self.storage.at(name)
        try:
            manifest = read_document(pack, MANIFEST, Pack, newest_format=_FORMAT)
        except DataError as error:
            return [str(error)]
        found: list[str] = []
        for file in (ZIP, TABLE):
            try:
                if checksum_of(pack.open(file)) != manifest.sha256.get(file):
                    found.append(f"{pack.where(file)} is not what was written (checksum differs)")
            except CorruptFileError as error:
                found.append(str(error))
            except StorageError:
                raise
            except OSError as error:
                found.append(f"can't read {pack.where(file)}: {error.strerror}")
        with (
            contextlib.suppress(OSError, *_BROKEN),
            pack.open(ZIP) as file_of_zip,
            zipfile.ZipFile(file_of_zip) as packed,
        ):
            if {name.partition("/")[0] for name in packed.namelist()} != manifest.runs.keys():
                found.append(f"{pack.where(MANIFEST)} names other runs than {ZIP} holds")
        return found

    def read(self, name: str, member: str) -> bytes:
        """A file in the zip of the pack ``name``.

        Raises:
            CorruptFileError: it is not there, is damaged, or is larger than any file of ours.
        """
        where = f"{self.where(name)}:{member}"
        try:
            info = self._zip(name).getinfo(member)
            if info.file_size > MAX_FILE_BYTES:
                raise CorruptFileError(f"{where} is larger than any file of veperf's")
            return self._zip(name).read(info)
        except KeyError as error:
            raise CorruptFileError(f"{where} is not there") from error
        except (CorruptFileError, StorageError):
            raise
        except (OSError, *_BROKEN) as error:
            raise CorruptFileError(f"can't read {where}: {error}") from error

    def members(self, name: str) -> list[str]:
        """The names in the zip of the pack ``name``.

        Raises:
            CorruptFileError: that is damaged.
        """
        try:
            return self._zip(name).namelist()
        except (CorruptFileError, StorageError):
            raise
        except (OSError, *_BROKEN) as error:
            raise CorruptFileError(f"can't read {self.where(name)}: {error}") from error

    def where(self, name: str) -> str:
        """What to call the zip of the pack ``name``."""
        return self.storage.where(f"{name}/{ZIP}")

    def _whole(self) -> dict[str, Pack]:
        """All whole packs by name, those included that another stands for."""
        there = self.storage.folders(MANIFEST)
        while True:
            whole = {name: pack for name in there if (pack := self._manifest(name)) is not None}
            if whole.keys() == there.keys():
                return whole
            # A pack may have been replaced and removed between the two questions.
            before, there = there, self.storage.folders(MANIFEST)
            if before.keys() <= there.keys():
                return whole

    def _manifest(self, name: str) -> Pack | None:
        """None where the pack is not whole, or was never written by veperf."""
        if name not in self._manifests:
            with contextlib.suppress(DataError):
                found = read_document(self.storage.at(name), MANIFEST, Pack, newest_format=_FORMAT)
                if all(map(is_name, (*found.runs, *found.replaces))):
                    self._manifests[name] = found
        return self._manifests.get(name)

    def _zip(self, name: str) -> zipfile.ZipFile:
        with self._opening:
            if name not in self._zips:
                file = self.storage.open(f"{name}/{ZIP}")
                weakref.finalize(self, file.close)  # which the zip would leave open
                self._zips[name] = zipfile.ZipFile(file)
            return self._zips[name]


@dataclass(frozen=True, slots=True)
class PackedFiles:
    """A packed run as ``completion.RunFiles``."""

    packs: Packs
    pack: str
    run: str

    def where(self, name: str) -> str:
        """The path of the zip, and the name in it."""
        return f"{self.packs.where(self.pack)}:{self.run}/{name}"

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            CorruptFileError: as ``Packs.read``.
        """
        return self.packs.read(self.pack, f"{self.run}/{name}")

    def names(self) -> list[str]:
        """Names of the run's files in the pack.

        Raises:
            CorruptFileError: the pack is damaged.
        """
        start = f"{self.run}/"
        members = self.packs.members(self.pack)
        return sorted(m.removeprefix(start) for m in members if m.startswith(start))


def checksum_of(file: BinaryIO) -> str:
    """SHA-256 of a file of any size, in hexadecimal; the file is closed then."""
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a BinaryIO has what it asks for


def _replaced(whole: Mapping[str, Pack]) -> set[str]:
    return {old for pack in whole.values() for old in pack.replaces}
