"""The engine bids once on each order that it can serve, and has a code for every other."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bid_store import Ledger
from veperf.workloads.bidding.bids import BidSigner, SignedBid, verify_bid
from veperf.workloads.bidding.checkpoint import Checkpoint, CheckpointError, CheckpointFile
from veperf.workloads.bidding.daemon import Daemon
from veperf.workloads.bidding.engine import Engine, Outcome, Settings
from veperf.workloads.bidding.errors import FieldError, ReservationError, SubmitError
from veperf.workloads.bidding.orders import Order, encode_order
from veperf.workloads.bidding.providers import Pricing, Provider, Resources
from veperf.workloads.bidding.queue import Event, EventQueue
from veperf.workloads.bidding.rate_limit import MINUTE_NS, RateLimiter
from veperf.workloads.bidding.table import ProviderTable

CHAIN = "virtengine-1"
SETTINGS = Settings(CHAIN, bid_lifetime_ns=100)
SIGNER = example_data.signer()
CHEAP = Provider("cheap", Pricing("uve", "1", "0", "0"), Resources(4), ("compute",), ("eu",))
DEAR = replace(CHEAP, id="dear", pricing=Pricing("uve", "2", "0", "0"))
ORDER = Order("order", "customer", "compute", Resources(3), "uve", 0, expires_ns=1_000)


class World:
    """An engine with all that it needs, and a clock that stands still until it is set."""

    def __init__(
        self,
        *providers: Provider,
        sink: Ledger | None = None,
        settings: Settings = SETTINGS,
        per_minute: int = 100,
        checkpoint: Checkpoint | None = None,
        now: int = 0,
    ) -> None:
        self.now = now
        self.table = ProviderTable(providers or (CHEAP, DEAR))
        self.ledger = Ledger(CHAIN) if sink is None else sink
        self.limiter = RateLimiter(per_minute, 1_000, lambda: self.now)
        self.engine = Engine(
            settings,
            self.table,
            SIGNER,
            self.ledger,
            self.limiter,
            clock=lambda: self.now,
            checkpoint=checkpoint,
        )

    def announce(self, *orders: Order) -> list[Outcome]:
        """Handle the orders as the next events."""
        return [self.raw(encode_order(order)) for order in orders]

    def raw(self, payload: bytes) -> Outcome:
        return self.engine.handle(Event(self.engine.last_sequence + 1, payload)).outcome

    def free(self) -> list[int]:
        """CPU cores of the cheap and of the dear provider."""
        return [self.table.free(name)[0] for name in ("cheap", "dear")]


def named(*names: str) -> list[Order]:
    return [replace(ORDER, id=name) for name in names]


def test_a_bid() -> None:
    """Of the cheapest provider, for its price, signed, submitted, its capacity reserved."""
    world = World()
    decision = world.engine.handle(Event(5, encode_order(ORDER)))

    assert Outcome.BID is decision.outcome
    assert decision.bid is not None
    assert (decision.bid,) == world.ledger.bids()
    verify_bid(decision.bid, SIGNER.public_key, CHAIN)
    bid = decision.bid.bid
    assert ("order", "cheap", "3.000000000000000000") == (bid.order_id, bid.provider, bid.price)
    assert ("uve", 100, 5) == (bid.currency, bid.expires_ns, bid.nonce)
    assert [1, 4] == world.free()


def test_the_next_order_gets_who_has_room() -> None:
    """Capacity goes to the first; the third finds none."""
    world = World()

    assert [Outcome.BID, Outcome.BID, Outcome.NO_PROVIDER] == world.announce(*named("a", "b", "c"))
    assert ["cheap", "dear"] == [signed.bid.provider for signed in world.ledger.bids()]


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        (replace(ORDER, expires_ns=0), Outcome.EXPIRED),
        (replace(ORDER, expires_ns=1), Outcome.BID),
        (replace(ORDER, expires_ns=None), Outcome.BID),
        (replace(ORDER, max_price="2.999999999999999999"), Outcome.OVER_MAX_PRICE),
        (replace(ORDER, max_price="3"), Outcome.BID),
        (replace(ORDER, resources=Resources(5)), Outcome.NO_PROVIDER),
        (replace(ORDER, resources=Resources(4)), Outcome.BID),
        (replace(ORDER, resources=Resources()), Outcome.NO_PRICE),
        (replace(ORDER, region="mars"), Outcome.NO_PROVIDER),
        (replace(ORDER, currency="eur"), Outcome.NO_PROVIDER),
    ],
)
def test_why_there_is_a_bid_or_none(order: Order, outcome: Outcome) -> None:
    """Each rule at its edge; what is refused leaves no trace but the count."""
    world = World()

    assert [outcome] == world.announce(order)
    assert {outcome: 1} == world.engine.counts
    if outcome is not Outcome.BID:
        assert ((), [4, 4]) == (world.ledger.bids(), world.free())


def test_the_minimum_price_counts_against_the_highest() -> None:
    """A provider whose minimum is over what the customer pays does not bid."""
    choosy = replace(CHEAP, pricing=replace(CHEAP.pricing, minimum="3.5"))
    world = World(choosy)

    assert [Outcome.OVER_MAX_PRICE, Outcome.BID] == world.announce(
        replace(ORDER, max_price="3.4"), replace(ORDER, max_price="3.5")
    )
    assert "3.500000000000000000" == world.ledger.bids()[0].bid.price


def test_bids_end_with_their_order() -> None:
    """A bid is never binding for longer than the order takes bids."""
    world = World()
    world.announce(replace(ORDER, expires_ns=60))

    assert 60 == world.ledger.bids()[0].bid.expires_ns


def test_a_bid_that_would_never_end() -> None:
    """It ends at the last moment that there is."""
    world = World(settings=Settings(CHAIN, bid_lifetime_ns=2**63 - 1))
    world.now = 5

    assert [Outcome.BID] == world.announce(replace(ORDER, expires_ns=None))
    assert 2**63 - 1 == world.ledger.bids()[0].bid.expires_ns
    with pytest.raises(FieldError):
        Settings("")


@given(st.binary(max_size=40))
def test_malformed_orders_do_not_stop_the_engine(payload: bytes) -> None:
    """They are counted, and the next order gets its bid."""
    world = World()

    assert [Outcome.MALFORMED] == [world.raw(payload)]
    assert [Outcome.BID] == world.announce(ORDER)


def test_an_order_gets_one_bid() -> None:
    """Whether it is announced again, or the same event comes again, or an older one."""
    world = World()
    event = Event(3, encode_order(ORDER))
    outcomes = [world.engine.handle(event).outcome, world.engine.handle(event).outcome]
    outcomes += [world.engine.handle(Event(2, b"")).outcome, *world.announce(ORDER)]

    assert [Outcome.BID, Outcome.REPLAYED, Outcome.REPLAYED, Outcome.DUPLICATE] == outcomes
    assert (1, [1, 4]) == (len(world.ledger), world.free())


def test_an_order_without_a_bid_may_come_again() -> None:
    """Once there is room it gets one."""
    world = World(CHEAP)
    first = world.announce(*named("a", "b"))
    world.engine.reservations.release("a")

    assert [Outcome.BID, Outcome.NO_PROVIDER] == first
    assert [Outcome.BID] == world.announce(*named("b"))


def test_the_rate_limit() -> None:
    """Only bids count; what is refused for another reason, or by the limiter, does not."""
    world = World(replace(CHEAP, capacity=Resources(100)), per_minute=2)
    unserved = replace(ORDER, offering="unknown")
    outcomes = world.announce(unserved, unserved, *named("a", "b", "c"))
    world.now = 60 * 10**9
    late = replace(ORDER, id="c", expires_ns=None)

    assert [Outcome.NO_PROVIDER] * 2 + [Outcome.BID] * 2 + [Outcome.RATE_LIMITED] == outcomes
    assert [Outcome.BID] == world.announce(late)


def test_a_bid_that_is_binding_no_more_gives_back_what_it_held() -> None:
    """Exactly when it ends, unless it has won; then only when the lease ends."""
    world = World()
    world.announce(*named("a"))
    world.now = 40
    world.announce(*named("b"))
    world.engine.reservations.confirm("b")
    world.now = 99
    assert [Outcome.NO_PROVIDER] == world.announce(*named("c"))
    world.now = 100
    assert [Outcome.BID, Outcome.NO_PROVIDER] == world.announce(*named("c", "d"))
    world.now = 10**6
    world.announce(replace(ORDER, expires_ns=None, offering="unknown"))

    assert [4, 1] == world.free()
    world.engine.reservations.release("b")
    assert [4, 4] == world.free()
    for call in (world.engine.reservations.release, world.engine.reservations.confirm):
        with pytest.raises(ReservationError):
            call("b")


def test_a_released_order_s_old_end_does_not_end_its_next_reservation() -> None:
    """Ends are those of the reservation that is there."""
    world = World()
    reservations = world.engine.reservations
    world.announce(*named("a"))
    (held,) = reservations.all()
    reservations.release("a")
    reservations.hold(replace(held, expires_ns=500))
    with pytest.raises(ReservationError):
        reservations.hold(held)
    reservations.expire(499)
    assert "a" in reservations
    reservations.expire(500)

    assert (0, [4, 4]) == (len(reservations), world.free())


def test_a_provider_that_goes_takes_its_reservations_along() -> None:
    """Releasing them later is no error."""
    world = World()
    world.announce(*named("a"))
    world.table.remove("cheap")
    world.engine.reservations.release("a")

    assert 0 == len(world.engine.reservations)


class Broken(Ledger):
    """A sink that fails in a given way."""

    def __init__(self, error: Exception) -> None:
        super().__init__(CHAIN)
        self.error: Exception | None = error

    def submit(self, signed: SignedBid) -> SignedBid:
        if self.error is not None:
            raise self.error
        return super().submit(signed)


@pytest.mark.parametrize("error", [SubmitError("full"), ConnectionError("gone"), TimeoutError("!")])
def test_a_sink_that_fails(error: Exception) -> None:
    """Nothing stays reserved, and the order can come again."""
    sink = Broken(error)
    world = World(sink=sink)

    assert [Outcome.NOT_SUBMITTED] == world.announce(ORDER)
    assert [4, 4] == world.free()
    sink.error = None
    assert [Outcome.BID] == world.announce(ORDER)


def test_a_sink_with_a_fault_of_its_own() -> None:
    """An unexpected error comes through, and the event counts as not handled."""
    sink = Broken(RuntimeError("a bug"))
    world = World(sink=sink)
    with pytest.raises(RuntimeError, match="a bug"):
        world.announce(ORDER)
    sink.error = None

    assert (0, [4, 4]) == (world.engine.last_sequence, world.free())
    assert [Outcome.BID] == world.announce(ORDER)


class Swapping(Ledger):
    """A sink that says another bid stands than was submitted."""

    def __init__(self, standing: SignedBid) -> None:
        super().__init__(CHAIN)
        self.standing = standing

    def submit(self, signed: SignedBid) -> SignedBid:
        return self.standing


def test_a_sink_that_makes_bids_up() -> None:
    """What is said to stand must be the daemon's own signature, for this order."""
    world = World()
    world.announce(*named("other"))
    (real,) = world.ledger.bids()
    forged = replace(real, bid=replace(real.bid, order_id="order"))

    for standing in (real, forged):
        other = World(sink=Swapping(standing))
        assert [Outcome.NOT_SUBMITTED] == other.announce(ORDER)
        assert [4, 4] == other.free()


