"""Hand tasks out and take results in, while one connection to the scheduler lasts.

Failures on the way, and how they are handled:

- A worker is lost: dask gives its tasks to others. The loss counts against the task that it was
  last seen to begin, unless that came back; not against those queued there, though dask counts
  both.
- A worker is lost with a result that was not yet fetched: dask computes it again.
- The connection is lost: dask forgets this client's requests, and workers end what nobody waits
  for. Over the next connection tasks have the same keys, so that a task that goes on nevertheless
  is joined, not begun twice.
- A result comes late, from a worker that was given up: dask drops it. Each key has one result, and
  the journal takes one a task.
- A worker does not fit: it is named and gets nothing (``preflight``). One that comes later and is
  given a task at once refuses that by itself.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

import msgspec

from veperf.cluster.installation import describe_installation
from veperf.cluster.preflight import Preflight, UnfitWorker
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import WORKER_RESOURCE, SweepTask
from veperf.cluster.task_result import TaskResult, decode_task_result
from veperf.cluster.task_worker import (
    BEGUN_TOPIC,
    PROGRESS_TOPIC,
    TaskWork,
    UnfitWorkerError,
    run_attempt,
)
from veperf.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

_BROKEN = (OSError, TimeoutError, CancelledError)
"""Errors that dask raises when the connection breaks."""
MAX_LOST_WORKERS = 3
"""Number of workers lost in the middle of a task after which the task fails."""
_MAX_NEVER_BEGUN = 10
"""Number of times that dask may give a task up before any worker was seen to begin it."""
_POLL_S = 0.25
_TICK_S = 5.0


class RetryPolicy:
    """Decides whether a task whose workers were lost runs again, over all connections."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        """Ids of tasks that have failed for good, for whatever reason."""
        self._lost: Counter[str] = Counter()
        self._never_begun: Counter[str] = Counter()

    def worker_lost(self, task: str) -> str:
        """Count a worker that was lost in the middle of ``task``.

        Returns:
            The reason to give the task up; empty while it may run again.
        """
        self._lost[task] += 1
        if self._lost[task] < MAX_LOST_WORKERS:
            return ""
        return f"{MAX_LOST_WORKERS} workers were lost while they measured it"

    def never_begun(self, task: str) -> str:
        """Count that dask gave ``task`` up because workers were lost, none of which had begun it.

        That happens to tasks queued behind another that ends its worker.

        Returns:
            The reason to give the task up; empty while it may run again.
        """
        self._never_begun[task] += 1
        if self._never_begun[task] < _MAX_NEVER_BEGUN:
            return ""
        return "workers were lost again and again before they began it"


class SweepProgress(Protocol):
    """A display of the progress of a sweep."""

    def task_running(self, task: str, host: str, message: str) -> None:
        """Show the progress of a task."""

    def task_done(self, task: SweepTask, host: str, result: TaskResult) -> None:
        """Show that a task's result is in the archive."""

    def task_failed(self, task: SweepTask, reason: str) -> None:
        """Show that a task failed for good."""

    def say(self, message: str) -> None:
        """Show a message to the user."""

    def tick(self, waiting: Mapping[str, int], unfit: Collection[UnfitWorker]) -> None:
        """Let time pass.

        Args:
            waiting: number of tasks of each class that has no worker.
            unfit: workers that get no task.
        """


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
        progress: SweepProgress,
        work: TaskWork,
        retry_policy: RetryPolicy,
    ) -> None:
        self._client = client
        self._journal = journal
        self._progress = progress
        self._work = work
        self._retry_policy = retry_policy
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._attempts: Counter[str] = Counter()
        self._tasks: dict[str, tuple[SweepTask, Future]] = {}
        """Tasks by dask's key."""
        self._begun: dict[str, str] = {}
        """Workers by key of the task that they run: for each worker at most the last it began."""
        self._positions = {task.id: index for index, task in enumerate(journal.plan.tasks)}
        self._preflight = Preflight(client)
        self._here = msgspec.json.encode(describe_installation()).decode()

    def run(self, missing: Iterable[SweepTask]) -> None:
        """Run every task of ``missing``, until all of them are done or failed.

        Raises:
            SchedulerLostError: the scheduler is gone.
            StorageError: the archive can't be written.
        """
        with _raising_lost():
            self._client.subscribe_topic(BEGUN_TOPIC, self._in_inbox(self._on_begun))
            self._client.subscribe_topic(PROGRESS_TOPIC, self._in_inbox(self._on_progress))
        self._examine_workers()
        for task in missing:
            self._submit(task)
        last_tick = -_TICK_S
        while self._tasks:
            if self._client.status != "running":
                raise SchedulerLostError
            if time.monotonic() - last_tick > _TICK_S:
                last_tick = time.monotonic()
                self._examine_workers()
                self._progress.tick(self._waiting(), self._preflight.unfit.values())
            with suppress(Empty):
                self._inbox.get(timeout=_POLL_S)()

    def _examine_workers(self) -> None:
        with _raising_lost():
            for line in self._preflight.examine():
                self._progress.say(line)

    def _in_inbox(self, handle: Callable[[object], None]) -> Callable[[tuple[float, object]], None]:
        return lambda event: self._inbox.put(partial(handle, event[1]))

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
                priority=-self._positions[task.id],
                pure=False,
            )
        self._tasks[key] = task, future
        future.add_done_callback(lambda _: self._inbox.put(partial(self._on_done, key)))

    def _on_begun(self, message: object) -> None:
        if not isinstance(message, dict):
            return
        key, worker = (str(message.get(field, "")) for field in ("key", "worker"))
        if key not in self._tasks:
            return
        task, future = self._tasks[key]
        is_again = key in self._begun
        self._begun = {k: w for k, w in self._begun.items() if w != worker} | {key: worker}
        if not is_again:
            return
        if reason := self._retry_policy.worker_lost(task.id):
            del self._tasks[key], self._begun[key]
            with _raising_lost():
                future.cancel()
            self._fail(task, reason)
        else:
            self._progress.say(f"{task.description}: its worker is lost; it runs again")

    def _on_progress(self, message: object) -> None:
        if isinstance(message, dict):
            texts = (str(message.get(field, "")) for field in ("task", "host", "message"))
            self._progress.task_running(*texts)

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
        self._begun.pop(key, None)
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

        policy = self._retry_policy
        was_begun = key in self._begun
        task = self._remove(key)
        if isinstance(error, UnfitWorkerError):
            with _raising_lost():
                unfit = self._preflight.reject(error.address, error.differences)
            self._progress.say(f"{unfit.description} (gets no task)")
            reason = ""
        elif isinstance(error, KilledWorker):
            reason = (policy.worker_lost if was_begun else policy.never_begun)(task.id)
        else:
            reason = str(error) or type(error).__name__
        if reason:
            self._fail(task, reason)
        else:
            self._retry(task)

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
        self._begun.pop(key, None)
        future.release()
        return task

    def _fail(self, task: SweepTask, reason: str) -> None:
        self._retry_policy.failed.add(task.id)
        self._journal.add_failure(task, reason)
        self._progress.task_failed(task, reason)

    def _waiting(self) -> dict[str, int]:
        """Count the tasks that wait for a machine class that no worker has, by class."""
        with _raising_lost():
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        fit = [w["resources"] for w in workers if w["resources"].get(WORKER_RESOURCE)]
        available = {name for resources in fit for name in resources}
        return dict(
            Counter(
                task.machine_class if WORKER_RESOURCE in available else ""
                for task, _ in self._tasks.values()
                if not task.resources.keys() <= available
            )
        )


@contextmanager
def _raising_lost() -> Iterator[None]:
    """Turn the errors of a broken connection into ``SchedulerLostError``."""
    try:
        yield
    except _BROKEN as error:
        raise SchedulerLostError from error
