"""A thread that watches an archive for a run that is going on."""

import contextlib
from collections.abc import Callable
from threading import Event, Thread, current_thread
from typing import NamedTuple

from veperf.archive.storage.local import LocalStorage
from veperf.core.errors import VeperfError
from veperf.jupyter.explored_runs import ExploredRuns

_POLL_S = 1.0
_POLL_REMOTE_S = 10.0
"""An object store is asked less often: it charges for each question."""


class Seen(NamedTuple):
    """The latest unfinished run, and how many of its passes are done; none where empty."""

    run: str = ""
    passes: int = 0


class Follower:
    """Calls ``notify`` with the id of the latest unfinished run, after each of its processes.

    And once more when the run is whole. Errors of the archive are passed over: the next look may
    succeed.
    """

    def __init__(self, source: ExploredRuns, notify: Callable[[str], None]) -> None:
        self._source = source
        self._notify = notify
        self._stop = Event()
        self._thread: Thread | None = None
        is_local = isinstance(source.archive.storage, LocalStorage)
        self._seconds = _POLL_S if is_local else _POLL_REMOTE_S

    @property
    def is_alive(self) -> bool:
        """Return whether the thread is running."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start to watch, unless it does."""
        if self.is_alive:
            return
        self._stop = Event()
        self._thread = Thread(
            target=self._watch, args=(self._stop,), name="veperf-follow", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop to watch; the thread has ended when this returns, unless it is the one that asks."""
        self._stop.set()
        if self._thread is not None and self._thread is not current_thread():
            self._thread.join()
        self._thread = None

    def _watch(self, stop: Event) -> None:
        seen = Seen()
        while not stop.is_set():
            with contextlib.suppress(VeperfError):
                seen = self.look(seen)
            stop.wait(self._seconds)

    def look(self, seen: Seen) -> Seen:
        """Notify of what is new since ``seen``, and return what is seen now.

        A run that was interrupted before other runs were made is none that goes on, until it does.

        Raises:
            VeperfError: the archive can't be read right now.
        """
        archive = self._source.archive
        unfinished = self._source.unfinished()
        if seen.run and seen.run not in unfinished and archive.is_complete(seen.run):
            self._notify(seen.run)
        if not unfinished:
            return Seen()
        now = Seen(unfinished[-1], self._source.passes_done(unfinished[-1]))
        if now == seen:
            return now
        if now.run == seen.run or not any(id > now.run for id in archive.ids()):
            self._notify(now.run)
        return now
