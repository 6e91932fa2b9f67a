"""Where that is kept which an archive elsewhere can't take at the moment."""

import os
import tempfile
from pathlib import Path

from veperf.archive.hints import command
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.protocol import Storage


def spare_folder() -> Path:
    """A folder of this machine, an archive like any other.

    In $XDG_STATE_HOME (``~/.local/state``), else, where that can't be written, a new temporary one.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folder = Path(state) / "veperf" / "kept"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # the latter: there is no home
        pass
    return Path(tempfile.mkdtemp(prefix="veperf-kept-"))


def needs_spare(storage: Storage) -> bool:
    """Whether the way to ``storage`` may break while something is measured."""
    return not isinstance(storage, LocalStorage)


def advice(folder: Path, archive: Storage) -> str:
    """What to do with what lies in ``folder`` and is to be in ``archive``."""
    return f"{command('archive', 'import', str(folder), archive=archive)} takes it over"
