"""Benchmarks of the transaction suite under loads that are not plain: overload, and mixes.

They run where they are named, and in every profile but the quick one. What they need is imported
when they are set up, so that the others' processes start as fast as without them.
"""

from typing import Literal

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import GENERATOR
from veperf.core.mix import kind_metrics, parse_mix
from veperf.core.registry import LoadTask, benchmark
from veperf.core.remote_load import SuppliedSystem

_ACCOUNTS = 100_000


def _stage_metrics(*stages: str) -> tuple[Metric, ...]:
    return tuple(Metric(f"cpu_{stage}", "µs") for stage in (GENERATOR, *stages))


@benchmark(
    "transaction/overload",
    level=Level.LOAD,
    params={"times": (3, 0.5, 1, 1.5, 2)},
    metrics=(
        Metric("offered", "tx/s", "unknown"),
        Metric("achieved", "tx/s", "higher"),
        *LATENCY_METRICS,
        Metric("shed_rate", "%", "unknown"),
        Metric("drain", "s"),
        *_stage_metrics("hash", "decode", "verify", "transport", "execute", "commit"),
    ),
    slow=("*",),
)
def overload(times: float) -> LoadTask:
    """The chain at a multiple of its capacity, which is measured before; clients pay four fees.

    What the mempool sheds is no error. Latency is that of the transfers that were admitted.
    """
    from veperf.workloads.transaction import overload as overloading
    from veperf.workloads.transaction.load import ChainLoadFixture

    fixture = ChainLoadFixture(_ACCOUNTS, "disk", overloading.SETTINGS)
    chain = fixture.target()
    try:
        clients = overloading.PayingClients(_ACCOUNTS)
        capacity = overloading.measure_capacity(chain, clients)
    finally:
        chain.close()

    def system(_: int) -> overloading.OverloadedChain:
        clients = overloading.PayingClients(_ACCOUNTS)
        return overloading.OverloadedChain(fixture.target(), clients)

    return LoadTask(system, times * capacity, fixture.close)


_MIXES = (
    "send=60,create_bid=20,update_score=15,multi_send=5",
    "create_bid=50,delegate=30,create_deployment=20",
)


@benchmark(
    "transaction/mix_load",
    level=Level.LOAD,
    params={"rate": (500, 1_000), "mix": _MIXES, "state": ("disk", "memory")},
    metrics=(
        Metric("achieved", "tx/s", "higher"),
        *LATENCY_METRICS,
        *kind_metrics(parse_mix(_MIXES[0])),
        *_stage_metrics("hash", "decode", "check", "execute", "commit"),
    ),
    slow=("*",),
)
def mix_load(rate: int, mix: str, state: Literal["disk", "memory"]) -> LoadTask:
    """Latency from arrival to commit of transactions of several kinds, by kind and in all.

    On the stores of nine modules, with gas, in one thread, at random arrivals of a fixed rate.
    """
    from veperf.workloads.transaction.mix_load import MixLoadFixture

    fixture = MixLoadFixture(parse_mix(mix), state)
    return LoadTask(lambda items: SuppliedSystem(*fixture.chain(items)), rate, fixture.close)
