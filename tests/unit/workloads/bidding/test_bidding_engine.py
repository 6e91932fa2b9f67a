"""The engine bids once on each order that it can serve, and has an outcome for every other."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bids import BidSigner, BidStore, SignedBid, verify_bid
from veperf.workloads.bidding.checkpoint import Checkpoint, CheckpointError, CheckpointFile
from veperf.workloads.bidding.daemon import Daemon, EventQueue
from veperf.workloads.bidding.engine import BidEngine, BidOutcome, EngineSettings
from veperf.workloads.bidding.errors import FieldError, ReservationError, SubmitError
from veperf.workloads.bidding.orders import Order, OrderEvent, encode_order
from veperf.workloads.bidding.providers import Pricing, Provider, Resources
from veperf.workloads.bidding.rate_limit import MINUTE_NS, RateLimiter
from veperf.workloads.bidding.table import ProviderTable

CHAIN = "virtengine-1"
SETTINGS = EngineSettings(CHAIN, bid_lifetime_ns=100)
SIGNER = example_data.daemon_signer()
CHEAP = Provider("cheap", Pricing("uve", "1", "0", "0"), Resources(4), ("compute",), ("eu",))
DEAR = replace(CHEAP, id="dear", pricing=Pricing("uve", "2", "0", "0"))
ORDER = Order("order", "customer", "compute", Resources(3), "uve", 0, expires_ns=1_000)


class World:
    """An engine with its dependencies, and a clock that stands still until it is set."""

    def __init__(
        self,
        *providers: Provider,
        chain: BidStore | None = None,
        settings: EngineSettings = SETTINGS,
        per_minute: int = 100,
        checkpoint: Checkpoint | None = None,
        now: int = 0,
    ) -> None:
        self.now = now
        self.table = ProviderTable(providers or (CHEAP, DEAR))
        self.store = BidStore(CHAIN) if chain is None else chain
        self.limiter = RateLimiter(per_minute, 1_000, lambda: self.now)
        self.engine = BidEngine(
            settings,
            self.table,
            SIGNER,
            self.store,
            self.limiter,
            clock=lambda: self.now,
            checkpoint=checkpoint,
        )

    def announce(self, *orders: Order) -> list[BidOutcome]:
        """Handle the orders as the next events."""
        return [self.raw(encode_order(order)) for order in orders]

    def raw(self, payload: bytes) -> BidOutcome:
        return self.engine.handle(OrderEvent(self.engine.last_sequence + 1, payload)).outcome

    def free(self) -> list[int]:
        """Return the free CPU cores of the cheap and of the expensive provider."""
        return [self.table.free(name)[0] for name in ("cheap", "dear")]


def named(*names: str) -> list[Order]:
    return [replace(ORDER, id=name) for name in names]


def test_a_bid() -> None:
    """It is the cheapest provider's, for its price, signed and submitted; capacity is reserved."""
    world = World()
    decision = world.engine.handle(OrderEvent(5, encode_order(ORDER)))

    assert BidOutcome.BID is decision.outcome
    assert decision.bid is not None
    assert (decision.bid,) == world.store.bids()
    verify_bid(decision.bid, SIGNER.public_key, CHAIN)
    bid = decision.bid.bid
    assert ("order", "cheap", "3.000000000000000000") == (bid.order_id, bid.provider, bid.price)
    assert ("uve", 100, 5) == (bid.currency, bid.expires_ns, bid.nonce)
    assert [1, 4] == world.free()


def test_the_next_order_gets_who_has_room() -> None:
    """The first order gets the cheapest provider's capacity; the third finds none."""
    world = World()

    assert [BidOutcome.BID, BidOutcome.BID, BidOutcome.NO_PROVIDER] == world.announce(
        *named("a", "b", "c")
    )
    assert ["cheap", "dear"] == [signed.bid.provider for signed in world.store.bids()]


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        (replace(ORDER, expires_ns=0), BidOutcome.EXPIRED),
        (replace(ORDER, expires_ns=1), BidOutcome.BID),
        (replace(ORDER, expires_ns=None), BidOutcome.BID),
        (replace(ORDER, max_price="2.999999999999999999"), BidOutcome.OVER_MAX_PRICE),
        (replace(ORDER, max_price="3"), BidOutcome.BID),
        (replace(ORDER, resources=Resources(5)), BidOutcome.NO_PROVIDER),
        (replace(ORDER, resources=Resources(4)), BidOutcome.BID),
        (replace(ORDER, resources=Resources()), BidOutcome.NO_PRICE),
        (replace(ORDER, region="mars"), BidOutcome.NO_PROVIDER),
        (replace(ORDER, currency="eur"), BidOutcome.NO_PROVIDER),
    ],
)
def test_outcomes(order: Order, outcome: BidOutcome) -> None:
    """Each rule is tested at its edge; a rejected order changes only the count."""
    world = World()

    assert [outcome] == world.announce(order)
    assert {outcome: 1} == world.engine.counts
    if outcome is not BidOutcome.BID:
        assert ((), [4, 4]) == (world.store.bids(), world.free())


