"""Commands that messages advise, to be given to a shell as they are."""

import shlex
from pathlib import Path

from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location, locate
from veperf.archive.storage.open import place_of
from veperf.core import paths
from veperf.core.errors import UsageError


def command(*words: str, archive: Storage | Location | None) -> str:
    """``veperf`` with ``words``, quoted, and with the archive where that is not the default one.

    None is the default one.
    """
    named = [] if archive is None or _is_default(archive) else ["--archive", _text(archive)]
    return f"`{shlex.join(['veperf', *words, *named])}`"


def _is_default(archive: Storage | Location) -> bool:
    try:
        given, default = locate(_text(archive)), locate(paths.archive())
    except UsageError:  # such as $VEPERF_ARCHIVE
        return False
    if isinstance(given, Path) and isinstance(default, Path):
        return given.resolve() == default.resolve()
    return given == default


def _text(archive: Storage | Location) -> str:
    return str(archive if isinstance(archive, str) else place_of(archive))
