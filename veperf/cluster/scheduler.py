"""Connect to a dask scheduler, or start a cluster of one worker on this machine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from veperf.cluster.sweep_plan import WORKER_RESOURCE, SweepPlan, class_resource
from veperf.core.errors import MeasureError, UsageError
from veperf.core.log_suppression import suppress_logging

if TYPE_CHECKING:
    from distributed import Client

# dask keeps most timeouts itself, but not all.
_SLACK_S = 5.0


def connect_client(scheduler: str, timeout_s: float = 10.0) -> "Client":
    """Return a client of the scheduler at this address, which ``check_scheduler`` accepts.

    Raises:
        MeasureError: no scheduler answers there.
    """
    clients: SimpleQueue[Client | Exception] = SimpleQueue()
    # In a thread: dask waits for ever for a server that accepts the connection and sends nothing.
    threading.Thread(
        target=lambda: clients.put(_try_connect(scheduler, timeout_s)), daemon=True
    ).start()
    try:
        client = clients.get(timeout=timeout_s + _SLACK_S)
    except Empty:
        raise MeasureError(
            f"the server at {scheduler} does not answer as a dask scheduler"
        ) from None
    if isinstance(client, Exception):
        raise MeasureError(
            f"no scheduler answers at {scheduler} ({client}); is it started?"
        ) from client
    return client


def _try_connect(scheduler: str, timeout_s: float) -> "Client | Exception":
    from distributed import Client

    try:
        return Client(scheduler, timeout=f"{timeout_s:g}s", set_as_default=False)
    except Exception as error:  # noqa: BLE001 - it is handed to the thread that waits for it
        return error


LOW_OVERHEAD_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.tick.interval": "1s",
}
"""Settings of dask with which a worker does next to nothing beside the measurement."""


@contextmanager
def client_factory(scheduler: str | None, plan: SweepPlan) -> "Iterator[Callable[[], Client]]":
    """Yield a function that connects to ``scheduler``, or to a cluster started on this machine.

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
        with suppress_logging("distributed"):
            yield lambda: connect_client(scheduler)
        return
    classes = {class_resource(name): 1 for name in plan.spec.machine_classes}
    with (
        suppress_logging("distributed"),
        dask.config.set(LOW_OVERHEAD_SETTINGS),
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            # No dashboard; dask's other HTTP services take any free port, not its 8787.
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            resources={WORKER_RESOURCE: 1} | classes,
        ) as local_cluster,
    ):
        yield lambda: Client(local_cluster, set_as_default=False)


_LARGEST_PORT = 65_535


def check_scheduler(address: str | None) -> None:
    """Check that dask is installed, and that ``address``, if given, can be a scheduler's.

    Raises:
        UsageError: dask.distributed is not installed, or the address is invalid.
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
            f"{address!r} is no address of a scheduler; one is tcp://10.0.0.1:8786: {error}"
        ) from error
    if not host or not 0 < port <= _LARGEST_PORT:
        raise UsageError(f"{address!r} has no host, or no valid port")
    if address.startswith("tls://"):
        try:
            context = Security().get_connection_args("client")["ssl_context"]
        except (OSError, ValueError) as error:
            raise UsageError(f"the certificates for {address} can't be used: {error}") from error
        if context is None:
            raise UsageError(
                f"{address} needs certificates, but dask's configuration names none: set "
                "distributed.comm.tls.ca-file, and client.cert and client.key below it"
            )
