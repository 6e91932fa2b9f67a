"""Durations of cases in earlier runs, from which the time of a new one is estimated."""

from contextlib import suppress

from veperf.archive.store import Archive
from veperf.core.errors import VeperfError
from veperf.core.run import Run
from veperf.progress.estimate import Job

# Runs of the archive that tell how long cases take.
_EARLIER_RUNS = 5


def earlier_seconds(archive: Archive, run: Run) -> dict[Job, float]:
    """Return the seconds that cases of ``run`` took in the last runs like it.

    Like it are those of its profile, length of samples and machine class.
    """
    known = {case.id for case in run.cases}
    kind = _kind(run)
    seconds: dict[Job, float] = {}
    for id in reversed(archive.ids()[-_EARLIER_RUNS:]):
        with suppress(VeperfError):
            earlier = archive.read(id)
            if _kind(earlier) == kind:
                seconds = _seconds(earlier, known) | seconds
    return seconds


def _kind(run: Run) -> tuple[str, str, int]:
    return run.machine.name, run.config.profile, run.config.min_sample_ns


def _seconds(run: Run, known: set[str]) -> dict[Job, float]:
    """Of the last pass of each kind: by then it is known how often to call."""
    return {
        (result.case, pass_.index >= run.config.timed_passes): result.seconds
        for pass_ in run.passes
        for result in pass_.results
        if result.case in known and result.seconds is not None
    }
