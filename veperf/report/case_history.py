"""Earlier runs of the same machine, for the picture of where a benchmark comes from."""

from collections.abc import Mapping, Sequence

import numpy as np

from veperf.archive.run_summary import Names, columns_of
from veperf.archive.store import Archive
from veperf.archive.summary import summarise
from veperf.core.run import Run

MOST = 20

Key = tuple[str, str]
"""A case and a metric of it."""
History = Mapping[Key, Sequence[float]]
"""Values by case and metric, each the median of a run's processes, oldest first."""


def history(archive: Archive, run: Run, most: int = MOST) -> History:
    """What the last ``most`` runs before ``run``, on a machine like its own, have of its cases."""
    summary = summarise(archive)
    ids = [facts.id for facts in summary.runs]
    before = ids.index(run.id) if run.id in ids else 0
    here = run.machine.name, run.machine.cpu_model
    alike = [i for i, f in enumerate(summary.runs[:before]) if (f.machine, f.cpu_model) == here]
    columns = columns_of(summary.table)
    rows = np.flatnonzero(np.isin(columns.run, alike[-most:]) & columns.judged)
    units = {(case.id, metric.name): metric.unit for case in run.cases for metric in case.metrics}
    found: dict[Key, list[float]] = {}
    for row in rows[np.argsort(columns.run[rows], kind="stable")].tolist():
        key = _at(columns.case, row), _at(columns.metric, row)
        if units.get(key) == _at(columns.unit, row):
            found.setdefault(key, []).append(float(columns.value[row]))
    return found


def _at(column: Names, row: int) -> str:
    return column.names[int(column.codes[row])]
