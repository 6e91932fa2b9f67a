"""What is going on, for people: a bar in a terminal, lines in a log, one line in a notebook."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from veperf.core.case import Case
from veperf.core.load import LoadSoFar
from veperf.core.run import CaseResult, Run
from veperf.progress.estimate import Estimate, Job

if TYPE_CHECKING:
    from IPython.display import DisplayHandle
    from rich.progress import Progress as RichProgress


class Silent:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def case_started(self, index: int, case: Case) -> None:
        """Nothing."""

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Nothing."""

    def load_ticked(self, index: int, case: Case, so_far: LoadSoFar) -> bool:
        """Nothing: whatever is drawn takes CPU time that the load may need."""
        return True


class Lines(Silent):
    """A line a pass, for logs."""

    def __init__(self, estimate: Estimate) -> None:
        self._estimate = estimate
        self._shown = -1

    def case_started(self, index: int, case: Case) -> None:
        """A new pass gets its line."""
        if index != self._shown:
            self._shown = index
            estimate = self._estimate
            say(f"pass {index + 1} of {estimate.passes}  {_words(estimate)}".rstrip())
        self._estimate.started(index)

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """A failure gets its line at once, the first time."""
        failure = result.failure
        if failure is not None and case.id not in self._estimate.failed:
            say(f"  {case.id}: {failure.kind}: {failure.message}")
        self._estimate.finished(index, case, result)


class Bar(Silent):
    """A bar in a terminal. Drawn between cases only, so that drawing disturbs no sample."""

    def __init__(self, estimate: Estimate) -> None:
        self._estimate = estimate
        self._bar = rich_bar()
        self._task = self._bar.add_task("starting", total=self._estimate.total, words="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def case_started(self, index: int, case: Case) -> None:
        """Show what is being measured."""
        estimate = self._estimate
        self._bar.update(
            self._task,
            description=f"pass {index + 1}/{estimate.passes}  {case.id}",
            words=_words(estimate),
            completed=estimate.done,
            refresh=True,
        )
        estimate.started(index)

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Move on; a failure stays visible above the bar."""
        failure = result.failure
        if failure is not None and case.id not in self._estimate.failed:
            from rich.markup import escape

            self._bar.console.print(f"[red]✗[/] {escape(f'{case.id}: {failure.message}')}")
        self._estimate.finished(index, case, result)
        self._bar.update(
            self._task,
            completed=self._estimate.done,
            words=_words(self._estimate),
            refresh=True,
        )


class NotebookLine(Silent):
    """One line that is written over, in a notebook."""

    def __init__(self, estimate: Estimate) -> None:
        self._estimate = estimate
        self._handle: DisplayHandle | None = None

    def __enter__(self) -> Self:
        from IPython.display import display

        self._handle = display(Text("starting"), display_id=True)  # type: ignore[no-untyped-call]  # IPython is half typed
        return self

    def __exit__(self, *exc: object) -> None:
        estimate = self._estimate
        failed = f", failed: {', '.join(sorted(estimate.failed))}" if estimate.failed else ""
        self._show(f"measured {estimate.done} of {estimate.total}{failed}")

    def case_started(self, index: int, case: Case) -> None:
        """Show what is being measured."""
        estimate = self._estimate
        self._show(
            f"pass {index + 1} of {estimate.passes}, {estimate.done} of {estimate.total} done, "
            f"{_words(estimate)}  {case.id}"
        )
        estimate.started(index)

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Take note."""
        self._estimate.finished(index, case, result)

    def _show(self, words: str) -> None:
        if self._handle is not None:
            self._handle.update(Text(words))  # type: ignore[no-untyped-call]  # IPython is half typed


class Text:
    """A line of a cell's output, without quotes."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __repr__(self) -> str:
        return self._words


def for_here(run: Run, earlier: Mapping[Job, float]) -> "NotebookLine | Bar | Lines":
    """What suits the place: a notebook, a terminal or a log.

    ``earlier`` has what cases took in earlier runs, in seconds.
    """
    estimate = Estimate(run, earlier)
    if in_notebook():
        return NotebookLine(estimate)
    return Bar(estimate) if sys.stderr.isatty() else Lines(estimate)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def rich_bar(*, auto_refresh: bool = False) -> "RichProgress":
    """A bar on stderr with the tasks' ``words`` beside it, drawn when told to or by itself."""
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


def _words(estimate: Estimate) -> str:
    """The time left and what failed, in a few words."""
    left = estimate.seconds_left()
    text = "" if left is None else f"{minutes(left)} left"
    return text + (f", {len(estimate.failed)} failing" if estimate.failed else "")


def minutes(seconds: float) -> str:
    """``seconds`` for people who wait."""
    whole = round(seconds)
    return f"{whole} s" if whole < 90 else f"{whole // 60}:{whole % 60:02} min"


def say(line: str) -> None:
    """A line for a log."""
    print(line, file=sys.stderr, flush=True)
