"""A target that waits for loads from elsewhere, one after the other."""

import socket
from collections.abc import Callable, Mapping
from contextlib import closing

from veperf.core import registry
from veperf.core.errors import MeasureError, UsageError
from veperf.core.options import ServeOptions
from veperf.core.registry import SUITES
from veperf.ipc.signals import catch_stop_signals
from veperf.loadtest.custom_case import custom_load_case
from veperf.loadtest.remote.auth import TOKEN_VARIABLE, generate_token, token_from_environment
from veperf.loadtest.remote.benchmark import load_subject, set_up_remote_load
from veperf.loadtest.remote.server import ServedLoad, serve_load
from veperf.loadtest.remote.target_socket import (
    Address,
    Listener,
    TcpAddress,
    is_of_this_host,
    parse_target_address,
)


def serve_loads(
    benchmark: str,
    params: Mapping[str, str],
    *,
    options: ServeOptions,
    notify: Callable[[str], object],
) -> bool:
    """Serve loads on the system of ``benchmark``, a fresh one each, until a signal ends it.

    Args:
        benchmark: id of a load benchmark.
        params: values that override the benchmark's defaults.
        options: the address, the number of shards, more modules with benchmarks.
        notify: takes lines for people; the first is the address, with the real port.

    Returns:
        True where the signal came in the middle of a load.

    Raises:
        UsageError: there is no such load, nowhere to listen, or no token though other hosts
            can connect.
        MeasureError: the system can't be made, or failed.
    """
    known = registry.load_registry([*SUITES.values(), *options.all_modules])
    case = custom_load_case(known, benchmark, params)
    subject = load_subject(case.benchmark, case.params)
    chosen_token = token_from_environment()
    address = parse_target_address(options.listen)
    is_local = is_of_this_host(address)
    if not is_local and not chosen_token:
        raise UsageError(
            f"other hosts reach {address}, so {TOKEN_VARIABLE} must be set, here and for `veperf "
            f'load`: export {TOKEN_VARIABLE}="$(openssl rand -hex 16)"; without a token it listens '
            "on tcp://127.0.0.1:0 only"
        )
    token = chosen_token or generate_token()
    with (
        catch_stop_signals() as is_stopping,
        set_up_remote_load(case.benchmark, case.params) as load,
        closing(Listener(address)) as listener,
    ):
        notify(str(listener.address))
        if not chosen_token:
            notify(f"{TOKEN_VARIABLE}={token}")
        notify(f"{subject}: `veperf load --target` puts a load on it; Ctrl-C ends it")
        if not is_local:
            notify(_advise_tunnel(listener.address))
        while not is_stopping():
            try:
                served = serve_load(
                    load,
                    listener,
                    subject=subject,
                    token=token,
                    shards=options.shards,
                    stop=is_stopping,
                )
            except MeasureError:
                if is_stopping():
                    return True
                raise
            if not is_stopping():
                notify(_describe(served))
    return False


def _advise_tunnel(address: Address) -> str:
    assert isinstance(address, TcpAddress), "a socket in a folder is of this host"
    port = address.port
    return (
        "nothing is encrypted on the way; unless the network is trusted, listen on "
        f"tcp://127.0.0.1:{port}, run `ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}` "
        f"on the other host, and load tcp://127.0.0.1:{port}"
    )


def _describe(served: ServedLoad) -> str:
    if served.called_off:
        return f"load called off: {served.called_off}"
    failed = f", {served.failed:,} failed" if served.failed else ""
    lost = f"; lost shards {', '.join(map(str, served.lost))}" if served.lost else ""
    shards = "1 shard" if served.shards == 1 else f"{served.shards} shards"
    return f"load over: {shards}, {served.committed:,} committed{failed}{lost}"
