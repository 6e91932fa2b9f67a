"""A comparison while it goes on: a table in a terminal, lines in a log, one line in a notebook."""

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, Self

from veperf.abtest.sequential_comparison import Contest
from veperf.core.ab import ABChange
from veperf.core.escape import one_line
from veperf.core.verdict import ChangeStatus
from veperf.progress.display import Text, in_notebook, say
from veperf.report.tables import status

if TYPE_CHECKING:
    from IPython.display import DisplayHandle
    from rich.live import Live
    from rich.table import Table

_SAY_EVERY_S = 10.0
_SHOWN_ROWS = 30


class Progress(Protocol):
    """Told what is going on, from the measuring thread and outside timed stretches."""

    def pair_started(self, index: int, contests: Sequence[Contest]) -> None:
        """Pair ``index`` begins, of those ``contests`` that are undecided."""

    def measured(self, contest: Contest) -> None:
        """``contest`` has one more pair."""

    def decided(self, change: ABChange) -> None:
        """A benchmark is done with."""


class Silent(AbstractContextManager["Silent"]):
    """Says nothing."""

    def __exit__(self, *exc: object) -> None:
        pass

    def pair_started(self, index: int, contests: Sequence[Contest]) -> None:
        """Nothing."""

    def measured(self, contest: Contest) -> None:
        """Nothing."""

    def decided(self, change: ABChange) -> None:
        """Nothing."""


class Lines(Silent):
    """A line now and then and one for each decision, for logs."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._said: float | None = None

    def pair_started(self, index: int, contests: Sequence[Contest]) -> None:
        """How many are still undecided."""
        if self._said is None or time.monotonic() - self._said > _SAY_EVERY_S:
            self._said = time.monotonic()
            say(f"pair {index + 1}: {_undecided(contests)}, {_elapsed(self._began)}")

    def decided(self, change: ABChange) -> None:
        """What and why."""
        mark = status.of_change(change.status)
        say(one_line(f"  {mark.symbol} {change.case} {mark.word}: {change.reason}"))


class LiveTable(Silent):
    """All benchmarks in a terminal. Drawn between cases only, so that it disturbs no sample."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._contests: Sequence[Contest] = ()
        self._pair = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()

    def pair_started(self, index: int, contests: Sequence[Contest]) -> None:
        """The table as it is now."""
        self._pair, self._contests = index + 1, contests
        self._draw()

    def measured(self, contest: Contest) -> None:
        """The table as it is now."""
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            from rich.console import Group

            words = f"pair {self._pair}: {_undecided(self._contests)}, {_elapsed(self._began)}"
            self._live.update(Group(words, self._table()), refresh=True)

    def _table(self) -> "Table":
        from rich.markup import escape
        from rich.table import Table

        table = Table("", "Benchmark", "Pairs", "", box=None)
        # What is decided badly or not at all comes first; what does not fit is not lost.
        ordered = sorted(self._contests, key=_urgency)
        for contest in ordered[:_SHOWN_ROWS]:
            change = contest.decided
            symbol = "·" if change is None else status.of_change(change.status).symbol
            said = "" if change is None else f"{change.status}: {change.reason}"
            name = escape(one_line(contest.case.id))
            table.add_row(symbol, name, str(contest.pairs), escape(one_line(said)))
        if len(ordered) > _SHOWN_ROWS:
            table.add_row("", f"and {len(ordered) - _SHOWN_ROWS} more", "", "")
        return table


class NotebookLine(Silent):
    """One line that is written over, in a notebook."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        from IPython.display import display

        self._handle = display(Text("starting"), display_id=True)  # type: ignore[no-untyped-call]  # IPython is half typed
        return self

    def pair_started(self, index: int, contests: Sequence[Contest]) -> None:
        """How many are still undecided."""
        words = f"pair {index + 1}: {_undecided(contests)}, {_elapsed(self._began)}"
        if self._handle is not None:
            self._handle.update(Text(words))  # type: ignore[no-untyped-call]  # IPython is half typed


def for_here() -> NotebookLine | LiveTable | Lines:
    """What suits the place: a notebook, a terminal or a log."""
    if in_notebook():
        return NotebookLine()
    return LiveTable() if sys.stderr.isatty() else Lines()


def _undecided(contests: Sequence[Contest]) -> str:
    return f"{sum(c.decided is None for c in contests)} of {len(contests)} undecided"


def _urgency(contest: Contest) -> tuple[bool, int]:
    change = contest.decided
    calm = change is not None and change.status in (ChangeStatus.OK, ChangeStatus.FASTER)
    return calm, 0 if change is None else status.of_change(change.status).urgency


def _elapsed(began: float) -> str:
    seconds = round(time.monotonic() - began)
    return f"{seconds // 60}:{seconds % 60:02} min"
