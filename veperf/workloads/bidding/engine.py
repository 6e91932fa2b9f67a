"""A provider daemon's engine: an announced order in, a signed bid out, or a code that says why not.

The daemon bids for the providers in its table, one or many, with one key. An order gets its
cheapest provider's bid, and what it needs is reserved.

**Once, and only once.** Events are handled at least once: after a crash the stream is read again
from the last checkpoint on. Bids stand once: an event whose number was seen is left out, an order
that has a bid gets no other, and where a crash wiped out that memory the other side still knows:
it keeps the daemon's first bid for an order and hands that one back (``Sink.submit``).

**Limits hold across a crash.** The bids that the rate limiter counts are part of a checkpoint, and
a daemon notes those after it (``on_bid``). When their events are handled again they count once
more, and may be denied; then the engine asks a sink that can tell (``Informed``) whether a bid
stands.

A bid that could not be submitted is not tried again until its order is announced again. Where the
connection broke it may have arrived all the same; nothing is reserved for it until then.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct

from veperf.workloads.bidding.bids import Bid, BidSigner, SignedBid, verify_bid
from veperf.workloads.bidding.checkpoint import Checkpoint, CheckpointError, Reservation
from veperf.workloads.bidding.decimals import format_decimal
from veperf.workloads.bidding.errors import (
    MalformedError,
    ReservationError,
    SignatureError,
    SubmitError,
)
from veperf.workloads.bidding.fields import MAX_NS, check_moment, check_name, check_quantity
from veperf.workloads.bidding.matching import Quote, match, quotes
from veperf.workloads.bidding.orders import Order, decode_order
from veperf.workloads.bidding.queue import Event
from veperf.workloads.bidding.rate_limit import RateLimiter
from veperf.workloads.bidding.reservations import Reservations
from veperf.workloads.bidding.table import ProviderTable


class Outcome(StrEnum):
    """What came of an event."""

    BID = "bid placed"
    ALREADY_BID = "a bid placed before a crash stands"
    REPLAYED = "an event that was handled before"
    MALFORMED = "no valid order"
    DUPLICATE = "the order has a bid"
    EXPIRED = "the order has expired"
    NO_PROVIDER = "nobody can serve it"
    NO_PRICE = "nobody who can serve it has a price for it"
    OVER_MAX_PRICE = "the cheapest is over the highest price"
    RATE_LIMITED = "too many bids"
    NOT_SUBMITTED = "the other side did not take the bid"


class Decision(Struct, frozen=True):
    """An event's outcome."""

    outcome: Outcome
    order_id: str = ""
    """Empty where it is not known."""
    bid: SignedBid | None = None
    """The one that stands."""
    reason: str = ""
    """In more words, where there are any."""


