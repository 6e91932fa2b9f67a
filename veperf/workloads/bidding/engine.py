"""A provider daemon's engine: turns an announced order into a signed bid, or an outcome without.

The daemon bids for the providers in its table, one or many, with one key. An order gets its
cheapest provider's bid, and its resources are reserved.

**Exactly-once bids.** Events are handled at least once: after a crash the stream is read again from
the last checkpoint on. A bid is placed once: an event with a known number is skipped, an order that
has a bid gets no other, and if a crash lost that knowledge the chain still has it: it keeps the
daemon's first bid for an order and returns it (``ChainClient.submit``).

**Limits hold across a crash.** The bids that the rate limiter counts are part of a checkpoint, and
a daemon records those after it (``on_bid``) with the numbers of their events. When such an event is
handled again, a client that can answer (``BidQuery``) is asked whether the bid stands. It counts as
before if so; else it is placed and counts from then on, in place of the time before. So a bid
counts once however often the daemon crashes. The client is also asked where a bid is denied.

The limiter is asked before prices are computed, as VirtEngine's daemon does it.

A bid that could not be submitted is not retried until its order is announced again. If the
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
    MalformedMessageError,
    ReservationError,
    SignatureError,
    SubmitError,
)
from veperf.workloads.bidding.field_checks import MAX_NS, check_moment, check_name, check_quantity
from veperf.workloads.bidding.matching import Quote, match_providers, quote_prices
from veperf.workloads.bidding.orders import Order, OrderEvent, decode_order
from veperf.workloads.bidding.rate_limit import RateLimiter
from veperf.workloads.bidding.reservations import Reservations
from veperf.workloads.bidding.table import ProviderTable


class BidOutcome(StrEnum):
    """The outcome of an event."""

    BID = "bid placed"
    ALREADY_BID = "a bid placed before a crash stands"
    REPLAYED = "the event was handled before"
    MALFORMED = "not a valid order"
    DUPLICATE = "the order has a bid"
    EXPIRED = "the order has expired"
    NO_PROVIDER = "no provider can serve it"
    NO_PRICE = "no provider that can serve it has a price for it"
    OVER_MAX_PRICE = "the cheapest quote is over the highest price"
    RATE_LIMITED = "too many bids"
    NOT_SUBMITTED = "the chain did not accept the bid"


class Decision(Struct, frozen=True):
    """The decision on an event."""

    outcome: BidOutcome
    order_id: str = ""
    """Id of the order; empty if it is unknown."""
    bid: SignedBid | None = None
    """The standing bid."""
    reason: str = ""
    """Details of the outcome, if there are any."""


class EngineSettings(Struct, frozen=True):
    """The settings of an engine."""

    chain_id: str
    bid_lifetime_ns: int = 3600 * 10**9
    """Time for which a bid binds and its reservation lasts; less if the order expires sooner."""
    remembered_orders: int = 1 << 16
    """Number of orders with a bid that are remembered; the chain knows the earlier ones."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("chain_id", self.chain_id)
        check_moment("bid_lifetime_ns", self.bid_lifetime_ns)
        check_quantity("remembered_orders", self.remembered_orders)


class ChainClient(Protocol):
    """A client of the chain, which accepts bids."""

    def submit(self, signed: SignedBid) -> SignedBid:
        """Submit ``signed``; return the bid that stands: the first of its key for its order.

        Raises:
            SubmitError: it is not accepted.
            OSError: the chain can't be reached.
        """


@runtime_checkable
class BidQuery(Protocol):
    """A client of the chain that returns accepted bids."""

    def standing_bid(self, order_id: str, public_key: bytes) -> SignedBid | None:
        """Return the key's bid for an order; None if there is none.

        Raises:
            OSError: the chain can't be reached.
        """


class _RecordedBid(Struct, frozen=True):
    """Times of a counted bid: ns since 1970, and the limiter's own clock."""

    moment_ns: int
    time_ns: int


