"""The benchmarks of the bidding suite.

As deployed, a daemon bids for one provider, and so do the benchmarks by default. Those with
``providers`` have more, up to a market of 10,000, for how the cost grows: the orders are the same.

Tables of providers are made once a process: every benchmark leaves them unchanged.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import islice

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import Search
from veperf.core.registry import LoadTask, Task, benchmark
from veperf.core.remote_load import RemoteLoad, SuppliedSystem
from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bids import (
    Bid,
    BidStore,
    SignedBid,
    canonical_bytes,
    decode_bid,
    encode_bid,
    verify_bid,
)
from veperf.workloads.bidding.daemon import EventQueue
from veperf.workloads.bidding.engine import BidOutcome, Decision, choose_quote
from veperf.workloads.bidding.load import CAPACITY, DaemonTarget, create_engine, order_bursts
from veperf.workloads.bidding.matching import (
    Quote,
    Rows,
    match_providers,
    quote_prices,
    rank_quotes,
)
from veperf.workloads.bidding.orders import Order, OrderEvent, decode_order, encode_order
from veperf.workloads.bidding.parallel.pool import EnginePool
from veperf.workloads.bidding.pricing import parse_rates, price_atto
from veperf.workloads.bidding.rate_limit import RateLimiter
from veperf.workloads.bidding.table import ProviderTable

_DEPLOYED = 1
_MARKET = 10_000
_PROFILES = tuple(example_data.PROFILES)
_BATCH = 1_000
_ORDER_RATE = 250  # orders a second that come in bursts: what one engine does with ease


@cache
def _table(providers: int) -> ProviderTable:
    return ProviderTable(example_data.daemon_providers(providers))


def _events(count: int) -> tuple[OrderEvent, ...]:
    return tuple(islice(example_data.order_events(), count))


def _order(profile: str = _PROFILES[0]) -> Order:
    """Return the first order of ``profile`` that the daemon's own provider can serve."""
    return example_data.daemon_orders(profile)[0]


def _bid() -> Bid:
    order = _order()
    best = rank_quotes(_table(_DEPLOYED), order, example_data.NOW_NS)[0]
    return create_engine(ProviderTable()).make_bid(order, best, 1, example_data.NOW_NS)


# ---------------------------------------------------------------- a whole bid


@benchmark(
    "bidding/latency",
    level=Level.INTEGRATION,
    params={"providers": (_DEPLOYED, 100, 1_000, _MARKET)},
    targets={"time": "bidding/latency"},
)
def latency(providers: int) -> Task:
    """A whole bid: decode the order, match, ask the limiter, price, sign, submit, reserve.

    The chain verifies the signature, and that is part of the time. The bid loses at once, so that
    the next call starts from the same state.
    """
    table = _table(providers)
    event = OrderEvent(1, encode_order(_order()))
    stages = _Stages(table, event)
    return Task(
        lambda: _place_bid(table, event),
        stages={
            "decode": stages.decode,
            "match": stages.match,
            "limit": stages.limit,
            "price": stages.price,
            "sign": stages.sign,
            "submit": stages.submit,
            "reserve": stages.reserve,
        },
    )


def _place_bid(table: ProviderTable, event: OrderEvent) -> Decision:
    engine = create_engine(table)
    decision = engine.handle(event)
    engine.reservations.release(decision.order_id)
    return decision


class _Stages:
    """The steps of a bid one by one, as the engine takes them."""

    def __init__(self, table: ProviderTable, event: OrderEvent) -> None:
        self._table = table
        self._event = event
        self._engine = create_engine(table)
        self._signer = example_data.daemon_signer()
        self._limiter = RateLimiter(None, None)

    def decode(self, _: None) -> Order:
        return decode_order(self._event.payload)

    def match(self, order: Order) -> tuple[Order, Rows]:
        return order, match_providers(self._table, order, example_data.NOW_NS)

    def limit(self, matched: tuple[Order, Rows]) -> tuple[Order, Rows]:
        self._limiter.allow()
        return matched

    def price(self, matched: tuple[Order, Rows]) -> tuple[Order, Quote]:
        order, rows = matched
        quote = choose_quote(quote_prices(self._table, order, rows), order)
        assert isinstance(quote, Quote), "a provider can serve the example"
        return order, quote

    def sign(self, chosen: tuple[Order, Quote]) -> tuple[Order, SignedBid]:
        order, quote = chosen
        bid = self._engine.make_bid(order, quote, self._event.sequence, example_data.NOW_NS)
        return order, self._signer.sign(bid)

    def submit(self, signed: tuple[Order, SignedBid]) -> tuple[Order, SignedBid]:
        order, bid = signed
        return order, BidStore(example_data.CHAIN_ID).submit(bid)

    def reserve(self, submitted: tuple[Order, SignedBid]) -> None:
        order, signed = submitted
        self._table.reserve(signed.bid.provider, order.resources)
        self._table.release(signed.bid.provider, order.resources)


