"""Progress of a run: a bar in a terminal, lines in a log, a single line in a notebook."""

from collections.abc import Callable, Mapping
from typing import Self

from veperf.core.case import Case
from veperf.core.escape import one_line
from veperf.core.load import LoadSoFar
from veperf.core.run import CaseResult, Run
from veperf.core.text import format_duration
from veperf.progress.estimate import Job, TimeEstimate
from veperf.progress.output import NotebookLine, choose_display, make_rich_bar, print_status


class NoProgress:
    """Progress that is not shown; the base of those that are."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def case_started(self, index: int, case: Case) -> None:
        """Do nothing."""

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Do nothing."""

    def load_started(self, interrupt: Callable[[], object]) -> None:
        """Do nothing: Ctrl-C interrupts as usual."""

    def load_ticked(self, index: int, case: Case, so_far: LoadSoFar) -> bool:
        """Go on, without output: drawing takes CPU time that the load may need."""
        return True


class ProgressLines(NoProgress):
    """A line for each pass, for logs."""

    def __init__(self, estimate: TimeEstimate) -> None:
        self._estimate = estimate
        self._printed: set[int] = set()

    def case_started(self, index: int, case: Case) -> None:
        """Print a line if a new pass begins; two may go on at a time."""
        if index not in self._printed:
            self._printed.add(index)
            estimate = self._estimate
            print_status(
                f"pass {index + 1} of {estimate.passes}  {_describe_rest(estimate)}".rstrip()
            )
        self._estimate.started(index)

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Print a failure at once, the first time that the case fails."""
        failure = result.failure
        if failure is not None and self._estimate.is_news(case, failure):
            kind = "void" if failure.is_void else failure.kind
            print_status(f"  {one_line(f'{case.id}: {kind}: {failure.message}')}")
        self._estimate.finished(index, case, result)


class ProgressBar(NoProgress):
    """A bar in a terminal. Drawn between cases only, so that drawing disturbs no sample."""

    def __init__(self, estimate: TimeEstimate) -> None:
        self._estimate = estimate
        self._bar = make_rich_bar()
        self._task = self._bar.add_task("starting", total=self._estimate.total, words="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def case_started(self, index: int, case: Case) -> None:
        """Show the case that is measured now."""
        self._draw(description=f"pass {index + 1}/{self._estimate.passes}  {one_line(case.id)}")
        self._estimate.started(index)

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Advance; a failure stays visible above the bar."""
        failure = result.failure
        if failure is not None and self._estimate.is_news(case, failure):
            from rich.markup import escape

            message = escape(one_line(f"{case.id}: {failure.message}"))
            symbol = "○" if failure.is_void else "[red]✗[/]"
            self._bar.console.print(f"{symbol} {message}")
        self._estimate.finished(index, case, result)
        self._draw()

    def _draw(self, description: str | None = None) -> None:
        self._bar.update(
            self._task,
            description=description,
            words=_describe_rest(self._estimate),
            completed=self._estimate.done,
            refresh=True,
        )


class ProgressNotebookLine(NoProgress):
    """A single line in a notebook."""

    def __init__(self, estimate: TimeEstimate) -> None:
        self._estimate = estimate
        self._show = NotebookLine()

    def __enter__(self) -> Self:
        self._show("starting")
        return self

    def __exit__(self, *exc: object) -> None:
        estimate = self._estimate
        kinds = {"failed": estimate.failed, "void": estimate.void}
        words = [f"{kind}: {', '.join(sorted(ids))}" for kind, ids in kinds.items() if ids]
        self._show(", ".join([f"measured {estimate.done} of {estimate.total}", *words]))

    def case_started(self, index: int, case: Case) -> None:
        """Show the case that is measured now."""
        estimate = self._estimate
        done = f"{estimate.done} of {estimate.total} done"
        rest = _describe_rest(estimate)
        words = f"{done}, {rest}" if rest else done
        self._show(f"pass {index + 1} of {estimate.passes}, {words}  {case.id}")
        estimate.started(index)

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Record the time that the case took."""
        self._estimate.finished(index, case, result)


def run_progress(run: Run, earlier: Mapping[Job, float], *, memory_at_once: int = 1) -> NoProgress:
    """Return the display for ``run`` that suits a notebook, a terminal or a log.

    ``earlier`` has the durations of cases in earlier runs, in seconds; ``memory_at_once`` passes
    that measure memory run at a time.
    """
    estimate = TimeEstimate(run, earlier, memory_at_once=memory_at_once)
    return choose_display(
        notebook=lambda: ProgressNotebookLine(estimate),
        terminal=lambda: ProgressBar(estimate),
        log=lambda: ProgressLines(estimate),
    )


def _describe_rest(estimate: TimeEstimate) -> str:
    """Return the time left and the numbers of failed cases, and of those that were void."""
    left_s = estimate.seconds_left()
    parts = [] if left_s is None else [f"{format_duration(left_s, digits=2)} left"]
    parts += [f"{len(estimate.failed)} failing"] * bool(estimate.failed)
    parts += [f"{len(estimate.void)} void"] * bool(estimate.void)
    return ", ".join(parts)