def test_the_ledger_takes_no_forgery() -> None:
    """Nor a bid for another chain."""
    world = World()
    world.announce(ORDER)
    (real,) = world.ledger.bids()
    for bad in (
        replace(real, signature=bytes(64)),
        SIGNER.sign(replace(real.bid, chain_id="virtengine-2")),
    ):
        with pytest.raises(SubmitError):
            Ledger(CHAIN).submit(bad)


# ---------------------------------------------------------------- after a crash


def test_an_engine_goes_on_from_its_checkpoint() -> None:
    """It knows the orders that have a bid, what they hold and until when, and the last event."""
    old = World()
    old.announce(*named("a", "b"))
    old.engine.reservations.confirm("a")
    new = World(sink=old.ledger, checkpoint=old.engine.checkpoint())

    assert old.engine.checkpoint() == new.engine.checkpoint()
    assert [1, 1] == new.free()
    assert Outcome.REPLAYED is new.engine.handle(Event(2, encode_order(ORDER))).outcome
    new.now = 100
    assert [Outcome.DUPLICATE] * 2 + [Outcome.BID] == new.announce(*named("a", "b", "c"))
    assert [1, 1] == new.free()


def test_what_was_forgotten_in_a_crash_is_bid_on_once() -> None:
    """The bid that was placed stands and is adopted with its own provider, not a second one."""
    old = World()
    saved = old.engine.checkpoint()
    old.announce(ORDER)
    raised = replace(CHEAP, pricing=Pricing("uve", "9", "0", "0"))
    new = World(raised, DEAR, sink=old.ledger, checkpoint=saved)
    decision = new.engine.handle(Event(1, encode_order(ORDER)))

    assert Outcome.ALREADY_BID is decision.outcome
    assert old.ledger.bids() == (decision.bid,)
    assert [1, 4] == new.free()