@benchmark(
    "bidding/resources",
    level=Level.INTEGRATION,
    params={"profile": _PROFILES},
)
def resources(profile: str) -> Task:
    """A whole bid on an order for few or for many resources."""
    table = _table(_DEPLOYED)
    event = OrderEvent(1, encode_order(_order(profile)))
    return Task(lambda: _place_bid(table, event))


# ---------------------------------------------------------------- the steps of a bid


@benchmark(
    "bidding/order_matching",
    level=Level.COMPONENT,
    params={"providers": (_DEPLOYED, 100, 1_000, _MARKET)},
    targets={"time": "bidding/order_matching"},
)
def order_matching(providers: int) -> Task:
    """Find all providers that can serve an order: capacity, region, offering, attributes, expiry.

    The mean over orders for different regions, amounts and GPUs; the daemon's own can serve each.
    """
    table = _table(providers)
    orders = example_data.daemon_orders()
    return Task(
        lambda: [len(match_providers(table, order, example_data.NOW_NS)) for order in orders],
        operations=len(orders),
    )


@benchmark("bidding/ranking", level=Level.COMPONENT)
def ranking() -> Task:
    """Match an order against 10,000 providers, price it for those that can serve it, rank them."""
    table, order = _table(_MARKET), _order()
    return Task(lambda: rank_quotes(table, order, example_data.NOW_NS))


@benchmark("bidding/price_calc", level=Level.MICRO, targets={"time": "bidding/price_calc"})
def price_calc() -> Task:
    """Price an order for one provider: its decimals parsed, 18 places, markup and minimum."""
    (provider,) = example_data.providers(1)
    needed = example_data.PROFILES["gpu_small"]
    return Task(lambda: price_atto(needed, parse_rates(provider.pricing)))


@benchmark("bidding/price_all", level=Level.COMPONENT)
def price_all() -> Task:
    """Price an order for all of 10,000 providers that can serve it."""
    table, order = _table(_MARKET), _order()
    rows = match_providers(table, order, example_data.NOW_NS)
    return Task(lambda: quote_prices(table, order, rows))


@benchmark("bidding/signing", level=Level.MICRO, targets={"time": "bidding/signing"})
def signing() -> Task:
    """Sign a bid: its canonical bytes, Ed25519."""
    signer, bid = example_data.daemon_signer(), _bid()
    return Task(lambda: signer.sign(bid))


@benchmark("bidding/verification", level=Level.MICRO)
def verification() -> Task:
    """Verify a signed bid."""
    signer = example_data.daemon_signer()
    signed = signer.sign(_bid())
    return Task(lambda: verify_bid(signed, signer.public_key, example_data.CHAIN_ID))


@benchmark("bidding/reservation", level=Level.MICRO)
def reservation() -> Task:
    """Reserve what an order needs of a provider, and release it."""
    table = _table(_DEPLOYED)
    needed = example_data.PROFILES[_PROFILES[0]]
    (provider,) = (own.id for own in example_data.daemon_providers(_DEPLOYED))

    def call() -> None:
        table.reserve(provider, needed)
        table.release(provider, needed)

    return Task(call)


# ---------------------------------------------------------------- the rate limiter


