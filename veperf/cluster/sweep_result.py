"""What has become of a sweep, to look at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.abtest.fleet import FleetResult
from veperf.archive.comparisons import read_ab
from veperf.archive.storage.open import place_of
from veperf.archive.store import Archive
from veperf.cluster.plan import OneRun, Pairs, Ref, Task
from veperf.cluster.sweep_journal import Entry, Record, sweep_folder
from veperf.core.ab import ABPlace, ABSide
from veperf.core.errors import COULD_NOT_MEASURE, OK, DataError
from veperf.core.run import Revision
from veperf.report.tables.result_tables import Cell, Table

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("task", "pattern", "ref", "machine_class", "repeat", "host", "run", "failure")


@dataclass(frozen=True, slots=True)
class SweepResult:
    """A sweep's tasks; their runs are in the archive. ``repr`` shows a row a task."""

    sweep: str
    rows: tuple[tuple[str, str, str, str, int, str, str, str], ...]

    @property
    def failed(self) -> int:
        """How many tasks have no run."""
        return sum(not row[-2] for row in self.rows)

    def exit_code(self, *, strict: bool = False) -> int:
        """What ``veperf sweep`` ends with; ``strict`` is for comparisons."""
        return COULD_NOT_MEASURE if self.failed else OK

    def frame(self) -> "pd.DataFrame":
        """One row a task: task, pattern, ref, machine_class, repeat, host, run, failure."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(_COLUMNS))

    def table(self) -> Table:
        """One row a task."""
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
            heads=0,
        )

    def __repr__(self) -> str:
        from veperf.core.escape import one_line
        from veperf.report import text

        return f"Sweep {one_line(self.sweep)}:\n\n{text.table(self.table())}"

    def _repr_html_(self) -> str:
        from veperf.report.html import markup
        from veperf.report.html.style import standalone

        return standalone(markup.table(self.table()))

    def _repr_markdown_(self) -> str:
        from veperf.report import markdown

        return markdown.table(self.table()) + "\n"


def result_of(record: Record) -> SweepResult:
    """What has become of the runs of a sweep so far."""
    rows = []
    for task in record.plan.tasks:
        assert isinstance(task.job, OneRun), "a sweep of comparisons is a fleet"
        entry = record.entries.get(task.id) or Entry(task.id, "")
        is_done = task.id in record.done
        ref = task.job.ref.name if task.job.ref else ""
        what = (task.id, task.job.pattern, ref, task.machine_class, task.repeat)
        failure = "" if is_done else entry.failure or "missing"
        rows.append((*what, entry.host, entry.found if is_done else "", failure))
    return SweepResult(record.sweep, tuple(rows))


PAGE = "index.html"


def fleet_of(archive: Archive, record: Record) -> FleetResult:
    """The comparisons of ``record``, of which some may be missing."""
    first = record.plan.tasks[0].job
    assert isinstance(first, Pairs), "a sweep of runs is no fleet"
    return FleetResult(
        sweep=record.sweep,
        base=_side(first.base),
        new=_side(first.head),
        places=tuple(_place(archive, record, task) for task in record.plan.tasks),
        page_at=place_of(sweep_folder(archive, record.sweep), PAGE),
    )


def write_page(archive: Archive, fleet: FleetResult) -> None:
    """Put the page that shows ``fleet`` beside its sweep.

    Raises:
        StorageError: it can't be written.
    """
    sweep_folder(archive, fleet.sweep).write(PAGE, fleet.page().encode())


def _place(archive: Archive, record: Record, task: Task) -> ABPlace:
    name = task.machine_class or "any class"
    if record.plan.spec.repeats > 1:
        name = f"{name} #{task.repeat + 1}"
    entry = record.entries.get(task.id) or Entry(task.id, "")
    if task.id not in record.done:
        return ABPlace(name, None, entry.failure or "no result yet")
    try:
        return ABPlace(name, read_ab(archive.storage, entry.found))
    except DataError as error:
        return ABPlace(name, None, str(error))


def _side(ref: Ref) -> ABSide:
    return ABSide(ref.name, Revision(ref.commit))
