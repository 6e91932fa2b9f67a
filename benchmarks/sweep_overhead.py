"""What a sweep costs beside the runs themselves.

    python -m benchmarks.sweep_overhead [--tasks 1000] [--rounds 3]

Two figures: how long a task takes that does nothing, through a scheduler and a worker that are
processes of their own; and by how much a sweep's task of some ten seconds is longer than the same
`veperf run`, both without their start.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.clusters import Cluster, instant
from veperf.archive import Archive
from veperf.cluster import Ledger, Spec
from veperf.cluster.conduct import conduct
from veperf.cluster.plan import make_plan
from veperf.cluster.watch import Lines
from veperf.cluster.work import measure

_TEN_SECONDS = "bidding/serialization"


class _Quiet(Lines):
    def say(self, words: str) -> None:
        pass


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tasks", type=int, default=1000)
    asked.add_argument("--rounds", type=int, default=3)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Cluster(folder) as cluster:
            cluster.start_worker("only", "any")
            with cluster.client() as client:
                client.wait_for_workers(1)
            small(cluster, folder, options.tasks)
            ratios = [compared(cluster, folder / str(n)) for n in range(options.rounds)]
    print(f"a sweep's task by a plain run: {statistics.median(ratios):.3f} (median of ratios)")


def small(cluster: Cluster, folder: Path, tasks: int) -> None:
    """Tasks that do nothing."""
    spec = Spec("small", benchmarks=("x",), repeats=tasks)
    with Ledger.begin(Archive(folder / "small"), make_plan(spec, str)) as ledger:
        started = time.perf_counter()
        conduct(ledger, cluster.client, _Quiet(ledger), work=instant)
        took_s = time.perf_counter() - started
    print(f"{tasks} tasks that do nothing: {took_s:.1f} s, {took_s / tasks * 1e3:.1f} ms each")


def compared(cluster: Cluster, folder: Path) -> float:
    """A sweep of one task by the same run without a cluster, one after the other."""
    spec = Spec("one", benchmarks=(_TEN_SECONDS,))
    plan = make_plan(spec, str)
    started = time.perf_counter()
    measure(plan.tasks[0], lambda: False, print)
    plain_s = time.perf_counter() - started
    with Ledger.begin(Archive(folder), plan) as ledger:
        started = time.perf_counter()
        conduct(ledger, cluster.client, _Quiet(ledger))
        swept_s = time.perf_counter() - started
    print(f"plain {plain_s:.2f} s, in a sweep {swept_s:.2f} s: {swept_s / plain_s:.3f}")
    return swept_s / plain_s


if __name__ == "__main__":
    main()
