"""Tasks go out and what they found comes in, while one connection to the scheduler lasts.

What can happen on the way, and what becomes of it:

- A worker is lost: dask gives its tasks to others. The one that it was last seen to begin has cost
  it, unless that came back; those that stood in line there have not, though dask counts both.
- A worker is lost with a result that was not yet fetched: dask has it made anew.
- The connection is lost: dask forgets what this client asked for, and workers end what nobody
  waits for. Over the next connection tasks have the same keys, so that what goes on nevertheless is
  joined, not begun twice.
- A result comes late, from a worker that was given up: dask drops it. Each key has one result, and
  the ledger takes one a task.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

import msgspec

from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import ONE_AT_A_TIME, Task
from veperf.cluster.retry_policy import Blame
from veperf.cluster.task_context import BEGUN, Work, attempt
from veperf.cluster.task_result import Found, decoded
from veperf.cluster.task_worker import TOPIC
from veperf.core.errors import DataError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

_BROKEN = (OSError, TimeoutError, CancelledError)
"""What dask raises when the connection breaks."""
_POLL_S = 0.25
_LOOK_S = 5.0


class Watcher(Protocol):
    """Is told how a sweep goes."""

    def running(self, task: str, host: str, words: str) -> None:
        """A task says how far it is."""

    def came(self, task: Task, host: str, found: Found) -> None:
        """What a task found is in the archive."""

    def failed(self, task: Task, why: str) -> None:
        """A task found nothing, and will find nothing."""

    def say(self, words: str) -> None:
        """Something that people should know."""

    def tick(self, waiting: Mapping[str, int]) -> None:
        """Time passes; ``waiting`` counts the tasks of classes that have no worker."""


class LostError(Exception):
    """The scheduler is gone."""


class Session:
    """One connection.

    dask calls back on threads of its own; all that they do is to leave word in ``_inbox``.
    """

    def __init__(
        self, client: "Client", ledger: Ledger, watcher: Watcher, work: Work, blame: Blame
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._watcher = watcher
        self._work = work
        self._blame = blame
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._attempts: Counter[str] = Counter()
        self._tasks: dict[str, tuple[Task, Future]] = {}
        """By dask's key."""
        self._begun: dict[str, str] = {}
        """By key the worker that does it: of each worker at most what it began last."""
        self._place = {task.id: place for place, task in enumerate(ledger.plan.tasks)}

    def go(self, missing: Iterable[Task]) -> None:
        """Until every task of ``missing`` came back.

        Raises:
            LostError: the scheduler is gone.
            StorageError: the archive can't be written.
        """
        with _over_the_network():
            self._client.subscribe_topic(BEGUN, self._leave_word(self._on_begun))
            self._client.subscribe_topic(TOPIC, self._leave_word(self._on_words))
        for task in missing:
            self._submit(task)
        looked = -_LOOK_S
        while self._tasks:
            if self._client.status != "running":
                raise LostError
            if time.monotonic() - looked > _LOOK_S:
                looked = time.monotonic()
                self._watcher.tick(self._waiting())
            with suppress(Empty):
                self._inbox.get(timeout=_POLL_S)()

    def _leave_word(
        self, handle: Callable[[object], None]
    ) -> Callable[[tuple[float, object]], None]:
        return lambda event: self._inbox.put(partial(handle, event[1]))

    def _submit(self, task: Task) -> None:
        key = f"{self._ledger.sweep}-{task.id}-{self._attempts[task.id]}"
        with _over_the_network():
            future = self._client.submit(
                attempt,
                self._work,
                msgspec.json.encode(task).decode(),
                key=key,
                resources=task.resources,
                priority=-self._place[task.id],
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
        if why := self._blame.lost(task.id):
            del self._tasks[key], self._begun[key]
            with _over_the_network():
                future.cancel()
            self._fail(task, why)
        else:
            self._watcher.say(f"{task.words}: its worker is lost; it runs again")

    def _on_words(self, message: object) -> None:
        if isinstance(message, dict):
            said = (str(message.get(field, "")) for field in ("task", "host", "words"))
            self._watcher.running(*said)

    def _on_done(self, key: str) -> None:
        if key not in self._tasks:
            return  # taken back
        _, future = self._tasks[key]
        if future.status == "cancelled":
            raise LostError  # not by us: the connection broke, and dask has mended it since
        if future.status == "error":
            error = future.exception()
            if isinstance(error, CancelledError):
                raise LostError  # just now
            self._on_error(key, error)
            return
        self._begun.pop(key, None)
        self._client.loop.add_callback(self._fetch, key, future)

    async def _fetch(self, key: str, future: "Future") -> None:
        """On dask's thread: it may be made anew before it comes."""
        try:
            result = await self._client.gather(future, asynchronous=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is handled by `go`
            self._inbox.put(partial(self._on_unfetched, key, error))
        else:
            self._inbox.put(partial(self._on_fetched, key, result))

    def _on_unfetched(self, key: str, error: Exception) -> None:
        if key not in self._tasks:
            return
        if self._tasks[key][1].status == "error":
            self._on_done(key)
        elif isinstance(error, _BROKEN):
            raise LostError
        else:
            self._fail(self._forget(key), f"its result can't be read: {error}")

    def _on_error(self, key: str, error: BaseException) -> None:
        from distributed import KilledWorker

        was_begun = key in self._begun
        task = self._forget(key)
        if isinstance(error, KilledWorker):
            why = (self._blame.lost if was_begun else self._blame.unseen)(task.id)
        else:
            why = str(error) or type(error).__name__
        if why:
            self._fail(task, why)
        else:
            self._again(task)

    def _on_fetched(self, key: str, result: Mapping[str, object]) -> None:
        if key not in self._tasks:
            return
        task = self._forget(key)
        host, text = str(result.get("host", "")), result.get("run")
        if not isinstance(text, str):
            self._again(task)  # it gave up, as it seemed unwanted for a moment
            return
        try:
            found = decoded(text, task, host)
            is_new = self._ledger.keep(task, found, host)
        except (DataError, UsageError) as error:
            self._fail(task, str(error))
            return
        if is_new:
            self._watcher.came(task, host, found)

    def _again(self, task: Task) -> None:
        self._attempts[task.id] += 1
        self._submit(task)

    def _forget(self, key: str) -> Task:
        task, future = self._tasks.pop(key)
        self._begun.pop(key, None)
        future.release()
        return task

    def _fail(self, task: Task, why: str) -> None:
        self._blame.failed.add(task.id)
        self._ledger.fail(task, why)
        self._watcher.failed(task, why)

    def _waiting(self) -> dict[str, int]:
        """How many tasks wait for a machine class that no worker has, by class."""
        with _over_the_network():
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        there = {name for worker in workers for name in worker["resources"]}
        wanted = Counter(
            task.machine_class if ONE_AT_A_TIME in there else ""
            for task, _ in self._tasks.values()
            if not task.resources.keys() <= there
        )
        return dict(wanted)


@contextmanager
def _over_the_network() -> Iterator[None]:
    """Whatever breaks because the connection does."""
    try:
        yield
    except _BROKEN as error:
        raise LostError from error
