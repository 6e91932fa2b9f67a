"""Where the tasks go: a scheduler that is there, or a cluster of one worker on this machine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from veperf.cluster.logs import quiet
from veperf.cluster.plan import ONE_AT_A_TIME, Plan, class_resource
from veperf.core.errors import MeasureError, UsageError

if TYPE_CHECKING:
    from distributed import Client

# dask keeps its time itself, and what it can't keep it waits for without end.
_SLACK_S = 5.0


def connect(scheduler: str, timeout_s: float = 10.0) -> "Client":
    """A client of the scheduler at this address, which has been looked at (``check_scheduler``).

    Raises:
        MeasureError: nobody answers there, or somebody who is no scheduler.
    """
    made: SimpleQueue[Client | Exception] = SimpleQueue()
    # A thread of its own: dask waits for ever for somebody who takes the call and says nothing.
    threading.Thread(target=lambda: made.put(_made(scheduler, timeout_s)), daemon=True).start()
    try:
        found = made.get(timeout=timeout_s + _SLACK_S)
    except Empty:
        raise MeasureError(
            f"whoever answers at {scheduler} does not do so as a scheduler of dask"
        ) from None
    if isinstance(found, Exception):
        raise MeasureError(
            f"no scheduler answers at {scheduler} ({found}); is it started?"
        ) from found
    return found


def _made(scheduler: str, timeout_s: float) -> "Client | Exception":
    from distributed import Client

    try:
        return Client(scheduler, timeout=f"{timeout_s:g}s", set_as_default=False)
    except Exception as error:  # noqa: BLE001 - it is handed to the thread that waits for it
        return error


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


_LARGEST_PORT = 65_535


def check_scheduler(address: str | None) -> None:
    """Find out whether sweeps are possible, and ``address``, if there is one, can be a scheduler's.

    Raises:
        UsageError: dask.distributed is not installed, or it is none.
    """
    try:
        from distributed.comm import get_address_host_port
        from distributed.security import Security
    except ImportError as error:
        raise UsageError("sweeps need dask.distributed: pip install 'veperf[cluster]'") from error
    if address is None:
        return
    try:
        host, port = get_address_host_port(address)
    except ValueError as error:
        raise UsageError(
            f"{address!r} is no address of a scheduler, such as tcp://10.0.0.1:8786: {error}"
        ) from error
    if not host or not 0 < port <= _LARGEST_PORT:
        raise UsageError(f"{address!r} has no host, or a port that none can have")
    if address.startswith("tls://"):
        try:
            found = Security().get_connection_args("client")["ssl_context"]
        except (OSError, ValueError) as error:
            raise UsageError(f"the certificates for {address} can't be used: {error}") from error
        if found is None:
            raise UsageError(
                f"{address} needs certificates, which dask's configuration does not name: set "
                "distributed.comm.tls.ca-file, and client.cert and client.key below it"
            )
