"""The order in which a full mempool evicts: the lowest priority first, no sender's order broken.

The priority is the fee for a unit of gas, as in the SDK (``x/auth/ante``, ``getTxPriority``). As in
CometBFT's priority mempool (``mempool/v1``), a transaction only gives way to one of a higher
priority, and of several with the lowest the one that came last. Both leave open what becomes of
later transactions of the same sender, which fail without it. Here only a sender's last one can be
evicted, and never for another of the same sender: so what stays is always valid without it.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from google.protobuf.message import DecodeError
from msgspec import Struct

from veperf.workloads.transaction import protobuf

NO_PRIORITY = -1
"""Of bytes that can't be read: everything else has a higher priority."""

_PRIORITY_UNITS = 1_000_000
_AMOUNT_DIGITS = 78  # of 2^256 - 1
_SPARE = 64


class Rank(Struct, frozen=True, gc=False):
    """The priority of a transaction, and its sender."""

    priority: int
    """The fee for a million units of gas."""
    sender: bytes
    """The public key of the first signer, whose sequence it uses."""


RankTransaction = Callable[[bytes], Rank]
"""Returns the rank of an encoded transaction; it never raises."""


def fee_priority(amount: int, gas_limit: int) -> int:
    """Return the priority of a transaction that pays ``amount`` for up to ``gas_limit``."""
    return amount * _PRIORITY_UNITS // max(1, gas_limit)


def rank_transaction(raw: bytes) -> Rank:
    """Return the rank of an encoded transaction of any kind, by what it says of fee and signer.

    It is neither decoded nor checked in full, which takes as much as a sixth of all its work: most
    of what a full mempool looks at is turned away. The price is that bytes which are no valid
    transaction can hold a place until their turn comes.
    """
    try:
        auth = protobuf.AuthInfo.FromString(protobuf.TxRaw.FromString(raw).auth_info_bytes)
        paid = sum(map(_parse_amount, auth.fee.amount))
    except (DecodeError, ValueError):
        return Rank(NO_PRIORITY, raw)
    signer = auth.signer_infos[0].public_key.value if auth.signer_infos else b""
    return Rank(fee_priority(paid, auth.fee.gas_limit), signer or raw)


def _parse_amount(coin: Any) -> int:
    text: str = coin.amount
    if not (text.isascii() and text.isdigit() and len(text) <= _AMOUNT_DIGITS):
        raise ValueError("no amount")
    return int(text)


class EvictionOrder:
    """Waiting transactions, by hash. Those of a sender are added and leave in their order."""

    def __init__(self) -> None:
        self._ranks: dict[bytes, tuple[Rank, int]] = {}
        """By hash: the rank, and the number of the addition."""
        self._by_sender: dict[bytes, dict[bytes, None]] = {}
        """Hashes by sender, in their order."""
        self._heap: list[tuple[int, int, bytes]] = []
        """Priority, number of the addition, negative, and hash; entries that are out of date are
        left until they come up."""
        self._added = 0

    def add(self, digest: bytes, rank: Rank) -> None:
        """Add a transaction, the last one of its sender."""
        self._added += 1
        self._ranks[digest] = rank, self._added
        self._by_sender.setdefault(rank.sender, {})[digest] = None
        heappush(self._heap, (rank.priority, -self._added, digest))
        if len(self._heap) > 2 * len(self._ranks) + _SPARE:
            self._heap = [(rank.priority, -n, digest) for digest, (rank, n) in self._ranks.items()]
            heapify(self._heap)

    def discard(self, digest: bytes) -> None:
        """Forget a transaction, if it is here."""
        if (ranked := self._ranks.pop(digest, None)) is None:
            return
        sender = ranked[0].sender
        own = self._by_sender[sender]
        del own[digest]
        if not own:
            del self._by_sender[sender]

    def evict_below(self, newcomer: Rank) -> bytes | None:
        """Remove and return the first to be evicted for ``newcomer``; None if none is.

        It has the lowest priority of all that are the last of their senders, and a lower one than
        the newcomer, who is of another sender.
        """
        own: list[tuple[int, int, bytes]] = []
        evicted = None
        while self._heap and self._heap[0][0] < newcomer.priority:
            entry = heappop(self._heap)
            _, negative, digest = entry
            ranked = self._ranks.get(digest)
            if ranked is None or ranked[1] != -negative:
                continue
            sender = ranked[0].sender
            # One that isn't the last comes back as soon as it is.
            if next(reversed(self._by_sender[sender])) != digest:
                continue
            if sender == newcomer.sender:
                own.append(entry)
                continue
            evicted = digest
            self._remove_last(digest, sender)
            break
        for entry in own:
            heappush(self._heap, entry)
        return evicted

    def remove_sender(self, digest: bytes) -> list[bytes]:
        """Remove all transactions of the sender of ``digest``; return them in order."""
        ranked = self._ranks.get(digest)
        if ranked is None:
            return [digest]
        own = list(self._by_sender.pop(ranked[0].sender))
        for removed in own:
            del self._ranks[removed]
        return own

    def _remove_last(self, digest: bytes, sender: bytes) -> None:
        self.discard(digest)
        if own := self._by_sender.get(sender):
            last = next(reversed(own))
            rank, number = self._ranks[last]
            heappush(self._heap, (rank.priority, -number, last))
