"""The files of a run in a folder of its own."""

import os
from dataclasses import dataclass
from pathlib import Path

from veperf.archive.files import read
from veperf.errors import CorruptFileError


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """A run's folder as ``completion.RunFiles``. Nothing outside of it is read."""

    folder: Path

    def where(self, name: str) -> str:
        """The path."""
        return str(self.folder / name)

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            CorruptFileError: it can't be read, or is a link to elsewhere.
        """
        path = self.folder / name
        if "\0" not in name and path.is_symlink():
            raise CorruptFileError(f"{path} is a symbolic link, which no run has")
        if "\0" in name or not path.resolve().is_relative_to(self.folder.resolve()):
            raise CorruptFileError(f"{self.folder} has no file {name!r} of its own")
        return read(path)

    def names(self) -> list[str]:
        """Names of the files, those left out that begin with a dot: what a writer left behind.

        Raises:
            CorruptFileError: there is a link, or something else that is no file.
        """
        found: list[str] = []
        folders = [""]
        try:
            while folders:
                prefix = folders.pop()
                with os.scandir(self.folder / prefix) as entries:
                    for entry in entries:
                        name = prefix + entry.name
                        if entry.name.startswith("."):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{name}/")
                        elif entry.is_file(follow_symlinks=False):
                            found.append(name)
                        else:
                            raise CorruptFileError(f"{entry.path} is no file but a link or device")
        except OSError as error:
            raise CorruptFileError(f"can't read {self.folder}: {error.strerror}") from error
        return sorted(found)