def test_the_minimum_price_counts_against_the_highest() -> None:
    """A provider whose minimum is over what the customer pays does not bid."""
    choosy = replace(CHEAP, pricing=replace(CHEAP.pricing, minimum="3.5"))
    world = World(choosy)

    assert [BidOutcome.OVER_MAX_PRICE, BidOutcome.BID] == world.announce(
        replace(ORDER, max_price="3.4"), replace(ORDER, max_price="3.5")
    )
    assert "3.500000000000000000" == world.store.bids()[0].bid.price


def test_bids_end_with_their_order() -> None:
    """A bid is never binding for longer than the order takes bids."""
    world = World()
    world.announce(replace(ORDER, expires_ns=60))

    assert 60 == world.store.bids()[0].bid.expires_ns


def test_a_bid_that_would_never_end() -> None:
    """It ends at the latest possible time."""
    world = World(settings=EngineSettings(CHAIN, bid_lifetime_ns=2**63 - 1))
    world.now = 5

    assert [BidOutcome.BID] == world.announce(replace(ORDER, expires_ns=None))
    assert 2**63 - 1 == world.store.bids()[0].bid.expires_ns
    with pytest.raises(FieldError):
        EngineSettings("")


@given(st.binary(max_size=40))
def test_malformed_orders_do_not_stop_the_engine(payload: bytes) -> None:
    """They are counted, and the next order gets its bid."""
    world = World()

    assert [BidOutcome.MALFORMED] == [world.raw(payload)]
    assert [BidOutcome.BID] == world.announce(ORDER)


def test_an_order_gets_one_bid() -> None:
    """The order is announced again, or the same or an older event comes again."""
    world = World()
    event = OrderEvent(3, encode_order(ORDER))
    outcomes = [world.engine.handle(event).outcome, world.engine.handle(event).outcome]
    outcomes += [world.engine.handle(OrderEvent(2, b"")).outcome, *world.announce(ORDER)]

    assert [
        BidOutcome.BID,
        BidOutcome.REPLAYED,
        BidOutcome.REPLAYED,
        BidOutcome.DUPLICATE,
    ] == outcomes
    assert (1, [1, 4]) == (len(world.store), world.free())


def test_an_order_without_a_bid_may_come_again() -> None:
    """Once there is capacity it gets one."""
    world = World(CHEAP)
    first = world.announce(*named("a", "b"))
    world.engine.reservations.release("a")

    assert [BidOutcome.BID, BidOutcome.NO_PROVIDER] == first
    assert [BidOutcome.BID] == world.announce(*named("b"))


def test_the_rate_limit() -> None:
    """Only bids count; an order rejected for another reason, or by the limiter, does not."""
    world = World(replace(CHEAP, capacity=Resources(100)), per_minute=2)
    unserved = replace(ORDER, offering="unknown")
    outcomes = world.announce(unserved, unserved, *named("a", "b", "c"))
    world.now = 60 * 10**9
    late = replace(ORDER, id="c", expires_ns=None)

    assert [BidOutcome.NO_PROVIDER] * 2 + [BidOutcome.BID] * 2 + [
        BidOutcome.RATE_LIMITED
    ] == outcomes
    assert [BidOutcome.BID] == world.announce(late)


def test_an_expired_bid_releases_its_reservation() -> None:
    """It does so exactly at its end, unless it has won; then only when the lease ends."""
    world = World()
    world.announce(*named("a"))
    world.now = 40
    world.announce(*named("b"))
    world.engine.reservations.confirm("b")
    world.now = 99
    assert [BidOutcome.NO_PROVIDER] == world.announce(*named("c"))
    world.now = 100
    assert [BidOutcome.BID, BidOutcome.NO_PROVIDER] == world.announce(*named("c", "d"))
    world.now = 10**6
    world.announce(replace(ORDER, expires_ns=None, offering="unknown"))

    assert [4, 1] == world.free()
    world.engine.reservations.release("b")
    assert [4, 4] == world.free()
    for call in (world.engine.reservations.release, world.engine.reservations.confirm):
        with pytest.raises(ReservationError):
            call("b")


def test_a_released_order_s_old_end_does_not_end_its_next_reservation() -> None:
    """The expiry belongs to the reservation, not to the order."""
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


