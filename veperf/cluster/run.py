"""A sweep's tasks are handed to dask, over as many connections as it takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from veperf.archive.cli_hints import command
from veperf.cluster.ledger import Ledger
from veperf.cluster.retry_policy import Blame
from veperf.cluster.session import LostError, Session, Watcher
from veperf.cluster.task_context import Work
from veperf.cluster.task_worker import on_worker
from veperf.core.errors import MeasureError

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
    resume = command("sweep", "--resume", ledger.sweep, archive=ledger.archive.storage)
    while missing := [task for task in ledger.missing() if task.id not in blame.failed]:
        with _connected(connect, watcher, patience_s, resume) as client:
            try:
                Session(client, ledger, watcher, work, blame).go(missing)
            except LostError:
                watcher.say("the scheduler is gone; runs that came back are kept")
                time.sleep(_RETRY_S)
    return len(blame.failed)


@contextmanager
def _connected(
    connect: "Callable[[], Client]", watcher: Watcher, patience_s: float, resume: str
) -> "Iterator[Client]":
    client = _connection(connect, watcher, patience_s, resume)
    try:
        yield client
    finally:
        # Over a link that is cut there is nobody to say goodbye to.
        with suppress(OSError, TimeoutError):
            client.close()


def _connection(
    connect: "Callable[[], Client]", watcher: Watcher, patience_s: float, resume: str
) -> "Client":
    since = time.monotonic()
    while True:
        try:
            return connect()
        except (OSError, MeasureError) as error:
            if time.monotonic() - since > patience_s:
                raise MeasureError(
                    f"no scheduler for {patience_s:.0f} s ({error}); {resume} goes on from here"
                ) from error
            watcher.say(f"{error}; trying again")
        time.sleep(_RETRY_S)
