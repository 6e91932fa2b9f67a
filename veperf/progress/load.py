"""A load while it is on, in one line, and a Ctrl-C that ends it rather than drops it."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Self

from veperf.core.case import Case
from veperf.core.load import LoadSoFar
from veperf.progress.display import Silent, Text, in_notebook, say

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

_LOG_EVERY_S = 10.0
_ONE_LINE_BACK = "\x1b[1A\r\x1b[J"  # cursor up, to the left, erase all below


class LoadLine(Silent):
    """How the load goes, in a line every ``every_s`` at most.

    Within it the first Ctrl-C asks for the end of the load; the second is as everywhere.
    """

    def __init__(self, show: Callable[[str], object], every_s: float = 0.0) -> None:
        self._show = show
        self._every_s = every_s
        self._shown_s = 0.0
        self._unit = ""
        self._stopping = False
        self._before: signal._HANDLER = None

    def __enter__(self) -> Self:
        # Only the main thread may take signals; in another, Ctrl-C is not ours.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *exc: object) -> None:
        self._restore()

    def case_started(self, index: int, case: Case) -> None:
        """The set-up takes a while."""
        self._unit = next((m.unit for m in case.metrics if m.name == "achieved"), "1/s")
        self._show(f"{case.id}: setting up")

    def load_ticked(self, index: int, case: Case, so_far: LoadSoFar) -> bool:
        """Show it, and go on unless somebody wants it to end."""
        if so_far.elapsed_s - self._shown_s >= self._every_s:
            self._shown_s = so_far.elapsed_s
            self._show(words(so_far, self._unit))
        return not self._stopping

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        self._restore()
        self._show("ending the load; Ctrl-C once more drops it")

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None


def for_load() -> LoadLine:
    """What suits the place: a line that is written over, or, in a log, one now and then."""
    if in_notebook():
        return LoadLine(_InNotebook())
    return LoadLine(_InTerminal()) if sys.stderr.isatty() else LoadLine(say, _LOG_EVERY_S)


def words(so_far: LoadSoFar, unit: str) -> str:
    """How it goes, in one line; ``unit`` is that of its rates."""
    time = f"{_clock(so_far.elapsed_s)} of {_clock(so_far.planned_s)}"
    if so_far.achieved is None:
        return f"{time}  warming up"
    p95 = "none" if so_far.latency_p95_ms is None else f"{so_far.latency_p95_ms:,.1f} ms"
    errors = f"  errors {so_far.errors:,}" if so_far.errors else ""
    return f"{time}  {so_far.achieved:,.0f} {unit}  p95 {p95}  lag {so_far.lag_ms:,.1f} ms{errors}"


class _InNotebook:
    """One line of a cell's output, written over."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None

    def __call__(self, line: str) -> None:
        if self._handle is None:
            from IPython.display import display

            self._handle = display(Text(line), display_id=True)  # type: ignore[no-untyped-call]  # IPython is half typed
        else:
            self._handle.update(Text(line))  # type: ignore[no-untyped-call]  # IPython is half typed


class _InTerminal:
    """The last line of a terminal, written over; what follows begins on a line of its own."""

    def __init__(self) -> None:
        self._back = ""

    def __call__(self, line: str) -> None:
        print(f"{self._back}{line}", file=sys.stderr, flush=True)
        self._back = _ONE_LINE_BACK


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}"