def test_the_limits_of_the_last_minute_hold_after_a_crash() -> None:
    """With the checkpoint alone, and with bids since then, which stand and count again."""
    roomy = replace(CHEAP, capacity=Resources(300))
    orders = [replace(order, expires_ns=None) for order in named(*"abcde")]
    old = World(roomy, per_minute=2)
    old.now = MINUTE_NS // 2
    assert [Outcome.BID] == old.announce(orders[0])
    saved = old.engine.checkpoint()
    assert [Outcome.BID] == old.announce(orders[1])

    new = World(roomy, per_minute=2, sink=old.ledger, checkpoint=saved, now=old.now + 1)
    assert [Outcome.ALREADY_BID, Outcome.RATE_LIMITED] == new.announce(*orders[1:3])
    new.now = old.now + MINUTE_NS - 1
    assert [Outcome.RATE_LIMITED] == new.announce(orders[3])
    # The first is a minute old; the second counts from when it was found to stand.
    new.now = old.now + MINUTE_NS
    assert [Outcome.BID, Outcome.RATE_LIMITED] == new.announce(*orders[3:])


def test_a_standing_bid_is_adopted_though_another_would_be_denied() -> None:
    """More may have been placed since the checkpoint than there may be at once."""
    roomy = replace(CHEAP, capacity=Resources(300))
    orders = [replace(order, expires_ns=None) for order in named(*"abc")]
    settings = Settings(CHAIN)
    old = World(roomy, per_minute=1, settings=settings)
    saved = old.engine.checkpoint()
    for order in orders[:2]:
        assert [Outcome.BID] == old.announce(order)
        old.now += MINUTE_NS

    new = World(
        roomy, per_minute=1, settings=settings, sink=old.ledger, checkpoint=saved, now=old.now
    )
    expected = [Outcome.ALREADY_BID, Outcome.ALREADY_BID, Outcome.RATE_LIMITED]
    assert expected == new.announce(*orders)
    assert 300 - 2 * 3 == new.table.free("cheap")[0]


