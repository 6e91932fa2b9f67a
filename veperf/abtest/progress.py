"""Progress of a comparison: a table in a terminal, lines in a log, a line in a notebook."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from veperf.abtest.comparison_report import pair_change_mark
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABChange
from veperf.core.escape import one_line
from veperf.core.verdict import ChangeStatus
from veperf.progress.output import NotebookLine, choose_display, print_status
from veperf.report.case_summary import measured_name

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_LINE_EVERY_S = 10.0
_SHOWN_ROWS = 30
_SHOWN_PLAN = 5


class ComparisonProgress(AbstractContextManager["ComparisonProgress"]):
    """Receiver of progress that shows nothing, and base of those that do.

    Called from the measuring thread, outside timed stretches.
    """

    def __exit__(self, *exc: object) -> None:
        pass

    def pair_started(self, index: int, comparisons: Sequence[SequentialComparison]) -> None:
        """Pair ``index`` begins, of those of ``comparisons`` that are undecided."""

    def planned(self, plan: Sequence[str]) -> None:
        """The time that is left was planned anew, as these lines say."""

    def measured(self, comparison: SequentialComparison) -> None:
        """``comparison`` has one more pair."""

    def decided(self, change: ABChange) -> None:
        """A benchmark is decided."""


class ComparisonLines(ComparisonProgress):
    """Log with a line every 10 s and one for each decision."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last_line_s: float | None = None

    def pair_started(self, index: int, comparisons: Sequence[SequentialComparison]) -> None:
        """Show how many are undecided."""
        if self._last_line_s is None or time.monotonic() - self._last_line_s > _LINE_EVERY_S:
            self._last_line_s = time.monotonic()
            print_status(f"pair {index + 1}: {_undecided(comparisons)}, {_elapsed(self._began)}")

    def planned(self, plan: Sequence[str]) -> None:
        """Print the plan."""
        for line in plan:
            print_status(one_line(f"  {line}"))

    def decided(self, change: ABChange) -> None:
        """Print the decision and its reason."""
        mark = pair_change_mark(change)
        name = measured_name(change.case, change.metric.name)
        print_status(one_line(f"  {mark.symbol} {name} {mark.word}: {change.reason}"))


class ComparisonTable(ComparisonProgress):
    """Table of all benchmarks in a terminal. Drawn between cases only, to disturb no sample."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._comparisons: Sequence[SequentialComparison] = ()
        self._pair = 0
        self._plan: Sequence[str] = ()
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

    def pair_started(self, index: int, comparisons: Sequence[SequentialComparison]) -> None:
        """Draw the table."""
        self._pair, self._comparisons = index + 1, comparisons
        self._draw()

    def planned(self, plan: Sequence[str]) -> None:
        """Draw the plan above the table, from now on."""
        self._plan = plan

    def measured(self, comparison: SequentialComparison) -> None:
        """Draw the table."""
        self._draw()

    def _draw(self) -> None:
        if self._live is not None:
            from rich.console import Group
            from rich.markup import escape

            headline = (
                f"pair {self._pair}: {_undecided(self._comparisons)}, {_elapsed(self._began)}"
            )
            plan = [escape(one_line(line)) for line in self._plan[:_SHOWN_PLAN]]
            self._live.update(Group(headline, *plan, self._table()), refresh=True)

    def _table(self) -> "Table":
        from rich.markup import escape
        from rich.table import Table

        table = Table("", "Benchmark", "Pairs", "", box=None)
        # Slow and undecided ones come first, so that the rows left out matter least.
        ordered = sorted(self._comparisons, key=_urgency)
        for comparison in ordered[:_SHOWN_ROWS]:
            change = comparison.change
            mark = None if change is None else pair_change_mark(change)
            symbol = "·" if mark is None else mark.symbol
            reason = "" if mark is None or change is None else f"{mark.word}: {change.reason}"
            metric = comparison.case.metrics[0].name
            name = escape(one_line(measured_name(comparison.case.id, metric)))
            table.add_row(symbol, name, str(comparison.pairs), escape(one_line(reason)))
        if len(ordered) > _SHOWN_ROWS:
            table.add_row("", f"and {len(ordered) - _SHOWN_ROWS} more", "", "")
        return table


class ComparisonNotebookLine(ComparisonProgress):
    """Line in a notebook that is overwritten."""

    def __init__(self) -> None:
        self._show = NotebookLine()
        self._plan = ""
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._show("starting")
        return self

    def pair_started(self, index: int, comparisons: Sequence[SequentialComparison]) -> None:
        """Show how many are undecided, and the last plan."""
        undecided = f"pair {index + 1}: {_undecided(comparisons)}, {_elapsed(self._began)}"
        self._show("; ".join(filter(None, (undecided, self._plan))))

    def planned(self, plan: Sequence[str]) -> None:
        """Keep the plan for the next line."""
        self._plan = "; ".join(map(one_line, plan))


def comparison_progress() -> ComparisonProgress:
    """Return the display that suits a notebook, a terminal or a log."""
    return choose_display(
        notebook=ComparisonNotebookLine, terminal=ComparisonTable, log=ComparisonLines
    )


def _undecided(comparisons: Sequence[SequentialComparison]) -> str:
    return f"{sum(c.change is None for c in comparisons)} of {len(comparisons)} undecided"


def _urgency(comparison: SequentialComparison) -> tuple[bool, int]:
    change = comparison.change
    calm = change is not None and change.status in (ChangeStatus.OK, ChangeStatus.FASTER)
    return calm, 0 if change is None else pair_change_mark(change).urgency


def _elapsed(began: float) -> str:
    seconds = round(time.monotonic() - began)
    return f"{seconds // 60}:{seconds % 60:02} min"
