"""What a transfer costs the chain by stage, and the latency at a rate, for docs/benchmarks.md.

    python -m benchmarks.chain_stages [--rate 20000] [--seconds 5] [--core native]

The state is on disk, each block durable before its transfers count; transfers are signed before.
First as many transfers as the rate brings in that time go in as fast as the chain takes them (its
capacity), then as many at the rate, each at its time, whether the chain keeps up or not. CPU time
is that of this process and its verifiers by the pipeline's own accounting; "this thread" is what
one processor has to do beside verifying. Rate and latency mean something only where nothing else
runs.
"""

import argparse
import gc
import time
from collections.abc import Sequence

from veperf._native.core import CORES, use_core
from veperf.core.load import Finished
from veperf.workloads.transaction.load import ChainLoadFixture, ChainTarget

NS_PER_S = 10**9


def main() -> None:
    """Measure both, and print them."""
    arguments = _arguments()
    count = round(arguments.rate * arguments.seconds)
    with use_core(arguments.core):
        fixture = ChainLoadFixture(arguments.accounts, "disk")
        try:
            for rate in (None, arguments.rate):
                chain, items = fixture.chain(count)
                raws = [next(items) for _ in range(count)]
                gc.collect()
                gc.freeze()
                try:
                    _print_run(chain, raws, rate)
                finally:
                    chain.close()
        finally:
            fixture.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chain_stages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=20_000, help="transfers a second")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--core", choices=CORES, default=CORES[0])
    return parser.parse_args()


def _print_run(chain: ChainTarget, raws: Sequence[bytes], rate: float | None) -> None:
    thread_ns, process_ns, start = (
        time.thread_time_ns(),
        time.process_time_ns(),
        time.monotonic_ns(),
    )
    latencies_ns = _offer_all(chain, raws, rate)
    elapsed_s = (time.monotonic_ns() - start) / NS_PER_S
    count = len(raws)
    thread_us = (time.thread_time_ns() - thread_ns) / count / 1_000
    process_us = (time.process_time_ns() - process_ns) / count / 1_000
    what = "as fast as it goes" if rate is None else f"at {rate:,.0f}/s"
    print(f"{count:,} transfers {what}: {count / elapsed_s:,.0f} a second")
    stages = {name: cost / 1_000 for name, cost in chain.costs().items()}
    print("  CPU µs each:", ", ".join(f"{name} {cost:.1f}" for name, cost in stages.items()))
    print(f"  in all {sum(stages.values()):.1f}; this process {process_us:.1f},", end=" ")
    print(f"this thread {thread_us:.1f}")
    if rate is not None:
        latencies_ns.sort()
        quantiles = (latencies_ns[int(count * share)] / 1e6 for share in (0.5, 0.95, 0.99))
        print("  latency ms: p50 {:.1f}, p95 {:.1f}, p99 {:.1f}".format(*quantiles))


def _offer_all(chain: ChainTarget, raws: Sequence[bytes], rate: float | None) -> list[int]:
    """Offer all when they are due, and return how long each took from then until it was durable."""
    gap_ns = 0.0 if rate is None else NS_PER_S / rate
    latencies_ns: list[int] = []
    offered = 0
    start = time.monotonic_ns()
    while len(latencies_ns) < len(raws):
        now = time.monotonic_ns() - start
        while offered < len(raws) and offered * gap_ns <= now:
            if not chain.offer(offered, raws[offered]):
                break
            offered += 1
        finished = chain.step()
        _check(finished)
        now = time.monotonic_ns() - start
        latencies_ns += [round(now - tag * gap_ns) for tag in finished.committed]
    return latencies_ns


def _check(finished: Finished) -> None:
    assert not finished.failed, finished.failed


if __name__ == "__main__":
    main()
