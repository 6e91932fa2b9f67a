"""Launch a load's target and shards on workers of a dask scheduler, one each."""

import secrets
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from veperf.cluster.load_worker import run_assignment, stop_event, worker_machine
from veperf.cluster.preflight import Preflight
from veperf.cluster.scheduler import check_scheduler, connect_client
from veperf.cluster.sweep_plan import WORKER_RESOURCE, class_resource
from veperf.core.errors import MeasureError
from veperf.core.log_suppression import suppress_logging
from veperf.core.run import Failure, Machine
from veperf.loadtest.remote.server import RENDEZVOUS_S
from veperf.loadtest.sharded.messages import (
    Assignment,
    LoadEvent,
    OnEvent,
    ProcessFailed,
    ProcessHandle,
    ShardReady,
    TargetListening,
)
from veperf.loadtest.sharded.shard import TARGET
from veperf.progress.output import print_status

if TYPE_CHECKING:
    from distributed import Client, Event, Future

_ANSWER_S = 30.0
# For an idle worker to begin, its wait for the host included.
_BEGIN_S = 45.0
_WORKERS_INTERVAL_S = 1.0
_SLACK_S = 10.0
_NO_TARGET = "the target is none of this scheduler's"


class WorkerSlot(Struct, frozen=True):
    """A free worker."""

    address: str
    host: str
    resources: frozenset[str] = frozenset()


class WorkerAllocation(Struct, frozen=True):
    """The workers of a load."""

    target: WorkerSlot | None
    """None where the target is not started by the scheduler."""
    shards: tuple[WorkerSlot, ...]


def free_slots(workers: Mapping[str, Mapping[str, Any]], busy: Collection[str]) -> list[WorkerSlot]:
    """Return the workers that measure and are idle.

    Args:
        workers: a scheduler's information on its workers, by address.
        busy: addresses of those that have something to do.
    """
    return [
        WorkerSlot(address, str(worker["host"]), frozenset(worker["resources"]))
        for address, worker in sorted(workers.items())
        if worker["resources"].get(WORKER_RESOURCE) and address not in busy
    ]


def allocate_workers(
    free: Sequence[WorkerSlot], shards: int, *, with_target: bool, target_class: str = ""
) -> WorkerAllocation:
    """Return a worker for each shard, on as many hosts as possible, and one for the target.

    The target has a host of its own, if there are enough.

    Args:
        free: the workers to choose from.
        shards: how many of them there are.
        with_target: whether the target needs one.
        target_class: the machine class of the target; empty where any will do.

    Raises:
        MeasureError: there are too few.
    """
    needed = shards + with_target
    if len(free) < needed:
        members = f"{shards} shards" + (" and their target" if with_target else "")
        raise MeasureError(
            f"{members} need {needed} free workers, one each; the scheduler has {len(free)} "
            f"(workers measure when they are started with --resources '{WORKER_RESOURCE}=1')"
        )
    if not with_target:
        return WorkerAllocation(None, tuple(_spread(free))[:shards])
    able = [
        slot for slot in free if not target_class or class_resource(target_class) in slot.resources
    ]
    if not able:
        raise MeasureError(
            f"no free worker of machine class {target_class!r} is there for the target; one has "
            f"--resources '{WORKER_RESOURCE}=1 {class_resource(target_class)}=1'"
        )
    workers_of_host = Counter(slot.host for slot in free)
    target = min(able, key=lambda slot: workers_of_host[slot.host])
    others = [slot for slot in free if slot.host != target.host]
    beside = [slot for slot in free if slot.host == target.host and slot != target]
    return WorkerAllocation(target, tuple(chain(_spread(others), beside))[:shards])


def _spread(slots: Sequence[WorkerSlot]) -> Iterator[WorkerSlot]:
    """Yield one slot of each host, then another of each, and so on."""
    by_host: dict[str, list[WorkerSlot]] = {}
    for slot in slots:
        by_host.setdefault(slot.host, []).append(slot)
    rounds = zip_longest(*by_host.values())
    return (slot for round_ in rounds for slot in round_ if slot is not None)


@contextmanager
def cluster_launcher(
    scheduler: str, shards: int, *, with_target: bool, target_class: str = ""
) -> "Iterator[ClusterLauncher]":
    """Choose workers of ``scheduler`` for a load, and yield a launcher on them.

    Args:
        scheduler: its address.
        shards: how many workers put the load on.
        with_target: whether another one is the target.
        target_class: the machine class of the target; empty where any will do.

    Raises:
        UsageError: dask.distributed is not installed, or the address is none.
        MeasureError: there is no scheduler, or it has too few workers for it.
    """
    check_scheduler(scheduler)
    with suppress_logging("distributed"), connect_client(scheduler) as client:
        try:
            for line in Preflight(client).examine():
                print_status(line)
            workers = client.scheduler_info(n_workers=-1)["workers"]
            busy = [address for address, tasks in client.processing().items() if tasks]
        except OSError as error:
            raise MeasureError(f"the scheduler at {scheduler} is gone ({error})") from error
        allocation = allocate_workers(
            free_slots(workers, busy), shards, with_target=with_target, target_class=target_class
        )
        yield ClusterLauncher(client, allocation)


