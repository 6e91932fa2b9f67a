"""The target's side of one load, from the making of the target to the farewell."""

import gc
from collections.abc import Callable

from msgspec import Struct

from veperf.core.errors import MeasureError, VeperfError
from veperf.core.registry import Apart
from veperf.loadtest.remote.address import Listener
from veperf.loadtest.remote.rendezvous import CalledOffError, Gathering, Terms
from veperf.loadtest.remote.session import Running

RENDEZVOUS_S = 240.0


class Served(Struct, frozen=True):
    """One load, from the target's side. Counts are of items, warm-up included."""

    shards: int
    """That took part."""
    committed: int = 0
    failed: int = 0
    rejected: int = 0
    lost: tuple[int, ...] = ()
    """Shards that went away after the start and before they were done."""
    called_off: str = ""
    """Why the load did not start; empty where it did."""


def serve(
    apart: Apart,
    listener: Listener,
    *,
    subject: str,
    token: str,
    shards: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    rendezvous_s: float = RENDEZVOUS_S,
) -> Served:
    """Make the target, and serve one load on it.

    Before the start, a shard that goes away has the load called off. After it, the others go on;
    what was lost is said. Who connects meanwhile has to wait for the next load.

    Args:
        apart: how to make the target.
        listener: where shards connect.
        subject: what it is, as ``subject_of`` gives it; shards must mean the same.
        token: who has it may take part.
        shards: how many there must be; None: as many as the first one says.
        stop: asked many times a second; where it says yes, serving ends.
        rendezvous_s: how long after the first shard the last one may be ready.

    Raises:
        MeasureError: ``stop`` said yes in the middle of the load; or the target failed.
    """
    try:
        return _serve(
            apart, listener, Terms(subject, token, shards, apart.capacity, rendezvous_s), stop
        )
    except VeperfError:
        raise
    except Exception as error:  # a target may raise anything
        raise MeasureError(f"the target failed: {type(error).__name__}: {error}") from error


def _serve(apart: Apart, listener: Listener, terms: Terms, stop: Callable[[], bool]) -> Served:
    target = apart.target()
    try:
        # As in ``run_load``: what the set-up made is not gone through again and again.
        gc.collect()
        gc.freeze()
        try:
            guests = Gathering(listener, terms).run(stop)
        except CalledOffError as off:
            return Served(0, called_off=str(off))
        load = Running(target, guests)
        load.run(stop)
        return Served(
            len(guests), load.committed, load.failed, load.rejected, tuple(sorted(load.lost))
        )
    finally:
        gc.unfreeze()
        target.close()
