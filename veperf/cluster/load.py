"""A load whose target and shards are on workers of a dask scheduler, one each."""

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from veperf.cluster.load_worker import machine_here, stop_event, take_part
from veperf.cluster.logs import quiet
from veperf.cluster.plan import ONE_AT_A_TIME
from veperf.cluster.scheduler import check_scheduler, connect
from veperf.cluster.worker_allocation import Seat, Seats, free_seats, take_seats
from veperf.core.errors import MeasureError
from veperf.core.run import Failure, Machine
from veperf.loadtest.remote.server import RENDEZVOUS_S
from veperf.loadtest.sharded.coordinator import TARGET
from veperf.loadtest.sharded.handles import Hand, Hear
from veperf.loadtest.sharded.messages import Gone, Heard, Order, Serving, Waiting

if TYPE_CHECKING:
    from distributed import Client, Event, Future

_ANSWER_S = 30.0
# To be taken on by a worker that has nothing to do, its wait for the host included.
_BEGIN_S = 45.0
_LOOK_S = 1.0
_SLACK_S = 10.0


@contextmanager
def on_cluster(
    scheduler: str, shards: int, *, with_target: bool, target_class: str = ""
) -> "Iterator[OnCluster]":
    """Workers of ``scheduler`` for a load of so many shards, for the time of the block.

    Args:
        scheduler: its address.
        shards: how many workers put the load on.
        with_target: whether another one is the target.
        target_class: the machine class that this is to be of; empty where any will do.

    Raises:
        UsageError: dask.distributed is not installed, or the address is none.
        MeasureError: there is no scheduler, or it has too few workers for it.
    """
    check_scheduler(scheduler)
    with quiet(), connect(scheduler) as client:
        try:
            workers = client.scheduler_info(n_workers=-1)["workers"]
            busy = [address for address, tasks in client.processing().items() if tasks]
        except OSError as error:
            raise MeasureError(f"the scheduler at {scheduler} is gone ({error})") from error
        free = free_seats(workers, busy)
        seats = take_seats(free, shards, with_target=with_target, target_class=target_class)
        yield OnCluster(client, seats)


class OnCluster:
    """The workers that were chosen for a load."""

    def __init__(self, client: "Client", seats: Seats) -> None:
        from distributed import Event

        self._client = client
        self._seats = seats
        self._load = f"veperf-load-{secrets.token_hex(6)}"
        self._stop = Event(stop_event(self._load), client=client)
        self._hands: dict[int, ClusterHand] = {}
        self._there: frozenset[str] = frozenset()
        self._looked = -_LOOK_S
        client.subscribe_topic(self._load, self._heard)

    @property
    def listen(self) -> str:
        """Any free port of the target's host, by the name that its worker is reached by."""
        assert self._seats.target is not None, "the target is no business of this scheduler's"
        host = self._seats.target.host
        return f"tcp://[{host}]:0" if ":" in host else f"tcp://{host}:0"

    def machine(self) -> Machine:
        """The target's.

        Raises:
            MeasureError: its worker does not say.
        """
        assert self._seats.target is not None, "the target is no business of this scheduler's"
        address = self._seats.target.address
        future = self._client.submit(
            machine_here, workers=[address], resources={ONE_AT_A_TIME: 1}, pure=False
        )
        try:
            return msgspec.json.decode(future.result(timeout=_ANSWER_S), type=Machine)
        except Exception as error:
            # Whatever a worker raises comes here, and it may run anything.
            if isinstance(error, CancelledError):
                raise MeasureError("the scheduler is gone") from error
            raise MeasureError(
                f"worker {address} can't say what machine it is on ({error!r}); is it free, "
                "and does it have this version of veperf?"
            ) from error
        finally:
            future.release()

    def start(self, order: Order, hear: Hear) -> Hand:
        """On the worker that was chosen for it."""
        who = TARGET if order.shard is None else order.shard
        seat = self._seats.target if order.shard is None else self._seats.shards[order.shard]
        assert seat is not None, "the target is no business of this scheduler's"
        # It has its place before anything can be heard of it.
        hand = self._hands[who] = ClusterHand(self, seat, order, hear, self._stop)
        future = self._client.submit(
            take_part,
            msgspec.json.encode(order).decode(),
            self._load,
            who,
            key=f"{self._load}-{who}",
            workers=[seat.address],
            allow_other_workers=False,
            resources={ONE_AT_A_TIME: 1},
            retries=0,
            pure=False,
        )
        hand.follow(future)
        return hand

    def lost(self, address: str) -> str:
        """Why nothing will be heard of a worker any more; empty while that is not known."""
        if self._client.status != "running":
            return "nothing is heard of it any more: the scheduler is gone"
        if time.monotonic() - self._looked > _LOOK_S:
            self._looked = time.monotonic()
            with suppress(OSError):  # the client's status says so in a moment
                self._there = frozenset(self._client.scheduler_info(n_workers=-1)["workers"])
        return "" if address in self._there else f"its worker {address} is gone"

    def _heard(self, event: tuple[float, tuple[int, str]]) -> None:
        who, text = event[1]
        if who in self._hands:
            self._hands[who].heard(text)


class ClusterHand:
    """A task of the scheduler's that takes part in a load."""

    def __init__(
        self,
        place: OnCluster,
        seat: Seat,
        order: Order,
        hear: Hear,
        stop: "Event",
    ) -> None:
        self._place = place
        self._seat = seat
        self._timeout_s = 2 * order.load.timeout_s + _SLACK_S
        self._hear = hear
        self._stop = stop
        self._until = time.monotonic() + _BEGIN_S
        self._silence = f"did not begin within {_BEGIN_S:g} s: is it busy with something else?"
        self._future: Future | None = None

    def follow(self, future: "Future") -> None:
        """This is the task."""
        self._future = future
        future.add_done_callback(self._done)

    def stop(self) -> None:
        """By an event, which all who take part look at."""
        with suppress(OSError):  # the scheduler is gone, which ends it, too
            self._stop.set()

    def drop(self) -> None:
        """By taking the task back; its worker ends the process."""
        if self._future is not None:
            self._future.cancel()

    def lost(self) -> str:
        """Whether its worker is there, and says something now and then."""
        if time.monotonic() > self._until:
            return f"its worker {self._seat.address} {self._silence}"
        return self._place.lost(self._seat.address)

    def heard(self, text: str) -> None:
        """Something before its last word."""
        heard = _decoded(text)
        match heard:
            case Serving():
                allowed_s = float("inf")  # a target's silence is noticed by its shards
            case Waiting():
                allowed_s = self._timeout_s + RENDEZVOUS_S
            case _:
                allowed_s = self._timeout_s
        self._until = time.monotonic() + allowed_s
        self._silence = f"has said nothing for {allowed_s:g} s"
        self._hear(heard)

    def _done(self, future: "Future") -> None:
        if future.status == "finished":
            self._hear(_decoded(future.result()))
        elif future.status == "error":
            self._hear(Gone(Failure("raised", str(future.exception()))))
        elif future.status == "lost":
            self._hear(Gone(Failure("crashed", "the scheduler is gone")))


def _decoded(text: str) -> Heard:
    try:
        heard: Heard = msgspec.json.decode(text, type=Heard)
    except msgspec.DecodeError as error:
        words = f"its worker says what is not understood here ({error}); is veperf the same there?"
        return Gone(Failure("protocol", words))
    return heard
