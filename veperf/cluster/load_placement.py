"""Where a load by shards is put on: this machine, a cluster, or a target that runs already."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from veperf.cluster.load import OnCluster, on_cluster
from veperf.core.errors import MeasureError, UsageError
from veperf.core.run import Machine
from veperf.loadtest.remote.address import Address, parse_address
from veperf.loadtest.remote.auth import TOKEN_VARIABLE, given_token
from veperf.loadtest.remote.messages import MAX_SHARDS
from veperf.loadtest.remote.probe import machine_at
from veperf.loadtest.sharded.local_processes import Here, here
from veperf.loadtest.sharded.passes import Ground

UNKNOWN = Machine("unknown", "", 0, None, "", "")
"""The machine of a target that only the workers of a scheduler can reach."""
_ASK_S = 10.0


@dataclass(frozen=True, slots=True)
class Where:
    """Where the target of a load and its shards are to be; here where nothing is said."""

    scheduler: str | None = None
    """Of the workers that they are on."""
    target: str | None = None
    """The address of a target that runs already."""
    target_class: str = ""
    """The machine class of the worker that is to be the target."""


@contextmanager
def ground(where: Where, shards: int) -> Iterator[Ground | None]:
    """What a load of so many shards is put on, for the time of the block; None without shards.

    Raises:
        UsageError: that makes no sense.
        MeasureError: there is no scheduler, it has too few workers, or there is no such target.
    """
    if not shards and where == Where():
        yield None
        return
    if not 1 <= shards <= MAX_SHARDS:
        raise UsageError(
            f"a load can come from 1 to {MAX_SHARDS} shards, not {shards}; say how many"
        )
    if where.target_class and (where.scheduler is None or where.target is not None):
        raise UsageError("a machine class for the target needs a scheduler that starts the target")
    if where.target is not None:
        address, token = parse_address(where.target), _token()
        with _place(where, shards) as place:
            yield Ground(place, _machine_of(where, address, token), where.target, token)
    else:
        with _place(where, shards) as place:
            yield Ground(place, place.machine())


@contextmanager
def _place(where: Where, shards: int) -> Iterator[OnCluster | Here]:
    if where.scheduler is not None:
        with_target = where.target is None
        with on_cluster(
            where.scheduler, shards, with_target=with_target, target_class=where.target_class
        ) as workers:
            yield workers
    else:
        with here() as place:
            yield place


def _token() -> str:
    token = given_token()
    if not token:
        raise UsageError(
            f"a target lets in who has its token: set {TOKEN_VARIABLE} to the one that "
            "`veperf serve` shows"
        )
    return token


def _machine_of(where: Where, target: Address, token: str) -> Machine:
    """What ``target`` says that it is on.

    Raises:
        MeasureError: shards that are here could not reach it, either.
    """
    if where.scheduler is None:
        return machine_at(target, token)
    try:
        return machine_at(target, token, _ASK_S)
    except MeasureError:  # it may be in a network that only the scheduler's workers are in
        return UNKNOWN
