"""The mempool: transactions that wait for verification, in order and without duplicates."""

from collections import deque
from collections.abc import Container, Sequence
from hashlib import sha256
from itertools import islice

from msgspec import Struct


class MempoolEntry(Struct, frozen=True, gc=False):
    """A transaction in the pipeline."""

    tag: int
    """The caller's number for it."""
    raw: bytes
    digest: bytes
    """SHA-256 of ``raw``: the transaction's hash."""
    received_ns: int
    """Time of hashing (``time.monotonic_ns``)."""


class Mempool:
    """Transactions that wait for verification, and the hashes of all recent ones.

    As CometBFT's mempool does, it knows a transaction until it is committed and for a while
    after; a rejected one is forgotten and may be sent again.
    """

    def __init__(self, remembered: int) -> None:
        """Make an empty mempool that knows the last ``remembered`` committed transactions."""
        self._remembered = remembered
        self._offered: deque[tuple[int, bytes]] = deque()
        self._waiting: deque[MempoolEntry] = deque()
        self._pending: set[bytes] = set()
        self._committed: dict[bytes, None] = {}  # a set in the order of insertion

    def __len__(self) -> int:
        """Return the number of hashed transactions that wait."""
        return len(self._waiting)

    @property
    def oldest_ns(self) -> int:
        """Time of hashing of the transaction that has waited longest."""
        return self._waiting[0].received_ns

    def offer(self, tag: int, raw: bytes) -> None:
        """Put a transaction at the end of the queue."""
        self._offered.append((tag, raw))

    def hash_offered(self, count: int, now_ns: int) -> tuple[int, list[int]]:
        """Hash up to ``count`` offered transactions; duplicates are dropped.

        Returns the number of hashed transactions and the tags of the duplicates.
        """
        offered = self._offered
        count = min(count, len(offered))
        duplicates = []
        for _ in range(count):
            tag, raw = offered.popleft()
            digest = sha256(raw).digest()
            if digest in self._pending or digest in self._committed:
                duplicates.append(tag)
                continue
            self._pending.add(digest)
            self._waiting.append(MempoolEntry(tag, raw, digest, now_ns))
        return count, duplicates

    def pop(self, count: int) -> list[MempoolEntry]:
        """Remove and return the first ``count`` that wait, or fewer if there are fewer."""
        waiting = self._waiting
        return [waiting.popleft() for _ in range(min(count, len(waiting)))]

    def finish(self, entries: Sequence[MempoolEntry], refused: Container[int]) -> None:
        """Record that ``entries`` are finished; those at the indices ``refused`` failed."""
        committed = self._committed
        for index, entry in enumerate(entries):
            self._pending.discard(entry.digest)
            if index not in refused:
                committed[entry.digest] = None
        for digest in list(islice(committed, max(0, len(committed) - self._remembered))):
            del committed[digest]
