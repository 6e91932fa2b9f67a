"""The errors of a snapshot, as one tree.

::

    SnapshotError               its metadata or its items are not a snapshot's
    ├── ChunkError              a chunk that is not the one that belongs there
    │   ├── ChunkHashError      its bytes are others: damaged, or another chunk of the snapshot
    │   ├── MissingChunkError   the chunks end before the snapshot does
    │   └── ExtraChunkError     they go on after its last one
    └── AppHashError            the state was restored, but it is not the chain's

All are ``DataError``: what a peer sends is at fault, and another peer's snapshot may be tried.
"""

from veperf.core.errors import DataError


class SnapshotError(DataError):
    """Metadata or items that are not a snapshot's."""


class ChunkError(SnapshotError):
    """A chunk that is not the one that belongs in its place."""

    def __init__(self, index: int, message: str) -> None:
        """Say what is wrong with the chunk with the number ``index``, from 0."""
        super().__init__(f"chunk {index}: {message}")
        self.index = index
        """The number of the chunk's place, from 0."""


class ChunkHashError(ChunkError):
    """A chunk whose SHA-256 is not that in the snapshot's metadata."""


class MissingChunkError(ChunkError):
    """Chunks that end before the snapshot does."""


class ExtraChunkError(ChunkError):
    """A chunk after the last one."""


class AppHashError(SnapshotError):
    """A state whose app hash is not the one that the chain agreed on."""