class Settings(Struct, frozen=True):
    """How an engine bids."""

    chain_id: str
    bid_lifetime_ns: int = 3600 * 10**9
    """How long a bid is binding, and holds what it needs; less where the order expires sooner."""
    remembered_orders: int = 1 << 16
    """Orders with a bid that are known as such; of those before only the other side knows."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("chain_id", self.chain_id)
        check_moment("bid_lifetime_ns", self.bid_lifetime_ns)
        check_quantity("remembered_orders", self.remembered_orders)


class Sink(Protocol):
    """Where bids go: the chain."""

    def submit(self, signed: SignedBid) -> SignedBid:
        """Take ``signed``, unless its key has a bid for its order; the one that stands.

        Raises:
            SubmitError: it is not taken.
            OSError: the other side can't be reached.
        """


@runtime_checkable
class Informed(Protocol):
    """A sink that tells what it has taken."""

    def standing_bid(self, order_id: str, public_key: bytes) -> SignedBid | None:
        """The bid of that key for an order; None where there is none.

        Raises:
            OSError: the other side can't be reached.
        """


class Engine:
    """Handles one event at a time; for one thread."""

    def __init__(
        self,
        settings: Settings,
        table: ProviderTable,
        signer: BidSigner,
        sink: Sink,
        limiter: RateLimiter,
        *,
        clock: Callable[[], int] = time.time_ns,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """An engine that knows nothing, or what ``checkpoint`` says.

        Args:
            settings: how it bids.
            table: the providers that it bids for. What the checkpoint reserves is reserved there.
            signer: the daemon's key.
            sink: takes the bids.
            limiter: how many there may be. The checkpoint's bids are counted there.
            clock: nanoseconds since 1970, UTC.
            checkpoint: where to go on.

        Raises:
            CheckpointError: the checkpoint is of another key or chain.
        """
        if checkpoint is not None and (checkpoint.chain_id, checkpoint.public_key) != (
            settings.chain_id,
            signer.public_key,
        ):
            raise CheckpointError(
                f"the checkpoint is of another key, or of chain {checkpoint.chain_id!r}; "
                "start without it"
            )
        self.on_bid: Callable[[int], object] | None = None
        """Called with the time just before a bid is submitted that the limiter counts."""
        self.counts: Counter[Outcome] = Counter()
        self.last_sequence = checkpoint.last_sequence if checkpoint else 0
        self.reservations = Reservations(table, checkpoint.reservations if checkpoint else ())
        # Not a dict: finding the first key of one takes ever longer as first keys are deleted.
        self._with_bid = OrderedDict.fromkeys(checkpoint.orders if checkpoint else ())
        self._settings = settings
        self._table = table
        self._signer = signer
        self._sink = sink
        self._informed = sink if isinstance(sink, Informed) else None
        self._limiter = limiter
        self._clock = clock
        if checkpoint is not None:
            now = clock()
            limiter.restore(now - moment for moment in checkpoint.bids_ns)

    def handle(self, event: Event) -> Decision:
        """Bid on the order that ``event`` announces, or say why not; counted either way."""
        if event.sequence <= self.last_sequence:
            decision = Decision(Outcome.REPLAYED)
        else:
            decision = self._decide(event)
            self.last_sequence = event.sequence
        self.counts[decision.outcome] += 1
        return decision

    def checkpoint(self) -> Checkpoint:
        """All that the engine must know to go on after the last event."""
        ages = self._limiter.ages_ns()
        now = self._clock()  # after the ages: time between the two makes bids younger, not older
        return Checkpoint(
            self._settings.chain_id,
            self._signer.public_key,
            self.last_sequence,
            tuple(self._with_bid),
            self.reservations.all(),
            [now - age for age in ages],
        )

    # ---------------------------------------------------------------- the steps of a bid

    def _decide(self, event: Event) -> Decision:
        try:
            order = decode_order(event.payload)
        except MalformedError as error:
            return Decision(Outcome.MALFORMED, reason=str(error))
        now = self._clock()
        self.reservations.expire(now)
        if order.id in self._with_bid or order.id in self.reservations:
            return Decision(Outcome.DUPLICATE, order.id)
        if order.has_expired(now):
            return Decision(Outcome.EXPIRED, order.id)
        found = self._choose(order, now)
        if not isinstance(found, Quote):
            return Decision(found, order.id)
        if not self._limiter.allow():
            return self._denied(order)
        return self._place(order, self.make_bid(order, found, event.sequence, now))

    def _choose(self, order: Order, now_ns: int) -> Quote | Outcome:
        """The cheapest quote for ``order``, or why there is none."""
        rows = match(self._table, order, now_ns)
        if not len(rows):
            return Outcome.NO_PROVIDER
        return cheapest(quotes(self._table, order, rows), order)

    def _denied(self, order: Order) -> Decision:
        """No bid for ``order``, unless one that a crash wiped out here stands at the other side."""
        if self._informed is None:
            return Decision(Outcome.RATE_LIMITED, order.id)
        try:
            standing = self._informed.standing_bid(order.id, self._signer.public_key)
            if standing is None:
                return Decision(Outcome.RATE_LIMITED, order.id)
            self._check(standing, order)
        except (SignatureError, OSError) as error:
            return Decision(Outcome.RATE_LIMITED, order.id, reason=str(error))
        return self._adopt(order, standing, Outcome.ALREADY_BID)

    def make_bid(self, order: Order, quote: Quote, nonce: int, now_ns: int) -> Bid:
        """The bid that ``quote`` makes."""
        end = min(now_ns + self._settings.bid_lifetime_ns, MAX_NS)
        return Bid(
            chain_id=self._settings.chain_id,
            order_id=order.id,
            provider=quote.provider,
            price=format_decimal(quote.price_atto),
            currency=order.currency,
            expires_ns=end if order.expires_ns is None else min(end, order.expires_ns),
            nonce=nonce,
        )

    def _place(self, order: Order, bid: Bid) -> Decision:
        """Sign and submit, then adopt the bid that stands."""
        signed = self._signer.sign(bid)
        if self.on_bid is not None and self._limiter.has_limits:
            self.on_bid(self._clock())
        try:
            standing = self._sink.submit(signed)
            if standing != signed:
                self._check(standing, order)
        except (SubmitError, SignatureError, OSError) as error:
            return Decision(Outcome.NOT_SUBMITTED, order.id, reason=str(error))
        outcome = Outcome.BID if standing == signed else Outcome.ALREADY_BID
        return self._adopt(order, standing, outcome)

    def _adopt(self, order: Order, standing: SignedBid, outcome: Outcome) -> Decision:
        """Remember ``order`` and reserve what its bid has promised."""
        self._remember(order.id)
        promised = standing.bid
        # For the engine's own bid there is room. An older one may be of a provider that is gone.
        with suppress(ReservationError):
            self.reservations.hold(
                Reservation(order.id, promised.provider, order.resources, promised.expires_ns)
            )
        return Decision(outcome, order.id, standing)

    def _check(self, standing: SignedBid, order: Order) -> None:
        """Raise SignatureError unless ``standing`` is a bid of this daemon's for ``order``."""
        verify_bid(standing, self._signer.public_key, self._settings.chain_id)
        if standing.bid.order_id != order.id:
            raise SignatureError("the bid that is said to stand is for another order")

    def _remember(self, order_id: str) -> None:
        self._with_bid[order_id] = None
        if len(self._with_bid) > self._settings.remembered_orders:
            self._with_bid.popitem(last=False)


def cheapest(offers: Sequence[Quote], order: Order) -> Quote | Outcome:
    """The first of ``offers`` by price and id, if it is not over the order's highest price."""
    if not offers:
        return Outcome.NO_PRICE
    best = min(offers)
    highest = order.max_price_atto
    if highest is not None and best.price_atto > highest:
        return Outcome.OVER_MAX_PRICE
    return best
