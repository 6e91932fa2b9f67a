"""A/B comparisons in the archive, stored beside the runs.

::

    <archive>/ab-<id>/ab.json    written once, whole or not at all
"""

from pathlib import Path
from typing import TypeAlias

from veperf.archive.cli_hints import command_hint
from veperf.archive.completion_order import (
    COMPARISON,
    LAST,
    last_of,
    next_stamp,
    read_stamps,
)
from veperf.archive.manifest import is_run_id
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import open_storage, path_or_url
from veperf.core.ab_records import AB_FORMAT, ABRun
from veperf.core.errors import CorruptFileError, UnknownRunError, UsageError

_PREFIX = "ab-"


AnyStorage: TypeAlias = Storage | Location
"""An archive, by its storage, path or URL."""


def ab_folder(archive: AnyStorage, id: str) -> Storage:
    """Return the folder of the comparison ``id``."""
    return _storage_of(archive).at(f"{_PREFIX}{id}")


def save_ab(archive: AnyStorage, ab: ABRun) -> Location:
    """Write a comparison to its folder in ``archive``, and return the folder.

    Raises:
        StorageError: it can't be written.
        UsageError: the id is taken or not valid.
    """
    storage = _storage_of(archive)
    if not is_run_id(ab.id):
        raise UsageError(f"{ab.id!r} is not a valid id of a comparison")
    if storage.folder_has(f"{_PREFIX}{ab.id}", COMPARISON):
        raise UsageError(f"{storage.location} has a comparison {ab.id} already")
    folder = ab_folder(storage, ab.id)
    write_stored_json(folder, COMPARISON, ab, stamp_ns=next_stamp(storage))
    return path_or_url(folder)


def ab_ids(archive: AnyStorage) -> list[str]:
    """Return the ids of the comparisons in ``archive``, sorted."""
    folders = _storage_of(archive).folders(COMPARISON)
    ids = [name.removeprefix(_PREFIX) for name in folders if name.startswith(_PREFIX)]
    return sorted(filter(is_run_id, ids))


def read_ab(archive: AnyStorage, name: str = LAST) -> ABRun:
    """Read a comparison by ``last``, its id, or an unambiguous prefix of the id.

    The last one is the one that was completed last, whatever the clock said.

    Raises:
        UnknownRunError: no comparison matches, or more than one.
        CorruptFileError: its file is not what was written.
        NewerFormatError: a later veperf wrote it.
    """
    storage = _storage_of(archive)
    ids = ab_ids(storage)
    prefix = name.removeprefix(_PREFIX)
    if name == LAST and ids:
        stamps = read_stamps(storage, COMPARISON)
        prefix = last_of({id: stamps.get(f"{_PREFIX}{id}", 0) for id in ids})
    matches = [id for id in ids if prefix and id.startswith(prefix)]
    if prefix in ids:
        matches = [prefix]
    if len(matches) != 1:
        problem = f"could be any of {', '.join(matches[:5])}" if matches else "is none of them"
        raise UnknownRunError(
            f"{storage.location} holds {len(ids)} A/B comparisons, and {name!r} {problem}; "
            f"{command_hint('ab', archive=storage)} makes one and prints its id"
        )
    folder = ab_folder(storage, matches[0])
    ab = read_stored_json(folder, COMPARISON, ABRun, newest_format=AB_FORMAT)
    if ab.id != matches[0]:
        path = folder.where(COMPARISON)
        raise CorruptFileError(f"{path} holds comparison {ab.id!r}, not {matches[0]!r}")
    return ab


def _storage_of(archive: AnyStorage) -> Storage:
    return open_storage(archive) if isinstance(archive, str | Path) else archive
