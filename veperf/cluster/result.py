"""What has become of a sweep, to look at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.cluster.ledger import Ledger
from veperf.report.tables import Cell, Table

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
        from veperf.report import text

        return text.table(self.table())

    def _repr_html_(self) -> str:
        from veperf.report import markup
        from veperf.report.style import standalone

        return standalone(markup.table(self.table()))


def result_of(ledger: Ledger) -> SweepResult:
    """What has become of the tasks of ``ledger`` so far."""
    entries = {task.id: entry for task, entry in ledger.entries()}
    rows = []
    for task in ledger.plan.tasks:
        entry = entries.get(task.id)
        found = (entry.host, entry.run, entry.failure) if entry else ("", "", "missing")
        what = (task.id, task.pattern, task.ref, task.machine_class, task.repeat)
        rows.append((*what, *found))
    return SweepResult(ledger.sweep, tuple(rows))