def _full_limiter(limit: int) -> RateLimiter:
    """Return a limiter with full windows of ``limit`` bids; with each new bid one expires."""
    moments = iter(range(10**18, 1 << 62, -(-3600 * 10**9 // limit)))
    limiter = RateLimiter(limit, limit, moments.__next__)
    for _ in range(limit):
        limiter.allow()
    return limiter


@benchmark(
    "bidding/rate_limiter",
    level=Level.MICRO,
    params={"limit": (2_000, 10, 100_000)},
    targets={"time": "bidding/rate_limiter"},
)
def rate_limiter(limit: int) -> Task:
    """Ask the rate limiter, its hour full, for a bid that it allows; the clock is a counter."""
    return Task(_full_limiter(limit).allow)


@benchmark("bidding/rate_limiter_denied", level=Level.MICRO)
def rate_limiter_denied() -> Task:
    """Ask the rate limiter for a bid that it denies."""
    limiter = RateLimiter(10, 100, lambda: 0)
    for _ in range(10):
        limiter.allow()
    return Task(limiter.allow)


@benchmark(
    "bidding/rate_limiter_parallel",
    level=Level.MICRO,
    params={"threads": (2, 1, 4)},
    multithreaded=True,
)
def rate_limiter_parallel(threads: int) -> Task:
    """Ask one rate limiter from several threads at once, its hour full; each time it allows."""
    limiter = _full_limiter(2_000)
    executor = ThreadPoolExecutor(threads)
    each = 4 * _BATCH // threads

    def ask(count: int) -> int:
        return sum(limiter.allow() for _ in range(count))

    return Task(
        lambda: sum(executor.map(ask, [each] * threads)),
        operations=each * threads,
        close=executor.shutdown,
    )


# ---------------------------------------------------------------- events


@benchmark("bidding/event_enqueue", level=Level.MICRO)
def event_enqueue() -> Task:
    """Enqueue an event: a thousand into an empty queue."""
    events = _events(_BATCH)

    def call() -> int:
        queue = EventQueue(_BATCH)
        for event in events:
            queue.offer(event)
        return len(queue)

    return Task(call, operations=_BATCH)


@benchmark("bidding/event_processing", level=Level.INTEGRATION)
def event_processing() -> Task:
    """Take an event from the queue and bid on it: 50 orders, whose bids lose at once."""
    table = _table(_DEPLOYED)
    events = _events(50)

    def call() -> int:
        queue = EventQueue(len(events))
        for event in events:
            queue.offer(event)
        engine = create_engine(table)
        while (next_event := queue.take()) is not None:
            decision = engine.handle(next_event)
            engine.reservations.release(decision.order_id)
        return engine.counts[BidOutcome.BID]

    return Task(call, operations=len(events))


@benchmark(
    "bidding/serialization",
    level=Level.MICRO,
    params={"form": ("order_decode", "order_encode", "bid_decode", "bid_encode", "bid_canonical")},
)
def serialization(form: str) -> Task:
    """An order or a signed bid to JSON or back; a bid to the bytes that are signed."""
    order, bid = example_data.order(0), _bid()
    signed = example_data.daemon_signer().sign(bid)
    raw_order, raw_bid = encode_order(order), encode_bid(signed)
    calls = {
        "order_decode": lambda: decode_order(raw_order),
        "order_encode": lambda: encode_order(order),
        "bid_decode": lambda: decode_bid(raw_bid),
        "bid_encode": lambda: encode_bid(signed),
        "bid_canonical": lambda: canonical_bytes(bid),
    }
    return Task(calls[form])


# ---------------------------------------------------------------- many at once


@benchmark(
    "bidding/parallel",
    level=Level.INTEGRATION,
    params={"engines": (2, 1, 4)},
    slow=("engines=1", "engines=4"),
)
def parallel(engines: int) -> Task:
    """Bid on 200 orders with several engines, each a process with a provider of its own.

    The time is wall time: several processors work.
    """
    pool = EnginePool(engines, _DEPLOYED)
    events = example_data.order_events()
    return Task(
        lambda: pool.bid(list(islice(events, 200))),
        operations=200,
        close=pool.close,
    )


_LOAD_METRICS = (Metric("achieved", "1/s", "higher"), *LATENCY_METRICS)


def _loaded(orders: int, load: float | Search, providers: int = _DEPLOYED) -> LoadTask:
    """Return the load of bursts; providers are made with the system, as a sender needs none."""
    return LoadTask(
        lambda _: SuppliedSystem(DaemonTarget(_table(providers)), order_bursts(orders)),
        load,
        remote=RemoteLoad(
            target=lambda: DaemonTarget(_table(providers)),
            source=partial(order_bursts, orders),
            capacity=CAPACITY // orders,
        ),
    )


@benchmark(
    "bidding/load",
    level=Level.LOAD,
    params={"rate": (100, 20, 500), "providers": (_DEPLOYED, _MARKET)},
    metrics=_LOAD_METRICS,
    targets={"latency_p95": "bidding/latency_p95", "latency_p99": "bidding/latency_p99"},
    slow=("rate=20", "rate=500", f"providers={_MARKET}"),
)
def load(rate: int, providers: int) -> LoadTask:
    """Latency from an order's arrival to its bid; arrivals at random.

    The targets of latency are judged at 100 orders a second, five times the least throughput.
    """
    return _loaded(1, rate, providers)


@benchmark(
    "bidding/burst",
    level=Level.LOAD,
    params={"orders": (50, 10, 100)},
    metrics=_LOAD_METRICS,
    slow=("*",),
)
def burst(orders: int) -> LoadTask:
    """Latency from the arrival of many orders at once to the bid on the last of them.

    250 orders a second on average; bursts come at random and may meet.
    """
    return _loaded(orders, _ORDER_RATE / orders)


@benchmark(
    "bidding/throughput",
    level=Level.LOAD,
    params={"providers": (_DEPLOYED, _MARKET)},
    metrics=(Metric("throughput", "1/s", "higher"), Metric("capacity", "1/s", "higher")),
    targets={"throughput": "bidding/throughput"},
    slow=(f"providers={_MARKET}",),
)
def throughput(providers: int) -> LoadTask:
    """The highest rate of orders that get their bids within the latency targets."""
    search = Search(
        latency_p95_ms=100,
        latency_p99_ms=200,
        error_percent=0.1,
        start=200,
        highest=20_000,
        published=(20,),
    )
    return _loaded(1, search, providers)
