"""A sweep of held tasks, as a process that can be put on any host.

    client.py ARCHIVE SCHEDULER TASKS

Says what the progress is told, and at the end ``failed N``.
"""

import sys
from pathlib import Path

from distributed import Client

from tests.support.networks.held import held
from veperf.archive.store import Archive
from veperf.cluster.progress import SweepLines
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep import run_tasks
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import plan_sweep


def main() -> None:
    """Until all are done."""
    archive, scheduler, tasks = sys.argv[1:]
    plan = plan_sweep(SweepSpec("held", benchmarks=("a/x",), repeats=int(tasks)), str)
    with SweepJournal.create(Archive(Path(archive)), plan) as journal:
        failed = run_tasks(
            journal,
            lambda: Client(scheduler, timeout="5s", set_as_default=False),
            SweepLines(journal),
            patience_s=120,
            work=held,
        )
    print(f"failed {failed}", flush=True)


if __name__ == "__main__":
    main()
