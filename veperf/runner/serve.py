"""A target that waits for loads from elsewhere, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from veperf.core import registry
from veperf.core.errors import MeasureError
from veperf.ipc.signals import stopping
from veperf.loadtest.custom_case import load_case
from veperf.loadtest.remote.address import Listener, TcpAddress, parse_address
from veperf.loadtest.remote.auth import TOKEN_VARIABLE, draw_token, given_token
from veperf.loadtest.remote.benchmark import apart_of, subject_of
from veperf.loadtest.remote.server import Served, serve
from veperf.workloads.suites import SUITES

_ALL_INTERFACES = ("0.0.0.0", "::")  # noqa: S104 - to warn of them


def serve_loads(
    benchmark: str,
    params: Mapping[str, str],
    *,
    listen: str,
    shards: int | None,
    modules: Sequence[str],
    tell: Callable[[str], object],
) -> bool:
    """Serve loads on the system of ``benchmark``, a fresh one each, until told to end by a signal.

    Args:
        benchmark: of level load.
        params: those to be other than the benchmark's defaults.
        listen: the address, ``unix:///PATH`` or ``tcp://HOST:PORT``.
        shards: how many every load must have; None: as many as its first shard says.
        modules: more modules with benchmarks.
        tell: takes lines for people; the first is the address, with the real port.

    Returns:
        Whether a load was on when it was told to end.

    Raises:
        UsageError: there is no such load, or nowhere to listen.
        MeasureError: the system can't be made, or failed.
    """
    case = load_case(registry.load([*SUITES.values(), *modules]), benchmark, params)
    subject = subject_of(case.benchmark, case.params)
    given = given_token()
    token = given or draw_token()
    with (
        stopping() as told,
        apart_of(case.benchmark, case.params) as apart,
        closing(Listener(parse_address(listen))) as door,
    ):
        tell(str(door.address))
        if not given:
            tell(f"{TOKEN_VARIABLE}={token}")
        tell(f"{subject}: `veperf load --target` puts a load on it; Ctrl-C ends it")
        if isinstance(door.address, TcpAddress) and door.address.host in _ALL_INTERFACES:
            tell("on every interface of this host: do that on a trusted network only")
        while not told():
            try:
                served = serve(apart, door, subject=subject, token=token, shards=shards, stop=told)
            except MeasureError:
                if told():
                    return True
                raise
            if not told():
                tell(_words(served))
    return False


def _words(served: Served) -> str:
    if served.called_off:
        return f"load called off: {served.called_off}"
    failed = f", {served.failed:,} failed" if served.failed else ""
    lost = f"; lost shards {', '.join(map(str, served.lost))}" if served.lost else ""
    shards = "1 shard" if served.shards == 1 else f"{served.shards} shards"
    return f"load over: {shards}, {served.committed:,} committed{failed}{lost}"
