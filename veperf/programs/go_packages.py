"""Packages of a checkout that have Go benchmarks."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from veperf.core.errors import MeasureError
from veperf.programs.go_toolchain import GoToolchain, last_lines, run_go

_FUNCTION = re.compile(r"^func\s+(Benchmark(?![a-z])\w*)\s*\(", re.MULTILINE)
_NOT_MODULES = {"vendor", "testdata", "node_modules"}
_FIELDS = "ImportPath,Dir,TestGoFiles,XTestGoFiles,Error"


@dataclass(frozen=True, slots=True)
class GoPackage:
    """A package with benchmarks, on one side."""

    path: str
    """Import path."""
    folder: Path
    module: Path
    """Folder that `go` is run in."""
    functions: tuple[str, ...]
    """Names of its benchmark functions, before any sub-benchmark."""
    problem: str = ""
    """Reason why it can't be loaded."""


@dataclass(frozen=True, slots=True)
class GoSelection:
    """Packages and benchmarks that were asked for."""

    patterns: tuple[str, ...]
    bench: str
    tags: str

    @property
    def tag_flags(self) -> list[str]:
        """Arguments of `go` for the build tags."""
        return [f"-tags={self.tags}"] if self.tags else []

    def may_run(self, function: str) -> bool:
        """Return whether ``bench`` may select a function; Go itself decides about sub-benchmarks.

        Where the expression is not surely read as Go reads it, it may.
        """
        if any(character in self.bench for character in "/\\()"):
            return True
        try:
            return re.search(self.bench, function) is not None
        except re.error:
            return True


def find_packages(
    toolchain: GoToolchain, tree: Path, current: Path, selection: GoSelection
) -> dict[str, GoPackage]:
    """Return the packages of ``tree`` with benchmarks that were selected, by import path.

    Patterns are relative to ``current``, a folder of ``tree``. One that is in a module of a
    sub-folder is listed there, and one that is above modules, in each of them.

    Raises:
        MeasureError: `go list` fails.
    """
    packages: dict[str, GoPackage] = {}
    for module, patterns in _by_module(tree, current, selection.patterns).items():
        words = ["list", "-e", f"-json={_FIELDS}", *selection.tag_flags, "--", *patterns]
        run = run_go(toolchain.program, words, module)
        if run.returncode != 0:
            reason = last_lines(run.stderr)
            raise MeasureError(f"`go list {' '.join(patterns)}` fails in {module}: {reason}")
        for package in _packages(run.stdout, module):
            functions = tuple(filter(selection.may_run, package.functions))
            if functions or package.problem:
                packages[package.path] = GoPackage(
                    package.path, package.folder, module, functions, package.problem
                )
    return packages


def _by_module(tree: Path, current: Path, patterns: Iterable[str]) -> dict[Path, list[str]]:
    """Return the patterns as they are to be given to `go list` in each folder of a module."""
    by_module: dict[Path, list[str]] = {}
    for pattern in patterns:
        if not re.match(r"\.{1,2}(/|$)", pattern):
            by_module.setdefault(_module_above(current, tree) or current, []).append(pattern)
            continue
        start, dots, _ = pattern.partition("...")
        folder = _inside(current, start, tree)
        if folder is None:
            continue  # it is on the other side alone
        module = _module_above(folder, tree)
        modules = [folder] if module is not None or not dots else [*_modules_below(folder)]
        for found_at in modules:
            root = module or found_at
            relative = folder.relative_to(root) if module is not None else Path()
            start = "." if relative == Path() else f"./{relative.as_posix()}"
            by_module.setdefault(root, []).append(f"{start}/..." if dots else start)
    return by_module


def _inside(current: Path, start: str, tree: Path) -> Path | None:
    """Return the folder that a pattern begins with, if it is one in ``tree``."""
    folder = (current / start).resolve()
    return folder if folder.is_dir() and folder.is_relative_to(tree) else None


def _module_above(folder: Path, tree: Path) -> Path | None:
    """Return the folder of the module that ``folder`` is in, up to ``tree``."""
    for candidate in (folder, *folder.parents):
        if (candidate / "go.mod").is_file():
            return candidate
        if candidate == tree:
            return None
    return None


def _modules_below(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("go.mod")):
        parts = file.relative_to(folder).parts[:-1]
        if not any(part in _NOT_MODULES or part.startswith((".", "_")) for part in parts):
            yield file.parent


def _packages(text: str, module: Path) -> Iterator[GoPackage]:
    """Parse the JSON documents of `go list`, one after the other."""
    decoder, position = json.JSONDecoder(), 0
    while (position := _next_document(text, position)) < len(text):
        document, position = decoder.raw_decode(text, position)
        folder = Path(document.get("Dir") or module)
        files = [*document.get("TestGoFiles", ()), *document.get("XTestGoFiles", ())]
        problem = (document.get("Error") or {}).get("Err", "")
        functions = _functions(folder / name for name in files)
        yield GoPackage(document["ImportPath"], folder, module, functions, problem)


def _next_document(text: str, position: int) -> int:
    start = text.find("{", position)
    return len(text) if start < 0 else start


def _functions(files: Iterable[Path]) -> tuple[str, ...]:
    names: Sequence[str] = [
        name
        for file in files
        if file.is_file()
        for name in _FUNCTION.findall(file.read_text(encoding="utf-8", errors="replace"))
    ]
    return tuple(sorted(set(names)))
