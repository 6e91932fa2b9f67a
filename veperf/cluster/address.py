"""Addresses of schedulers, looked at before anything is begun."""

from veperf.errors import UsageError

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