def test_removing_a_provider_removes_its_reservations() -> None:
    """Releasing them later is no error."""
    world = World()
    world.announce(*named("a"))
    world.table.remove("cheap")
    world.engine.reservations.release("a")

    assert 0 == len(world.engine.reservations)


class Broken(BidStore):
    """A chain that fails with a given error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(CHAIN)
        self.error: Exception | None = error

    def submit(self, signed: SignedBid) -> SignedBid:
        if self.error is not None:
            raise self.error
        return super().submit(signed)


@pytest.mark.parametrize("error", [SubmitError("full"), ConnectionError("gone"), TimeoutError("!")])
def test_a_chain_that_fails(error: Exception) -> None:
    """Nothing stays reserved, and the order can come again."""
    chain = Broken(error)
    world = World(chain=chain)

    assert [BidOutcome.NOT_SUBMITTED] == world.announce(ORDER)
    assert [4, 4] == world.free()
    chain.error = None
    assert [BidOutcome.BID] == world.announce(ORDER)


def test_an_unexpected_error_of_the_chain() -> None:
    """It is propagated, and the event counts as not handled."""
    chain = Broken(RuntimeError("a bug"))
    world = World(chain=chain)
    with pytest.raises(RuntimeError, match="a bug"):
        world.announce(ORDER)
    chain.error = None

    assert (0, [4, 4]) == (world.engine.last_sequence, world.free())
    assert [BidOutcome.BID] == world.announce(ORDER)


class Swapping(BidStore):
    """A chain that returns another standing bid than was submitted."""

    def __init__(self, standing: SignedBid) -> None:
        super().__init__(CHAIN)
        self.standing = standing

    def submit(self, signed: SignedBid) -> SignedBid:
        return self.standing


def test_a_chain_with_invalid_standing_bids() -> None:
    """A standing bid must have the daemon's own signature, for this order."""
    world = World()
    world.announce(*named("other"))
    (real,) = world.store.bids()
    forged = replace(real, bid=replace(real.bid, order_id="order"))

    for standing in (real, forged):
        other = World(chain=Swapping(standing))
        assert [BidOutcome.NOT_SUBMITTED] == other.announce(ORDER)
        assert [4, 4] == other.free()


def test_the_store_accepts_no_forgery() -> None:
    """Nor does it accept a bid for another chain."""
    world = World()
    world.announce(ORDER)
    (real,) = world.store.bids()
    for bad in (
        replace(real, signature=bytes(64)),
        SIGNER.sign(replace(real.bid, chain_id="virtengine-2")),
    ):
        with pytest.raises(SubmitError):
            BidStore(CHAIN).submit(bad)


# ---------------------------------------------------------------- after a crash


def test_an_engine_continues_from_its_checkpoint() -> None:
    """It knows the orders with a bid, their reservations and ends, and the last event."""
    old = World()
    old.announce(*named("a", "b"))
    old.engine.reservations.confirm("a")
    new = World(chain=old.store, checkpoint=old.engine.checkpoint())

    assert old.engine.checkpoint() == new.engine.checkpoint()
    assert [1, 1] == new.free()
    assert BidOutcome.REPLAYED is new.engine.handle(OrderEvent(2, encode_order(ORDER))).outcome
    new.now = 100
    assert [BidOutcome.DUPLICATE] * 2 + [BidOutcome.BID] == new.announce(*named("a", "b", "c"))
    assert [1, 1] == new.free()


def test_a_bid_lost_in_a_crash_is_placed_once() -> None:
    """The placed bid stands and is adopted with its own provider; there is no second one."""
    old = World()
    saved = old.engine.checkpoint()
    old.announce(ORDER)
    raised = replace(CHEAP, pricing=Pricing("uve", "9", "0", "0"))
    new = World(raised, DEAR, chain=old.store, checkpoint=saved)
    decision = new.engine.handle(OrderEvent(1, encode_order(ORDER)))

    assert BidOutcome.ALREADY_BID is decision.outcome
    assert old.store.bids() == (decision.bid,)
    assert [1, 4] == new.free()


def test_the_limits_of_the_last_minute_hold_after_a_crash() -> None:
    """They do with the checkpoint alone, and with later bids, which stand and count again."""
    roomy = replace(CHEAP, capacity=Resources(300))
    orders = [replace(order, expires_ns=None) for order in named(*"abcde")]
    old = World(roomy, per_minute=2)
    old.now = MINUTE_NS // 2
    assert [BidOutcome.BID] == old.announce(orders[0])
    saved = old.engine.checkpoint()
    assert [BidOutcome.BID] == old.announce(orders[1])

    new = World(roomy, per_minute=2, chain=old.store, checkpoint=saved, now=old.now + 1)
    assert [BidOutcome.ALREADY_BID, BidOutcome.RATE_LIMITED] == new.announce(*orders[1:3])
    new.now = old.now + MINUTE_NS - 1
    assert [BidOutcome.RATE_LIMITED] == new.announce(orders[3])
    # The first is a minute old; the second counts from when it was found to stand.
    new.now = old.now + MINUTE_NS
    assert [BidOutcome.BID, BidOutcome.RATE_LIMITED] == new.announce(*orders[3:])


