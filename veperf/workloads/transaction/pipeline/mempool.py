"""The mempool: transactions that wait for verification, in order and without duplicates.

It is in the order of arrival, so that those of a sender stay in theirs. Priorities count where it
is full: what is worth more then takes the place of what is worth least (``eviction.py``). Only then
are ranks needed.
"""

from collections import OrderedDict, deque
from collections.abc import Container, Sequence
from hashlib import sha256
from itertools import islice

from msgspec import Struct

from veperf.workloads.transaction.pipeline.eviction import (
    EvictionOrder,
    Rank,
    RankTransaction,
    rank_transaction,
)


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

    def __init__(self, remembered: int, rank: RankTransaction = rank_transaction) -> None:
        """Make an empty mempool that knows the last ``remembered`` committed transactions.

        ``rank`` tells who gives way to whom where it is full.
        """
        self._remembered = remembered
        self._rank = rank
        self._offered: deque[tuple[int, bytes, Rank | None]] = deque()
        self._waiting: OrderedDict[bytes, MempoolEntry] = OrderedDict()
        self._order: EvictionOrder | None = None
        """Of all that wait, from the moment at which it is full until none waits."""
        self._pending: set[bytes] = set()
        self._committed: dict[bytes, None] = {}  # a set in the order of insertion

    def __len__(self) -> int:
        """Return the number of hashed transactions that wait."""
        return len(self._waiting)

    @property
    def oldest_ns(self) -> int:
        """Time of hashing of the transaction that has waited longest."""
        return next(iter(self._waiting.values())).received_ns

    def offer(self, tag: int, raw: bytes) -> None:
        """Put a transaction at the end of the queue."""
        self._offered.append((tag, raw, None))

    def offer_when_full(self, tag: int, raw: bytes) -> int | None:
        """Put a transaction at the end, in the place of one that is evicted; return that one's tag.

        Return None, without taking it, where nothing that is hashed and waits has a lower priority
        and can go.
        """
        rank = self._rank(raw)
        evicted = self._eviction_order().evict_below(rank)
        if evicted is None:
            return None
        self._offered.append((tag, raw, rank))
        return self._drop(evicted)

    def expire(self, before_ns: int) -> list[int]:
        """Remove what was hashed before ``before_ns`` and still waits; return the tags.

        With each go the later ones of its sender, which would fail without it.
        """
        expired: list[int] = []
        while self._waiting and self.oldest_ns < before_ns:
            removed = self._eviction_order().remove_sender(next(iter(self._waiting)))
            expired += map(self._drop, removed)
        return expired

    def hash_offered(self, now_ns: int, count: int | None = None) -> tuple[int, list[int]]:
        """Hash up to ``count`` offered transactions, or all; duplicates are dropped.

        Returns the number of hashed transactions and the tags of the duplicates.
        """
        offered = self._offered
        count = len(offered) if count is None else min(count, len(offered))
        duplicates = []
        for _ in range(count):
            tag, raw, rank = offered.popleft()
            digest = sha256(raw).digest()
            if digest in self._pending or digest in self._committed:
                duplicates.append(tag)
                continue
            self._pending.add(digest)
            self._waiting[digest] = MempoolEntry(tag, raw, digest, now_ns)
            if self._order is not None:
                self._order.add(digest, rank or self._rank(raw))
        return count, duplicates

    def pop(self, count: int) -> list[MempoolEntry]:
        """Remove and return the first ``count`` that wait, or fewer if there are fewer."""
        waiting = self._waiting
        entries = [waiting.popitem(last=False)[1] for _ in range(min(count, len(waiting)))]
        if not waiting:
            self._order = None
        elif self._order is not None:
            for entry in entries:
                self._order.discard(entry.digest)
        return entries

    def finish(self, entries: Sequence[MempoolEntry], refused: Container[int]) -> None:
        """Record that ``entries`` are finished; those at the indices ``refused`` failed."""
        committed = self._committed
        for index, entry in enumerate(entries):
            self._pending.discard(entry.digest)
            if index not in refused:
                committed[entry.digest] = None
        for digest in list(islice(committed, max(0, len(committed) - self._remembered))):
            del committed[digest]

    def _drop(self, digest: bytes) -> int:
        """Remove a transaction that waits; return its tag."""
        self._pending.discard(digest)
        return self._waiting.pop(digest).tag

    def _eviction_order(self) -> EvictionOrder:
        if self._order is None:
            self._order = EvictionOrder()
            for entry in self._waiting.values():
                self._order.add(entry.digest, self._rank(entry.raw))
        return self._order
