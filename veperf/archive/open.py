"""The archive that somebody at a terminal or in a notebook means."""

from veperf.archive.storage.location import Location
from veperf.archive.store import Archive
from veperf.core import paths
from veperf.progress.display import say


def open_archive(place: Location | None = None) -> Archive:
    """The archive at ``place``, or the default one; what it waits for is said on standard error.

    Raises:
        UsageError: that is no place for one.
    """
    return Archive(place or paths.archive(), say)
