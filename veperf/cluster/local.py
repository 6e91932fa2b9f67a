"""Where the tasks go: a scheduler that is there, or a cluster of one worker on this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from veperf.cluster.client import connect
from veperf.cluster.plan import ONE_AT_A_TIME, Plan, class_resource
from veperf.cluster.quiet import quiet
from veperf.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client

QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.tick.interval": "1s",
}
"""Settings of dask by which a worker does next to nothing beside what is measured."""


@contextmanager
def cluster(scheduler: str | None, plan: Plan) -> "Iterator[Callable[[], Client]]":
    """What connects to ``scheduler``, or to a cluster on this machine for the time of the block.

    The one worker of a local cluster is of every machine class that ``plan`` names.

    Raises:
        UsageError: dask.distributed is not installed.
    """
    try:
        import dask.config
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError("sweeps need dask.distributed: pip install 'veperf[cluster]'") from error
    if scheduler is not None:
        with quiet():
            yield lambda: connect(scheduler)
        return
    classes = {class_resource(name): 1 for name in plan.spec.machine_classes}
    with (
        quiet(),
        dask.config.set(QUIET),
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            # No dashboard; for what else it serves by HTTP, dask takes any free port, not its 8787.
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            resources={ONE_AT_A_TIME: 1} | classes,
        ) as here,
    ):
        yield lambda: Client(here, set_as_default=False)
