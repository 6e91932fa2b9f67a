"""Places where progress is shown: a notebook cell, a terminal, or plain lines of a log.

All of it goes to standard error or to the cell's output, never to standard output.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from veperf.core.escape import make_visible

if TYPE_CHECKING:
    from IPython.display import DisplayHandle
    from rich.progress import Progress as RichProgress

_ERASE_LAST_LINE = "\x1b[1A\r\x1b[J"  # cursor up, to the left, erase all below

T = TypeVar("T")


def choose_display(
    *, notebook: Callable[[], T], terminal: Callable[[], T], log: Callable[[], T]
) -> T:
    """Make the display that suits the place where this process runs."""
    if is_in_notebook():
        return notebook()
    return terminal() if sys.stderr.isatty() else log()


def is_in_notebook() -> bool:
    """Return whether a notebook's kernel runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def print_status(line: str) -> None:
    """Print a line of a log; what could steer a terminal becomes visible."""
    print(make_visible(line), file=sys.stderr, flush=True)


class TerminalLine:
    """The last line of a terminal, overwritten by each call; later output begins below it."""

    def __init__(self) -> None:
        self._erase = ""

    def __call__(self, line: str) -> None:
        """Show ``line`` in place of the last one."""
        print(f"{self._erase}{make_visible(line, keep='')}", file=sys.stderr, flush=True)
        self._erase = _ERASE_LAST_LINE


class NotebookLine:
    """A line of a cell's output, overwritten by each call."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None

    def __call__(self, line: str) -> None:
        """Show ``line`` in place of the last one."""
        line = make_visible(line, keep="")
        if self._handle is None:
            from IPython.display import display

            self._handle = display(_UnquotedText(line), display_id=True)  # type: ignore[no-untyped-call]  # IPython is half typed
        else:
            self._handle.update(_UnquotedText(line))  # type: ignore[no-untyped-call]  # IPython is half typed


class _UnquotedText:
    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def make_rich_bar(*, auto_refresh: bool = False) -> "RichProgress":
    """Return a bar on standard error with the tasks' ``words`` beside it.

    Drawn on request, or by itself with ``auto_refresh``.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", style="dim"),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        auto_refresh=auto_refresh,
        transient=True,
    )
