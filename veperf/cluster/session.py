"""Hand tasks out and take results in, while one connection to the scheduler lasts.

Failures on the way, and how they are handled:

- A worker is lost: it is named with its task. dask gives the task to another one, and gives a task
  up that has lost it more than ``distributed.scheduler.allowed-failures`` workers. It counts a loss
  against every task that the worker had, so each is given one, and the others stay here.
- A worker is lost with a result that was not yet fetched: dask computes it again.
- The connection is lost: dask forgets this client's requests, and workers end what nobody waits
  for. Over the next connection tasks have the same keys, so that a task that goes on nevertheless
  is joined, not begun twice.
- A result comes late, from a worker that was given up: dask drops it. Each key has one result, and
  the journal takes one a task.
- A worker does not fit: it is named and gets nothing (``preflight``). One that comes later and is
  given a task at once refuses that by itself.
"""

import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from veperf.cluster.installation import describe_installation
from veperf.cluster.preflight import Preflight, machine_classes
from veperf.cluster.progress import SweepLines
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import WORKER_RESOURCE, SweepTask
from veperf.cluster.task_worker import (
    PROGRESS_TOPIC,
    TaskWork,
    UnfitWorkerError,
    decode_task_result,
    run_attempt,
)
from veperf.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

_BROKEN = (OSError, TimeoutError, CancelledError)
"""Errors that dask raises when the connection breaks."""
_POLL_S = 0.25
_TICK_S = 5.0


class SchedulerLostError(Exception):
    """The scheduler is gone."""


