"""Watch over what a process reads without an audit event that tells it.

That is environment variables, what is asked about files, and paths relative to an open folder.

Executed in one namespace with ``code_recorder``, in the interpreter of a side.
"""

import os
from collections.abc import Callable
from typing import Any

_ASKS = ("stat", "lstat", "access", "readlink")
_EVERY = "*"


def absolute(path: Any, folder: int | None = None) -> str:
    """Return ``path`` from the root, without asking what is there.

    It is relative to the open ``folder``, where that is given.
    """
    name = os.fsdecode(path)
    if folder is not None:
        name = f"{path_of_descriptor(folder)}{os.sep}{name}" if name[:1] != os.sep else name
    return os.path.abspath(name)  # noqa: PTH100 - resolve() follows links


def path_of_descriptor(number: int) -> str:
    """Return the path of what is open by that number."""
    return os.path.realpath(f"/proc/self/fd/{number}")


class Variables(dict[Any, Any]):
    """Environment variables; names that are asked for are noted."""

    def __init__(self, variables: dict[Any, Any], note: Callable[[str], None]) -> None:
        super().__init__(variables)
        self._note = note

    def __getitem__(self, name: Any) -> Any:
        self._note(os.fsdecode(name))
        return super().__getitem__(name)

    def __iter__(self) -> Any:
        self._note(_EVERY)
        return super().__iter__()

    def keys(self) -> Any:
        """Return all names."""
        self._note(_EVERY)
        return super().keys()

    def items(self) -> Any:
        """Return all names and values."""
        self._note(_EVERY)
        return super().items()


def watch_variables(note: Callable[[str], None]) -> Variables:
    """Note the names of variables that are read from now on, as text or as bytes."""
    variables = Variables(vars(os.environ)["_data"], note)
    for environment in (os.environ, os.environb):
        vars(environment)["_data"] = variables
    return variables


def watch_paths(note: Callable[[str, str], None], is_own: Callable[[], bool]) -> None:
    """Note every path that functions of ``os`` are asked about, unless that ``is_own``.

    An audit event of ``os.open`` doesn't tell the folder to which its path is relative.
    """
    for name in _ASKS:
        _watch(name, "queried", note, is_own)
    _watch("open", "read", note, is_own)


def _watch(
    name: str, kind: str, note: Callable[[str, str], None], is_own: Callable[[], bool]
) -> None:
    function = getattr(os, name)

    def ask(path: Any, *arguments: Any, **named: Any) -> Any:
        folder = named.get("dir_fd")
        is_told = name == "open" and folder is None  # by its event
        if not isinstance(path, int) and not is_told and not is_own():
            note(kind, absolute(path, folder))
        return function(path, *arguments, **named)

    for supports in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if function in supports:
            supports.add(ask)
    setattr(os, name, ask)
