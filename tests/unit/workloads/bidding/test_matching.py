"""Vectorised matching gives the result of a plain scan, with the same prices and order."""

from collections.abc import Iterator
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.columns import NO_LABEL, LabelKind
from veperf.workloads.bidding.decimals import ATTO, MAX_ATTO, format_decimal
from veperf.workloads.bidding.errors import ReservationError
from veperf.workloads.bidding.matching import Quote, match_providers, quote_prices, rank_quotes
from veperf.workloads.bidding.orders import Order
from veperf.workloads.bidding.providers import Pricing, Provider, Resources
from veperf.workloads.bidding.table import ProviderTable

NOW = 1_000


class Held(Struct):
    """A provider, and the amounts that bids reserve."""

    provider: Provider
    amounts: list[int]

    @property
    def free(self) -> list[int]:
        pairs = zip(self.provider.for_sale, self.amounts, strict=True)
        return [total - held for total, held in pairs]


class PlainTable:
    """Providers in a dictionary, scanned for every order, with prices as fractions."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}

    def fits(self, needed: Resources, free: list[int]) -> bool:
        return all(not n or n <= has for n, has in zip(needed.amounts, free, strict=True))

    def matches(self, order: Order) -> Iterator[Provider]:
        for held in self.held.values():
            provider = held.provider
            if (
                provider.active
                and (order.expires_ns is None or NOW < order.expires_ns)
                and order.offering in provider.offerings
                and order.currency == provider.pricing.currency
                and (not order.region or order.region in provider.regions)
                and (not order.resources.gpus or order.gpu_type in ("", provider.gpu_type))
                and order.attributes.items() <= provider.attributes.items()
                and self.fits(order.resources, held.free)
            ):
                yield provider

    def rank(self, order: Order) -> list[Quote]:
        matching = []
        for provider in self.matches(order):
            price = plain_price(order.resources, provider.pricing)
            highest = order.max_price
            within = highest is None or Fraction(price, ATTO) <= Fraction(highest)
            if 0 < price < 1 << 315 and within:
                matching.append(Quote(price, provider.id))
        return sorted(matching, key=lambda quote: (quote.price_atto, quote.provider))


def plain_price(resources: Resources, prices: Pricing) -> int:
    units = (prices.cpu_core, prices.memory_gb, prices.storage_gb, prices.gpu)
    pairs = zip(resources.amounts, units, strict=True)
    total = sum([n * Fraction(unit) for n, unit in pairs], Fraction(0))
    factor = 1 + Fraction(round(Fraction(prices.markup_percent) / 100 * ATTO), ATTO)
    price: int = max(round(total * factor * ATTO), int(Fraction(prices.minimum) * ATTO))
    return price


# Few values, so that much matches, and ties in capacity and price are frequent.
SMALL = st.integers(0, 3)
AMOUNTS = SMALL | st.sampled_from([10**15 - 1, 10**15])
RESOURCES = st.builds(Resources, SMALL, SMALL, SMALL, SMALL)
NAMES = st.sampled_from(["a", "b"])
IDS = st.sampled_from(["p1", "p10", "p2", "P", "é"])
PRICES = st.sampled_from([0, 1, 3, ATTO // 3, ATTO, ATTO + 1, 10**30, MAX_ATTO]).map(format_decimal)
MARKUPS = st.sampled_from([0, 1, 50, 50 * ATTO, 100 * ATTO + 1]).map(format_decimal)
ATTRIBUTES = st.dictionaries(NAMES, NAMES, max_size=3)
PRICINGS = st.builds(
    Pricing, st.sampled_from(["uve", "uve", "uve", "eur"]), PRICES, PRICES, PRICES, PRICES, MARKUPS
)
PROVIDERS = st.builds(
    Provider,
    id=IDS,
    pricing=PRICINGS,
    capacity=st.builds(Resources, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS),
    offerings=st.lists(NAMES, unique=True).map(tuple),
    regions=st.lists(NAMES, unique=True).map(tuple),
    gpu_type=NAMES | st.just(""),
    attributes=ATTRIBUTES,
    active=st.sampled_from([True, True, True, False]),
) | st.builds(
    Provider,
    id=IDS,
    pricing=PRICINGS,
    capacity=st.just(Resources(3, 3, 3, 3)),
    reserved=RESOURCES,
    offerings=st.just(("a", "b")),
    regions=st.just(("b", "a", "c")),
)
ORDERS = st.builds(
    Order,
    id=st.just("order"),
    customer=st.just("customer"),
    offering=NAMES,
    resources=RESOURCES,
    currency=st.sampled_from(["uve", "uve", "uve", "eur", "usd"]),
    created_ns=st.just(0),
    gpu_type=st.just("") | NAMES,
    region=st.just("") | NAMES,
    attributes=st.just({}) | ATTRIBUTES,
    max_price=st.none() | PRICES,
    expires_ns=st.none() | st.sampled_from([NOW, NOW + 1]),
)
CHANGES = st.tuples(st.sampled_from(["add", "update", "remove"]), PROVIDERS) | st.tuples(
    st.sampled_from(["reserve", "release"]), IDS, RESOURCES
)


def change(table: ProviderTable, plain: PlainTable, what: tuple[object, ...]) -> None:
    """Make a change in both tables; if the plain one rejects it, the other must, too."""
    match what:
        case (str(verb), Provider() as provider):
            if (provider.id in plain.held) == (verb == "add"):
                with pytest.raises(ReservationError):
                    apply(table, verb, provider)
                return
            apply(table, verb, provider)
            if verb == "remove":
                del plain.held[provider.id]
            elif verb == "add":
                plain.held[provider.id] = Held(provider, [0] * 4)
            else:
                plain.held[provider.id].provider = provider
        case (str(verb), str(name), Resources() as wanted):
            held = plain.held.get(name)
            has = held and (held.free if verb == "reserve" else held.amounts)
            call = table.reserve if verb == "reserve" else table.release
            if not held or not has or not plain.fits(wanted, has):
                with pytest.raises(ReservationError):
                    call(name, wanted)
                return
            call(name, wanted)
            sign = 1 if verb == "reserve" else -1
            held.amounts = [
                n + sign * more for n, more in zip(held.amounts, wanted.amounts, strict=True)
            ]


def apply(table: ProviderTable, verb: str, provider: Provider) -> None:
    if verb == "remove":
        table.remove(provider.id)
    else:
        (table.add if verb == "add" else table.update)(provider)


@settings(max_examples=200)
@given(
    st.lists(PROVIDERS, max_size=5), st.lists(CHANGES, max_size=15), st.lists(ORDERS, max_size=4)
)
def test_a_changed_table_matches_as_a_plain_scan(
    providers: list[Provider], changes: list[tuple[object, ...]], orders: list[Order]
) -> None:
    """After any changes: the same providers, the same free amounts, prices and ranks."""
    table, plain = ProviderTable(), PlainTable()
    for what in [*[("add", provider) for provider in providers], *changes]:
        change(table, plain, what)

    assert {name: tuple(held.free) for name, held in plain.held.items()} == {
        name: table.free(name) for name in plain.held
    }
    assert len(plain.held) == len(table)
    for order in orders:
        rows = match_providers(table, order, NOW)
        assert {p.id for p in plain.matches(order)} == set(table.columns.ids[rows])
        assert plain.rank(order) == rank_quotes(table, order, NOW)


def random_provider(random: Random) -> Provider:
    """Return a provider of a small world with many matches and ties."""
    cpu, memory, storage, gpu = random.choices(["0", "1", "1", "0.000000000000000001"], k=4)
    markup = random.choice(["0", "50", "0.000000000000000001"])
    total = [random.choice([3, 4]) for _ in range(4)]
    names = ["a", "b", "c"]
    return Provider(
        id=f"p{random.randrange(12)}",
        pricing=Pricing("uve", cpu, memory, storage, gpu, markup),
        capacity=Resources(*total),
        reserved=Resources(*[random.randrange(2) for _ in total]),
        offerings=tuple(random.sample(names, random.randint(1, 3))),
        regions=tuple(random.sample(names, random.randint(1, 3))),
        gpu_type=random.choice(["", "a", "b"]),
        attributes={name: random.choice("xy") for name in random.sample(names, 2)},
        active=random.random() < 0.9,
    )


def random_order(random: Random) -> Order:
    return replace(
        example_data.order(0),
        offering=random.choice("abc"),
        resources=Resources(*[random.choice([0, 0, 1, 2, 3]) for _ in range(4)]),
        gpu_type=random.choice(["", "a", "b"]),
        region=random.choice(["", "a", "b", "unknown"]),
        attributes=random.choice([{}, {}, {"a": "x"}, {"b": "x", "c": "y"}, {"a": "unknown"}]),
        max_price=random.choice([None, "3", "4.5"]),
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_long_history_matches_as_a_plain_scan(seed: int) -> None:
    """Providers and reservations come and go; the tables are compared at every step."""
    random = Random(seed)
    table, plain = ProviderTable(), PlainTable()
    matches = 0
    for _ in range(1_500):
        verb = random.choice(["add", "add", "update", "remove", "reserve", "reserve", "release"])
        provider = random_provider(random)
        if verb in ("reserve", "release"):
            needed = Resources(*[random.randrange(3) for _ in range(4)])
            change(table, plain, (verb, provider.id, needed))
        else:
            change(table, plain, (verb, provider))
        order = random_order(random)
        expected = plain.rank(order)
        matches += len(expected)
        assert expected == rank_quotes(table, order, NOW)

    assert matches > 300


@given(ORDERS)
def test_an_empty_table_serves_nobody(order: Order) -> None:
    """Nor does a table whose last provider was removed."""
    table = ProviderTable()
    assert [] == rank_quotes(table, order, NOW)
    (provider,) = example_data.providers(1)
    table.add(provider)
    table.remove(provider.id)

    assert [] == rank_quotes(table, order, NOW)
    assert provider.id not in table


@pytest.mark.parametrize("profile", example_data.PROFILES)
def test_the_example_market_is_ranked_as_by_a_plain_scan(profile: str) -> None:
    """A thousand providers, partly reserved, and orders of every kind give the same ranking."""
    providers = example_data.providers(1_000)
    table, plain = ProviderTable(providers), PlainTable()
    for number, provider in enumerate(providers):
        plain.held[provider.id] = Held(provider, [0] * 4)
        if number % 7 == 0:
            change(table, plain, ("reserve", provider.id, Resources(4, 16, 100)))
    orders = [example_data.order(number, profile) for number in range(24)]

    expected = [plain.rank(order) for order in orders]
    assert any(expected)
    assert expected == [rank_quotes(table, order, example_data.NOW_NS) for order in orders]


def test_a_price_out_of_range_is_no_quote() -> None:
    """A price of zero or above the largest decimal is left out."""
    (provider,) = example_data.providers(1)
    free = Pricing("uve", "0", "0", "0")
    largest = format_decimal(MAX_ATTO)
    table = ProviderTable(
        [
            replace(provider, id="free", pricing=free),
            replace(provider, id="dear", pricing=replace(free, cpu_core=largest)),
            replace(provider, id="least", pricing=replace(free, minimum="0." + "0" * 17 + "1")),
        ]
    )
    order = replace(example_data.order(0), region="", attributes={}, max_price=None)
    two = replace(order, resources=Resources(2))
    small = replace(order, resources=Resources(1))

    assert 3 == len(match_providers(table, two, NOW))
    assert [Quote(1, "least")] == rank_quotes(table, two, NOW)
    assert [Quote(1, "least"), Quote(MAX_ATTO, "dear")] == rank_quotes(table, small, NOW)


def test_ties_go_by_id() -> None:
    """At the same price the lower id comes first, whatever the order of the rows."""
    (provider,) = example_data.providers(1)
    ids = ["b", "a10", "B", "a2", "ä"]
    table = ProviderTable([replace(provider, id=name) for name in ids])
    order = replace(example_data.order(0), region="", attributes={})

    assert ["B", "a10", "a2", "b", "ä"] == [
        q.provider for q in rank_quotes(table, order, example_data.NOW_NS)
    ]


def test_a_price_differs_in_the_last_place() -> None:
    """Prices that are equal as floats are still told apart, as is the highest price."""
    (provider,) = example_data.providers(1)
    dear, cheap = "1000000000.000000000000000002", "1000000000.000000000000000001"
    prices = replace(provider.pricing, memory_gb="0", storage_gb="0", markup_percent="0")
    table = ProviderTable(
        [
            replace(provider, id="a", pricing=replace(prices, cpu_core=dear)),
            replace(provider, id="b", pricing=replace(prices, cpu_core=cheap)),
        ]
    )
    order = replace(
        example_data.order(0), resources=Resources(1), region="", attributes={}, max_price=dear
    )

    assert float(dear) == float(cheap)
    assert ["b", "a"] == [q.provider for q in rank_quotes(table, order, example_data.NOW_NS)]
    lower = replace(order, max_price=cheap)
    assert ["b"] == [q.provider for q in rank_quotes(table, lower, example_data.NOW_NS)]


def test_a_provider_that_shrinks_below_what_is_held() -> None:
    """It serves no order that needs the resource, until enough is released."""
    (provider,) = example_data.providers(1)
    provider = replace(provider, capacity=Resources(8, 8, 8, 8), reserved=Resources())
    table = ProviderTable([provider])
    table.reserve(provider.id, Resources(6, 0, 0, 0))
    table.update(replace(provider, capacity=Resources(4, 8, 8, 8)))

    def fits(resources: Resources) -> bool:
        order = replace(example_data.order(0), resources=resources, region="", attributes={})
        return bool(len(match_providers(table, order, example_data.NOW_NS)))

    assert (-2, 8, 8, 8) == table.free(provider.id)
    table.reserve(provider.id, Resources(0, 1))
    table.release(provider.id, Resources(0, 1))
    assert [False, True] == [fits(Resources(1)), fits(Resources(0, 1))]
    table.release(provider.id, Resources(6, 0, 0, 0))
    assert [True, False] == [fits(Resources(4)), fits(Resources(5))]


def test_unused_names_take_no_memory() -> None:
    """Renaming a provider again and again does not fill the memory."""
    (provider,) = example_data.providers(1)
    table = ProviderTable([provider])
    for number in range(1_000):
        table.update(replace(provider, regions=(f"region-{number}",)))

    assert NO_LABEL == table.number(LabelKind.REGION, "region-998")
    assert 0 < table.number(LabelKind.REGION, "region-999") < 20


def test_a_table_does_not_share_a_provider_s_attributes() -> None:
    """Changing the dictionary afterwards changes nothing in the table."""
    (provider,) = example_data.providers(1)
    attributes = {"tier": "gold"}
    table = ProviderTable([replace(provider, attributes=attributes)])
    attributes["tier"] = "tin"

    assert {"tier": "gold"} == table.get(provider.id).attributes
    table.remove(provider.id)
    assert NO_LABEL == table.number(LabelKind.ATTRIBUTE, ("tier", "gold"))


def test_quotes_of_no_rows() -> None:
    """Without rows there are no quotes."""
    table = ProviderTable(example_data.providers(3))
    rows = match_providers(
        table, replace(example_data.order(0), offering="unknown"), example_data.NOW_NS
    )

    assert [] == quote_prices(table, example_data.order(0), rows)
