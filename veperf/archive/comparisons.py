"""A/B comparisons in the archive, beside the runs.

::

    <archive>/ab-<id>/ab.json    written once, whole or not at all
"""

from pathlib import Path
from typing import TypeAlias

from veperf.archive.cli_hints import command
from veperf.archive.manifest import is_name
from veperf.archive.storage.base import Storage
from veperf.archive.storage.json_files import read_document, write_document
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import open_storage, place_of
from veperf.core.ab import AB_FORMAT, ABRun
from veperf.core.errors import CorruptFileError, UnknownRunError, UsageError

_PREFIX = "ab-"
_FILE = "ab.json"


Place: TypeAlias = Storage | Location
"""Of an archive."""


def ab_folder(archive: Place, id: str) -> Storage:
    """The folder of the comparison ``id``."""
    return _opened(archive).at(f"{_PREFIX}{id}")


def save_ab(archive: Place, found: ABRun) -> Location:
    """Write ``found`` to its folder in ``archive``, and return that.

    Raises:
        StorageError: it can't be written.
        UsageError: there is one of that id already, or it can't be one.
    """
    storage = _opened(archive)
    if not is_name(found.id):
        raise UsageError(f"{found.id!r} can't be the id of a comparison")
    if storage.holds(f"{_PREFIX}{found.id}", _FILE):
        raise UsageError(f"there is a comparison {found.id} in {storage.location} already")
    folder = ab_folder(storage, found.id)
    write_document(folder, _FILE, found)
    return place_of(folder)


def ab_ids(archive: Place) -> list[str]:
    """Ids of the comparisons in ``archive``, oldest first."""
    found = _opened(archive).folders(_FILE)
    ids = [name.removeprefix(_PREFIX) for name in found if name.startswith(_PREFIX)]
    return sorted(filter(is_name, ids))


def read_ab(archive: Place, name: str = "last") -> ABRun:
    """A comparison in ``archive``: ``last``, an id, or the unambiguous beginning of one.

    Raises:
        UnknownRunError: there is none of that name, or more than one.
        CorruptFileError: its file is not what was written.
        NewerFormatError: a later veperf wrote it.
    """
    storage = _opened(archive)
    ids = ab_ids(storage)
    wanted = name.removeprefix(_PREFIX)
    hits = ids[-1:] if name == "last" else [i for i in ids if wanted and i.startswith(wanted)]
    if wanted in ids:
        hits = [wanted]
    if len(hits) != 1:
        what = f"could be any of {', '.join(hits[:5])}" if hits else "is none of them"
        raise UnknownRunError(
            f"{storage.location} holds {len(ids)} A/B comparisons, and {name!r} {what}; "
            f"{command('ab', archive=storage)} makes one and prints its name"
        )
    folder = ab_folder(storage, hits[0])
    found = read_document(folder, _FILE, ABRun, newest_format=AB_FORMAT)
    if found.id != hits[0]:
        where = folder.where(_FILE)
        raise CorruptFileError(f"{where} holds comparison {found.id!r}, not {hits[0]!r}")
    return found


def _opened(archive: Place) -> Storage:
    return open_storage(archive) if isinstance(archive, str | Path) else archive
