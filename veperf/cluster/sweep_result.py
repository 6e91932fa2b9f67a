"""The results of a sweep as tables, data frames and pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.abtest.fleet_result import FleetResult
from veperf.archive.comparisons import read_ab
from veperf.archive.storage.open import path_or_url
from veperf.archive.store import Archive
from veperf.cluster.sweep_journal import SweepState, TaskEntry, sweep_folder
from veperf.cluster.sweep_plan import ABJob, Ref, RunJob, SweepTask, format_task_numbers
from veperf.core.ab_records import ABPlace, ABSide
from veperf.core.errors import COULD_NOT_MEASURE, OK, DataError
from veperf.core.escape import one_line
from veperf.core.run import Revision
from veperf.core.text import join_words
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.markdown_writer import MarkdownPart, write_markdown
from veperf.report.tables.table import Cell, Table, text_table

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("task", "pattern", "ref", "machine_class", "repeat", "host", "run", "failure")


@dataclass(frozen=True, slots=True)
class SweepResult:
    """A sweep's tasks; their runs are in the archive. ``repr`` shows a row a task."""

    sweep: str
    rows: tuple[tuple[str, str, str, str, int, str, str, str], ...]
    notes: tuple[str, ...] = ()
    """Doubts about what was measured where."""

    @property
    def failed(self) -> int:
        """Number of tasks without a run."""
        return sum(not row[-2] for row in self.rows)

    @property
    def missing(self) -> str:
        """Numbers of the tasks without a run, such as ``3,7-9``."""
        return format_task_numbers(n for n, row in enumerate(self.rows) if not row[-2])

    def exit_code(self, *, strict: bool = False) -> int:
        """Return the exit code of ``veperf sweep``; ``strict`` is for comparisons."""
        return COULD_NOT_MEASURE if self.failed else OK

    def frame(self) -> "pd.DataFrame":
        """Return a row a task: task, pattern, ref, machine_class, repeat, host, run, failure."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(_COLUMNS))

    def table(self) -> Table:
        """Return a table with a row a task."""
        return Table(
            f"Sweep {self.sweep}",
            (
                ("Benchmark", "left"),
                ("Ref", "left"),
                ("Machine class", "left"),
                ("Repeat", "right"),
                ("Host", "left"),
                ("Run", "left"),
            ),
            tuple(
                tuple(
                    Cell(str(cell))
                    for cell in (pattern, ref, machine_class, repeat + 1, host, run or failure)
                )
                for _, pattern, ref, machine_class, repeat, host, run, failure in self.rows
            ),
            row_header=0,
        )

    def __repr__(self) -> str:
        notes = "".join(f"\n▲ {one_line(note)}" for note in self.notes)
        return f"Sweep {one_line(self.sweep)}:\n\n{text_table(self.table())}{notes}"

    def _repr_html_(self) -> str:
        return standalone(markup.html_table(self.table()))

    def _repr_markdown_(self) -> str:
        return write_markdown([], [MarkdownPart("", (self.table(),))])


def sweep_result_of(state: SweepState) -> SweepResult:
    """Return the results so far of a sweep of runs."""
    rows = []
    for task in state.plan.tasks:
        assert isinstance(task.job, RunJob), "a sweep of comparisons is a fleet"
        entry = state.entries.get(task.id) or TaskEntry(task.id, "")
        is_done = task.id in state.done
        ref = task.job.ref.name if task.job.ref else ""
        identity = (task.id, task.job.pattern, ref, task.machine_class, task.repeat)
        failure = "" if is_done else entry.failure or "missing"
        rows.append((*identity, entry.host, entry.result_id if is_done else "", failure))
    return SweepResult(state.sweep, tuple(rows), tuple(_mixed_classes(state)))


def _mixed_classes(state: SweepState) -> Iterator[str]:
    """Yield a note for each machine class whose tasks were measured on several kinds of machine."""
    numbers: dict[str, dict[str, list[int]]] = {}
    for number, task in enumerate(state.plan.tasks):
        if task.id in state.done and (machine := state.entries[task.id].machine):
            numbers.setdefault(task.machine_class, {}).setdefault(machine, []).append(number)
    for name, machines in numbers.items():
        if name and len(machines) > 1:
            parts = [f"{m} (tasks {format_task_numbers(n)})" for m, n in machines.items()]
            yield f"machine class {name} has {len(machines)} kinds of machine: {join_words(parts)}"


def missing_tasks(outcome: SweepResult | FleetResult) -> str:
    """Return the numbers of the tasks without a result, such as ``3,7-9``."""
    if isinstance(outcome, SweepResult):
        return outcome.missing
    return format_task_numbers(n for n, p in enumerate(outcome.places) if p.comparison is None)


FLEET_PAGE = "index.html"


def fleet_result_of(archive: Archive, state: SweepState) -> FleetResult:
    """Return the comparisons of a sweep, of which some may be missing."""
    first = state.plan.tasks[0].job
    assert isinstance(first, ABJob), "a sweep of runs is no fleet"
    return FleetResult(
        sweep=state.sweep,
        base=_side(first.base),
        new=_side(first.head),
        places=tuple(_place(archive, state, task) for task in state.plan.tasks),
        page_at=path_or_url(sweep_folder(archive, state.sweep), FLEET_PAGE),
    )


def write_fleet_page(archive: Archive, fleet: FleetResult) -> None:
    """Write the page of ``fleet`` into the folder of its sweep.

    Raises:
        StorageError: it can't be written.
    """
    sweep_folder(archive, fleet.sweep).write(FLEET_PAGE, fleet.page().encode())


def _place(archive: Archive, state: SweepState, task: SweepTask) -> ABPlace:
    name = task.machine_class or "any class"
    if state.plan.spec.repeats > 1:
        name = f"{name} #{task.repeat + 1}"
    entry = state.entries.get(task.id) or TaskEntry(task.id, "")
    if task.id not in state.done:
        return ABPlace(name, None, entry.failure or "no result yet")
    try:
        return ABPlace(name, read_ab(archive.storage, entry.result_id))
    except DataError as error:
        return ABPlace(name, None, str(error))


def _side(ref: Ref) -> ABSide:
    return ABSide(ref.name, Revision(ref.commit))