class ClusterLauncher:
    """Starts the processes of a load on the workers chosen for it."""

    def __init__(self, client: "Client", allocation: WorkerAllocation) -> None:
        from distributed import Event

        self._client = client
        self._allocation = allocation
        self._load = f"veperf-load-{secrets.token_hex(6)}"
        self._stop = Event(stop_event(self._load), client=client)
        self._handles: dict[int, ClusterTaskHandle] = {}
        self._workers: frozenset[str] = frozenset()
        """Addresses of the scheduler's workers, as of ``_workers_read_at``."""
        self._workers_read_at = -_WORKERS_INTERVAL_S
        client.subscribe_topic(self._load, self._on_event)

    @property
    def listen_address(self) -> str:
        """Any free port of the target's host, by the name that its worker is reached by."""
        assert self._allocation.target is not None, _NO_TARGET
        host = self._allocation.target.host
        return f"tcp://[{host}]:0" if ":" in host else f"tcp://{host}:0"

    def machine(self) -> Machine:
        """Return the description of the target's machine.

        Raises:
            MeasureError: its worker does not send it.
        """
        assert self._allocation.target is not None, _NO_TARGET
        address = self._allocation.target.address
        future = self._client.submit(
            worker_machine, workers=[address], resources={WORKER_RESOURCE: 1}, pure=False
        )
        try:
            return msgspec.json.decode(future.result(timeout=_ANSWER_S), type=Machine)
        except Exception as error:
            # Whatever a worker raises comes here, and it may run anything.
            if isinstance(error, CancelledError):
                raise MeasureError("the scheduler is gone") from error
            raise MeasureError(
                f"worker {address} can't describe its machine ({error!r}); is it free, "
                "and does it have this version of veperf?"
            ) from error
        finally:
            future.release()

    def start(self, assignment: Assignment, on_event: OnEvent) -> ProcessHandle:
        """Start a process on the worker that was chosen for it."""
        shard = assignment.shard
        member = TARGET if shard is None else shard
        slot = self._allocation.target if shard is None else self._allocation.shards[shard]
        assert slot is not None, _NO_TARGET
        # It is registered before its first event can arrive.
        handle = self._handles[member] = ClusterTaskHandle(
            self, slot, assignment, on_event, self._stop
        )
        future = self._client.submit(
            run_assignment,
            msgspec.json.encode(assignment).decode(),
            self._load,
            member,
            key=f"{self._load}-{member}",
            workers=[slot.address],
            allow_other_workers=False,
            resources={WORKER_RESOURCE: 1},
            retries=0,
            pure=False,
        )
        handle.follow(future)
        return handle

    def lost_reason(self, address: str) -> str:
        """Return the reason why a worker sends nothing any more; empty while none is known."""
        if self._client.status != "running":
            return "the scheduler is gone, and with it the connection to this process"
        if time.monotonic() - self._workers_read_at > _WORKERS_INTERVAL_S:
            self._workers_read_at = time.monotonic()
            with suppress(OSError):  # the client's status says so in a moment
                self._workers = frozenset(self._client.scheduler_info(n_workers=-1)["workers"])
        return "" if address in self._workers else f"its worker {address} is gone"

    def _on_event(self, event: tuple[float, tuple[int, str]]) -> None:
        member, event_json = event[1]
        if member in self._handles:
            self._handles[member].on_event(event_json)


class ClusterTaskHandle:
    """A handle on a dask task that takes part in a load."""

    def __init__(
        self,
        launcher: ClusterLauncher,
        slot: WorkerSlot,
        assignment: Assignment,
        on_event: OnEvent,
        stop: "Event",
    ) -> None:
        self._launcher = launcher
        self._slot = slot
        self._timeout_s = 2 * assignment.load.timeout_s + _SLACK_S
        self._on_event = on_event
        self._stop = stop
        self._deadline = time.monotonic() + _BEGIN_S
        self._silence = f"did not begin within {_BEGIN_S:g} s: is it busy with something else?"
        self._future: Future | None = None

    def follow(self, future: "Future") -> None:
        """Take ``future`` as the task."""
        self._future = future
        future.add_done_callback(self._on_done)

    def stop(self) -> None:
        """Set the event that all shards of the load poll."""
        with suppress(OSError):  # the scheduler is gone, which ends it, too
            self._stop.set()

    def kill(self) -> None:
        """Cancel the task; its worker ends the process."""
        if self._future is not None:
            self._future.cancel()

    def lost_reason(self) -> str:
        """Return the reason if its worker is gone or silent; empty otherwise."""
        if time.monotonic() > self._deadline:
            return f"its worker {self._slot.address} {self._silence}"
        return self._launcher.lost_reason(self._slot.address)

    def on_event(self, event_json: str) -> None:
        """Take an event before the last one."""
        event = _decode_event(event_json)
        match event:
            case TargetListening():
                allowed_s = float("inf")  # a target's silence is noticed by its shards
            case ShardReady():
                allowed_s = self._timeout_s + RENDEZVOUS_S
            case _:
                allowed_s = self._timeout_s
        self._deadline = time.monotonic() + allowed_s
        self._silence = f"has not answered for {allowed_s:g} s"
        self._on_event(event)

    def _on_done(self, future: "Future") -> None:
        if future.status == "finished":
            self._on_event(_decode_event(future.result()))
        elif future.status == "error":
            self._on_event(ProcessFailed(Failure("raised", str(future.exception()))))
        elif future.status == "lost":
            self._on_event(ProcessFailed(Failure("crashed", "the scheduler is gone")))


def _decode_event(event_json: str) -> LoadEvent:
    try:
        event: LoadEvent = msgspec.json.decode(event_json, type=LoadEvent)
    except msgspec.DecodeError as error:
        message = f"its worker sent an unknown event ({error}); does it have the same veperf?"
        return ProcessFailed(Failure("protocol", message))
    return event
