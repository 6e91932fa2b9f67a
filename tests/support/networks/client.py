"""A sweep of held tasks, as a process that can be put on any host.

    client.py ARCHIVE SCHEDULER TASKS

Says what the watcher is told, and at the end ``failed N``.
"""

import sys
from pathlib import Path

from distributed import Client

from tests.support.networks.held import held
from veperf.archive.store import Archive
from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import make_plan
from veperf.cluster.progress import Lines
from veperf.cluster.run import conduct
from veperf.cluster.spec import Spec


def main() -> None:
    """Until all are done."""
    archive, scheduler, tasks = sys.argv[1:]
    plan = make_plan(Spec("held", benchmarks=("a/x",), repeats=int(tasks)), str)
    with Ledger.begin(Archive(Path(archive)), plan) as ledger:
        failed = conduct(
            ledger,
            lambda: Client(scheduler, timeout="5s", set_as_default=False),
            Lines(ledger),
            patience_s=120,
            work=held,
        )
    print(f"failed {failed}", flush=True)


if __name__ == "__main__":
    main()
