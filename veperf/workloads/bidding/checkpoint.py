"""Checkpoints of an engine, and the journal of the bids since the last one.

A checkpoint is a file::

    magic (26 bytes)  format (1 byte)  SHA-256 of the rest (32 bytes)  msgpack

It is replaced atomically: a process that is killed leaves the old one or the new one. So a file
that is cut off or altered did not come from a crash, and is rejected.

The journal has each bid before it is submitted, so that a daemon that is killed between two
checkpoints loses none of the bids that its limits count::

    magic (20 bytes)  SHA-256 of the checkpoint that it follows (32 bytes)
    for each bid: number of its event, its time (8 bytes each, big-endian), and the first 8 bytes
    of the SHA-256 of the checkpoint's and both

It is not synced: after a power failure the latest bids may be missing, or one cut off. Whatever
else is wrong with it is damage, and is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from struct import Struct as Layout

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.atomic_file import replace_file
from veperf.workloads.bidding.field_checks import check_kind, check_moment, check_name
from veperf.workloads.bidding.providers import Resources

_BID = Layout(">qq")
_CHECK_LENGTH = 8
_ENTRY_LENGTH = _BID.size + _CHECK_LENGTH
_JOURNAL_MAGIC = b"veperf bids format 2"
_MAGIC = b"veperf bidding checkpoint\n"
# Format history:
#   1  the first
#   2  bids_ns
#   3  recorded_ns
_FORMAT = 3
_DIGEST_LENGTH = 32
_BODY_AT = len(_MAGIC) + 1 + _DIGEST_LENGTH
MAX_CHECKPOINT_BYTES = 256 << 20


class CheckpointError(DataError):
    """The checkpoint is of another engine."""


class Reservation(Struct, frozen=True):
    """The resources that a bid reserves."""

    order_id: str
    provider: str
    resources: Resources
    expires_ns: int | None
    """Time of release, unless the bid has won; None when it has."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("order_id", self.order_id)
        check_name("provider", self.provider)
        check_kind("resources", self.resources, Resources)
        if self.expires_ns is not None:
            check_moment("expires_ns", self.expires_ns)


class Checkpoint(Struct, frozen=True):
    """An engine's state after an event."""

    chain_id: str
    public_key: bytes
    """Public key of the daemon."""
    last_sequence: int
    """Number of the last handled event; the stream is to be read from the next one on."""
    orders: Sequence[str]
    """Ids of the orders that have a bid, the oldest first."""
    reservations: Sequence[Reservation]
    bids_ns: Sequence[int] = ()
    """Times of the bids that the rate limiter still counts, in nanoseconds since 1970."""
    recorded_ns: Mapping[int, int] = {}
    """The same, of bids that a crash may have cut short, by the numbers of their events."""


