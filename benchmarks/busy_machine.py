"""Starvation of a load by other work on the machine, and by its own rate.

    python -m benchmarks.busy_machine [--neighbours 0 1 2] [--rates 1000 20000] [--repeats 3]

Puts a load of transfers on this machine beside so many endless loops, which it ends again, and
prints for each load: how much of the CPU time that it wanted others had (``taken``), the share of
all CPU time that others had, the run-queue wait of its threads, its latency and errors, and whether
it is void. Beside no neighbour, on a quiet machine, no rate may make a load void, as its threads
wait for each other only.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from veperf.api.runs import run_load
from veperf.core.text import format_percent
from veperf.report.tables.table import Cell, Table, columns, text_table

_ENDLESS = "while True: pass"


@contextlib.contextmanager
def busy_neighbours(count: int, nice: int = 0) -> Iterator[None]:
    """Keep ``count`` processes busy for the time of the block."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _ENDLESS],
            start_new_session=True,  # a scheduling group of its own, as other work has
            preexec_fn=lambda: os.nice(nice),
        )
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neighbours", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 20_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--nice", type=int, default=0, help="of the neighbours")
    parser.add_argument("--shards", type=int, default=0)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as archive:
        for neighbours in options.neighbours:
            for rate in options.rates * options.repeats:
                with busy_neighbours(neighbours, options.nice):
                    result = run_load(
                        params={"rate": rate, "state": "memory"},
                        seconds=3,
                        shards=options.shards,
                        archive=archive,
                        progress=False,
                    )
                (load,) = result.run.passes[0].results
                contention, figures = load.contention, load.figures
                assert contention is not None, "this system does not tell"
                rows.append(
                    (
                        f"{neighbours}",
                        f"{rate}/s",
                        format_percent(contention.taken_ratio),
                        format_percent(contention.others_ratio),
                        f"{contention.waited_s:.2f} s",
                        f"{figures.get('latency_p50', 0):.1f} ms",
                        f"{figures.get('latency_p99', 0):.1f} ms",
                        format_percent(figures["error_rate"] / 100),
                        load.failure.message if load.failure else "valid",
                    )
                )
                print(*rows[-1], sep="\t", file=sys.stderr, flush=True)
    heads = ("Neighbours", "Rate", "Taken", "Others", "Waited", "p50", "p99", "Errors", "Load")
    print(text_table(Table("", columns(*heads), tuple(tuple(map(Cell, row)) for row in rows))))


if __name__ == "__main__":
    main()
