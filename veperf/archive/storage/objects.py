"""Single files of an fsspec filesystem under one prefix; failures are StorageErrors."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from inspect import signature
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem

from veperf.archive.storage.errors import (
    is_missing_bucket,
    is_past_end,
    is_server_response,
    to_storage_error,
)
from veperf.core.errors import CorruptFileError

_TIMES = ("LastModified", "last_modified", "modified", "mtime", "updated", "created")
"""Keys under which filesystems list the time of writing."""
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Objects:
    """The files under a prefix, written and fetched whole."""

    filesystem: AbstractFileSystem
    url: str
    path: str
    """The filesystem's own path of ``url``."""

    def at(self, folder: str) -> "Objects":
        """Return the objects under a subfolder."""
        return Objects(self.filesystem, f"{self.url}/{folder}", f"{self.path}/{folder}")

    def listing(self) -> dict[str, dict[str, Any]]:
        """Return the filesystem's details of each file under the prefix, by name.

        Raises:
            StorageError: the place is inaccessible.
        """
        with self._translated_errors(f"can't list {self.url}"):
            try:
                self.filesystem.invalidate_cache()  # other processes write as well
                files = self._find()
            except FileNotFoundError as error:
                if is_server_response(error):  # an object store returns an empty list instead
                    raise
                return {}
        prefix = f"{self.path}/"
        return {
            name.removeprefix(prefix): details
            for name, details in files.items()
            if name.startswith(prefix) and details.get("type") != "directory"
        }

    def written_ns(self, name: str, details: dict[str, Any]) -> int:
        """Return the time of writing in ns since 1970; 0 where the filesystem does not know it."""
        time: object = next((details[field] for field in _TIMES if details.get(field)), None)
        with suppress(Exception):  # each filesystem raises its own, and has its own type of time
            if time is None:
                time = self.filesystem.modified(self._path(name))
            if isinstance(time, str):
                time = datetime.fromisoformat(time)
            if isinstance(time, datetime):
                return int(time.timestamp()) * _NS_PER_S + time.microsecond * 1_000
            if isinstance(time, int | float):
                return int(time * _NS_PER_S)
        return 0

    def get(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """Return a file, or its bytes from ``start`` to before ``end``.

        Raises:
            CorruptFileError: it does not exist.
            StorageError: the place is inaccessible.
        """
        with self._translated_errors(f"can't read {self.url}/{name}"):
            try:
                data: bytes = self.filesystem.cat_file(self._path(name), start=start, end=end)
            except (FileNotFoundError, IsADirectoryError) as error:
                if isinstance(error, FileNotFoundError) and is_missing_bucket(error):
                    raise
                raise CorruptFileError(f"can't read {self.url}/{name}: it does not exist") from None
            except OSError as error:
                if not is_past_end(error):
                    raise
                return b""
        # Some servers ignore ranges and send the whole file.
        size = (len(data) if end is None else end) - (start or 0)
        return data[start:end] if len(data) > size else data

    def has(self, name: str) -> bool:
        """Return whether the file exists.

        Raises:
            StorageError: the place is inaccessible.
        """
        try:
            self.size(name)
        except CorruptFileError:
            return False
        return True

    def size(self, name: str) -> int:
        """Return the size of a file in bytes.

        Raises:
            CorruptFileError, StorageError: as ``get``.
        """
        with self._translated_errors(f"can't read {self.url}/{name}"):
            try:
                return int(self.filesystem.size(self._path(name)) or 0)
            except FileNotFoundError as error:
                if is_missing_bucket(error):
                    raise
                raise CorruptFileError(f"can't read {self.url}/{name}: it does not exist") from None

    def version(self, name: str) -> str:
        """Return a text that changes with the content of a file; empty where nothing tells.

        Raises:
            CorruptFileError, StorageError: as ``get``.
        """
        with self._translated_errors(f"can't read {self.url}/{name}"):
            try:
                details = self.filesystem.info(self._path(name))
            except FileNotFoundError as error:
                if is_missing_bucket(error):
                    raise
                raise CorruptFileError(f"can't read {self.url}/{name}: it does not exist") from None
        tag, written_ns = details.get("ETag") or "", self.written_ns(name, details)
        return f"{details.get('size')} {tag} {written_ns}" if tag or written_ns else ""

    def put(self, name: str, data: bytes) -> None:
        """Write a file atomically.

        Raises:
            StorageError: it can't be written.
        """
        with self._translated_errors(f"can't write {self.url}/{name}"):
            path, kind = self._path(name), self._content_type(name)
            self._in_folder(path, lambda: self.filesystem.pipe_file(path, data, **kind))

    def put_file(self, name: str, file: Path) -> None:
        """Upload a local file of any size.

        Raises:
            StorageError: as ``put``.
        """
        with self._translated_errors(f"can't write {self.url}/{name}"):
            path = self._path(name)
            self._in_folder(path, lambda: self.filesystem.put_file(str(file), path))

    def delete(self, names: Iterable[str]) -> None:
        """Delete those of the files that exist.

        Raises:
            StorageError: they can't be deleted.
        """
        paths = [self._path(name) for name in names]
        if not paths:
            return
        with self._translated_errors(f"can't delete files in {self.url}"):
            try:
                self.filesystem.rm(paths)
            except FileNotFoundError:
                # Another process deleted one of them first.
                for path in paths:
                    if self.filesystem.exists(path):
                        self.filesystem.rm_file(path)

    def _in_folder(self, path: str, put: Callable[[], object]) -> None:
        """Call ``put``, which writes ``path``, and make its folder if the filesystem needs one."""
        try:
            put()
        except FileNotFoundError as error:
            if is_server_response(error):
                raise
            self.filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            put()

    def _find(self) -> dict[str, dict[str, Any]]:
        """List all files under the prefix, in one request where the filesystem can do that."""
        above, _, last = self.path.rpartition("/")
        can = (
            "prefix"
            in signature(getattr(self.filesystem, "_find", self.filesystem.find)).parameters
        )
        files: dict[str, dict[str, Any]] = (
            self.filesystem.find(above, detail=True, prefix=f"{last}/")
            if above and can
            else self.filesystem.find(self.path, detail=True)
        )
        return files

    def _content_type(self, name: str) -> dict[str, str]:
        """Return S3's content type, so that a browser shows a page rather than saving it."""
        kind, _ = guess_type(name)
        return {"ContentType": kind} if kind and "s3" in self.filesystem.protocol else {}

    def _path(self, name: str) -> str:
        return f"{self.path}/{name}"

    @contextmanager
    def _translated_errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except CorruptFileError:
            raise
        except Exception as error:  # noqa: BLE001 - each filesystem and its libraries raise their own
            raise to_storage_error(action, error) from None