class Unsure(Ledger):
    """Takes bids, and says something wrong, or nothing, of those that stand."""

    def __init__(self, answer: SignedBid | OSError) -> None:
        super().__init__(CHAIN)
        self.answer = answer

    def standing_bid(self, order_id: str, public_key: bytes) -> SignedBid | None:
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


def test_what_is_said_to_stand_is_checked() -> None:
    """Another key's bid, another order's, or no answer at all: the limit stays."""
    world = World()
    world.announce(ORDER)
    (real,) = world.ledger.bids()
    for answer in (
        SIGNER.sign(replace(real.bid, order_id="another")),
        BidSigner(bytes(32)).sign(real.bid),
        ConnectionResetError("gone"),
    ):
        limited = World(sink=Unsure(answer), per_minute=0)
        assert [Outcome.RATE_LIMITED] == limited.announce(ORDER)
        assert [4, 4] == limited.free()


def test_an_adopted_bid_of_a_provider_that_is_gone() -> None:
    """There is nothing to reserve, and it still counts as the order's bid."""
    old = World()
    old.announce(ORDER)
    new = World(DEAR, sink=old.ledger)

    assert [Outcome.ALREADY_BID, Outcome.DUPLICATE] == new.announce(ORDER, ORDER)
    assert 4 == new.table.free("dear")[0]


def test_a_checkpoint_s_reservation_that_does_not_fit_any_more() -> None:
    """Is left out, so that it is never given back either."""
    old = World()
    old.announce(*named("a", "b"))
    small = replace(CHEAP, capacity=Resources(2))
    new = World(small, DEAR, checkpoint=old.engine.checkpoint())

    assert [2, 1] == new.free()
    new.now = 100
    new.engine.reservations.expire(new.now)
    assert [2, 4] == new.free()


def test_the_memory_of_orders_is_bounded() -> None:
    """The oldest are forgotten; then the sink still knows."""
    world = World(replace(CHEAP, capacity=Resources(300)), settings=Settings(CHAIN, 100, 2))
    world.announce(*named("a", "b", "c"))
    assert ("b", "c") == tuple(world.engine.checkpoint().orders)
    assert [Outcome.DUPLICATE] == world.announce(*named("a"))
    world.engine.reservations.release("a")

    assert [Outcome.ALREADY_BID] == world.announce(*named("a"))
    assert 3 == len(world.ledger)


@pytest.mark.parametrize("change", [{"chain_id": "virtengine-2"}, {"public_key": bytes(32)}])
def test_another_engine_s_checkpoint(change: dict[str, str | bytes]) -> None:
    """Is refused: its orders and reservations mean nothing here."""
    saved = World().engine.checkpoint()
    with pytest.raises(CheckpointError):
        World(checkpoint=replace(saved, **change))


def test_the_daemon_notes_how_far_it_got(tmp_path: Path) -> None:
    """After so many events, and when it is told to."""
    world = World(replace(CHEAP, capacity=Resources(300)))
    queue = EventQueue(10)
    file = CheckpointFile(tmp_path / "checkpoint")
    daemon = Daemon(world.engine, queue, file, checkpoint_every=3)
    for number, order in enumerate(named(*"abcde"), 1):
        queue.offer(Event(number, encode_order(order)))
    for _ in range(5):
        assert daemon.step() is not None

    assert daemon.step() is None
    saved = file.load()
    assert saved is not None
    assert (3, ["a", "b", "c"]) == (saved.last_sequence, list(saved.orders))
    daemon.save()
    saved = file.load()
    assert saved is not None
    assert 5 == saved.last_sequence
