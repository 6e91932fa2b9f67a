"""The functions behind a benchmark: its own, and those of the module that it calls directly.

A folder that holds the benchmark is read with its tests, the folders that it imports without. Files
of every build tag and system count. A method is found by the type of the variable where that is
known, else by its name: in the benchmark's package, or, if it has none, in the packages of the
module that the calling file imports.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from veperf.core.errors import UsageError
from veperf.core.escape import make_visible
from veperf.upstream.clone import CommitTree
from veperf.upstream.go_source import GoFunction, GoResult, PackageFunctions, parse_go_file

_TEST = "_test.go"
_IGNORED = ("_", ".")


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function of the module: the folder of its package, and its key there."""

    package: str
    key: str

    @property
    def text(self) -> str:
        """Both in one, such as ``x/veid/keeper.Keeper.CreateAgeProof``."""
        return f"{self.package}.{self.key}"


class GoModule:
    """The Go code of a commit, folder by folder, read when first asked for.

    Raises:
        UsageError: it has no go.mod with a module.
    """

    def __init__(self, tree: CommitTree) -> None:
        self.tree = tree
        match = re.search(r"^module\s+\"?([^\s\"]+)", tree.read("go.mod") or "", re.MULTILINE)
        if match is None:
            raise UsageError(
                f"{make_visible(str(tree.clone.folder))} has no Go module at "
                f"{tree.commit[:12]}: no go.mod at its top"
            )
        self.path = match[1]
        self._folders: dict[str, list[str]] = {}
        for path in tree.entries:
            if _is_built(path):
                self._folders.setdefault(posixpath.dirname(path), []).append(path)
        self._packages: dict[tuple[str, bool], PackageFunctions] = {}

    def package(self, folder: str, *, tests: bool = True) -> PackageFunctions:
        """Return the functions in ``folder``, those of its tests among them or not."""
        if (folder, tests) not in self._packages:
            paths = [p for p in self._folders.get(folder, ()) if tests or not p.endswith(_TEST)]
            files = [parse_go_file(text) for _, text in self.tree.read_all(paths)]
            self._packages[folder, tests] = PackageFunctions(files)
        return self._packages[folder, tests]

    def benchmarks(self) -> dict[str, dict[str, str]]:
        """Return the hash of each benchmark function, by folder and name."""
        tests = [p for paths in self._folders.values() for p in paths if p.endswith(_TEST)]
        folders: dict[str, None] = {}
        for path, text in self.tree.read_all(tests):
            if "Benchmark" in text:
                folders[posixpath.dirname(path)] = None
        named = {folder: _benchmarks_in(self.package(folder)) for folder in sorted(folders)}
        return {folder: digests for folder, digests in named.items() if digests}

    def behind(self, package: str, name: str) -> dict[FunctionName, str]:
        """Return the hashes of the function ``name`` and of what it calls directly.

        Empty where there is none of that name.
        """
        own = self.package(package)
        hashes: dict[FunctionName, str] = {}
        for function in own.functions.get(name, ()):
            hashes[FunctionName(package, name)] = own.digest(name)
            for folder, key in self._callees(package, function):
                home = own if folder == package else self.package(folder, tests=False)
                hashes[FunctionName(folder, key)] = home.digest(key)
        return hashes

    def _callees(self, package: str, function: GoFunction) -> Iterator[tuple[str, str]]:
        own = self.package(package)
        imports = {
            name: inner
            for name, path in own.imports_of(function).items()
            if (inner := self._inside(path)) is not None
        }
        for call in function.calls:
            if not call.is_selector:
                if call.name in own.functions:
                    yield package, call.name
            elif call.qualifier in imports:
                folder = imports[call.qualifier]
                if call.name in self.package(folder, tests=False).functions:
                    yield folder, call.name
            else:
                kind = self._type_of(call.qualifier, package, imports, function)
                yield from self._methods(call.name, kind, package, imports)

    def _type_of(
        self, variable: str, package: str, imports: Mapping[str, str], function: GoFunction
    ) -> tuple[str, str] | None:
        """Return folder and name of a variable's type, if it is known and of the module."""
        source = function.variables.get(variable)
        folder: str | None = package
        if isinstance(source, GoResult):
            if source.qualifier:
                folder = imports.get(source.qualifier)
            if folder is None:
                return None
            home = self.package(folder, tests=folder == package)
            makers = home.functions.get(source.function, ())
            results = makers[0].results if makers else ()
            kind = results[source.index] if source.index < len(results) else None
            if kind is not None and kind.qualifier:
                folder = self._inside(home.imports_of(makers[0]).get(kind.qualifier, ""))
        else:
            kind = source
            if kind is not None and kind.qualifier:
                folder = imports.get(kind.qualifier)
        return None if kind is None or folder is None else (folder, kind.name)

    def _methods(
        self, name: str, kind: tuple[str, str] | None, package: str, imports: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        """Yield folder and key of the methods that a call of ``name`` may mean."""
        if kind is not None:
            folder, type_name = kind
            key = f"{type_name}.{name}"
            if key in self.package(folder, tests=folder == package).functions:
                yield folder, key
                return
        own = self.package(package)
        if name in own.methods:
            yield from ((package, key) for key in own.methods[name])
            return
        for folder in sorted(set(imports.values())):
            methods = self.package(folder, tests=False).methods.get(name, ())
            yield from ((folder, key) for key in methods)

    def _inside(self, path: str) -> str | None:
        """Return the folder of the import ``path``; None if it is another module's."""
        if path == self.path:
            return ""
        folder = path.removeprefix(f"{self.path}/")
        return folder if folder != path and folder in self._folders else None


def _is_built(path: str) -> bool:
    """Return whether Go looks at the file: none of vendor, of testdata, or hidden."""
    *folders, name = path.split("/")
    if not name.endswith(".go") or name.startswith(_IGNORED):
        return False
    return not any(f in ("vendor", "testdata") or f.startswith(_IGNORED) for f in folders)


def _benchmarks_in(package: PackageFunctions) -> dict[str, str]:
    return {
        key: package.digest(key)
        for key, functions in sorted(package.functions.items())
        if any(function.is_benchmark for function in functions)
    }
