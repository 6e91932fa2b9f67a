"""Connect to a dask scheduler."""

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from veperf.core.errors import MeasureError, UsageError

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


_LARGEST_PORT = 65_535


def check_scheduler(address: str | None) -> None:
    """Check that ``address``, if given, can be a scheduler's, and that dask is installed then.

    Raises:
        UsageError: dask.distributed is not installed, or the address is invalid.
    """
    if address is None:
        return
    try:
        from distributed.comm import get_address_host_port
        from distributed.security import Security
    except ImportError as error:
        raise UsageError(
            "a scheduler needs dask.distributed: pip install 'veperf[cluster]'"
        ) from error
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