def test_a_standing_bid_is_adopted_though_another_would_be_denied() -> None:
    """More bids may stand since the checkpoint than the limit allows at once."""
    roomy = replace(CHEAP, capacity=Resources(300))
    orders = [replace(order, expires_ns=None) for order in named(*"abc")]
    settings = EngineSettings(CHAIN)
    old = World(roomy, per_minute=1, settings=settings)
    saved = old.engine.checkpoint()
    for order in orders[:2]:
        assert [BidOutcome.BID] == old.announce(order)
        old.now += MINUTE_NS

    new = World(
        roomy, per_minute=1, settings=settings, chain=old.store, checkpoint=saved, now=old.now
    )
    expected = [BidOutcome.ALREADY_BID, BidOutcome.ALREADY_BID, BidOutcome.RATE_LIMITED]
    assert expected == new.announce(*orders)
    assert 300 - 2 * 3 == new.table.free("cheap")[0]


class Unsure(BidStore):
    """A chain that accepts bids, and answers wrongly, or not at all, about standing ones."""

    def __init__(self, answer: SignedBid | OSError) -> None:
        super().__init__(CHAIN)
        self.answer = answer

    def standing_bid(self, order_id: str, public_key: bytes) -> SignedBid | None:
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


def test_standing_bids_are_checked() -> None:
    """With another key's or order's bid, or no answer, the limit stays."""
    world = World()
    world.announce(ORDER)
    (real,) = world.store.bids()
    for answer in (
        SIGNER.sign(replace(real.bid, order_id="another")),
        BidSigner(bytes(32)).sign(real.bid),
        ConnectionResetError("gone"),
    ):
        limited = World(chain=Unsure(answer), per_minute=0)
        assert [BidOutcome.RATE_LIMITED] == limited.announce(ORDER)
        assert [4, 4] == limited.free()


def test_an_adopted_bid_of_a_provider_that_is_gone() -> None:
    """There is nothing to reserve, and it still counts as the order's bid."""
    old = World()
    old.announce(ORDER)
    new = World(DEAR, chain=old.store)

    assert [BidOutcome.ALREADY_BID, BidOutcome.DUPLICATE] == new.announce(ORDER, ORDER)
    assert 4 == new.table.free("dear")[0]


def test_a_checkpoint_s_reservation_that_does_not_fit_any_more() -> None:
    """It is left out, so that it is never released either."""
    old = World()
    old.announce(*named("a", "b"))
    small = replace(CHEAP, capacity=Resources(2))
    new = World(small, DEAR, checkpoint=old.engine.checkpoint())

    assert [2, 1] == new.free()
    new.now = 100
    new.engine.reservations.expire(new.now)
    assert [2, 4] == new.free()


def test_the_memory_of_orders_is_bounded() -> None:
    """The oldest are dropped; the chain still knows them."""
    world = World(replace(CHEAP, capacity=Resources(300)), settings=EngineSettings(CHAIN, 100, 2))
    world.announce(*named("a", "b", "c"))
    assert ("b", "c") == tuple(world.engine.checkpoint().orders)
    assert [BidOutcome.DUPLICATE] == world.announce(*named("a"))
    world.engine.reservations.release("a")

    assert [BidOutcome.ALREADY_BID] == world.announce(*named("a"))
    assert 3 == len(world.store)


@pytest.mark.parametrize("change", [{"chain_id": "virtengine-2"}, {"public_key": bytes(32)}])
def test_another_engine_s_checkpoint(change: dict[str, str | bytes]) -> None:
    """It is rejected: its orders and reservations mean nothing here."""
    saved = World().engine.checkpoint()
    with pytest.raises(CheckpointError):
        World(checkpoint=replace(saved, **change))


def test_the_daemon_writes_checkpoints(tmp_path: Path) -> None:
    """It does after every n-th event, and on request."""
    world = World(replace(CHEAP, capacity=Resources(300)))
    queue = EventQueue(10)
    file = CheckpointFile(tmp_path / "checkpoint")
    daemon = Daemon(world.engine, queue, file, checkpoint_every=3)
    for number, order in enumerate(named(*"abcde"), 1):
        queue.offer(OrderEvent(number, encode_order(order)))
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
