"""How long cases took in earlier runs, so that a new one knows how long it will take."""

from contextlib import suppress

from veperf.archive.store import Archive
from veperf.core.errors import VeperfError
from veperf.core.run import Run
from veperf.progress.estimate import Job

_LOOKED_AT = 5


def earlier_seconds(archive: Archive, run: Run) -> dict[Job, float]:
    """Seconds of the cases of ``run`` in the last runs of its profile and machine class."""
    known = {case.id for case in run.cases}
    found: dict[Job, float] = {}
    for id in reversed(archive.ids()[-_LOOKED_AT:]):
        with suppress(VeperfError):
            earlier = archive.read(id)
            if (earlier.machine.name, earlier.config.profile) == (
                run.machine.name,
                run.config.profile,
            ):
                found = _seconds(earlier, known) | found
    return found


def _seconds(run: Run, known: set[str]) -> dict[Job, float]:
    """Of the last pass of each kind: by then it is known how often to call."""
    return {
        (result.case, made.index >= run.config.timed_passes): result.seconds
        for made in run.passes
        for result in made.results
        if result.case in known and result.seconds is not None
    }
