"""Commands that messages advise, quoted for a shell."""

import shlex
from pathlib import Path

from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location, locate
from veperf.archive.storage.open import path_or_url
from veperf.core import paths
from veperf.core.errors import UsageError


def command_hint(*words: str, archive: Storage | Location | None) -> str:
    """Return ``veperf`` with ``words``, quoted, and with ``--archive`` if it is not the default.

    None stands for the default archive.
    """
    option = [] if archive is None or _is_default(archive) else ["--archive", _text(archive)]
    return f"`{shlex.join(['veperf', *words, *option])}`"


def _is_default(archive: Storage | Location) -> bool:
    try:
        location, default = locate(_text(archive)), locate(paths.archive_location())
    except UsageError:  # such as $VEPERF_ARCHIVE
        return False
    if isinstance(location, Path) and isinstance(default, Path):
        return location.resolve() == default.resolve()
    return location == default


def _text(archive: Storage | Location) -> str:
    return str(archive if isinstance(archive, str) else path_or_url(archive))
