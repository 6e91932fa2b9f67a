"""Processes of this machine, read from /proc, where any of them may end at any moment."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the processes that any thread of ``pid`` has started and not waited for."""
    started: list[int] = []
    for thread in _list(Path(f"/proc/{pid}/task")):
        started += map(int, _read(thread / "children").split())
    return started


def command_line(pid: int) -> str:
    """Return the command line of ``pid``, its words apart by NUL; empty where it has ended."""
    return _read(Path(f"/proc/{pid}/cmdline"))


def is_running(pid: int) -> bool:
    """Return if ``pid`` exists and does not only wait for its parent to take notice of its end."""
    state = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return bool(state) and state[0] not in "ZX"


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def _read(path: Path) -> str:
    """Return the text of ``path``; of a process that has ended, nothing."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
