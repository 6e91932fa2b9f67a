"""The benchmarks of the market suite: a market's records in an IAVL tree, written and queried.

``entries`` counts orders, bids and leases together; the tree has about 1.4 keys for each. Trees are
made once a process: each benchmark takes a branch, and leaves the original unchanged.
"""

from collections.abc import Callable
from functools import cache

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark
from veperf.workloads.market import example_data, keeper
from veperf.workloads.market.pages import OrderFilter, query_orders
from veperf.workloads.market.records import BidId, GroupId, OrderState
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree

_SIZES = (10_000, 100_000, 1_000_000)
_SLOW_SIZES = ("entries=1000000",)  # takes 20 seconds to set up, in every process
_BLOCK = 100
_BATCH = 1_000
_PAGE = 100
_HEIGHT = 1_000_000
_FIRST_GROUP = 10**9


@cache
def _market(entries: int) -> Tree:
    """Return the same for all benchmarks of a process; they branch off before they change it."""
    tree = example_data.market_tree(entries)
    tree.save_version()
    return tree


def _in_block(tree: Tree, work: Callable[[Cache], None]) -> bytes:
    """Do ``work`` through a block's write cache on a branch of ``tree``; return the new root."""
    branch = tree.branch()
    state = Cache(branch)
    work(state)
    state.write()
    return branch.save_version()[0]


def _numbers(state: OrderState, entries: int) -> list[int]:
    return example_data.order_numbers(state, _BLOCK, entries)


def _new_group(number: int) -> GroupId:
    return GroupId(example_data.tenant(number), _FIRST_GROUP + number, 1)


# ---------------------------------------------------------------- a block's transactions


@benchmark("market/block", level=Level.INTEGRATION, params={"entries": _SIZES}, slow=_SLOW_SIZES)
def block(entries: int) -> Task:
    """A block of the market: 100 orders, 100 bids, 100 matches, 100 leases closed, the commit.

    What was ordered and bid for before is matched, and what was leased before is closed.
    """
    tree = _market(entries)
    opened = _numbers(OrderState.OPEN, entries)
    active = _numbers(OrderState.ACTIVE, entries)

    def begin(_: object) -> tuple[Tree, Cache]:
        branch = tree.branch()
        return branch, Cache(branch)

    def order(block: tuple[Tree, Cache]) -> tuple[Tree, Cache]:
        _create_orders(block[1])
        return block

    def bid(block: tuple[Tree, Cache]) -> tuple[Tree, Cache]:
        _create_bids(block[1], opened)
        return block

    def match(block: tuple[Tree, Cache]) -> tuple[Tree, Cache]:
        _match(block[1], opened)
        return block

    def close(block: tuple[Tree, Cache]) -> tuple[Tree, Cache]:
        _close_leases(block[1], active)
        return block

    def commit(block: tuple[Tree, Cache]) -> bytes:
        branch, state = block
        state.write()
        return branch.save_version()[0]

    return Task(
        lambda: commit(close(match(bid(order(begin(None)))))),
        stages={
            "begin": begin,
            "order": order,
            "bid": bid,
            "match": match,
            "close": close,
            "commit": commit,
        },
    )


@benchmark(
    "market/order_create", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES
)
def order_create(entries: int) -> Task:
    """Create an order: no other open for its group, encode, write, its share of the commit.

    A block's 100 orders, of as many groups.
    """
    tree = _market(entries)
    return Task(lambda: _in_block(tree, _create_orders), operations=_BLOCK)


@benchmark("market/bid_create", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES)
def bid_create(entries: int) -> Task:
    """Bid on an open order: count its bids, check state and price, write under both keys, commit.

    A block's 100 bids, each on another order, which has three.
    """
    tree, numbers = _market(entries), _numbers(OrderState.OPEN, entries)
    return Task(
        lambda: _in_block(tree, lambda state: _create_bids(state, numbers)), operations=_BLOCK
    )


@benchmark("market/match", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES)
def match(entries: int) -> Task:
    """Match an order: find its lowest bid, make the lease, move order and bids, commit.

    A block's 100 orders, each with three bids, of which two are lost.
    """
    tree, numbers = _market(entries), _numbers(OrderState.OPEN, entries)
    return Task(lambda: _in_block(tree, lambda state: _match(state, numbers)), operations=_BLOCK)


