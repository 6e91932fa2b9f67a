"""Runs as a table to look at."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from veperf.model import Run

if TYPE_CHECKING:
    import pandas as pd


def frame_of(runs: Iterable[Run]) -> "pd.DataFrame":
    """One row a run.

    Columns: id, created, commit, branch, machine, python, profile, passes, cases.
    """
    import pandas as pd

    columns = ["id", "created", "commit", "branch", "machine", "python", "profile"]
    columns += ["passes", "cases"]
    return pd.DataFrame([_row(run) for run in runs], columns=columns)


def _row(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "created": run.created,
        "commit": run.revision.commit[:12],
        "branch": run.revision.branch,
        "machine": run.machine.name,
        "python": run.machine.python,
        "profile": run.config.profile,
        "passes": len(run.passes),
        "cases": len(run.cases),
    }
