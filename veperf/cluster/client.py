"""A connection to a scheduler, or words that say why there is none."""

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from veperf.errors import MeasureError

if TYPE_CHECKING:
    from distributed import Client

# dask keeps its time itself, and what it can't keep it waits for without end.
_SLACK_S = 5.0


def connect(scheduler: str, timeout_s: float = 10.0) -> "Client":
    """A client of the scheduler at this address, which has been looked at (``check_scheduler``).

    Raises:
        MeasureError: nobody answers there, or somebody who is no scheduler.
    """
    made: SimpleQueue[Client | Exception] = SimpleQueue()
    # A thread of its own: dask waits for ever for somebody who takes the call and says nothing.
    threading.Thread(target=lambda: made.put(_made(scheduler, timeout_s)), daemon=True).start()
    try:
        found = made.get(timeout=timeout_s + _SLACK_S)
    except Empty:
        raise MeasureError(
            f"whoever answers at {scheduler} does not do so as a scheduler of dask"
        ) from None
    if isinstance(found, Exception):
        raise MeasureError(
            f"no scheduler answers at {scheduler} ({found}); is it started?"
        ) from found
    return found


def _made(scheduler: str, timeout_s: float) -> "Client | Exception":
    from distributed import Client

    try:
        return Client(scheduler, timeout=f"{timeout_s:g}s", set_as_default=False)
    except Exception as error:  # noqa: BLE001 - it is handed to the thread that waits for it
        return error
