"""The benchmarks of the suite measure the documented work, repeatably."""

from hashlib import sha256
from itertools import islice
from typing import Any

import msgspec
import pytest

from veperf.core.case import Case, Level
from veperf.core.registry import LoadTask, Task, load_registry, matching_cases
from veperf.workloads.bidding import benchmarks, example_data
from veperf.workloads.bidding.engine import BidOutcome, Decision
from veperf.workloads.bidding.load import create_engine
from veperf.workloads.bidding.table import ProviderTable

REGISTRY = load_registry(["veperf.workloads.bidding.benchmarks"])
SMALL = [
    case
    for case in matching_cases(REGISTRY, ["bidding"])
    if case.level is not Level.LOAD
    and case.benchmark != "bidding/parallel"  # starts processes: an integration test
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_a_call_can_be_repeated(case: Case) -> None:
    """Each call gives the result of the first, so that all cost the same."""
    task = REGISTRY.benchmarks[case.benchmark].setup(**case.params)
    assert isinstance(task, Task)
    try:
        results = [comparable(task.call()) for _ in range(3)]
    finally:
        if task.close:
            task.close()

    assert [results[0]] * 3 == results


def comparable(result: Any) -> Any:
    """Return a decision without its time."""
    if isinstance(result, Decision):
        assert result.bid is not None
        return result.outcome, result.bid.bid.provider, result.bid.bid.price
    return result


def test_ids_and_targets() -> None:
    """The agreed benchmarks exist, and answer the suite's published targets."""
    cases = [case for case in matching_cases(REGISTRY, ["bidding"]) if "[" not in case.id]
    timed = ("latency", "order_matching", "price_calc", "signing", "rate_limiter")
    loaded = ("latency_p95", "latency_p99", "throughput")

    answered = {target: case for case in cases for target in case.targets.values()}
    assert {f"bidding/{name}" for name in timed + loaded} == answered.keys()
    for name in timed:
        assert f"bidding/{name}" == answered[f"bidding/{name}"].id
    for name in loaded:
        assert Level.LOAD is answered[f"bidding/{name}"].level
    for case in cases:
        assert case.targets.keys() <= {metric.name for metric in case.metrics}
    assert all(case.what for case in cases)


def test_targets_are_of_one_provider_a_daemon() -> None:
    """As deployed; the population grows to 10,000 in cases that answer no target."""
    cases = [case for case in matching_cases(REGISTRY, ["bidding"]) if "providers" in case.params]
    by_population: dict[str, set[tuple[object, bool]]] = {}
    for case in cases:
        entry = case.params["providers"], bool(case.targets)
        by_population.setdefault(case.benchmark, set()).add(entry)

    assert {f"bidding/{name}" for name in ("latency", "order_matching", "load", "throughput")} == (
        by_population.keys()
    )
    for entries in by_population.values():
        assert {1} == {providers for providers, answers in entries if answers}
        assert 10_000 == max(providers for providers, _ in entries if isinstance(providers, int))


@pytest.mark.parametrize("profile", example_data.PROFILES)
def test_the_measured_bid_is_placed(profile: str) -> None:
    """The timed call does not reject the order."""
    decision: Any = benchmarks.resources(profile=profile).call()

    assert BidOutcome.BID is decision.outcome


def test_the_stages_are_the_whole_bid() -> None:
    """In turn they give the same signed bid, and leave the table unchanged."""
    task = benchmarks.latency(providers=1_000)
    values: list[Any] = [None]
    for stage in task.stages.values():
        values.append(stage(values[-1]))
    decision: Any = task.call()

    assert ["decode", "match", "limit", "price", "sign", "submit", "reserve"] == list(task.stages)
    _, submitted = values[-2]
    placed = decision.bid.bid
    assert (placed.provider, placed.price) == (submitted.bid.provider, submitted.bid.price)
    assert values[-1] is None
    assert not benchmarks._table(1_000).columns.held.any()


@pytest.mark.parametrize("providers", [1, 100, 10_000])
def test_every_order_of_a_load_gets_its_bid(providers: int) -> None:
    """The same orders, whatever the population: the daemon's own provider can serve each."""
    table = ProviderTable(example_data.daemon_providers(providers))
    engine = create_engine(table)
    for event in islice(example_data.order_events(), 48):
        decision = engine.handle(event)
        engine.reservations.release(decision.order_id)

    assert providers == len(table)
    assert {BidOutcome.BID: 48} == engine.counts


@pytest.mark.parametrize("profile", example_data.PROFILES)
def test_the_daemons_own_provider_can_serve_each_profile(profile: str) -> None:
    """By a look at its fields, one by one."""
    (own,) = example_data.daemon_providers()
    orders = example_data.daemon_orders(profile)

    assert orders
    for order in orders:
        needed, free = order.resources, own.for_sale
        assert all(n <= f for n, f in zip(needed.amounts, free, strict=True))
        assert order.region in own.regions
        assert order.attributes.items() <= own.attributes.items()
        assert (order.gpu_type, order.offering) in ((own.gpu_type, "gpu"), ("", "compute"))
        assert own.active


def test_the_full_limiter_allows_each_time() -> None:
    """Its windows are full, and still no timed call is a denial."""
    limiter = benchmarks._full_limiter(10)

    assert all(limiter.allow() for _ in range(1_000))


def test_loads_are_made_on_demand() -> None:
    """Making a load task starts nothing: the generator does."""
    for setup in (
        benchmarks.load(rate=20, providers=1),
        benchmarks.burst(orders=10),
        benchmarks.throughput(providers=1),
    ):
        assert isinstance(setup, LoadTask)
        assert setup.close is None


def test_the_example_market_is_the_same_everywhere() -> None:
    """Seeded: digests of it are constants of the suite; a change breaks comparisons.

    That of the orders changed once: they are those that the daemon's own provider can serve.
    """
    market = msgspec.json.encode(example_data.providers(50))
    orders = msgspec.json.encode(list(islice(example_data.order_events(), 50)))

    assert (
        "fdc0acc2e0860b0565c9e74be45d5807ace9bc1bf6f1c6709e9cc5df2b14fc7c"
        == sha256(market).hexdigest()
    )
    assert (
        "1c26c38b19f3201f1f1f8c4ca2cb381579451c6f9a02c44b3141a86669234a9e"
        == sha256(orders).hexdigest()
    )
    assert example_data.providers(50)[:10] == example_data.providers(10)
