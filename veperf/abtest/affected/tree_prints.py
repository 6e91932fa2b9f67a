"""Prints of a tree of code: hashes of its functions, imports, data and folders."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal

from veperf.abtest.affected.source_code import SourceCode, read_source

INIT = "__init__.py"
_PROSE = (".adoc", ".md", ".rst")
_PROSE_FOLDERS = ("doc", "docs")
_REPOSITORY = ".git"
_EXTENSIONS = (".so", ".pyd")
_MOST_BYTES = 500_000_000
_MOST_FILES = 100_000
_OF_SIDE = frozenset({"PYTHONPATH", "VEPERF_SETUP_CACHE"})
"""Variables that comparing sets itself."""

PartKind = Literal[
    "import",
    "defines",
    "function",
    "documents",
    "data",
    "folder",
    "packages",
    "status",
    "module",
    "names",
    "tree",
    "variable",
    "mentioned",
    "outside",
]
Part = tuple[PartKind, str, str]
"""Kind of a part of a tree, its path in the tree, and the name of a function."""


@dataclass
class TreePrints:
    """Prints of parts of the tree in ``folder``; each file is read once."""

    folder: Path
    _sources: dict[str, SourceCode | None] = field(default_factory=dict)
    _prints: dict[Part, str] = field(default_factory=dict)
    _places: dict[str, list[str]] | None = None

    def source(self, place: str) -> SourceCode | None:
        """Return the code of a file; None where there is none that can be read."""
        if place not in self._sources:
            self._sources[place] = read_source(self.folder / place)
        return self._sources[place]

    def print_of(self, part: Part) -> str:
        """Return the print of ``part``; empty where it is not there, or can't be read.

        ``import``: what importing a file runs, and which files could be imported in its place.
        ``defines``: the names of its plain functions, as words. ``function``: the functions of
        that name in a file. ``documents``: its doc strings. ``data``: contents of a file.
        ``folder``: names, kinds and sizes in a folder. ``packages``: those installed there.
        ``status``: what kind of file is there. ``module``: what can be imported by a name.
        ``names``: what can be imported from a folder. ``tree``: all files. ``variable``: one of
        the environment.
        ``mentioned``: all files of that name, but those of Python. ``outside``: a file elsewhere,
        by its size and time.
        """
        if part not in self._prints:
            kind, place, name = part
            makers: dict[PartKind, Callable[[], str]] = {
                "import": lambda: self._import(place),
                "defines": lambda: self._defines(place),
                "function": lambda: self._function(place, name),
                "documents": lambda: getattr(self.source(place), "doc_strings", ""),
                "data": lambda: _hash_file(self.folder / place),
                "folder": lambda: self._contents(place),
                "packages": lambda: _hash_packages(self.folder / place),
                "status": lambda: _describe_status(self.folder / place),
                "module": lambda: " ".join(sorted(_candidates(self.folder / place))),
                "names": lambda: _hash(sorted(_importable(self.folder / place))),
                "tree": self._tree,
                "variable": lambda: _hash_variable(name),
                "mentioned": lambda: self._mentioned(name),
                "outside": lambda: _describe_time(Path(place)),
            }
            self._prints[part] = makers[kind]()
        return self._prints[part]

    def _import(self, place: str) -> str:
        if not place.endswith(".py"):
            return _hash_file(self.folder / place)
        source = self.source(place)
        if source is None:
            return ""
        return _hash([source.top_level, *sorted(_rivals(self.folder / place))])

    def _defines(self, place: str) -> str:
        source = self.source(place)
        return " ".join(sorted(source.plain)) if source else ""

    def _function(self, place: str, name: str) -> str:
        source = self.source(place)
        fingerprint = source.fingerprint(name) if source else ""
        return _hash([fingerprint]) if fingerprint else ""

    def looked_up(self, part: Part) -> frozenset[str]:
        """Return the names that an import or a function looks up."""
        kind, place, name = part
        source = self.source(place)
        if source is None or kind not in ("import", "function"):
            return frozenset()
        if kind == "import":
            return source.top_level_names
        return frozenset().union(*(f.names for f in source.functions.get(name, ())))

    def mentions(self, part: Part) -> frozenset[str]:
        """Return the names of files that the texts of an import or a function have."""
        kind, place, name = part
        source = self.source(place)
        if source is None or kind not in ("import", "function"):
            return frozenset()
        if kind == "import":
            return source.top_level_files
        return frozenset().union(*(f.files for f in source.functions.get(name, ())))

    def _mentioned(self, name: str) -> str:
        """Return the print of all files called ``name``, which a library may open by itself."""
        if self._places is None:
            self._places = {}
            for place in _every_file(self.folder, ()):
                self._places.setdefault(place.rpartition("/")[2], []).append(place)
        places = [p for p in self._places.get(name, ()) if not p.endswith(".py")]
        prints = [f"{p} {self.print_of(('data', p, ''))}" for p in places if not _is_prose(p)]
        return _hash(prints) if prints else ""

    def _contents(self, place: str) -> str:
        """Return the print of a folder: what is in it, by name, kind and size."""
        try:
            names = sorted(entry.name for entry in (self.folder / place).iterdir())
        except OSError:
            return ""
        names = [name for name in names if name not in ("__pycache__", _REPOSITORY)]
        paths = [self.folder / place / name for name in names]
        return _hash(
            [
                f"{path.name} {'' if _is_prose(f'{place}/{path.name}') else _describe_status(path)}"
                for path in paths
            ]
        )

    def _tree(self) -> str:
        """Return the print of all files that a process may read; empty if they are too many.

        Left out are hidden folders, and prose about the project.
        """
        parts: list[str] = []
        size = 0
        for place in _every_file(self.folder, (".",)):
            path = self.folder / place
            if _is_prose(place):
                continue
            if not path.is_file():
                parts.append(place)
                continue
            size += path.stat().st_size
            if size > _MOST_BYTES or len(parts) > _MOST_FILES:
                return ""
            parts += [place, self._file(place), _describe_status(path)]
        return _hash(parts)

    def _file(self, place: str) -> str:
        """Return the print of a file: of Python code without comments."""
        source = self.source(place) if place.endswith(".py") else None
        if source is None:
            return _hash_file(self.folder / place)
        prints = [self._function(place, name) for name in sorted(source.functions)]
        return _hash([self._import(place), self._defines(place), *prints])


def _every_file(top: Path, hidden: tuple[str, ...]) -> Iterator[str]:
    """Return the places of all files, but those of environments and of git, in order.

    Left out are folders whose names begin with one of ``hidden``.
    """
    hidden = (*hidden, "__pycache__")
    for folder, inner, names in os.walk(top):
        if Path(folder) != top and "pyvenv.cfg" in names:
            inner[:] = []
            continue
        inner[:] = sorted(n for n in inner if not n.startswith(hidden) and n != _REPOSITORY)
        above = Path(folder).relative_to(top)
        yield from (
            (above / name).as_posix()
            for name in sorted(names)
            if name != _REPOSITORY or above.parts
        )


def _is_prose(place: str) -> bool:
    """Return whether a file is a text about the project, by its ending and where it is."""
    path = PurePosixPath(place)
    if path.suffix not in _PROSE:
        return False
    return len(path.parts) == 1 or path.parts[0] in _PROSE_FOLDERS or path.stem.isupper()


def _rivals(path: Path) -> set[str]:
    """Return which kinds of files there are that an import may take for the one at ``path``."""
    module = path.parent if path.name == INIT else path.with_suffix("")
    rivals = {p.name for p in module.parent.glob(f"{module.name}.*") if p.suffix in _EXTENSIONS}
    rivals |= {"file"} if module.with_suffix(".py").is_file() else set()
    return rivals | ({"package"} if (module / INIT).is_file() else set())


def _candidates(path: Path) -> set[str]:
    """Return what an import could take for the module at ``path``, which has no ending."""
    files = _rivals(path.with_name(f"{path.name}.py")) if path.name else set()
    return files | ({"folder"} if path.is_dir() else set())


def _describe_status(path: Path) -> str:
    """Return kind and permissions of a file, and its size unless it is code; empty if none."""
    try:
        status = path.lstat()
        link = str(path.readlink()) if stat.S_ISLNK(status.st_mode) else ""
    except OSError:
        return ""
    if link:
        try:
            status = path.stat()
        except OSError:  # it leads nowhere
            return link
    is_sized = stat.S_ISREG(status.st_mode) and path.suffix != ".py"
    mode = stat.S_IFMT(status.st_mode) | (status.st_mode & stat.S_IXUSR)
    return f"{mode:o} {status.st_size if is_sized else 0} {link}"


def _hash_variable(name: str) -> str:
    if name != "*":
        value = os.environ.get(name)
        return "" if value is None or name in _OF_SIDE else _hash([value])
    return _hash([f"{n}={os.environ[n]}" for n in sorted(os.environ) if n not in _OF_SIDE])


def _importable(folder: Path) -> set[str]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return set()
    return {
        entry.name
        for entry in entries
        if entry.suffix in (".py", *_EXTENSIONS) or (entry / INIT).is_file()
    }


def _hash(texts: list[str]) -> str:
    return sha256("\n".join(texts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _hash_file(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()[:32] if path.is_file() else ""
    except OSError:
        return ""


def _hash_packages(path: Path) -> str:
    try:
        names = [entry.name for entry in path.iterdir()]
    except OSError:
        return ""
    return _hash(sorted(name for name in names if name.endswith((".dist-info", ".egg-info"))))


def _describe_time(path: Path) -> str:
    """Return size and time of a file, the kind of anything else; empty if there is nothing."""
    try:
        status = path.stat()
    except OSError:
        return ""
    if not stat.S_ISREG(status.st_mode):
        return f"{stat.S_IFMT(status.st_mode):o}"
    return f"{status.st_size} {status.st_mtime_ns}"
