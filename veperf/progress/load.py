"""Progress of a load in a single line, and a Ctrl-C that ends the load instead of dropping it."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Self

from veperf.core.case import Case
from veperf.core.load import LoadSoFar
from veperf.progress.display import NoProgress
from veperf.progress.output import NotebookLine, TerminalLine, choose_display, print_status

_LOG_EVERY_S = 10.0
_ENDING = "ending the load; Ctrl-C once more drops it"


class LoadLine(NoProgress):
    """The state of a load, in a line every ``every_s`` at most.

    Inside its context the first Ctrl-C asks the load to end; the second one interrupts as usual,
    and so does the first one of a load that has shown nothing yet, which may take long to set up.
    """

    def __init__(self, show: Callable[[str], object], every_s: float = 0.0) -> None:
        self._show = show
        self._every_s = every_s
        self._shown_s = 0.0
        self._unit = ""
        self._has_begun = False
        self._stopping = False
        self._is_showing = False
        self._end_load: Callable[[], object] | None = None
        self._before: signal._HANDLER = None

    def __enter__(self) -> Self:
        # Only the main thread may handle signals; in another thread, Ctrl-C is left alone.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *exc: object) -> None:
        self._restore()

    def case_started(self, index: int, case: Case) -> None:
        """Show that the case is being set up, which takes a while."""
        self._unit = next((m.unit for m in case.metrics if m.name == "achieved"), "1/s")
        self._show_line(f"{case.id}: setting up")

    def is_stopping(self) -> bool:
        """Return whether Ctrl-C has asked the load to end."""
        return self._stopping

    def load_started(self, interrupt: Callable[[], object]) -> None:
        """Have Ctrl-C end the load by ``interrupt``, instead of at the next progress."""
        self._end_load = interrupt

    def load_ticked(self, index: int, case: Case, so_far: LoadSoFar) -> bool:
        """Show the load so far; False if it shall end, because of Ctrl-C."""
        self._has_begun = True
        if so_far.elapsed_s - self._shown_s >= self._every_s:
            self._shown_s = so_far.elapsed_s
            self._show_line(describe_load(so_far, self._unit))
        return not self._stopping

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._restore()
        if not self._has_begun:
            signal.raise_signal(signal.SIGINT)
            return
        self._stopping = True
        if self._end_load is not None:
            self._end_load()
        if not self._is_showing:  # a stream can't be written to while it is being written to
            self._show(_ENDING)

    def _show_line(self, line: str) -> None:
        was_stopping, self._is_showing = self._stopping, True
        try:
            self._show(line)
        finally:
            self._is_showing = False
        if self._stopping and not was_stopping:  # Ctrl-C while the line was being written
            self._show(_ENDING)

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None


def load_progress() -> LoadLine:
    """Return a line that is overwritten, or, in a log, one every ten seconds."""
    return choose_display(
        notebook=lambda: LoadLine(NotebookLine()),
        terminal=lambda: LoadLine(TerminalLine()),
        log=lambda: LoadLine(print_status, _LOG_EVERY_S),
    )


def describe_load(so_far: LoadSoFar, unit: str) -> str:
    """Return the state of a load in one line; ``unit`` is that of its rates."""
    time = f"{_clock(so_far.elapsed_s)} of {_clock(so_far.planned_s)}"
    if so_far.achieved is None:
        return f"{time}  warming up"
    p95 = "none" if so_far.latency_p95_ms is None else f"{so_far.latency_p95_ms:,.1f} ms"
    errors = f"  errors {so_far.errors:,}" if so_far.errors else ""
    return f"{time}  {so_far.achieved:,.0f} {unit}  p95 {p95}  lag {so_far.lag_ms:,.1f} ms{errors}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"
