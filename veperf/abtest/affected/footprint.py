"""Footprint of a case: the parts of a tree that it executes or reads, each with its print.

The argument is by induction: as long as two processes have executed the same bytecode on the same
data, the next function that they call is the same, too. So a case does the same in another tree
if every function that it was seen to execute, every import that its code makes, and every file
that it reads has the same print there. What starts processes, whose code can't be seen, depends
on all files.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from msgspec import Struct

from veperf.abtest.affected.recorded_code import WORKER, RecordedCode
from veperf.abtest.affected.tree_prints import INIT, Part, PartKind, TreePrints

_MODULE = "<module>"
"""Name of the code that an import runs."""
_REFLECTIVE = frozenset(
    {"*", "dir", "getmembers", "globals", "locals", "vars", "__dict__"}
    | {"getattr", "hasattr", "attrgetter", "eval", "exec"}
)
_HOOK = ".__init_subclass__"
_DOCUMENTED = frozenset({"__doc__", "getdoc"})
_MEASURING = ("veperf.runner.", "veperf.measure.")
"""What takes the samples of a case, though it is no part of what it executes."""


class Footprint(Struct, frozen=True, tag="footprint"):
    """Prints of the parts of a tree that a case depends on."""

    prints: tuple[tuple[Part, str], ...]
    lists_names: bool = False
    """True if it may list the names in a module."""

    @property
    def functions(self) -> int:
        """Number of functions."""
        return sum(part[0] == "function" for part, _ in self.prints)

    def difference(self, tree: TreePrints) -> str:
        """Return what is first found to be different in ``tree``; empty if nothing is."""
        other = ((part, print_) for part, print_ in self.prints if tree.print_of(part) != print_)
        for part, print_ in other:
            if part[0] != "defines":
                return _describe(part)
            changed = {*print_.split()} ^ {*tree.print_of(part).split()}
            names = _looked_up(tree, (part for part, _ in self.prints))
            # What looks at all that a module has, sees that a function is new, or gone.
            if used := changed if self.lists_names or names & _REFLECTIVE else changed & names:
                return f"{part[1]} defines other functions: {', '.join(sorted(used))}"
        return ""


def _looked_up(tree: TreePrints, parts: Iterable[Part]) -> frozenset[str]:
    """Return the names that the code of ``parts`` may look up in modules."""
    return frozenset().union(*map(tree.looked_up, parts))


def _describe(part: Part) -> str:
    kind, place, name = part
    where = place or "the folder"
    return {
        "import": f"what {where} defines at its top level, or the file itself, differs",
        "function": f"{name} in {where} differs",
        "documents": f"doc strings in {where} differ, and it reads some",
        "data": f"{where} differs",
        "folder": f"the files in {where} differ in name, kind or size",
        "mentioned": f"{name} differs, which its code names",
        "outside": f"{where} has changed since",
        "packages": f"other packages are installed in {where}",
        "status": f"{where} is another kind of file, or is not there",
        "module": f"another module can be imported as {where}",
        "names": f"other modules can be imported from {where}",
        "tree": "a file differs, and it starts processes, which may read any",
        "variable": f"the environment variable {name} differs",
    }[kind]


def take_footprint(
    tree: TreePrints, imports: RecordedCode, recorded: RecordedCode, benchmarks: Collection[str]
) -> Footprint | str:
    """Return the footprint of a case that was recorded in ``tree``; or why there is none.

    ``benchmarks`` are the names of the modules with benchmarks.
    """
    if max(imports.threads, recorded.threads) > 1:
        return "a module starts threads when it is imported"
    if imports.is_lost or recorded.is_lost:
        return "it sets a trace or starts threads by itself, so that its code is not seen"
    modules = imports.modules | recorded.modules
    files = _imported_files(tree, modules, imports, recorded, benchmarks)
    files |= {*imports.by_children}
    if _knows_subclasses(tree, files, imports, recorded):
        files |= {*modules.values()}
    executed = {*recorded.executed, *(item for item in imports.executed if item[0] in files)}
    parts: dict[Part, None] = {("import", place, ""): None for place in sorted(files)}
    parts |= {("defines", place, ""): None for place in sorted(files)}
    unread = [part[1] for part in parts if not tree.print_of(part) and part[0] == "import"]
    if unread:
        return f"{unread[0]} is no Python file that can be read"
    for place, name, line in sorted(executed):
        if name == _MODULE:
            continue
        source = tree.source(place)
        if source is None or line not in [f.line for f in source.functions.get(name, ())]:
            return f"{name} in {place} was not made by the file as it is"
        parts["function", place, name] = None
    for name in (name for name in modules if name.startswith(_MEASURING)):
        place = modules[name]
        source = tree.source(place) if place in files else None
        for function in source.functions if source else ():
            parts["function", place, function] = None
    code = imports | recorded
    places: dict[PartKind, Iterable[str]] = {
        "data": code.data,
        "folder": code.folders,
        "packages": code.looked_in,
        "status": code.queried,
        "module": code.sought,
        "names": _roots(modules),
        "outside": code.outside,
    }
    for kind, of_kind in places.items():
        parts |= {(kind, place, ""): None for place in sorted(of_kind)}
    parts |= {("variable", "", name): None for name in sorted(code.variables)}
    names = _looked_up(tree, parts)
    if names & _DOCUMENTED:
        parts |= {("documents", place, ""): None for place in sorted(files)}
    mentioned = frozenset[str]().union(*map(tree.mentions, parts))
    parts |= {("mentioned", "", name): None for name in sorted(mentioned)}
    if code.starts_processes:
        parts["tree", "", ""] = None
        if not tree.print_of(("tree", "", "")):
            return "it starts processes, which may read any of more files than can be compared"
    prints = tuple((part, tree.print_of(part)) for part in parts)
    return Footprint(prints, code.lists_names)


def _knows_subclasses(
    tree: TreePrints, files: Collection[str], imports: RecordedCode, recorded: RecordedCode
) -> bool:
    """Return whether a class may find those that derive from it, in whatever module they are."""
    hooked = any(name.endswith(_HOOK) for place, name, _ in imports.executed if place in files)
    parts: list[Part] = [("function", place, name) for place, name, _ in recorded.executed]
    parts += [("import", place, "") for place in files]
    return hooked or "__subclasses__" in _looked_up(tree, parts)


def _imported_files(
    tree: TreePrints,
    modules: Mapping[str, str],
    imports: RecordedCode,
    recorded: RecordedCode,
    benchmarks: Collection[str],
) -> set[str]:
    """Return the files of what was executed and of the worker, and of all that they import.

    With them are those whose import may change any other module. The benchmarks themselves are
    imported by the worker, but by name.
    """
    requested = {*benchmarks, *(parent for name in benchmarks for parent in _parents(name))}
    seen: dict[str, set[str]] = {}
    code = imports | recorded
    for place, module in code.imported:
        if module in modules and module not in requested:
            seen.setdefault(place, set()).add(modules[module])
    of_requested = {modules[name] for name in requested & modules.keys()}
    for place, run in code.run_files:
        if run not in of_requested:
            seen.setdefault(place, set()).add(run)
    names: dict[str, list[str]] = {}
    for name, place in modules.items():
        names.setdefault(place, []).append(name)
    files: set[str] = set()
    waiting = {place for place, _, _ in recorded.executed}
    waiting |= {modules[name] for name in (WORKER,) if name in modules}
    waiting |= {p for p in modules.values() if getattr(tree.source(p), "changes_others", False)}
    while waiting:
        place = waiting.pop()
        files.add(place)
        source = tree.source(place) if place.endswith(".py") else None
        waiting |= seen.get(place, set()) - files
        for module in names.get(place, ()):
            needed = {*_parents(module)}
            for imported in source.imports if source else ():
                absolute = _absolute(module, place, imported)
                needed |= {absolute, *_parents(absolute)}
            waiting |= {modules[name] for name in needed & modules.keys()} - files
    return files


def _absolute(module: str, place: str, imported: str) -> str:
    """Return the name of what ``module`` imports, without leading dots."""
    name = imported.lstrip(".")
    level = len(imported) - len(name)
    if not level:
        return name
    parts = module.split(".")
    if PurePosixPath(place).name != INIT:
        parts = parts[:-1]
    return ".".join([*parts[: len(parts) - level + 1], *filter(None, [name])])


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _roots(modules: Mapping[str, str]) -> set[str]:
    """Return the folders from which modules are imported, and the working folder."""
    folders = (PurePosixPath(_top_folder(name, place)) for name, place in modules.items())
    return {"", *(_text(folder.parent) for folder in folders)}


def _top_folder(name: str, place: str) -> str:
    """Return the folder of a module's top-level package; of a lone module, its file."""
    path = PurePosixPath(place)
    depth = name.count(".") + (path.name == INIT)
    return _text(path.parents[depth - 1] if depth else path)


def _text(path: PurePosixPath) -> str:
    return "" if path == PurePosixPath() else path.as_posix()
