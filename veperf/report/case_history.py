"""The values of earlier runs on the same machine, for sparklines."""

from collections.abc import Mapping, Sequence

import numpy as np

from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.summary_tables import TextColumn
from veperf.core.run import Run

MOST = 20

Key = tuple[str, str]
"""A case and a metric of it."""
History = Mapping[Key, Sequence[float]]
"""Values by case and metric, each the median of a run's processes, oldest first."""


def read_case_history(archive: Archive, run: Run, most: int = MOST) -> History:
    """Return the values of the last ``most`` runs before ``run`` on a machine like its own."""
    summary = load_summary(archive)
    ids = [facts.id for facts in summary.runs]
    before = ids.index(run.id) if run.id in ids else 0
    machine = run.machine.name, run.machine.cpu_model
    same_machine = [
        i for i, f in enumerate(summary.runs[:before]) if (f.machine, f.cpu_model) == machine
    ]
    if not same_machine:
        return {}
    chosen = summary.at(same_machine[-most:])
    columns = chosen.figures()
    rows = np.flatnonzero(columns.judged)
    units = {(case.id, metric.name): metric.unit for case in run.cases for metric in case.metrics}
    values: dict[Key, list[float]] = {}
    for row in rows[np.argsort(columns.run[rows], kind="stable")].tolist():
        key = _at(columns.case, row), _at(columns.metric, row)
        if units.get(key) == _at(columns.unit, row):
            values.setdefault(key, []).append(float(columns.value[row]))
    return values


def _at(column: TextColumn, row: int) -> str:
    return column.names[int(column.codes[row])]
