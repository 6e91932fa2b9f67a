"""Between-version noise in the archive, a record a machine class.

::

    <archive>/version-noise/<machine class>.json    of the latest large battery
"""

from veperf.archive.manifest import is_run_id
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.core.errors import CorruptFileError, DataError, UsageError
from veperf.core.version_noise import VERSION_NOISE_FORMAT, VersionNoise

FOLDER = "version-noise"


def save_version_noise(archive: Storage, noise: VersionNoise) -> str:
    """Write the record of its machine class, and return where it is.

    An earlier record of more comparisons stays, and nothing is returned.

    Raises:
        UsageError: the machine class can't name a file.
        StorageError: it can't be written.
    """
    name = _file(noise.machine.name)
    try:
        kept = read_version_noise(archive, noise.machine.name)
    except DataError:
        kept = None
    if kept is not None and kept.overall.comparisons > noise.overall.comparisons:
        return ""
    write_stored_json(archive.at(FOLDER), name, noise)
    return archive.at(FOLDER).where(name)


def read_version_noise(archive: Storage, machine_class: str) -> VersionNoise | None:
    """Return the record of ``machine_class``; None where there is none.

    Raises:
        UsageError: the machine class can't name a file.
        CorruptFileError: the record is not what was written.
        NewerFormatError: a later veperf wrote it.
        StorageError: the archive is inaccessible.
    """
    folder, name = archive.at(FOLDER), _file(machine_class)
    if not folder.has(name):
        return None
    noise = read_stored_json(folder, name, VersionNoise, newest_format=VERSION_NOISE_FORMAT)
    deviations = (noise.overall, *noise.kinds)
    if noise.machine.name != machine_class:
        fault = f"is of machine class {noise.machine.name!r}"
    elif not all(each.low <= each.deviation <= each.high for each in deviations):
        fault = "has a deviation outside its interval"
    else:
        return noise
    raise CorruptFileError(
        f"{folder.where(name)} {fault}: delete it, or measure anew with `veperf selfcheck --sham`"
    )


def version_noise_classes(archive: Storage) -> list[str]:
    """Return the machine classes that have a record, sorted."""
    try:
        names = archive.at(FOLDER).names()
    except CorruptFileError:  # there is no such folder, or something else in it
        return []
    classes = [name.removesuffix(".json") for name in names if name.endswith(".json")]
    return sorted(filter(is_run_id, classes))


def _file(machine_class: str) -> str:
    if not is_run_id(machine_class):
        raise UsageError(f"{machine_class!r} is not a valid name for a machine class's file")
    return f"{machine_class}.json"