class BidEngine:
    """Handles one event at a time; for one thread."""

    def __init__(
        self,
        settings: EngineSettings,
        table: ProviderTable,
        signer: BidSigner,
        chain: ChainClient,
        limiter: RateLimiter,
        *,
        clock: Callable[[], int] = time.time_ns,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Make a new engine, or one that continues from ``checkpoint``.

        Args:
            settings: chain, bid lifetime and memory.
            table: the providers that it bids for. The checkpoint's reservations are made there.
            signer: the daemon's key.
            chain: accepts the bids.
            limiter: limits the bids. The checkpoint's bids are counted there.
            clock: nanoseconds since 1970, UTC.
            checkpoint: state to continue from.

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
        self.on_bid: Callable[[int, int], object] | None = None
        """Called with the event's number and the time when the limiter has counted a bid."""
        self.counts: Counter[BidOutcome] = Counter()
        self.last_sequence = checkpoint.last_sequence if checkpoint else 0
        self.reservations = Reservations(table, checkpoint.reservations if checkpoint else ())
        # Not a dict: finding its first key takes ever longer as first keys are deleted.
        self._with_bid = OrderedDict.fromkeys(checkpoint.orders if checkpoint else ())
        self._settings = settings
        self._table = table
        self._signer = signer
        self._chain = chain
        self._bid_query = chain if isinstance(chain, BidQuery) else None
        self._limiter = limiter
        self._clock = clock
        self._recorded: dict[int, _RecordedBid] = {}
        """Bids that count by the number of their event, which is not handled yet."""
        if checkpoint is not None:
            now = clock()
            limiter.restore(now - moment for moment in checkpoint.bids_ns)
            times = limiter.restore(now - moment for moment in checkpoint.recorded_ns.values())
            self._recorded = {
                number: _RecordedBid(moment, time_ns)
                for (number, moment), time_ns in zip(
                    checkpoint.recorded_ns.items(), times, strict=True
                )
            }

    def handle(self, event: OrderEvent) -> Decision:
        """Bid on the order that ``event`` announces, if possible; return and count the outcome."""
        if event.sequence <= self.last_sequence:
            decision = Decision(BidOutcome.REPLAYED)
        else:
            decision = self._decide(event)
            self.last_sequence = event.sequence
            self._recorded.pop(event.sequence, None)
        self.counts[decision.outcome] += 1
        return decision

    def checkpoint(self) -> Checkpoint:
        """Return the state that the engine needs to continue after the last event."""
        # An event that was passed over isn't handled again: its bid counts as any other.
        for number in [n for n in self._recorded if n <= self.last_sequence]:
            del self._recorded[number]
        ages = self._limiter.ages_ns(recorded.time_ns for recorded in self._recorded.values())
        # Read after the ages: time between the two makes bids younger, not older.
        now = self._clock()
        return Checkpoint(
            self._settings.chain_id,
            self._signer.public_key,
            self.last_sequence,
            tuple(self._with_bid),
            self.reservations.all(),
            [now - age for age in ages],
            {number: recorded.moment_ns for number, recorded in self._recorded.items()},
        )

    # ---------------------------------------------------------------- the steps of a bid

    def _decide(self, event: OrderEvent) -> Decision:
        try:
            order = decode_order(event.payload)
        except MalformedMessageError as error:
            return Decision(BidOutcome.MALFORMED, reason=str(error))
        now = self._clock()
        self.reservations.expire(now)
        if order.id in self._with_bid or order.id in self.reservations:
            return Decision(BidOutcome.DUPLICATE, order.id)
        if order.has_expired(now):
            return Decision(BidOutcome.EXPIRED, order.id)
        if event.sequence in self._recorded:
            # An error is no answer: then the bid is placed once more, which the chain sorts out.
            with suppress(SignatureError, OSError):
                if (standing := self._standing_bid(order)) is not None:
                    return self._record_bid(order, standing, BidOutcome.ALREADY_BID)
        rows = match_providers(self._table, order, now)
        if not len(rows):
            return Decision(BidOutcome.NO_PROVIDER, order.id)
        if not self._allow(event.sequence):
            return self._rate_limited(order)
        quote = choose_quote(quote_prices(self._table, order, rows), order)
        if not isinstance(quote, Quote):
            return Decision(quote, order.id)
        return self._place(order, self.make_bid(order, quote, event.sequence, now))

    def _allow(self, sequence: int) -> bool:
        """Ask the limiter for the bid of an event, and record that it counts."""
        recorded = self._recorded.pop(sequence, None)
        if recorded is not None:
            self._limiter.forget(recorded.time_ns)
        if not self._limiter.allow():
            if recorded is not None:  # the limits are lower than before the crash
                self._limiter.restore([0])
            return False
        time_ns = self._limiter.latest_ns
        if self.on_bid is not None and time_ns is not None:
            now = self._clock()
            self._recorded[sequence] = _RecordedBid(now, time_ns)
            self.on_bid(sequence, now)
        return True

    def _rate_limited(self, order: Order) -> Decision:
        """Decide on ``order`` without a bid, unless one that a crash lost stands on the chain."""
        try:
            standing = self._standing_bid(order)
        except (SignatureError, OSError) as error:
            return Decision(BidOutcome.RATE_LIMITED, order.id, reason=str(error))
        if standing is None:
            return Decision(BidOutcome.RATE_LIMITED, order.id)
        return self._record_bid(order, standing, BidOutcome.ALREADY_BID)

    def _standing_bid(self, order: Order) -> SignedBid | None:
        """Return the bid that stands on the chain; None if there is none, or nobody to ask.

        Raises:
            SignatureError: it is not this daemon's for ``order``.
            OSError: the chain can't be reached.
        """
        if self._bid_query is None:
            return None
        standing = self._bid_query.standing_bid(order.id, self._signer.public_key)
        if standing is not None:
            self._check_standing(standing, order)
        return standing

    def make_bid(self, order: Order, quote: Quote, nonce: int, now_ns: int) -> Bid:
        """Return the bid of ``quote`` for ``order``."""
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
        """Sign and submit ``bid``, then record the bid that stands."""
        signed = self._signer.sign(bid)
        try:
            standing = self._chain.submit(signed)
            if standing != signed:
                self._check_standing(standing, order)
        except (SubmitError, SignatureError, OSError) as error:
            return Decision(BidOutcome.NOT_SUBMITTED, order.id, reason=str(error))
        outcome = BidOutcome.BID if standing == signed else BidOutcome.ALREADY_BID
        return self._record_bid(order, standing, outcome)

    def _record_bid(self, order: Order, standing: SignedBid, outcome: BidOutcome) -> Decision:
        """Remember ``order`` and reserve the resources of its bid."""
        self._remember(order.id)
        bid = standing.bid
        # A new bid's resources are free. An older bid may be of a provider that is gone.
        with suppress(ReservationError):
            self.reservations.hold(
                Reservation(order.id, bid.provider, order.resources, bid.expires_ns)
            )
        return Decision(outcome, order.id, standing)

    def _check_standing(self, standing: SignedBid, order: Order) -> None:
        """Raise SignatureError unless ``standing`` is a bid of this daemon's for ``order``."""
        verify_bid(standing, self._signer.public_key, self._settings.chain_id)
        if standing.bid.order_id != order.id:
            raise SignatureError("the standing bid is for another order")

    def _remember(self, order_id: str) -> None:
        self._with_bid[order_id] = None
        if len(self._with_bid) > self._settings.remembered_orders:
            self._with_bid.popitem(last=False)


def choose_quote(quotes: Sequence[Quote], order: Order) -> Quote | BidOutcome:
    """Return the first of ``quotes`` by price and id, if it is not over the highest price."""
    if not quotes:
        return BidOutcome.NO_PRICE
    best = min(quotes)
    highest = order.max_price_atto
    if highest is not None and best.price_atto > highest:
        return BidOutcome.OVER_MAX_PRICE
    return best
