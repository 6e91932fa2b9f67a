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
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from veperf.archive.files import MAX_FILE_BYTES, read_json
from veperf.errors import CorruptFileError, DataError

FOLDER = "packs"
ZIP, TABLE, MANIFEST = "runs.zip", "samples.parquet", "pack.json"
_FORMAT = 1
_LONGEST_NAME = 255  # in bytes, on most file systems
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

    def __init__(self, archive: Path) -> None:
        self.folder = archive / FOLDER
        self._manifests: dict[str, Pack] = {}
        self._zips: dict[str, zipfile.ZipFile] = {}

    def names(self) -> list[str]:
        """Names of the whole packs that no other stands for, oldest first."""
        try:
            found = [entry.name for entry in os.scandir(self.folder)]
        except OSError:
            return []
        whole = {name: pack for name in found if (pack := self._manifest(name)) is not None}
        replaced = {name for pack in whole.values() for name in pack.replaces}
        return sorted(whole.keys() - replaced)

    def replaced(self) -> list[Path]:
        """Folders of packs that another stands for."""
        gone = {old for name in self.names() for old in self._manifests[name].replaces}
        return [folder for name in sorted(gone) if (folder := self.folder / name).is_dir()]

    def runs(self) -> dict[str, int]:
        """Every packed run, with the time of its completion in ns since 1970."""
        found: dict[str, int] = {}
        for name in self.names():
            found |= self._manifests[name].runs
        return found

    def runs_of(self, name: str) -> dict[str, int]:
        """The same of one whole pack."""
        return self._manifests[name].runs

    def files(self, run_id: str) -> "PackedFiles | None":
        """The files of a run, if it is packed."""
        for name in self.names():
            if run_id in self._manifests[name].runs:
                return PackedFiles(self, name, run_id)
        return None

    def tables(self) -> list[Path]:
        """The tables of samples, one a pack."""
        return [self.folder / name / TABLE for name in self.names()]

    def faults(self) -> list[str]:
        """What is wrong with the packs' own files, a sentence a file."""
        found: list[str] = []
        replaced = {folder.name for folder in self.replaced()}
        for folder in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if not folder.name.startswith(".") and folder.name not in replaced:
                found += self.faults_of(folder.name)
        return found

    def faults_of(self, name: str) -> list[str]:
        """The same of one of them."""
        folder = self.folder / name
        try:
            manifest = read_json(folder / MANIFEST, Pack, newest_format=_FORMAT)
        except DataError as error:
            return [str(error)]
        found: list[str] = []
        for file in (ZIP, TABLE):
            try:
                if file_checksum(folder / file) != manifest.sha256.get(file):
                    found.append(f"{folder / file} is not what was written (checksum differs)")
            except OSError as error:
                found.append(f"can't read {folder / file}: {error.strerror}")
        with contextlib.suppress(OSError, *_BROKEN), zipfile.ZipFile(folder / ZIP) as packed:
            if {name.partition("/")[0] for name in packed.namelist()} != manifest.runs.keys():
                found.append(f"{folder / MANIFEST} names other runs than {ZIP} holds")
        return found

    def read(self, name: str, member: str) -> bytes:
        """A file in the zip of the pack ``name``.

        Raises:
            CorruptFileError: it is not there, is damaged, or is larger than any file of ours.
        """
        where = f"{self.folder / name / ZIP}:{member}"
        try:
            info = self._zip(name).getinfo(member)
            if info.file_size > MAX_FILE_BYTES:
                raise CorruptFileError(f"{where} is larger than any file of veperf's")
            return self._zip(name).read(info)
        except KeyError as error:
            raise CorruptFileError(f"{where} is not there") from error
        except (OSError, *_BROKEN) as error:
            raise CorruptFileError(f"can't read {where}: {error}") from error

    def members(self, name: str) -> list[str]:
        """The names in the zip of the pack ``name``.

        Raises:
            CorruptFileError: that is damaged.
        """
        try:
            return self._zip(name).namelist()
        except (OSError, *_BROKEN) as error:
            raise CorruptFileError(f"can't read {self.folder / name / ZIP}: {error}") from error

    def _manifest(self, name: str) -> Pack | None:
        """None where the pack is not whole, or was never written by veperf."""
        if name.startswith("."):
            return None
        if name not in self._manifests:
            with contextlib.suppress(DataError):
                found = read_json(self.folder / name / MANIFEST, Pack, newest_format=_FORMAT)
                if all(map(is_name, (*found.runs, *found.replaces))):
                    self._manifests[name] = found
        return self._manifests.get(name)

    def _zip(self, name: str) -> zipfile.ZipFile:
        if name not in self._zips:
            self._zips[name] = zipfile.ZipFile(self.folder / name / ZIP)
        return self._zips[name]


@dataclass(frozen=True, slots=True)
class PackedFiles:
    """A packed run as ``completion.RunFiles``."""

    packs: Packs
    pack: str
    run: str

    def where(self, name: str) -> str:
        """The path of the zip, and the name in it."""
        return f"{self.packs.folder / self.pack / ZIP}:{self.run}/{name}"

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


def file_checksum(path: Path) -> str:
    """SHA-256 of a file of any size, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_name(run_id: str) -> bool:
    """Whether ``run_id`` can name a folder in the archive, and no path elsewhere."""
    if not run_id or run_id.startswith(".") or run_id == FOLDER or {"/", "\0"} & set(run_id):
        return False
    try:
        return len(os.fsencode(run_id)) <= _LONGEST_NAME
    except UnicodeEncodeError:
        return False