@benchmark(
    "market/lease_close", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES
)
def lease_close(entries: int) -> Task:
    """Close a lease with its bid and order: all move to other keys; its share of the commit."""
    tree, numbers = _market(entries), _numbers(OrderState.ACTIVE, entries)
    return Task(
        lambda: _in_block(tree, lambda state: _close_leases(state, numbers)), operations=_BLOCK
    )


def _create_orders(state: Cache) -> None:
    for number in range(_BLOCK):
        keeper.create_order(state, _new_group(number), example_data.spec(number % 16), _HEIGHT)


def _create_bids(state: Cache, numbers: list[int]) -> None:
    for number in numbers:
        id = BidId.for_order(
            example_data.order_id(number), example_data.provider(number % 1_000 + 1_000)
        )
        offer = example_data.offer(number % 16)
        keeper.create_bid(state, id, example_data.price(89), offer, _HEIGHT)


def _match(state: Cache, numbers: list[int]) -> None:
    for number in numbers:
        best = keeper.lowest_bid(state, example_data.order_id(number))
        keeper.create_lease(state, best.id, _HEIGHT)


def _close_leases(state: Cache, numbers: list[int]) -> None:
    for number in numbers:
        keeper.close_lease(state, example_data.bid_id(number, 0), _HEIGHT)


# ---------------------------------------------------------------- reads and queries


@benchmark("market/order_get", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES)
def order_get(entries: int) -> Task:
    """Read one order by its id, whatever its state: up to three keys are tried; decode it."""
    tree, count = _market(entries), example_data.order_count(entries)
    ids = [example_data.order_id(number * count // _BATCH) for number in range(_BATCH)]
    return Task(lambda: [keeper.get_order(tree, id) for id in ids], operations=_BATCH)


@benchmark(
    "market/order_iterate", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES
)
def order_iterate(entries: int) -> Task:
    """Go on to the next of all orders, and decode it."""
    tree = _market(entries)
    return Task(
        lambda: sum(1 for _ in keeper.orders(tree)), operations=example_data.order_count(entries)
    )


@benchmark(
    "market/order_bids",
    level=Level.COMPONENT,
    params={"bids": (50, 3, 20, 500), "entries": _SIZES},
    slow=_SLOW_SIZES,
)
def order_bids(bids: int, entries: int) -> Task:
    """Go through the open bids on one order, and decode them."""
    tree = _market(entries).branch()
    id = example_data.add_popular_order(tree, bids)
    return Task(lambda: list(keeper.order_bids(tree, id)))


@benchmark(
    "market/bid_count",
    level=Level.COMPONENT,
    params={"bids": (20, 3, 50, 500), "entries": _SIZES},
    slow=_SLOW_SIZES,
)
def bid_count(bids: int, entries: int) -> Task:
    """Count the bids on one order, as every new bid has them counted."""
    tree = _market(entries).branch()
    id = example_data.add_popular_order(tree, bids)
    return Task(lambda: keeper.count_bids(tree, id))


@benchmark(
    "market/active_leases", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES
)
def active_leases(entries: int) -> Task:
    """Find out whether a provider has an active lease, by the keys by provider."""
    tree = _market(entries)
    providers = [example_data.provider(number) for number in range(_BATCH)]
    return Task(
        lambda: [keeper.has_active_leases(tree, provider) for provider in providers],
        operations=_BATCH,
    )


@benchmark(
    "market/query_owner", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES
)
def query_owner(entries: int) -> Task:
    """Query a page of 100 of a tenant's orders in all states; its three pages one after another."""
    tree, conditions = _market(entries), OrderFilter(owner=example_data.tenant(0))

    def call() -> int:
        page = query_orders(tree, conditions, limit=_PAGE)
        count = len(page.items)
        while page.next_key:
            page = query_orders(tree, conditions, key=page.next_key, limit=_PAGE)
            count += len(page.items)
        return count

    return Task(call, operations=example_data.BIG_TENANT_ORDERS // _PAGE)


@benchmark(
    "market/query_offset", level=Level.COMPONENT, params={"entries": _SIZES}, slow=_SLOW_SIZES
)
def query_offset(entries: int) -> Task:
    """Query a page of 100 open orders by its offset, half of them: all before it are read, too."""
    tree = _market(entries)
    offset = example_data.order_count(entries) // 8
    return Task(
        lambda: (
            query_orders(tree, OrderFilter(state=OrderState.OPEN), offset=offset, limit=_PAGE).items
        )
    )
