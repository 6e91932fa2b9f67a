"""Place a load by shards: on this machine, on a cluster, or on a target that runs already."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from veperf.cluster.load import ClusterLauncher, cluster_launcher
from veperf.core.errors import MeasureError, UsageError
from veperf.core.run import Machine
from veperf.loadtest.remote.auth import TOKEN_VARIABLE, token_from_environment
from veperf.loadtest.remote.messages import MAX_SHARDS
from veperf.loadtest.remote.shard_connection import probe_machine
from veperf.loadtest.remote.target_socket import Address, parse_target_address
from veperf.loadtest.sharded.local_processes import LocalLauncher, local_launcher
from veperf.loadtest.sharded.passes import Placement

UNKNOWN_MACHINE = Machine("unknown", "", 0, None, "", "")
"""The machine of a target that only the workers of a scheduler can reach."""
_PROBE_S = 10.0


@dataclass(frozen=True, slots=True)
class PlacementRequest:
    """The wanted places of a load's target and shards; by default this machine."""

    scheduler: str | None = None
    """Address of the dask scheduler whose workers they are to be on."""
    target: str | None = None
    """Address of a target that runs already."""
    target_class: str = ""
    """Machine class of the worker that is to be the target."""


@contextmanager
def place_load(request: PlacementRequest, shards: int) -> Iterator[Placement | None]:
    """Place a load of so many shards for the time of the block; yield None without shards.

    Raises:
        UsageError: the request makes no sense.
        MeasureError: there is no scheduler, it has too few workers, or there is no such target.
    """
    if not shards and request == PlacementRequest():
        yield None
        return
    if not shards:
        raise UsageError(
            "a target or a scheduler is for a load from other processes; say how many, as in "
            "--shards 2"
        )
    if not 1 <= shards <= MAX_SHARDS:
        raise UsageError(
            f"a load can come from 1 to {MAX_SHARDS} shards, not {shards}; say how many"
        )
    if request.target_class and (request.scheduler is None or request.target is not None):
        raise UsageError("a machine class for the target needs a scheduler that starts the target")
    if request.target is not None:
        address, token = parse_target_address(request.target), _token()
        with _launcher(request, shards) as launcher:
            machine = _target_machine(request, address, token)
            yield Placement(launcher, machine, request.target, token)
    else:
        with _launcher(request, shards) as launcher:
            yield Placement(launcher, launcher.machine())


def _launcher(
    request: PlacementRequest, shards: int
) -> AbstractContextManager[ClusterLauncher | LocalLauncher]:
    if request.scheduler is None:
        return local_launcher()
    return cluster_launcher(
        request.scheduler,
        shards,
        with_target=request.target is None,
        target_class=request.target_class,
    )


def _token() -> str:
    token = token_from_environment()
    if not token:
        raise UsageError(
            f"a target needs its token: set {TOKEN_VARIABLE} to the one that `veperf serve` shows"
        )
    return token


def _target_machine(request: PlacementRequest, target: Address, token: str) -> Machine:
    """Return the machine that ``target`` reports.

    Raises:
        MeasureError: it can't be reached from this machine, where the shards are to be, too.
    """
    if request.scheduler is None:
        return probe_machine(target, token)
    try:
        return probe_machine(target, token, _PROBE_S)
    except MeasureError:  # it may be in a network that only the scheduler's workers can reach
        return UNKNOWN_MACHINE
