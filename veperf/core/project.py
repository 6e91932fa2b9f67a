"""The project that the user stands in, found as pytest finds one: its root and its settings.

The root is the nearest folder, from the current one up to the repository's, with a ``veperf.toml``
or a ``pyproject.toml`` that has a table ``[tool.veperf]``; else the repository's, else the current
one. The file (in ``pyproject.toml`` its tables begin with ``tool.veperf``) may say::

    modules = ["shop.benchmarks"]  # benchmarks beside veperf's own, imported from the root
    select = ["shop"]              # what is measured where no benchmark is named
    archive = "reports"            # where runs are kept: a folder, from the root, or a URL
    baselines = "data/baselines"   # targets and recorded baselines

    [gate]                         # see core.policy
"""

import os
import stat
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.option_fields import Options, option_fields, options_from

FILE = "veperf.toml"
_PYPROJECT = "pyproject.toml"
_GATE = "gate"
_MAX_BYTES = 1 << 20

_Text = Annotated[str, Meta(min_length=1, max_length=1000)]


@dataclass(frozen=True, kw_only=True)
class ProjectOptions(Options):
    """Settings of a project, beside those of its gate."""

    modules: tuple[_Text, ...] = ()
    select: tuple[_Text, ...] = ()
    archive: _Text = "reports"
    baselines: _Text = "data/baselines"
    commit_url: Annotated[str, Meta(max_length=1000)] = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A project; without a file, it has the defaults."""

    root: Path
    file: Path | None = None
    options: ProjectOptions = ProjectOptions()
    gate: Mapping[str, object] = field(default_factory=dict)
    """The table of the gate's policy."""

    @property
    def archive(self) -> str | Path:
        """Its archive: a folder, or a URL as text."""
        place = self.options.archive
        return place if "://" in place else self.root / place

    @property
    def baselines(self) -> Path:
        """Its folder of targets and recorded baselines."""
        return self.root / self.options.baselines

    @property
    def prefix(self) -> str:
        """The beginning of each setting's name in its file."""
        return "tool.veperf." if self.file and self.file.name == _PYPROJECT else ""


def find_project(start: Path | None = None) -> Project:
    """Return the project that the folder ``start``, or the current one, is in.

    Raises:
        CorruptFileError: its file is broken.
        UsageError: its file can't be read.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        # A link to nowhere, or a folder of that name, is no project without settings.
        if os.path.lexists(folder / FILE):
            return read_project(folder / FILE)
        project = folder / _PYPROJECT
        if project.is_file() and "veperf" in _tables(project).get("tool", {}):
            return read_project(project)
        if (folder / ".git").exists():
            return Project(folder)
    return Project(here)


def read_project(path: Path) -> Project:
    """Read the settings in the file ``path``.

    Raises:
        CorruptFileError: it is no TOML file, a setting is unknown, or of the wrong type.
        UsageError: it can't be read.
    """
    tables: object = _tables(path)
    if path.name == _PYPROJECT:
        tool = tables.get("tool") if isinstance(tables, Mapping) else None
        tables = tool.get("veperf", {}) if isinstance(tool, Mapping) else {}
    if not isinstance(tables, Mapping):
        raise CorruptFileError(f"{path}: tool.veperf must be a table")
    prefix = Project(path.parent, path).prefix
    known = [option.name for option in option_fields(ProjectOptions)]
    settings = {name: value for name, value in tables.items() if name != _GATE}
    if unknown := settings.keys() - set(known):
        there = ", ".join([*known, _GATE])
        raise CorruptFileError(f"{path}: {prefix}{min(unknown)} is unknown; there are {there}")
    gate = tables.get(_GATE, {})
    if not isinstance(gate, Mapping):
        raise CorruptFileError(f"{path}: {prefix}{_GATE} must be a table, not {gate!r:.60}")
    try:
        options = options_from(ProjectOptions, settings, path=prefix)
    except UsageError as error:
        raise CorruptFileError(f"{path}: {error}") from error
    return Project(path.parent.resolve(), path, options, gate)


def project_modules(named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the project's modules with benchmarks, and then those that are ``named``."""
    return tuple(dict.fromkeys((*find_project().options.modules, *named)))


def project_selection(named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what is ``named``, or, where that is nothing, what the project measures then."""
    return tuple(named) or find_project().options.select


def make_importable() -> None:
    """Import modules from the current folder and the project's root first, as ``python -m`` does.

    Every process that imports a user's module calls it: all of them start in the same folder.
    """
    for folder in (str(find_project().root), str(Path.cwd())):  # the last will be the first
        if folder not in sys.path:
            sys.path.insert(0, folder)


def _tables(path: Path) -> dict[str, Any]:
    try:
        mode = path.stat().st_mode
        # To open a FIFO would wait for its writer.
        data = b""
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise UsageError(f"there is no file {path}") from error
        raise UsageError(f"can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is no name of a file") from error
    if not stat.S_ISREG(mode):
        kind = "folder" if stat.S_ISDIR(mode) else "pipe, socket or device"
        raise UsageError(f"{path} is a {kind}, and no file with settings")
    if len(data) > _MAX_BYTES:
        raise CorruptFileError(f"{path} is over {_MAX_BYTES} bytes long; those are no settings")
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise CorruptFileError(f"{path} is no TOML file: {error}") from error