class CheckpointFile:
    """The file of an engine's checkpoints, each replacing the one before."""

    def __init__(self, path: Path) -> None:
        """Use the file ``path``, and a journal beside it for the bids placed since."""
        self.path = path
        self._journal = BidJournal(path.with_name(path.name + ".bids"))
        self._digest: bytes | None = None

    def save(self, checkpoint: Checkpoint) -> None:
        """Write ``checkpoint`` durably: it survives a power failure.

        Raises:
            StorageError: it can't be written; the old one is untouched.
        """
        body = msgspec.msgpack.encode(checkpoint)
        digest = sha256(body).digest()
        data = _MAGIC + bytes([_FORMAT]) + digest + body
        # An engine has one checkpoint, so that the name is free or left by a crash.
        temporary = self.path.with_name(self.path.name + ".new")
        replace_file(self.path, data, temporary)
        self._digest = digest
        self._journal.clear()

    def record_bid(self, sequence: int, moment_ns: int, now: Callable[[], Checkpoint]) -> None:
        """Record that the bid of an event counts; ``load`` returns it until the next ``save``.

        The journal follows a checkpoint: if nothing was saved or loaded yet, the checkpoint of
        ``now``, which contains the bid, is saved instead.

        Raises:
            StorageError: it can't be written.
        """
        if self._digest is None:
            self.save(now())
        else:
            self._journal.append(self._digest, sequence, moment_ns)

    def load(self) -> Checkpoint | None:
        """Return the last checkpoint, with the bids placed since; None if there is none.

        Raises:
            NewerFormatError: a later version of veperf wrote it.
            CorruptFileError: it or its journal was altered, is something else, or can't be read.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_CHECKPOINT_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CorruptFileError(f"can't read {self.path}: {error.strerror or error}") from error
        checkpoint = self._decode(data)
        self._digest = data[len(_MAGIC) + 1 : _BODY_AT]
        since = self._journal.resume(self._digest)
        return replace(checkpoint, recorded_ns={**checkpoint.recorded_ns, **since})

    def _decode(self, data: bytes) -> Checkpoint:
        if not data.startswith(_MAGIC) or not _BODY_AT <= len(data) <= MAX_CHECKPOINT_BYTES:
            raise self._corrupt("it is not a checkpoint, or was cut off")
        number = data[len(_MAGIC)]
        if number > _FORMAT:
            raise NewerFormatError(
                f"{self.path} has format {number}, this veperf reads up to {_FORMAT}; update veperf"
            )
        digest, body = data[len(_MAGIC) + 1 : _BODY_AT], data[_BODY_AT:]
        if sha256(body).digest() != digest:
            raise self._corrupt("its checksum is wrong")
        try:
            return msgspec.msgpack.decode(body, type=Checkpoint)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._corrupt(str(error)) from error

    def _corrupt(self, reason: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self.path} is corrupt: {reason}; restore it, or delete it and read the stream of "
            "events from its beginning"
        )


class BidJournal:
    """The journal of bids in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, checkpoint: bytes, sequence: int, moment_ns: int) -> None:
        """Add the bid of an event after the ``checkpoint`` with this digest.

        Raises:
            StorageError: the journal can't be written.
        """
        entry = _encode_entry(checkpoint, _BID.pack(sequence, moment_ns))
        try:
            with self._path.open("ab", buffering=0) as file:
                # One write: a kill can't leave part of it.
                file.write(entry if file.tell() else _JOURNAL_MAGIC + checkpoint + entry)
        except OSError as error:
            raise self._unwritable(error) from error

    def resume(self, checkpoint: bytes) -> dict[int, int]:
        """Return the times of the bids after the ``checkpoint`` with this digest, by event.

        A journal of another checkpoint is deleted: its bids are in a later checkpoint.

        Raises:
            CorruptFileError: the journal can't be read, or is damaged.
        """
        head = _JOURNAL_MAGIC + checkpoint
        try:
            if not self._path.exists():
                return {}
            data = self._path.read_bytes()
            if not data.startswith(_JOURNAL_MAGIC[: len(data)]):
                raise self._corrupt("it is not a journal of this format")
            if not data.startswith(head):
                self.clear()
                return {}
            whole = len(data) - (len(data) - len(head)) % _ENTRY_LENGTH
            if whole < len(data):
                with self._path.open("r+b") as file:
                    file.truncate(whole)
        except OSError as error:
            raise CorruptFileError(f"can't read {self._path}: {error.strerror or error}") from error
        bids: dict[int, int] = {}
        for at in range(len(head), whole, _ENTRY_LENGTH):
            bid = data[at : at + _BID.size]
            if data[at : at + _ENTRY_LENGTH] != _encode_entry(checkpoint, bid):
                raise self._corrupt(f"the entry at byte {at:,} is damaged")
            sequence, moment_ns = _BID.unpack(bid)
            bids[sequence] = moment_ns
        return bids

    def clear(self) -> None:
        """Delete the journal: its bids are in a checkpoint.

        Raises:
            StorageError: it can't be deleted.
        """
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StorageError:
        return StorageError(error.errno, f"can't write {self._path}: {error.strerror or error}")

    def _corrupt(self, reason: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self._path} is corrupt: {reason}; restore it, or delete it: bids of the last hour "
            "are then not counted"
        )


def _encode_entry(checkpoint: bytes, bid: bytes) -> bytes:
    return bid + sha256(checkpoint + bid).digest()[:_CHECK_LENGTH]
