"""Snapshots on disk, to be served to other nodes, in the folders of the SDK's ``snapshots.Store``.

::

    <folder>/<height>/<format>/<number>    a chunk, from 0
    <folder>/<height>/<format>/snapshot    the metadata: a message ``Snapshot``

The metadata is written last, atomically: a snapshot is there once it is whole. (The SDK has the
metadata in a database beside the chunks; its own export of a snapshot has this file.)
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import rmtree

from veperf.core.errors import StorageError, UsageError
from veperf.workloads.atomic_file import replace_file
from veperf.workloads.state_sync.errors import MissingChunkError, SnapshotError
from veperf.workloads.state_sync.snapshot import (
    CHUNK_BYTES,
    FORMAT,
    StateSnapshot,
    decode_snapshot,
    describe_chunks,
    encode_snapshot,
)

_METADATA = "snapshot"
_MAX_METADATA_BYTES = 64_000_000


class SnapshotStore:
    """The snapshots in a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep snapshots in ``folder``, which is made when the first is saved."""
        self._folder = folder

    @property
    def heights(self) -> list[int]:
        """The heights of the whole snapshots, newest first."""
        files = self._folder.glob(f"*/{FORMAT}/{_METADATA}")
        names = [path.parent.parent.name for path in files]
        return sorted((int(name) for name in names if _is_height(name)), reverse=True)

    def save(self, height: int, chunks: Iterable[bytes]) -> StateSnapshot:
        """Write a snapshot of ``height``, synced, and return its metadata.

        What is left of one that was not finished is replaced.

        Raises:
            UsageError: there is a snapshot of that height, or the height is not positive.
            StorageError: it can't be written.
        """
        if height <= 0:
            raise UsageError(f"a snapshot can't be of height {height}; the first block has 1")
        folder = self._path(height)
        if (folder / _METADATA).exists():
            raise UsageError(f"{folder} has a snapshot already; prune it first")
        try:
            rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            snapshot = describe_chunks(height, _write_each(folder, chunks))
        except OSError as error:
            raise StorageError(
                error.errno, f"can't write a snapshot to {folder}: {error.strerror or error}"
            ) from error
        replace_file(folder / _METADATA, encode_snapshot(snapshot), folder / f"{_METADATA}.new")
        return snapshot

    def load(self, height: int) -> StateSnapshot:
        """Return the metadata of the snapshot of ``height``.

        Raises:
            LookupError: there is none.
            SnapshotError: its metadata is damaged.
        """
        raw = _read_file(self._path(height) / _METADATA, _MAX_METADATA_BYTES)
        if raw is None:
            raise LookupError(f"{self._folder} has no snapshot of height {height}")
        snapshot = decode_snapshot(raw)
        if snapshot.height != height:
            raise SnapshotError(f"the metadata of height {height} says {snapshot.height}")
        return snapshot

    def chunk(self, height: int, number: int) -> bytes:
        """Return a chunk as it is on disk; whoever receives it checks its hash.

        Raises:
            MissingChunkError: there is no such file.
        """
        raw = _read_file(self._path(height) / str(number), CHUNK_BYTES)
        if raw is None:
            raise MissingChunkError(number, f"{self._path(height)} does not have it")
        return raw

    def chunks(self, snapshot: StateSnapshot) -> Iterator[bytes]:
        """Yield the chunks of ``snapshot`` in order, as ``chunk`` does."""
        for number in range(len(snapshot.chunk_hashes)):
            yield self.chunk(snapshot.height, number)

    def prune(self, keep: int) -> int:
        """Delete all but the ``keep`` newest snapshots, and return how many were deleted."""
        old = self.heights[keep:]
        for height in old:
            # Without its metadata it is not a snapshot, whatever becomes of the rest.
            (self._path(height) / _METADATA).unlink()
            rmtree(self._path(height).parent, ignore_errors=True)
        return len(old)

    def _path(self, height: int) -> Path:
        return self._folder / str(height) / str(FORMAT)


def _is_height(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 20


def _write_each(folder: Path, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Write each chunk to its file, synced, and pass it on."""
    for number, chunk in enumerate(chunks):
        with (folder / str(number)).open("xb") as file:
            file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        yield chunk


def _read_file(path: Path, max_bytes: int) -> bytes | None:
    """Return at most ``max_bytes`` of the content of ``path``; None if there is no such file.

    Links are not followed: a snapshot may come from elsewhere.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(error.errno, f"can't read {path}: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        return file.read(max_bytes)
