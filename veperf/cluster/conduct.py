"""Handing tasks to dask and taking runs in, until every task has one or has failed for good."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from veperf.archive.files import decode_json
from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import ONE_AT_A_TIME, Task
from veperf.cluster.work import TOPIC, on_worker
from veperf.errors import DataError, MeasureError
from veperf.model import RUN_FORMAT, Run

if TYPE_CHECKING:
    from distributed import Client, Future

MOST_LOSSES = 3
"""So many workers may be lost in the middle of one task; then the task is to blame."""
_RETRY_S = 1.0
_POLL_S = 0.05
_LOOK_S = 5.0

Work = Callable[[str], dict[str, object]]


class Watcher(Protocol):
    """Is told how a sweep goes."""

    def running(self, task: str, host: str, words: str) -> None:
        """A task says how far it is."""

    def came(self, task: Task, host: str, run: Run) -> None:
        """A task's run is in the archive."""

    def failed(self, task: Task, why: str) -> None:
        """A task has no run, and will have none."""

    def say(self, words: str) -> None:
        """Something that people should know."""

    def tick(self, waiting: Mapping[str, int]) -> None:
        """Time passes; ``waiting`` counts the tasks of classes that have no worker."""


class _LostError(Exception):
    """The scheduler is gone."""


def conduct(
    ledger: Ledger,
    connect: "Callable[[], Client]",
    watcher: Watcher,
    *,
    patience_s: float = 60.0,
    work: Work = on_worker,
) -> int:
    """Have the tasks of ``ledger`` measured that have no run; return how many failed for good.

    A task whose worker is lost runs again on another of its class; when the scheduler is lost, it
    is looked for again for ``patience_s`` seconds, and what is missing is handed over again.

    Raises:
        MeasureError: there is no scheduler.
        StorageError: the archive can't be written.
    """
    losses: Counter[str] = Counter()
    failed: set[str] = set()
    while missing := [task for task in ledger.missing() if task.id not in failed]:
        with _connected(connect, watcher, patience_s, ledger.sweep) as client:
            try:
                _Session(client, ledger, watcher, work, losses, failed).go(missing)
            except _LostError:
                watcher.say("the scheduler is gone; runs that came back are kept")
    return len(failed)


def _connected(
    connect: "Callable[[], Client]", watcher: Watcher, patience_s: float, sweep: str
) -> "Client":
    since = time.monotonic()
    while True:
        try:
            return connect()
        except (OSError, TimeoutError) as error:
            if time.monotonic() - since > patience_s:
                raise MeasureError(
                    f"no scheduler for {patience_s:.0f} s ({error}); "
                    f"`veperf sweep --resume {sweep}` goes on from here"
                ) from error
            watcher.say(f"no scheduler yet ({error}); trying again")
        time.sleep(_RETRY_S)


class _Session:
    """What goes on while one connection to the scheduler lasts."""

    def __init__(
        self,
        client: "Client",
        ledger: Ledger,
        watcher: Watcher,
        work: Work,
        losses: Counter[str],
        failed: set[str],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._watcher = watcher
        self._work = work
        self._losses = losses
        self._failed = failed
        self._tasks: dict[Future, Task] = {}
        self._place = {task.id: place for place, task in enumerate(ledger.plan.tasks)}

    def go(self, missing: Iterable[Task]) -> None:
        """Until every task of ``missing`` came back.

        Raises:
            _LostError: the scheduler is gone.
        """
        from distributed import as_completed

        self._client.subscribe_topic(TOPIC, self._heard)
        futures = [self._submit(task) for task in missing]
        done = as_completed(futures, loop=self._client.loop, raise_errors=False)
        looked = -_LOOK_S
        while self._tasks:
            if self._client.status != "running":
                raise _LostError
            for future in done.next_batch(block=False) if not done.queue.empty() else ():
                again = self._take(future, self._tasks.pop(future))
                if again is not None:
                    done.add(self._submit(again))
            if time.monotonic() - looked > _LOOK_S:
                looked = time.monotonic()
                self._watcher.tick(self._waiting())
            time.sleep(_POLL_S if done.queue.empty() else 0)

    def _submit(self, task: Task) -> "Future":
        lost = self._losses[task.id]
        future: Future = self._client.submit(
            self._work,
            msgspec.json.encode(task).decode(),
            key=f"{self._ledger.sweep}-{task.id}-{lost}",
            resources=task.resources,
            priority=-self._place[task.id],
            pure=False,
        )
        self._tasks[future] = task
        return future

    def _take(self, future: "Future", task: Task) -> Task | None:
        """Take in what came back of ``task``; return it if it is to be done again."""
        from distributed import KilledWorker

        if future.status == "error" and not isinstance(future.exception(), KilledWorker):
            self._fail(task, str(future.exception()))
            return None
        result = future.result() if future.status == "finished" else {}
        future.release()
        host, text = str(result.get("host", "")), result.get("run")
        if not isinstance(text, str):
            return self._lost(task)
        try:
            run = decode_json(text.encode(), f"the run from {host}", Run, newest_format=RUN_FORMAT)
        except DataError as error:
            self._fail(task, str(error))
            return None
        if self._ledger.keep(task, run, host):
            self._watcher.came(task, host, run)
        return None

    def _lost(self, task: Task) -> Task | None:
        self._losses[task.id] += 1
        if self._losses[task.id] == MOST_LOSSES:
            self._fail(task, f"{MOST_LOSSES} workers were lost while they measured it")
            return None
        self._watcher.say(f"{task.words}: its worker is lost; it runs again")
        return task

    def _fail(self, task: Task, why: str) -> None:
        self._failed.add(task.id)
        self._ledger.fail(task, why)
        self._watcher.failed(task, why)

    def _heard(self, event: tuple[float, object]) -> None:
        message = event[1]
        if isinstance(message, dict):
            said = (str(message.get(field, "")) for field in ("task", "host", "words"))
            self._watcher.running(*said)

    def _waiting(self) -> dict[str, int]:
        """How many tasks wait for a machine class that no worker has, by class."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        there = {name for worker in workers for name in worker["resources"]}
        wanted = Counter(
            task.machine_class if ONE_AT_A_TIME in there else ""
            for task in self._tasks.values()
            if not task.resources.keys() <= there
        )
        return dict(wanted)
