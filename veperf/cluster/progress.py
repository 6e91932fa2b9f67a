"""How a sweep goes, for people: a bar and what runs where in a terminal, lines in a log."""

import math
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import Task
from veperf.cluster.task_result import Found
from veperf.core.errors import MeasureError
from veperf.progress.display import minutes, rich_bar, say

if TYPE_CHECKING:
    from rich.progress import TaskID


class NoWorkerError(MeasureError):
    """All that is left waits for machine classes of which no worker came."""


class Lines:
    """A line for each task that comes back.

    Once nothing else is left to do, it waits ``wait_s`` for classes that have no worker.
    """

    def __init__(self, ledger: Ledger, wait_s: float = math.inf) -> None:
        self._wait_s = wait_s
        self._waits_since: float | None = None
        self._failed = 0
        self._words = {task.id: task.words for task in ledger.plan.tasks}
        self.total = len(ledger.plan.tasks)
        self.done = self.total - len(ledger.missing())
        self._before = self.done
        self._since = time.monotonic()
        self._waited_for: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        if self.done:
            self.say(f"{self.done} of {self.total} are done already")
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def running(self, task: str, host: str, words: str) -> None:
        """Too much for a log."""

    def came(self, task: Task, host: str, found: Found) -> None:
        """Where it was measured, and its run or comparison."""
        self.done += 1
        parts = (f"{self.done}/{self.total}", task.words, host, found.id, self.left())
        self.say("  ".join(parts).rstrip())

    def failed(self, task: Task, why: str) -> None:
        """And why."""
        self._failed += 1
        self.say(f"{task.words} failed: {why}")

    def say(self, words: str) -> None:
        """A line."""
        say(words)

    def tick(self, waiting: Mapping[str, int]) -> None:
        """Classes without a worker, once.

        Raises:
            NoWorkerError: nothing else is left, and it was long enough.
        """
        names = frozenset(waiting)
        if names - self._waited_for:
            self.say("; ".join(_no_worker(name, n) for name, n in sorted(waiting.items())))
        self._waited_for = names
        if sum(waiting.values()) < self.total - self.done - self._failed:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = time.monotonic()
        elif time.monotonic() - self._waits_since > self._wait_s:
            raise NoWorkerError(f"no worker came within {minutes(self._wait_s)}")

    def left(self) -> str:
        """The time left, at the pace so far; empty while nothing is known."""
        made = self.done - self._before
        if made == 0 or self.done == self.total:
            return ""
        pace_s = (time.monotonic() - self._since) / made
        return f"{minutes(pace_s * (self.total - self.done))} left"


class Bars(Lines):
    """A bar over all tasks, and a line below for each that runs."""

    def __init__(self, ledger: Ledger, wait_s: float = math.inf) -> None:
        super().__init__(ledger, wait_s)
        self._bars = rich_bar(auto_refresh=True)
        self._all = self._bars.add_task("tasks", total=self.total, completed=self.done, words="")
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        self._bars.stop()

    def running(self, task: str, host: str, words: str) -> None:
        """Its line says how far it is."""
        shown = f"{self._words.get(task, task)}  {host}  {words}"
        if task in self._rows:
            self._bars.update(self._rows[task], description=shown)
        else:
            self._rows[task] = self._bars.add_task(shown, total=None, words="")

    def came(self, task: Task, host: str, found: Found) -> None:
        """Its line goes."""
        super().came(task, host, found)
        self._forget(task)
        self._bars.update(self._all, completed=self.done, words=self.left())

    def failed(self, task: Task, why: str) -> None:
        """Its line goes, the reason stays."""
        super().failed(task, why)
        self._forget(task)

    def say(self, words: str) -> None:
        """Above the bars."""
        from rich.markup import escape

        self._bars.console.print(escape(words), highlight=False)

    def _forget(self, task: Task) -> None:
        row = self._rows.pop(task.id, None)
        if row is not None:
            self._bars.remove_task(row)


def for_here(ledger: Ledger, wait_s: float) -> Lines:
    """What suits the place."""
    return (Bars if sys.stderr.isatty() else Lines)(ledger, wait_s)


def _no_worker(name: str, tasks: int) -> str:
    which = f"machine class {name!r}" if name else "veperf (--resources veperf=1)"
    return f"no worker of {which} is there; {tasks} tasks wait for one"
