"""A sweep's tasks are handed to dask, over as many connections as it takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from veperf.cluster.attempt import Work
from veperf.cluster.blame import Blame
from veperf.cluster.ledger import Ledger
from veperf.cluster.session import LostError, Session, Watcher
from veperf.cluster.work import on_worker
from veperf.errors import MeasureError

if TYPE_CHECKING:
    from distributed import Client

_RETRY_S = 1.0


def conduct(
    ledger: Ledger,
    connect: "Callable[[], Client]",
    watcher: Watcher,
    *,
    patience_s: float = 60.0,
    work: Work = on_worker,
) -> int:
    """Have the tasks of ``ledger`` done that are missing; return how many failed for good.

    A task whose worker is lost runs again on another of its class; when the scheduler is lost, it
    is looked for again for ``patience_s`` seconds, and what is missing is handed over again.

    Raises:
        MeasureError: there is no scheduler.
        StorageError: the archive can't be written.
    """
    blame = Blame()
    while missing := [task for task in ledger.missing() if task.id not in blame.failed]:
        with _connected(connect, watcher, patience_s, ledger.sweep) as client:
            try:
                Session(client, ledger, watcher, work, blame).go(missing)
            except LostError:
                watcher.say("the scheduler is gone; runs that came back are kept")
                time.sleep(_RETRY_S)
    return len(blame.failed)


@contextmanager
def _connected(
    connect: "Callable[[], Client]", watcher: Watcher, patience_s: float, sweep: str
) -> "Iterator[Client]":
    client = _connection(connect, watcher, patience_s, sweep)
    try:
        yield client
    finally:
        # Over a link that is cut there is nobody to say goodbye to.
        with suppress(OSError, TimeoutError):
            client.close()


def _connection(
    connect: "Callable[[], Client]", watcher: Watcher, patience_s: float, sweep: str
) -> "Client":
    since = time.monotonic()
    while True:
        try:
            return connect()
        except (OSError, TimeoutError) as error:
            if time.monotonic() - since > patience_s:
                raise MeasureError(
                    f"no scheduler for {patience_s:.0f} s ({error}); "
                    f"`veperf sweep --resume {sweep}` goes on from here"
                ) from error
            watcher.say(f"no scheduler yet ({error}); trying again")
        time.sleep(_RETRY_S)
