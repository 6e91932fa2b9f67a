"""A storage under a prefix of an object store, or of another filesystem that fsspec knows.

Single objects are written whole or not at all; nothing can be renamed. Readers ignore a folder
that has an object ``.hidden``: it is written before a folder is filled or removed, and deleted
last. What a killed process leaves is therefore hidden, and ``remove_leftovers`` deletes it.
"""

import contextlib
import errno
import importlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import fsspec.core
from fsspec.registry import known_implementations

from veperf.archive.files import MAX_FILE_BYTES, checksum_of
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.errors import to_storage_error
from veperf.archive.storage.lease import LEASE_TIMES, Lease, LeaseTimes
from veperf.archive.storage.location import Url
from veperf.archive.storage.lock import Notify, ignore_notice
from veperf.archive.storage.objects import Objects
from veperf.core.errors import CorruptFileError, StorageError, UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BUFFER_BYTES = 1 << 20
_GCS = {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
"""Else gcsfs asks by gRPC, before every request, what kind of bucket it is, as long as that fails:
with rights to objects only, behind a proxy, and with servers that merely speak Google's protocol.
It reads this as it is imported; who sets it to ``true`` keeps that, as zonal buckets need it."""
_CLIENT_SETTINGS = {"gs": _GCS, "gcs": _GCS}
"""Environment of clients, by scheme, where the user has not set it."""
_SSH = ("sftp", "ssh")
_KNOWN_HOSTS = Path("~/.ssh/known_hosts")


class _RangeReader(io.RawIOBase):
    """A raw file whose reads are range requests."""

    def __init__(self, objects: Objects, name: str) -> None:
        super().__init__()
        self._objects = objects
        self._name = name
        self._size = objects.size(name)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # typeshed asks for any buffer, io passes this one
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        data = self._objects.get(self._name, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def open_buffered(objects: Objects, name: str) -> io.BufferedReader:
    """Open the file ``name`` for random access, about 1 MiB a request.

    Raises:
        CorruptFileError, StorageError: as ``Objects.get``; reading raises them too.
    """
    return io.BufferedReader(_RangeReader(objects, name), _BUFFER_BYTES)


HIDDEN = ".hidden"
_PROBE = ".writable"
_CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class RemoteStorage:
    """A prefix as a ``base.Storage``, which says what the methods raise."""

    objects: Objects
    times: LeaseTimes = LEASE_TIMES
    notify: Notify = field(default=ignore_notice, compare=False, repr=False)

    @property
    def location(self) -> str:
        """The URL."""
        return self.objects.url

    def at(self, folder: str) -> "RemoteStorage":
        """Return a subfolder."""
        return RemoteStorage(self.objects.at(folder), self.times, self.notify)

    def where(self, name: str) -> str:
        """Return the URL of a file."""
        return f"{self.objects.url}/{name}"

    @property
    def concurrency(self) -> int:
        """16 where the filesystem is asynchronous; others may not be thread-safe."""
        return _CONCURRENCY if self.objects.filesystem.async_impl else 1

    def exists(self) -> bool:
        """Return whether there is any object."""
        return bool(self.objects.listing())

    def is_same(self, other: Storage) -> bool:
        """Return whether ``other`` has the same URL."""
        return other.location == self.location

    def require_writable(self) -> None:
        """Write a probe object, and delete it."""
        self.objects.put(_PROBE, b"")
        self.objects.delete([_PROBE])

    def has(self, name: str) -> bool:
        """Return whether the file exists."""
        return self.objects.has(name)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        if not _is_plain(name):
            raise CorruptFileError(f"{self.location} has no file {name!r} of its own")
        data = self.objects.get(name, 0, MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise CorruptFileError(f"{self.where(name)} has more bytes than any file of veperf's")
        return data

    def open(self, name: str) -> BinaryIO:
        """Open a file that is fetched piece by piece."""
        return open_buffered(self.objects, name)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file, fetched once for each version that the place tells of."""
        version = self.objects.version(name)
        fetch = _digest if version else _digest.__wrapped__
        return fetch(self.objects, name, version)

    def write(self, name: str, data: bytes) -> None:
        """Write a file."""
        self.objects.put(name, data)

    def delete(self, names: Collection[str]) -> None:
        """Delete those of the files that exist."""
        self.objects.delete(names)

    def names(self) -> list[str]:
        """Return the names of all files; none where the folder is hidden."""
        files = self.objects.listing()
        if HIDDEN in files:
            return []
        return sorted(name for name in files if _is_plain(name) and not _has_dots(name))

    def folders(self, *names: str) -> dict[str, dict[str, int]]:
        """Return the subfolders that have one of these files, with the listed time in ns."""
        folders: dict[str, dict[str, int]] = {}
        hidden: set[str] = set()
        for key, about in self.objects.listing().items():
            folder, _, name = key.partition("/")
            if name == HIDDEN:
                hidden.add(folder)
            elif name in names and _is_plain(key) and not folder.startswith("."):
                folders.setdefault(folder, {})[name] = self.objects.written_ns(key, about)
        return {folder: written for folder, written in folders.items() if folder not in hidden}

    def folder_has(self, folder: str, name: str) -> bool:
        """Return whether the subfolder, which must not be hidden, has the file."""
        return name in self.at(folder).names()

    def foreign_entries(self) -> dict[str, str]:
        """Return the objects whose names are not valid paths, each with a sentence."""
        names = [name for name in self.objects.listing() if not _is_plain(name.rstrip("/"))]
        return {name: f"{self.where(name)} has a name that is not a path" for name in names}

    def remove(self, folder: str) -> None:
        """Hide a folder, then delete it."""
        objects = self.objects.at(folder)
        names = objects.listing()
        if names:
            objects.put(HIDDEN, b"")
            _delete_all(objects, names)

    def remove_leftovers(self) -> None:
        """Delete the hidden folders."""
        for key in self.objects.listing():
            folder, _, name = key.partition("/")
            if name == HIDDEN and _is_plain(key):
                objects = self.objects.at(folder)
                _delete_all(objects, objects.listing())

    @contextlib.contextmanager
    def new_folder(self, folder: str, lock: Lock) -> Iterator[Path]:
        """Give a temporary folder; its files are uploaded at the end, and shown last."""
        with tempfile.TemporaryDirectory(prefix="veperf-") as local:
            yield Path(local)
            objects = self.objects.at(folder)
            objects.put(HIDDEN, b"")
            for file in sorted(Path(local).iterdir()):
                objects.put_file(file.name, file)
            lock.check()
            objects.delete([HIDDEN])

    def lock(self) -> Lease:
        """Wait for the lock."""
        return Lease.acquire(self.objects, self.times, self.notify)

    def try_lock(self) -> Lease | None:
        """Return the lock, or None if a living process is seen to hold it."""
        return Lease.try_acquire(self.objects, self.times, self.notify)

    def duckdb_paths(self, connection: "DuckDBPyConnection", names: Iterable[str]) -> list[str]:
        """Register the filesystem, with its credentials, and return the URLs.

        DuckDB takes every URL for a glob pattern, so special characters are escaped.
        """
        connection.register_filesystem(self.objects.filesystem)
        if self.concurrency == 1:
            connection.execute("SET threads = 1")
        return [re.sub(r"([*?[])", r"[\1]", self.where(name)) for name in names]


@lru_cache(maxsize=1 << 16)
def _digest(objects: Objects, name: str, version: str) -> str:  # noqa: ARG001 - the cache's key
    """Return the SHA-256 of that version of the file."""
    return checksum_of(open_buffered(objects, name))


def open_remote(url: Url, notify: Notify = ignore_notice) -> RemoteStorage:
    """Return the storage at ``url``, without sending a request yet.

    Raises:
        UsageError: fsspec does not know the scheme, or a package is missing.
    """
    for variable, value in _CLIENT_SETTINGS.get(url.scheme, {}).items():
        os.environ.setdefault(variable, value)
    try:
        fsspec.core.get_filesystem_class(url.scheme)
    except ImportError:
        raise UsageError(_missing_package(url.scheme)) from None
    except ValueError:
        raise UsageError(
            f"{url.scheme}:// is not a known kind of storage; give a folder, or a URL such as "
            "s3://bucket/folder"
        ) from None
    options = {"host_key_policy": _known_hosts_policy()} if url.scheme in _SSH else {}
    try:
        # Not a cached instance: the credentials in the environment may have changed.
        filesystem, path = fsspec.core.url_to_fs(str(url), skip_instance_cache=True, **options)
    except StorageError:  # of the policy for host keys
        raise
    except Exception as error:  # noqa: BLE001 - each filesystem raises its own
        raise to_storage_error(f"can't open {url}", error) from None
    if url.scheme in _SSH:
        filesystem.ftp = _SftpOfThread(filesystem.client)
    return RemoteStorage(Objects(filesystem, str(url), path.rstrip("/")), LEASE_TIMES, notify)


class _SftpOfThread:
    """An SFTP client for each thread: of two in one client, each may take the other's answer.

    Then both wait for ever, as does a process while the lease's thread renews its lease.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._local = threading.local()

    def __getattr__(self, name: str) -> object:
        if not hasattr(self._local, "client"):
            self._local.client = self._connection.open_sftp()
        return getattr(self._local.client, name)


def _known_hosts_policy() -> object:
    """Return a policy for paramiko: a host's key must be in the user's ``known_hosts``.

    fsspec's own takes any key, so that whoever is in between gets the results, and makes others.

    Raises:
        UsageError: fsspec is too old to be given one.
    """
    sftp = importlib.import_module("fsspec.implementations.sftp")  # with paramiko, where it is
    paramiko: Any = sftp.paramiko
    if not hasattr(sftp, "HOST_KEY_POLICIES"):
        raise UsageError("sftp:// archives need a newer fsspec: pip install --upgrade fsspec")

    class KnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # it has no types
        def missing_host_key(self, client: object, hostname: str, key: object) -> None:
            known = paramiko.HostKeys()
            with contextlib.suppress(FileNotFoundError):
                known.load(str(_KNOWN_HOSTS.expanduser()))
            if not known.check(hostname, key):
                raise StorageError(
                    errno.EACCES,
                    f"the key of {hostname} is not in {_KNOWN_HOSTS}; connect once by `ssh`, or "
                    "add the line that `ssh-keyscan` prints, after comparing it with the host's",
                )

    return KnownHosts()


def _missing_package(scheme: str) -> str:
    how = known_implementations[scheme].get("err", "see fsspec's documentation")
    if scheme in ("s3", "s3a"):
        how = "pip install 'veperf[s3]'"
    return f"{scheme}:// archives need another package: {how}"


def _delete_all(objects: Objects, names: Collection[str]) -> None:
    objects.delete([name for name in names if name != HIDDEN])
    objects.delete([HIDDEN])


def _is_plain(name: str) -> bool:
    """Return whether it names a file below the prefix, on any system."""
    return "\0" not in name and not {"", ".", ".."} & set(name.split("/"))


def _has_dots(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
