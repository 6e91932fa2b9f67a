"""An attempt at a task, on a dask worker: it says that it has begun, and knows when to stop."""

from collections.abc import Callable
from contextlib import suppress

Work = Callable[[str], dict[str, object]]

BEGUN = "veperf-begun"
"""The topic on which an attempt says, as it begins, its ``key`` and the ``worker`` it is on."""


def attempt(work: Work, task_json: str) -> dict[str, object]:
    """Do ``work`` on the dask worker that calls this, once the scheduler knows that it begins.

    ``Worker.log_event`` does not wait: what ends the worker at once would never have begun.
    """
    from distributed import get_worker
    from distributed.utils import sync

    worker = get_worker()
    place = {"key": worker.get_current_task(), "worker": worker.id}
    with suppress(OSError):  # a worker that has lost its scheduler closes, which ends the work
        sync(worker.loop, worker.scheduler.log_event, topic=BEGUN, msg=place)
    return work(task_json)


def unwanted() -> Callable[[], bool]:
    """What says, to the task of the calling thread, that nobody waits for it any more.

    So it is when the client took it back or is gone, and when the worker closes, as it does once it
    has lost its scheduler: what is measured then can't be handed to anybody.
    """
    from distributed import get_worker
    from distributed.core import Status

    worker = get_worker()
    key = worker.get_current_task()
    alive = (Status.running, Status.paused, Status.closing_gracefully)

    def is_unwanted() -> bool:
        state = worker.state.tasks.get(key)
        return worker.status not in alive or state is None or state.state == "cancelled"

    return is_unwanted
