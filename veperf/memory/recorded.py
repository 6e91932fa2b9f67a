"""Recorded profiles on disk: ``<baselines>/memory/<suite>/<case>.json``."""

import tempfile
from pathlib import Path

from veperf.errors import StorageError, UsageError
from veperf.memory.counts import CountChange, compare_profiles, read_profile
from veperf.memory.profile import MemoryProfile


def record_profile(folder: Path, found: MemoryProfile) -> Path:
    """Write ``found`` to its place in ``folder``, whole or not at all, and return that.

    Raises:
        UsageError: it is of no benchmark.
        StorageError: it can't be written.
    """
    path = _path(folder, found.what)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            temporary = Path(file.name)
            file.write(found.to_json())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise StorageError(error.errno, f"can't write {path}: {error.strerror}") from error
    return path


def compared(folder: Path, found: MemoryProfile) -> CountChange | None:
    """``found`` against what was recorded of the same benchmark; None where nothing was.

    Raises:
        UsageError: it is of no benchmark.
        CorruptFileError, NewerFormatError: what was recorded can't be read.
    """
    path = _path(folder, found.what)
    return compare_profiles(read_profile(path), found) if path.exists() else None


def _path(folder: Path, what: str) -> Path:
    suite, slash, case = what.partition("/")
    if not slash or not suite or not case or "/" in case or what.startswith("."):
        raise UsageError(f"{what!r} is no benchmark, whose profile can be recorded")
    return folder / "memory" / suite / f"{case}.json"