class SchedulerSession:
    """A connection to the scheduler.

    dask calls back on threads of its own; all that those callbacks do is to put work in ``_inbox``.
    """

    def __init__(
        self,
        client: "Client",
        journal: SweepJournal,
        progress: SweepLines,
        work: TaskWork,
    ) -> None:
        self._client = client
        self._journal = journal
        self._progress = progress
        self._work = work
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._attempts: Counter[str] = Counter()
        self._tasks: dict[str, tuple[SweepTask, Future]] = {}
        """Tasks by dask's key."""
        self._queues: defaultdict[str, deque[SweepTask]] = defaultdict(deque)
        """By machine class the tasks that no worker is free for."""
        self._submitted: Counter[str] = Counter()
        """Number of tasks of each machine class that dask has."""
        self._workers: Counter[str] = Counter()
        """Number of fit workers of each machine class; of all of them by an empty name."""
        self._preflight = Preflight(client)
        self._here = msgspec.json.encode(describe_installation()).decode()

    def run(self, missing: Iterable[SweepTask], failed: set[str]) -> None:
        """Run every task of ``missing``, until all are done or, by id, in ``failed``.

        Raises:
            SchedulerLostError: the scheduler is gone.
            StorageError: the archive can't be written.
        """
        with _raising_lost():
            for topic, handler in ((PROGRESS_TOPIC, self._on_progress), ("all", self._on_event)):
                self._client.subscribe_topic(topic, self._forward(handler))
        self._failed = failed
        for task in missing:
            self._queues[task.machine_class].append(task)
        last_tick = -math.inf
        while self._tasks or any(self._queues.values()):
            if self._client.status != "running":
                raise SchedulerLostError
            if time.monotonic() - last_tick > _TICK_S:
                last_tick = time.monotonic()
                self._examine_workers()
                self._progress.tick(self._waiting(), self._preflight.unfit.values())
            self._submit_queued()
            with suppress(Empty):
                self._inbox.get(timeout=_POLL_S)()

    def _examine_workers(self) -> None:
        with _raising_lost():
            for line in self._preflight.examine():
                self._progress.say(line)
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        fit = [w for w in workers if w["resources"].get(WORKER_RESOURCE)]
        self._workers = Counter(name for w in fit for name in ("", *machine_classes(w)))

    def _submit_queued(self) -> None:
        """Submit a task for each worker that has none, and one for a worker that is yet to come."""
        for machine_class, queue in self._queues.items():
            room = max(1, self._workers[machine_class]) - self._submitted[machine_class]
            for _ in range(min(len(queue), room)):
                self._submit(queue.popleft())

    def _submit(self, task: SweepTask) -> None:
        key = f"{self._journal.sweep}-{task.id}-{self._attempts[task.id]}"
        with _raising_lost():
            future = self._client.submit(
                run_attempt,
                self._work,
                msgspec.json.encode(task).decode(),
                self._here,
                key=key,
                resources=task.resources,
                pure=False,
            )
        self._tasks[key] = task, future
        self._submitted[task.machine_class] += 1
        future.add_done_callback(lambda _: self._inbox.put(partial(self._on_done, key)))

    def _forward(self, handler: Callable[[object], None]) -> Callable[[tuple[float, object]], None]:
        return lambda event: self._inbox.put(partial(handler, event[1]))

    def _on_progress(self, message: object) -> None:
        if isinstance(message, dict):
            texts = (str(message.get(field, "")) for field in ("task", "host", "message"))
            self._progress.task_running(*texts)

    def _on_event(self, message: object) -> None:
        """Name a worker that dask has lost with a task of ours, or with its result."""
        if not isinstance(message, dict) or message.get("action") != "remove-worker":
            return
        had = (*message.get("processing-tasks", ()), *message.get("lost-computed-tasks", ()))
        for key in had:
            if key in self._tasks:
                task, _ = self._tasks[key]
                self._progress.say(
                    f"worker {message['worker']} was lost; it had {task.description}"
                )

    def _on_done(self, key: str) -> None:
        if key not in self._tasks:
            return  # taken back
        _, future = self._tasks[key]
        if future.status == "cancelled":
            raise SchedulerLostError  # not by us: the connection broke, and dask has mended it
        if future.status == "error":
            error = future.exception()
            if isinstance(error, CancelledError):
                raise SchedulerLostError  # just now
            self._on_error(key, error)
            return
        self._client.loop.add_callback(self._fetch, key, future)

    async def _fetch(self, key: str, future: "Future") -> None:
        """Fetch a result, on dask's thread: dask may have to compute it again first."""
        try:
            result = await self._client.gather(future, asynchronous=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is handled by `run`
            self._inbox.put(partial(self._on_fetch_failed, key, error))
        else:
            self._inbox.put(partial(self._on_fetched, key, result))

    def _on_fetch_failed(self, key: str, error: Exception) -> None:
        if key not in self._tasks:
            return
        if self._tasks[key][1].status == "error":
            self._on_done(key)
        elif isinstance(error, _BROKEN):
            raise SchedulerLostError
        else:
            self._fail(self._remove(key), f"its result can't be read: {error}")

    def _on_error(self, key: str, error: BaseException) -> None:
        from distributed import KilledWorker

        task = self._remove(key)
        if isinstance(error, UnfitWorkerError):
            with _raising_lost():
                unfit = self._preflight.reject(error.address, error.differences)
            self._progress.say(f"{unfit.description} (gets no task)")
            self._retry(task)
        elif isinstance(error, KilledWorker):
            lost = error.allowed_failures + 1
            self._fail(task, f"{lost} workers were lost while they measured it")
        else:
            self._fail(task, str(error) or type(error).__name__)

    def _on_fetched(self, key: str, answer: Mapping[str, object]) -> None:
        if key not in self._tasks:
            return
        task = self._remove(key)
        host, text = str(answer.get("host", "")), answer.get("run")
        if not isinstance(text, str):
            self._retry(task)  # it gave up, as it seemed cancelled for a moment
            return
        try:
            result = decode_task_result(text, task, host)
            is_new = self._journal.add_result(task, result, host)
        except (DataError, UsageError) as error:
            self._fail(task, str(error))
            return
        if is_new:
            self._progress.task_done(task, host, result)

    def _retry(self, task: SweepTask) -> None:
        self._attempts[task.id] += 1
        self._submit(task)

    def _remove(self, key: str) -> SweepTask:
        task, future = self._tasks.pop(key)
        self._submitted[task.machine_class] -= 1
        future.release()
        return task

    def _fail(self, task: SweepTask, reason: str) -> None:
        self._failed.add(task.id)
        self._journal.add_failure(task, reason)
        self._progress.task_failed(task, reason)

    def _waiting(self) -> dict[str, int]:
        """Count the tasks that wait for a machine class that no worker has, by class."""
        left = self._submitted + Counter({name: len(tasks) for name, tasks in self._queues.items()})
        if not self._workers[""]:
            return {"": left.total()} if left.total() else {}
        return {name: n for name, n in left.items() if n and not self._workers[name]}


@contextmanager
def _raising_lost() -> Iterator[None]:
    """Turn the errors of a broken connection into ``SchedulerLostError``."""
    try:
        yield
    except _BROKEN as error:
        raise SchedulerLostError from error
