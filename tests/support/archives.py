"""Archives of synthetic runs, one a day."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from tests.support.runs import MACHINE, timed_run
from veperf.archive.store import Archive
from veperf.core.run import Machine, Revision, Run

START = datetime(2026, 1, 1, tzinfo=UTC)
PASSES = 6


def dated_run(
    day: int,
    times_ns: dict[str, float] | None = None,
    *,
    machine: Machine = MACHINE,
    commit: str | None = None,
    noise: float = 0.005,
) -> Run:
    """The run of a ``day``, whose cases take about ``times_ns``, with a commit for each day."""
    dice = np.random.default_rng(day)
    when = START + timedelta(days=day)
    run = timed_run(
        {
            case: (time * dice.normal(1, noise, PASSES)).tolist()
            for case, time in (times_ns or {"demo/a": 100.0}).items()
        },
        id=f"{when:%Y%m%d}-{machine.name}",
        created=when.isoformat(),
        machine=machine,
    )
    return replace(run, revision=Revision(f"{day:040x}" if commit is None else commit, "main"))


def archive_of(place: str | Path, runs: Sequence[Run]) -> Archive:
    """An archive of these runs, complete."""
    archive = Archive(place)
    for run in runs:
        archive.save(run)
    return archive


def stepped(days: int, step_at: int, ratio: float = 1.06) -> list[Run]:
    """A run a day of a case that steps and of one that does not."""
    return [
        dated_run(day, {"demo/a": 100.0 * (ratio if day >= step_at else 1), "demo/b": 50.0})
        for day in range(days)
    ]
