"""What a worker of the cluster does in a load: it is the target, or one of the shards.

As in a sweep, by a process of its own, and by plain text: nothing of ours is pickled.
"""

import socket
import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

import msgspec

from veperf.cluster.host_lock import together
from veperf.cluster.task_context import unwanted
from veperf.core.run import Failure
from veperf.loadtest.sharded.local_processes import Here
from veperf.loadtest.sharded.messages import Ended, Gone, Heard, Order, Served
from veperf.measure.machine import describe_machine
from veperf.measure.worker_start import failure_of

_TURN_S = 0.2
_ASK_S = 1.0
_HOST_S = 20.0


def stop_event(load: str) -> str:
    """The name of the event that is set once the load of that name is to end."""
    return f"{load}-stop"


def machine_here() -> str:
    """This machine, as JSON."""
    return msgspec.json.encode(describe_machine()).decode()


def take_part(order_json: str, load: str, who: int) -> str:
    """Do ``order_json``, an ``Order``, on the dask worker that calls this.

    What is heard of it goes to the topic ``load`` as it comes, as ``[who, words]``.

    Returns:
        The last that is heard of it, as JSON: bad news, too, for what is raised here is written to
        a log together with the order, which holds the load's token.
    """
    try:
        return _text(_took_part(msgspec.json.decode(order_json, type=Order), load, who))
    except Exception as error:  # noqa: BLE001 - see above
        return _text(Gone(failure_of(error)))


def _took_part(order: Order, load: str, who: int) -> Heard:
    from distributed import Event, get_client, get_worker

    worker, stop = get_worker(), Event(stop_event(load), client=get_client())
    is_unwanted = unwanted()
    until = time.monotonic() + _HOST_S
    with (
        together(load, lambda: is_unwanted() or time.monotonic() > until) as got_it,
        _asked(stop.is_set) as is_over,
    ):
        if not got_it:
            words = f"{socket.gethostname()} measures something else; try again when that is done"
            return Gone(Failure("timeout", words))
        return followed(
            order,
            lambda heard: worker.log_event(load, [who, _text(heard)]),
            is_unwanted,
            is_over,
        )


def followed(
    order: Order,
    tell: Callable[[Heard], object],
    is_unwanted: Callable[[], bool],
    is_over: Callable[[], bool],
) -> Heard:
    """Have ``order`` done on this host; the last that is heard of it.

    Args:
        order: for the target or a shard.
        tell: is told what else is heard.
        is_unwanted: whether nobody waits for it any more; then it is dropped.
        is_over: whether the load is to end; then the shard ends it, and says what it found. Both
            are asked many times a second, and must not wait.
    """
    mail: SimpleQueue[Heard] = SimpleQueue()
    hand = Here(order.address).start(order, mail.put)
    is_stopped = False
    try:
        while not is_unwanted():
            try:
                heard = mail.get(timeout=_TURN_S)
            except Empty:
                pass
            else:
                if isinstance(heard, Ended | Gone | Served):
                    return heard
                tell(heard)
            if not is_stopped and is_over():
                is_stopped = True
                hand.stop()
        return Gone(Failure("crashed", "nobody waited for it any more"))
    finally:
        hand.drop()


@contextmanager
def _asked(question: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """The answer to ``question``, which another thread asks now and then until it is yes.

    A scheduler that is gone keeps who asks it waiting, and there is a process to look after.
    """
    is_yes, is_done = threading.Event(), threading.Event()

    def ask() -> None:
        with suppress(Exception, CancelledError):  # then the worker notices that it is alone
            while not is_done.wait(_ASK_S) and not is_yes.is_set():
                if question():
                    is_yes.set()

    threading.Thread(target=ask, daemon=True).start()
    try:
        yield is_yes.is_set
    finally:
        is_done.set()


def _text(heard: Heard) -> str:
    return msgspec.json.encode(heard).decode()
