"""What an engine must not forget, in a file that is whole or refused.

::

    magic (26 bytes)  format (1 byte)  SHA-256 of the rest (32 bytes)  msgpack

It is written beside its place, synced and moved there: whoever is killed leaves the old one or the
new one. So a file that is cut off or altered is nobody's crash, and is refused.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError
from veperf.workloads.atomic_file import replace_file
from veperf.workloads.bidding.bid_journal import BidJournal
from veperf.workloads.bidding.fields import check_kind, check_moment, check_name
from veperf.workloads.bidding.providers import Resources

_MAGIC = b"veperf bidding checkpoint\n"
# Format history:
#   1  the first
#   2  bids_ns
_FORMAT = 2
_DIGEST_LENGTH = 32
_BODY_AT = len(_MAGIC) + 1 + _DIGEST_LENGTH
MAX_CHECKPOINT_BYTES = 256 << 20


class CheckpointError(DataError):
    """A checkpoint of another engine."""


class Reservation(Struct, frozen=True):
    """What a bid holds."""

    order_id: str
    provider: str
    resources: Resources
    expires_ns: int | None
    """Given back from this moment on, unless the bid has won; None when it has."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("order_id", self.order_id)
        check_name("provider", self.provider)
        check_kind("resources", self.resources, Resources)
        if self.expires_ns is not None:
            check_moment("expires_ns", self.expires_ns)


class Checkpoint(Struct, frozen=True):
    """An engine's memory after some event."""

    chain_id: str
    public_key: bytes
    """Of the daemon."""
    last_sequence: int
    """The last event that was handled; the stream is to be read on from the next."""
    orders: Sequence[str]
    """Those that have a bid, the oldest first."""
    reservations: Sequence[Reservation]
    bids_ns: Sequence[int] = ()
    """When those bids were placed that the rate limiter still counts: nanoseconds since 1970."""


class CheckpointFile:
    """Where an engine's checkpoints go, each in the place of the one before."""

    def __init__(self, path: Path) -> None:
        """The checkpoints at ``path``; a journal beside it has the bids placed since."""
        self.path = path
        self._journal = BidJournal(path.with_name(path.name + ".bids"))
        self._digest: bytes | None = None

    def save(self, checkpoint: Checkpoint) -> None:
        """Put ``checkpoint`` on disk; when this returns, it is there even if the power fails.

        Raises:
            StorageError: it can't be written; the old one is untouched.
        """
        body = msgspec.msgpack.encode(checkpoint)
        digest = sha256(body).digest()
        data = _MAGIC + bytes([_FORMAT]) + digest + body
        # One engine has one checkpoint, so that the name is free or a dead one's.
        temporary = self.path.with_name(self.path.name + ".new")
        replace_file(self.path, data, temporary)
        self._digest = digest
        self._journal.clear()

    def note_bid(self, moment_ns: int, now: Callable[[], Checkpoint]) -> None:
        """Note that a bid is about to be placed; ``load`` tells of it until the next ``save``.

        Notes follow a checkpoint: where nothing was saved or loaded yet, ``now``, which knows of
        the bid, is saved instead.

        Raises:
            StorageError: it can't be written.
        """
        if self._digest is None:
            self.save(now())
        else:
            self._journal.note(self._digest, moment_ns)

    def load(self) -> Checkpoint | None:
        """The last checkpoint, and the bids that were placed since; None where there has been none.

        Raises:
            NewerFormatError: a later version of veperf wrote it.
            CorruptFileError: it was cut off or altered, is no checkpoint, or can't be read.
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
        return replace(checkpoint, bids_ns=[*checkpoint.bids_ns, *since]) if since else checkpoint

    def _decode(self, data: bytes) -> Checkpoint:
        if not data.startswith(_MAGIC) or not _BODY_AT <= len(data) <= MAX_CHECKPOINT_BYTES:
            raise self._corrupt("it is no checkpoint, or was cut off")
        found = data[len(_MAGIC)]
        if found > _FORMAT:
            raise NewerFormatError(
                f"{self.path} has format {found}, this veperf reads up to {_FORMAT}; update veperf"
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
            f"{self.path} can't be believed: {reason}; restore it, or delete it and read the "
            "stream of events from its beginning"
        )
