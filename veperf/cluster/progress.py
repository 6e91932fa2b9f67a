"""Display the progress of a sweep: bars in a terminal, lines in a log."""

import math
import sys
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Self

from veperf.cluster.preflight import UnfitWorker, describe_unfit
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import SweepTask
from veperf.cluster.task_worker import TaskResult
from veperf.core.errors import MeasureError
from veperf.core.escape import make_visible
from veperf.core.text import format_duration, plural
from veperf.progress.output import make_rich_bar, print_status

if TYPE_CHECKING:
    from rich.progress import TaskID


class NoWorkerError(MeasureError):
    """All remaining tasks wait for machine classes of which no worker came."""


class SweepLines:
    """Prints a line for each task that is done.

    Once nothing else is left to do, it waits ``wait_s`` for classes that have no worker.
    """

    def __init__(self, journal: SweepJournal, wait_s: float = math.inf) -> None:
        self._wait_s = wait_s
        self._waiting_since: float | None = None
        self._failed = 0
        self._descriptions = {task.id: task.description for task in journal.plan.tasks}
        self.total = len(journal.plan.tasks)
        self.done = self.total - len(journal.missing())
        self._done_before = self.done
        self._start = time.monotonic()
        self._announced: frozenset[str] = frozenset()
        """Classes of which a missing worker has been announced."""

    def __enter__(self) -> Self:
        if self.done:
            self.say(f"{self.done} of {self.total} are done already")
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def task_running(self, task: str, host: str, message: str) -> None:
        """Print nothing: this is too much for a log."""

    def task_done(self, task: SweepTask, host: str, result: TaskResult) -> None:
        """Print the host and the id of the run or comparison."""
        self.done += 1
        count = f"{self.done}/{self.total}"
        parts = (count, task.description, host, result.id, self.time_left())
        self.say("  ".join(parts).rstrip())

    def task_failed(self, task: SweepTask, reason: str) -> None:
        """Print the reason."""
        self._failed += 1
        self.say(f"{task.description} failed: {reason}")

    def say(self, message: str) -> None:
        """Print a line."""
        print_status(message)

    def tick(self, waiting: Mapping[str, int], unfit: Collection[UnfitWorker]) -> None:
        """Announce classes without a worker, once, with the workers that don't fit.

        Raises:
            NoWorkerError: nothing else is left, and the time to wait is over.
        """
        names = frozenset(waiting)
        if names - self._announced:
            self.say("; ".join(_no_worker(name, n, unfit) for name, n in sorted(waiting.items())))
        self._announced = names
        if sum(waiting.values()) < self.total - self.done - self._failed:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = time.monotonic()
        elif time.monotonic() - self._waiting_since > self._wait_s:
            wait = format_duration(self._wait_s, digits=2)
            named = [w for w in unfit if "" in waiting or waiting.keys() & w.machine_classes]
            because = f"; there is, but it does not fit, {describe_unfit(named)}" if named else ""
            raise NoWorkerError(f"no worker came within {wait}{because}")

    def time_left(self) -> str:
        """Return the time left at the pace so far; empty while that is not known."""
        done = self.done - self._done_before
        if done == 0 or self.done == self.total:
            return ""
        pace_s = (time.monotonic() - self._start) / done
        return f"{format_duration(pace_s * (self.total - self.done), digits=2)} left"


class SweepBars(SweepLines):
    """Shows a bar over all tasks, and a line below for each that runs."""

    def __init__(self, journal: SweepJournal, wait_s: float = math.inf) -> None:
        super().__init__(journal, wait_s)
        self._bars = make_rich_bar(auto_refresh=True)
        self._all = self._bars.add_task("tasks", total=self.total, completed=self.done, words="")
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        self._bars.stop()

    def task_running(self, task: str, host: str, message: str) -> None:
        """Update its line."""
        text = make_visible(f"{self._descriptions.get(task, task)}  {host}  {message}", keep="")
        if task in self._rows:
            self._bars.update(self._rows[task], description=text)
        else:
            self._rows[task] = self._bars.add_task(text, total=None, words="")

    def task_done(self, task: SweepTask, host: str, result: TaskResult) -> None:
        """Remove its line."""
        super().task_done(task, host, result)
        self._remove(task)
        self._bars.update(self._all, completed=self.done, words=self.time_left())

    def task_failed(self, task: SweepTask, reason: str) -> None:
        """Remove its line, and print the reason."""
        super().task_failed(task, reason)
        self._remove(task)

    def say(self, message: str) -> None:
        """Print a line above the bars."""
        from rich.markup import escape

        self._bars.console.print(escape(make_visible(message)), highlight=False)

    def _remove(self, task: SweepTask) -> None:
        row = self._rows.pop(task.id, None)
        if row is not None:
            self._bars.remove_task(row)


def sweep_progress(journal: SweepJournal, wait_s: float) -> SweepLines:
    """Return the display that suits standard error."""
    return (SweepBars if sys.stderr.isatty() else SweepLines)(journal, wait_s)


def _no_worker(name: str, tasks: int, unfit: Collection[UnfitWorker]) -> str:
    kind = f"machine class {name!r}" if name else "veperf (--resources veperf=1)"
    count = plural(tasks, "task waits", "tasks wait")
    if named := describe_unfit(unfit, name):
        return f"no worker of {kind} fits; {count} for one ({named})"
    return f"no worker of {kind} is there; {count} for one"
