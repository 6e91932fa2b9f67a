"""A/B comparisons on disk, in the archive beside the runs.

::

    <archive>/ab-<id>/ab.json    written once, whole or not at all
"""

import errno
import os
from pathlib import Path

from veperf.archive.files import read_json, storage_error, write_json
from veperf.errors import CorruptFileError, UnknownRunError, UsageError
from veperf.model import AB_FORMAT, ABRun

_PREFIX = "ab-"
_FILE = "ab.json"


def ab_folder(archive: Path, id: str) -> Path:
    """The folder of the comparison ``id``."""
    return archive / f"{_PREFIX}{id}"


def require_writable(archive: Path) -> None:
    """Make the folder ``archive`` if need be, before minutes are spent on what it is to hold.

    Raises:
        StorageError: it can't be made or written.
    """
    try:
        archive.mkdir(parents=True, exist_ok=True)
        if not os.access(archive, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise storage_error(archive, error) from error


def save_ab(archive: Path, found: ABRun) -> Path:
    """Write ``found`` to its folder in ``archive``, and return that.

    Raises:
        StorageError: it can't be written.
        UsageError: there is one of that id already.
    """
    path = ab_folder(archive, found.id) / _FILE
    if path.exists():
        raise UsageError(f"there is a comparison {found.id} in {archive} already")
    write_json(path, found)
    return path.parent


def ab_ids(archive: Path) -> list[str]:
    """Ids of the comparisons in ``archive``, oldest first."""
    found = archive.glob(f"{_PREFIX}*/{_FILE}")
    return sorted(path.parent.name.removeprefix(_PREFIX) for path in found)


def read_ab(archive: Path, name: str = "last") -> ABRun:
    """A comparison in ``archive``: ``last``, an id, or the unambiguous beginning of one.

    Raises:
        UnknownRunError: there is none of that name, or more than one.
        CorruptFileError: its file is not what was written.
        NewerFormatError: a later veperf wrote it.
    """
    ids = ab_ids(archive)
    wanted = name.removeprefix(_PREFIX)
    hits = ids[-1:] if name == "last" else [i for i in ids if wanted and i.startswith(wanted)]
    if wanted in ids:
        hits = [wanted]
    if len(hits) != 1:
        what = f"could be any of {', '.join(hits[:5])}" if hits else "is none of them"
        raise UnknownRunError(
            f"{archive} holds {len(ids)} A/B comparisons, and {name!r} {what}; "
            "`veperf ab` makes one and prints its name"
        )
    path = ab_folder(archive, hits[0]) / _FILE
    found = read_json(path, ABRun, newest_format=AB_FORMAT)
    if found.id != hits[0]:
        raise CorruptFileError(f"{path} holds comparison {found.id!r}, not {hits[0]!r}")
    return found
