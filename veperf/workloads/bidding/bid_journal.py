"""When bids were placed since the last checkpoint, on disk before each of them is submitted.

::

    SHA-256 of the checkpoint that it follows (32 bytes)  moments (8 bytes each, big-endian)

So a daemon that is killed between two checkpoints forgets none of the bids that its limits count.
Nothing is synced: should the power fail, the latest may be missing.
"""

from pathlib import Path
from struct import Struct

from veperf.core.errors import CorruptFileError, StorageError

_MOMENT = Struct(">q")
_DIGEST_BYTES = 32


class BidJournal:
    """The journal in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, checkpoint: bytes, moment_ns: int) -> None:
        """Add a bid that is about to be placed after the ``checkpoint`` with this digest.

        Raises:
            StorageError: it can't be written.
        """
        moment = _MOMENT.pack(moment_ns)
        try:
            with self._path.open("ab", buffering=0) as file:
                # One write: a kill comes before it or after it.
                file.write(moment if file.tell() else checkpoint + moment)
        except OSError as error:
            raise self._unwritable(error) from error

    def resume(self, checkpoint: bytes) -> list[int]:
        """The bids that were placed after the ``checkpoint`` with this digest.

        A journal of another checkpoint is deleted: that one knows its bids.

        Raises:
            CorruptFileError: it can't be read.
        """
        try:
            if not self._path.exists():
                return []
            data = self._path.read_bytes()
            if data[:_DIGEST_BYTES] != checkpoint:
                self.clear()
                return []
            whole = len(data) - (len(data) - _DIGEST_BYTES) % _MOMENT.size
            if whole < len(data):
                with self._path.open("r+b") as file:
                    file.truncate(whole)
        except OSError as error:
            raise CorruptFileError(f"can't read {self._path}: {error.strerror or error}") from error
        return [moment for (moment,) in _MOMENT.iter_unpack(data[_DIGEST_BYTES:whole])]

    def clear(self) -> None:
        """Forget all: a checkpoint knows it.

        Raises:
            StorageError: it can't be deleted.
        """
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StorageError:
        return StorageError(error.errno, f"can't write {self._path}: {error.strerror or error}")
