"""Run one process of a load on a dask worker: the target, or one of the shards.

As in a sweep, the work is done in a process of its own, and arguments and results are plain text;
no object of veperf is pickled.
"""

import socket
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

import msgspec

from veperf.cluster.host_lock import shared_host_lock
from veperf.cluster.task_worker import cancellation_check
from veperf.core.run import Failure
from veperf.loadtest.sharded.local_processes import LocalLauncher
from veperf.loadtest.sharded.messages import (
    Assignment,
    LoadEvent,
    ProcessFailed,
    ShardEnded,
    TargetEnded,
)
from veperf.measure.machine import describe_machine
from veperf.measure.worker_client import as_failure

_POLL_S = 0.2
_STOP_POLL_S = 1.0
_HOST_S = 20.0


def stop_event(load: str) -> str:
    """Return the name of the event that ends the load of that name."""
    return f"{load}-stop"


def worker_machine() -> str:
    """Return this machine as JSON."""
    return msgspec.json.encode(describe_machine()).decode()


def run_assignment(assignment_json: str, load: str, member: int) -> str:
    """Run an ``Assignment`` on the dask worker that calls this.

    Its events go to the topic ``load`` as they come, as ``[member, event JSON]``.

    Returns:
        The last event, as JSON. A failure is returned, too, since dask logs an exception together
        with the arguments, which hold the load's token.
    """
    try:
        assignment = msgspec.json.decode(assignment_json, type=Assignment)
        return _to_json(_run_assignment(assignment, load, member))
    except Exception as error:  # noqa: BLE001 - see above
        return _to_json(ProcessFailed(as_failure(error)))


def _run_assignment(assignment: Assignment, load: str, member: int) -> LoadEvent:
    from distributed import Event, get_client, get_worker

    worker, stop = get_worker(), Event(stop_event(load), client=get_client())
    is_cancelled = cancellation_check()
    until = time.monotonic() + _HOST_S
    with (
        shared_host_lock(load, lambda: is_cancelled() or time.monotonic() > until) as is_locked,
        _polled(stop.is_set) as is_stopped,
    ):
        if not is_locked:
            host = socket.gethostname()
            message = f"{host} is busy with another measurement; try again when that is done"
            return ProcessFailed(Failure("timeout", message))
        return follow_process(
            assignment,
            lambda event: worker.log_event(load, [member, _to_json(event)]),
            is_cancelled,
            is_stopped,
        )


def follow_process(
    assignment: Assignment,
    on_event: Callable[[LoadEvent], object],
    is_cancelled: Callable[[], bool],
    is_stopped: Callable[[], bool],
) -> LoadEvent:
    """Run ``assignment`` in a process of this host; return its last event.

    Args:
        assignment: for the target or a shard.
        on_event: called with all other events.
        is_cancelled: True once nobody waits for the result; then the process is killed.
        is_stopped: True once the load is to end; then the shard ends it, and reports its result.
            Both are called many times a second, and must not block.
    """
    events: SimpleQueue[LoadEvent] = SimpleQueue()
    handle = LocalLauncher(assignment.address).start(assignment, events.put)
    has_been_stopped = False
    try:
        while not is_cancelled():
            try:
                event = events.get(timeout=_POLL_S)
            except Empty:
                pass
            else:
                if isinstance(event, ShardEnded | ProcessFailed | TargetEnded):
                    return event
                on_event(event)
            if not has_been_stopped and is_stopped():
                has_been_stopped = True
                handle.stop()
        return ProcessFailed(Failure("crashed", "nobody waited for it any more"))
    finally:
        handle.kill()


@contextmanager
def _polled(condition: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Yield a non-blocking copy of ``condition``, which a thread polls until it is True.

    A scheduler that is gone blocks its callers, and there is a process to watch.
    """
    is_true, is_done = threading.Event(), threading.Event()

    def poll() -> None:
        with suppress(Exception, CancelledError):  # then the worker notices that it is alone
            while not is_done.wait(_STOP_POLL_S) and not is_true.is_set():
                if condition():
                    is_true.set()

    threading.Thread(target=poll, daemon=True).start()
    try:
        yield is_true.is_set
    finally:
        is_done.set()


def _to_json(event: LoadEvent) -> str:
    return msgspec.json.encode(event).decode()
