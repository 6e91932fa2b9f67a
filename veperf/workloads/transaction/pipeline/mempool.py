"""Where transactions wait to be verified: in order, each only once."""

from collections import deque
from collections.abc import Container, Sequence
from hashlib import sha256
from itertools import islice

from msgspec import Struct


class Entry(Struct, frozen=True, gc=False):
    """A transaction on its way."""

    tag: int
    """The caller's name for it."""
    raw: bytes
    digest: bytes
    """SHA-256 of ``raw``: the transaction's hash."""
    since_ns: int
    """When it was taken in (``time.monotonic_ns``)."""


class Mempool:
    """Transactions that were offered and not sent on yet, and the hashes of those that were.

    As CometBFT's mempool does, it knows a transaction until it is committed and for a while
    after; one that was refused is forgotten and may be sent again.
    """

    def __init__(self, remembered: int) -> None:
        """``remembered`` is how many committed transactions it knows."""
        self._remembered = remembered
        self._offered: deque[tuple[int, bytes]] = deque()
        self._waiting: deque[Entry] = deque()
        self._pending: set[bytes] = set()
        self._committed: dict[bytes, None] = {}  # a set in the order of insertion

    def __len__(self) -> int:
        """How many wait to be taken out, hashed already."""
        return len(self._waiting)

    @property
    def since_ns(self) -> int:
        """When the one that has been waiting longest was taken in."""
        return self._waiting[0].since_ns

    def offer(self, tag: int, raw: bytes) -> None:
        """Put a transaction at the end of the queue."""
        self._offered.append((tag, raw))

    def take_in(self, count: int, now_ns: int) -> tuple[int, list[int]]:
        """Hash up to ``count`` of those offered: how many, and the tags of duplicates among them.

        A duplicate is dropped.
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
            self._waiting.append(Entry(tag, raw, digest, now_ns))
        return count, duplicates

    def take_out(self, count: int) -> list[Entry]:
        """The first ``count`` that wait; fewer where there are fewer."""
        waiting = self._waiting
        return [waiting.popleft() for _ in range(min(count, len(waiting)))]

    def settle(self, entries: Sequence[Entry], refused: Container[int]) -> None:
        """Say that ``entries`` are through, of which those at the places ``refused`` failed."""
        committed = self._committed
        for place, entry in enumerate(entries):
            self._pending.discard(entry.digest)
            if place not in refused:
                committed[entry.digest] = None
        for digest in list(islice(committed, max(0, len(committed) - self._remembered))):
            del committed[digest]
