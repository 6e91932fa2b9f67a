"""A load with parameters of one's own."""

from dataclasses import replace

import pytest

from tests.support import loads
from veperf.core.case import LATENCY_METRICS, Level
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.mix import kind_metrics
from veperf.core.registry import Benchmark, Registry
from veperf.loadtest.custom_case import custom_load_case

REGISTRY = Registry()
REGISTRY.add(
    Benchmark(
        "shop/load",
        Level.LOAD,
        loads.desk,
        {"rate": (5_000, 1_000), "factor": (1.5,), "state": ("disk", "memory")},
        {"latency_p95": "shop/latency_p95"},
        LATENCY_METRICS,
        multithreaded=False,
    )
)
REGISTRY.add(Benchmark("shop/till", Level.MICRO, loads.no_load, {}, {}, (), multithreaded=False))


def test_the_defaults_are_the_benchmark_s_own_case():
    """Nothing given, or nothing that differs: the same id, and the targets with it."""
    default = REGISTRY.benchmarks["shop/load"].cases()[0]

    assert default == custom_load_case(REGISTRY, "shop/load", {})
    assert default == custom_load_case(REGISTRY, "shop/load", {"rate": "5000", "state": "disk"})


def test_other_parameters_are_named_and_answer_no_target():
    """In the benchmark's order and types, whatever the order in which they were given."""
    case = custom_load_case(
        REGISTRY, "shop/load", {"state": "memory", "factor": "2", "rate": "8000"}
    )

    assert "shop/load[rate=8000,factor=2.0,state=memory]" == case.id
    assert {"rate": 8_000, "factor": 2.0, "state": "memory"} == case.params
    assert {} == case.targets
    assert "shop/load" == case.benchmark


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rate": "fast"}, "rate must be a whole number, not 'fast'"),
        ({"rate": "1.5"}, "a whole number"),
        ({"rate": "0"}, "more than 0"),
        ({"rate": "-5"}, "more than 0"),
        ({"factor": "nan"}, "finite"),
        ({"factor": "inf"}, "finite"),
        ({"state": "tape"}, "it can be disk, memory"),
        ({"speed": "1"}, "has no parameter 'speed'; it has rate, factor, state"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(params, message):
    """With what it could be."""
    with pytest.raises(UsageError, match=message):
        custom_load_case(REGISTRY, "shop/load", params)


def test_what_is_no_load_is_refused():
    """With the names of those that are."""
    with pytest.raises(UnknownBenchmarkError, match="there are shop/load"):
        custom_load_case(REGISTRY, "shop/lad", {})
    with pytest.raises(UsageError, match="shop/till is no load"):
        custom_load_case(REGISTRY, "shop/till", {})


def test_a_mix_may_have_any_shares_of_the_known_kinds():
    """Each of its kinds has metrics, in place of those of the default mix; others are refused."""
    mixes = ("send=75,bid=25", "score=100")
    metrics = (*LATENCY_METRICS, *kind_metrics(["send", "bid"]))
    mixed = replace(REGISTRY.benchmarks["shop/load"], params={"mix": mixes}, metrics=metrics)
    registry = Registry({mixed.id: mixed})
    default = mixed.cases()[0]
    case = custom_load_case(registry, mixed.id, {"mix": "score=1,bid=3"})

    assert default == custom_load_case(registry, mixed.id, {"mix": "bid=1,send=3"})
    assert "shop/load[mix=bid=75,score=25]" == case.id
    assert (*LATENCY_METRICS, *kind_metrics(["bid", "score"])) == case.metrics
    with pytest.raises(UsageError, match="there are send, bid, score"):
        custom_load_case(registry, mixed.id, {"mix": "stake=1"})
