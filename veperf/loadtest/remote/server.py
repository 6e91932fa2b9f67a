"""The target's side of one load, from making the target to the last shard's leaving."""

import gc
from collections.abc import Callable

from msgspec import Struct

from veperf.core.errors import MeasureError, VeperfError
from veperf.core.remote_load import RemoteLoad
from veperf.loadtest.remote.rendezvous import CalledOffError, LoadTerms, Rendezvous
from veperf.loadtest.remote.session import LoadSession
from veperf.loadtest.remote.target_socket import Listener
from veperf.loadtest.remote.waiting_room import WaitingRoom

RENDEZVOUS_S = 240.0


class ServedLoad(Struct, frozen=True):
    """A load, from the target's side. Counts are of items, warm-up included."""

    shards: int
    """Those that took part."""
    committed: int = 0
    failed: int = 0
    rejected: int = 0
    lost: tuple[int, ...] = ()
    """Shards that left after the start and before they were done."""
    called_off: str = ""
    """Reason why the load did not start; empty where it did."""


def serve_load(
    remote_load: RemoteLoad,
    listener: Listener,
    *,
    subject: str,
    token: str,
    shards: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    rendezvous_s: float = RENDEZVOUS_S,
) -> ServedLoad:
    """Make the target, and serve one load on it.

    If a shard leaves before the start, the load is called off. After it, the others go on, and the
    result names the lost one. Whoever connects meanwhile is sent away, and comes again.

    Args:
        remote_load: how to make the target.
        listener: where shards connect.
        subject: its name, as ``load_subject`` returns it; shards must name the same.
        token: whoever has it may take part.
        shards: how many there must be; None: as many as the first one says.
        stop: called many times a second; serving ends once it returns True.
        rendezvous_s: how long after the first shard the last one may be ready.

    Raises:
        MeasureError: ``stop`` returned True in the middle of the load; or the target failed.
    """
    terms = LoadTerms(subject, token, shards, remote_load.capacity, rendezvous_s)
    try:
        return _serve(remote_load, listener, terms, stop)
    except VeperfError:
        raise
    except Exception as error:  # a target may raise anything
        raise MeasureError(f"the target failed: {type(error).__name__}: {error}") from error


def _serve(
    remote_load: RemoteLoad, listener: Listener, terms: LoadTerms, stop: Callable[[], bool]
) -> ServedLoad:
    with WaitingRoom(listener):
        target = remote_load.target()
    try:
        gc.collect()
        try:
            peers = Rendezvous(listener, terms).run(stop)
        except CalledOffError as reason:
            return ServedLoad(0, called_off=str(reason))
        session = LoadSession(target, peers)
        with WaitingRoom(listener):
            session.run(stop)
        return ServedLoad(
            len(peers),
            session.committed,
            session.failed,
            session.rejected,
            tuple(sorted(session.lost)),
        )
    finally:
        target.close()
