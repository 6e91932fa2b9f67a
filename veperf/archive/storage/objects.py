"""The files of an fsspec filesystem under one prefix, every failure in our words."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from inspect import signature
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem

from veperf.archive.storage.errors import in_words, is_answer, is_beyond_end, lacks_bucket
from veperf.core.errors import CorruptFileError

_TIMES = ("LastModified", "last_modified", "modified", "mtime", "updated", "created")
"""Where filesystems say in a listing when a file was written."""
_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Objects:
    """Single files, put and fetched whole."""

    filesystem: AbstractFileSystem
    url: str
    path: str
    """What the filesystem calls ``url``."""

    def at(self, folder: str) -> "Objects":
        """Those under a folder."""
        return Objects(self.filesystem, f"{self.url}/{folder}", f"{self.path}/{folder}")

    def listing(self) -> dict[str, dict[str, Any]]:
        """What the filesystem says of each file under the prefix, by name; empty where none is.

        Raises:
            StorageError: there is no way to it.
        """
        with self._telling(f"can't list {self.url}"):
            try:
                self.filesystem.invalidate_cache()  # others write here, too
                found = self._find()
            except FileNotFoundError as error:
                if is_answer(error):  # object stores list nothing rather than say that
                    raise
                return {}
        start = f"{self.path}/"
        return {
            name.removeprefix(start): about
            for name, about in found.items()
            if name.startswith(start) and about.get("type") != "directory"
        }

    def written_ns(self, name: str, about: dict[str, Any]) -> int:
        """When a file was written, in ns since 1970; 0 where the filesystem does not know."""
        when: object = next((about[field] for field in _TIMES if about.get(field)), None)
        with suppress(Exception):  # each filesystem raises its own, and says it in its own way
            if when is None:
                when = self.filesystem.modified(self._path(name))
            if isinstance(when, str):
                when = datetime.fromisoformat(when)
            if isinstance(when, datetime):
                return int(when.timestamp()) * _S + when.microsecond * 1_000
            if isinstance(when, int | float):
                return int(when * _S)
        return 0

    def get(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """A file, or its bytes from ``start`` to before ``end``.

        Raises:
            CorruptFileError: it is not there.
            StorageError: there is no way to it.
        """
        with self._telling(f"can't read {self.url}/{name}"):
            try:
                data: bytes = self.filesystem.cat_file(self._path(name), start=start, end=end)
            except (FileNotFoundError, IsADirectoryError) as error:
                if isinstance(error, FileNotFoundError) and lacks_bucket(error):
                    raise
                raise CorruptFileError(f"can't read {self.url}/{name}: it is not there") from None
            except OSError as error:
                if not is_beyond_end(error):
                    raise
                return b""
        # There are servers that don't know of ranges, and send the whole.
        wanted = (len(data) if end is None else end) - (start or 0)
        return data[start:end] if len(data) > wanted else data

    def has(self, name: str) -> bool:
        """Whether there is a file.

        Raises:
            StorageError: there is no way to it.
        """
        try:
            self.size(name)
        except CorruptFileError:
            return False
        return True

    def size(self, name: str) -> int:
        """How many bytes a file has.

        Raises:
            CorruptFileError, StorageError: as ``get``.
        """
        with self._telling(f"can't read {self.url}/{name}"):
            try:
                return int(self.filesystem.size(self._path(name)) or 0)
            except FileNotFoundError as error:
                if lacks_bucket(error):
                    raise
                raise CorruptFileError(f"can't read {self.url}/{name}: it is not there") from None

    def put(self, name: str, data: bytes) -> None:
        """Write a file; readers see all of it, or what was there before.

        Raises:
            StorageError: it can't be written.
        """
        with self._telling(f"can't write {self.url}/{name}"):
            path, kind = self._path(name), self._kind(name)
            self._in_folder(path, lambda: self.filesystem.pipe_file(path, data, **kind))

    def put_file(self, name: str, file: Path) -> None:
        """The same from a file of this machine, of any size.

        Raises:
            StorageError: as ``put``.
        """
        with self._telling(f"can't write {self.url}/{name}"):
            path = self._path(name)
            self._in_folder(path, lambda: self.filesystem.put_file(str(file), path))

    def delete(self, names: Iterable[str]) -> None:
        """Delete files, those that are there.

        Raises:
            StorageError: they can't be deleted.
        """
        paths = [self._path(name) for name in names]
        if not paths:
            return
        with self._telling(f"can't delete files in {self.url}"):
            try:
                self.filesystem.rm(paths)
            except FileNotFoundError:
                # Somebody else was faster with one of them.
                for path in paths:
                    if self.filesystem.exists(path):
                        self.filesystem.rm_file(path)

    def _in_folder(self, path: str, put: Callable[[], object]) -> None:
        """Do ``put``, which writes ``path``; make its folder where the filesystem wants that."""
        try:
            put()
        except FileNotFoundError as error:
            if is_answer(error):
                raise
            self.filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            put()

    def _find(self) -> dict[str, dict[str, Any]]:
        """All files under the prefix; in one request where the filesystem can look for one."""
        above, _, last = self.path.rpartition("/")
        can = (
            "prefix"
            in signature(getattr(self.filesystem, "_find", self.filesystem.find)).parameters
        )
        found: dict[str, dict[str, Any]] = (
            self.filesystem.find(above, detail=True, prefix=f"{last}/")
            if above and can
            else self.filesystem.find(self.path, detail=True)
        )
        return found

    def _kind(self, name: str) -> dict[str, str]:
        """What tells S3 that a page is one, which a browser would save otherwise."""
        kind, _ = guess_type(name)
        return {"ContentType": kind} if kind and "s3" in self.filesystem.protocol else {}

    def _path(self, name: str) -> str:
        return f"{self.path}/{name}"

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except CorruptFileError:
            raise
        except Exception as error:  # noqa: BLE001 - each filesystem and its libraries raise their own
            raise in_words(what, error) from None
