"""The rules of the house that no other tool checks; `make check` and the tests call them.

- imports run one way between the parts of veperf, every part is listed, and no modules import
  each other in a circle;
- imports inside functions buy start-up time, or are refused;
- names and docstrings are plain: no placeholder locals, no public name that stands twice, no
  docstring that opens with a relative clause;
- a small module with one importer lives in its importer;
- ARCHITECTURE.md has its map from the table of imports;
- notebooks carry no outputs, and each says the same as its .py twin;
- environment.yml names what pyproject.toml names;
- requirements.lock holds no addresses.

`python -m tests.house [PATH ...]` prints the faults, all of them or those under the paths;
`python -m tests.house --map` prints the map of the parts for ARCHITECTURE.md.
"""

import ast
import json
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each part of veperf may import of the others, from the ground floors up. ARCHITECTURE.md has
# its map from this table. A part that is not listed is an error.
ALLOWED: dict[str, tuple[str, ...]] = {
    "core": (),
    "ipc": ("core",),
    "progress": ("core",),
    "stats": ("core",),
    "_native": (),
    "workloads": ("core", "ipc", "_native"),
    "measure": ("core", "ipc", "progress", "_native"),
    "loadtest": ("core", "ipc", "progress", "measure"),
    "verdicts": ("core", "stats"),
    "archive": ("core", "progress", "stats"),
    "report": ("core", "stats", "workloads", "loadtest", "verdicts", "archive"),
    "abtest": (
        "core", "ipc", "progress", "stats", "workloads", "measure", "verdicts", "archive", "report",
    ),
    "profiling": ("core", "ipc", "stats", "workloads", "measure", "report"),
    "formats": ("core", "stats", "verdicts", "report", "abtest"),
    "upstream": ("core", "archive", "report", "formats"),
    "programs": ("core", "stats", "measure", "abtest", "formats"),
    "runner": (
        "core", "ipc", "progress", "workloads", "measure", "loadtest", "archive", "profiling",
    ),
    "cluster": (
        "core", "ipc", "progress", "measure", "loadtest", "archive", "report", "abtest", "runner",
    ),
    "api": (
        "core", "progress", "stats", "loadtest", "verdicts", "archive", "report", "abtest",
        "formats", "programs", "runner", "cluster",
    ),
    # The explorer shows what the API reads and judges; the command line, which has the magic of its
    # own commands (cli/notebook.py), stands above it.
    "jupyter": ("core", "stats", "measure", "archive", "report", "abtest", "profiling", "api"),
    "cli": (
        "core", "ipc", "progress", "workloads", "measure", "verdicts", "archive", "report",
        "abtest", "profiling", "formats", "programs", "upstream", "runner", "cluster", "api",
        "jupyter",
    ),
}  # fmt: skip
# The package's door: what lies beside the parts, public modules among it.
DOOR = {"__init__.py", "__main__.py", "cpu.py", "memory.py"}

# Libraries whose import takes long enough to put it off until it is needed.
HEAVY = {
    "IPython", "ai_edge_litert", "bleach", "coincurve", "dask", "distributed", "duckdb", "fsspec",
    "gmpy2", "hdrh", "hypothesis", "ipykernel", "jinja2", "jupyter_client", "jupyter_core",
    "jupyterlab", "jupytext", "lmdb", "matplotlib", "memray", "multiprocessing", "nacl", "nbclient",
    "nbconvert", "nbformat", "numpy", "pandas", "papermill", "py_ecc", "pyarrow", "rich",
    "ruptures", "s3fs", "scipy", "seaborn", "tensorflow", "google", "asyncio", "ssl", "zipfile",
    "http", "traitlets", "uuid", "difflib", "tokenize", "inspect", "doctest", "unittest", "click",
}  # fmt: skip

# Locals that say nothing: the noun says what it is.
PLACEHOLDERS = {
    "asked", "found", "given", "heard", "made", "one", "ours", "said", "shown", "theirs", "told",
    "wanted",
}  # fmt: skip
RELATIVE = re.compile(
    r"(What|Whatever|Where|How|Who|Whoever|Which|Whether|When|Why|One|That|Those)\b", re.IGNORECASE
)
# Modules that are used by their qualified name, as `fp2.multiply`: what they define may stand in a
# twin as well.
NAMESPACES = {"fp2", "fp12"}
ENTRY_POINTS = {"main"}
# Benchmarks are known by their ids.
SUITE_FILES = ("benchmarks.py", "memory_suite.py")

CONDA_NAMES = {"duckdb": "python-duckdb", "lmdb": "python-lmdb", "matplotlib": "matplotlib-base"}
# Neither conda-forge's feedstocks nor their outputs have it, so that pip installs it.
NOT_IN_CONDA = {"hdrhistogram"}
SMALL_MODULE_LINES = 40
# A command has a file of its own, however small; packaging reads the version without importing.
OWN_FILE = ("cli/", "core/version.py")


def parts_table(package: Path = ROOT / "veperf") -> str:
    """The map of ARCHITECTURE.md: each part, what it holds, and what it may import."""
    rows = ["| part | holds | imports |", "|---|---|---|"]
    for part, others in reversed(ALLOWED.items()):
        summary = (ast.get_docstring(_tree(package / part / "__init__.py")) or "").splitlines()[0]
        rows.append(f"| `{part}/` | {summary.replace('``', '`')} | {', '.join(others) or '-'} |")
    return "\n".join(rows)


def architecture_faults(root: Path = ROOT) -> Iterator[str]:
    """A map in ARCHITECTURE.md that is not the table of this file."""
    if parts_table(root / "veperf") not in (root / "ARCHITECTURE.md").read_text(encoding="utf-8"):
        yield "ARCHITECTURE.md: its map is out of step; paste `python -m tests.house --map`"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(_tree(path)))


@cache
def _modules(package: Path) -> tuple[Path, ...]:
    return tuple(sorted(package.rglob("*.py")))


@cache
def _module_names(package: Path) -> frozenset[str]:
    return frozenset(_name_of(path, package) for path in _modules(package))


def _name_of(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _imports(path: Path, package: Path) -> tuple[tuple[ast.stmt, str, bool], ...]:
    """Imports of the package's modules: the statement, the module, and if only for types."""
    return tuple(_find_imports(path, package))


def _find_imports(path: Path, package: Path) -> Iterator[tuple[ast.stmt, str, bool]]:
    known = _module_names(package)
    for_types = {
        id(inner)
        for node in _nodes(path)
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, path, package)
            full = [f"{origin}.{alias.name}" for alias in node.names]
            names = [name if name in known else origin for name in full]
        else:
            continue
        for name in dict.fromkeys(names):
            if name.split(".")[0] == package.name:
                yield node, name, id(node) in for_types


def _origin(node: ast.ImportFrom, path: Path, package: Path) -> str:
    """The module that an import takes names from, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = path.relative_to(package.parent).with_suffix("").parts
    above = parts[: len(parts) - node.level]
    return ".".join([*above, *([node.module] if node.module else [])])


def wrong_imports(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Imports against the direction, parts that are not listed, and a table that cycles."""
    for part, others in ALLOWED.items():
        earlier = list(ALLOWED)[: list(ALLOWED).index(part)]
        for other in set(others) - set(earlier):
            yield f"tests/house.py: {part} may not stand on {other}, which comes after it"
    for path in _modules(package):
        where = path.relative_to(package.parent)
        part = path.relative_to(package).parts[0]
        if part in DOOR:
            for node, name, for_types in _imports(path, package):
                if path.name == "__init__.py" and not for_types:
                    yield f"{where}:{node.lineno}: the door imports {name} before anybody uses it"
            continue
        for line, name in _dynamic_imports(path, package):
            yield f"{where}:{line}: imports {name} by its name as text: import it by a statement"
        if part not in ALLOWED:
            yield f"{where}: {part} is no part that ALLOWED lists"
            continue
        for node, name, _ in _imports(path, package):
            other = name.split(".")[1] if "." in name else ""
            if part == "workloads" and name in ("veperf.core.registry", "veperf.core.remote_load"):
                # Workloads are libraries: only the suites' benchmarks know how they are measured.
                allowed = path.name == "benchmarks.py"
            else:
                allowed = other == part or other in ALLOWED[part]
            if not allowed:
                yield f"{where}:{node.lineno}: {part} must not import {name}"


def _dynamic_imports(path: Path, package: Path) -> Iterator[tuple[int, str]]:
    """Calls of import_module or __import__ with a module of the package."""
    for node in _nodes(path):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            module = str(node.args[0].value)
            if name in ("import_module", "__import__") and module.split(".")[0] == package.name:
                yield node.lineno, module


def cyclic_imports(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Modules that import each other in a circle, at module level or inside functions."""
    graph: dict[str, set[str]] = defaultdict(set)
    for path in _modules(package):
        module = _name_of(path, package)
        if path.parent == package:
            continue
        for _, name, for_types in _imports(path, package):
            # A package is loaded before its modules: what its door imports, its modules wait for.
            if not for_types and name != module and not module.startswith(f"{name}."):
                graph[module].add(name)
    state: dict[str, int] = {}
    stack: list[str] = []
    circles: list[list[str]] = []

    def visit(module: str) -> None:
        state[module] = 1
        stack.append(module)
        for other in sorted(graph.get(module, ())):
            if state.get(other) == 1:
                circles.append([*stack[stack.index(other) :], other])
            elif other not in state:
                visit(other)
        stack.pop()
        state[module] = 2

    for module in sorted(graph):
        if module not in state:
            visit(module)
    for circle in circles:
        yield "circular import: " + " -> ".join(circle)


def late_imports(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Imports inside functions that don't put off anything heavy."""
    paths = {_name_of(path, package): path for path in _modules(package)}

    @cache
    def loads(module: str) -> frozenset[str]:
        """The heavy libraries that importing ``module`` loads, directly or through others."""
        seen: set[str] = set()
        heavy: set[str] = set()
        queue = [module]
        while queue:
            current = queue.pop()
            if current in seen or current not in paths:
                continue
            seen.add(current)
            queue.append(current.rpartition(".")[0])  # its package is loaded before it
            for node in _module_level(_tree(paths[current]), with_types=False):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
                else:
                    continue
                heavy.update(name.split(".")[0] for name in names if name.split(".")[0] in HEAVY)
                queue.extend(name for name in names if name.startswith(package.name))
        return frozenset(heavy)

    for module, path in paths.items():
        # A command imports what it runs: `veperf --help` loads all of them.
        if path.parent in (package, package / "cli"):
            continue
        top = set(map(id, _module_level(_tree(path))))
        for node in _nodes(path):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in paths else node.module for name in full]
            else:
                continue
            if id(node) in top:
                continue
            for name in dict.fromkeys(names):
                root = name.split(".")[0]
                late = loads(name) if root == package.name else {root} & HEAVY
                if not late - loads(module):
                    yield (
                        f"{path.relative_to(package.parent)}:{node.lineno}: imports {name} inside "
                        "a function, which puts off nothing heavy: move it to the top"
                    )


def _module_level(tree: ast.Module, *, with_types: bool = True) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, and with those for type checkers alone."""
    queue: list[ast.stmt] = list(tree.body)
    while queue:
        node = queue.pop()
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            if is_for_types and not with_types:
                continue
            queue.extend(
                child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)
            )


def placeholder_names(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Names that say nothing: of locals, parameters, attributes, functions."""
    for path in _modules(package):
        for node in _nodes(path):
            for name in _bound_names(node):
                if name.strip("_") in PLACEHOLDERS:
                    where = f"{path.relative_to(package.parent)}:{getattr(node, 'lineno', 1)}"
                    yield f"{where}: {name!r} says nothing: name it"


def _bound_names(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            return (name,)
        case ast.Attribute(attr=name, ctx=ast.Store()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return (name,)
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return (name,)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return tuple(alias.asname for alias in names if alias.asname)
    return ()


def repeated_names(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Public classes and functions of the same name in several modules."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in _modules(package):
        if path.stem in NAMESPACES:
            continue
        for node in _module_level(_tree(path)):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("_") or node.name in ENTRY_POINTS:
                continue
            if path.name in SUITE_FILES and node.decorator_list:
                continue  # known by its id
            places[node.name].append(f"{path.relative_to(package.parent)}:{node.lineno}")
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"{where[0]}: {name} is defined in {len(where)} modules: {', '.join(where)}"


def relative_docstrings(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Docstrings that open with a relative clause in place of what the thing is or does."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for path in _modules(package):
        for node in _nodes(path):
            if isinstance(node, kinds):
                text = ast.get_docstring(node)
                if text and RELATIVE.match(text):
                    line = getattr(node, "lineno", 1)
                    first = text.splitlines()[0]
                    yield f"{path.relative_to(package.parent)}:{line}: docstring opens: {first}"


def crumbs(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Small modules that only one other module imports."""
    importers: dict[str, set[str]] = defaultdict(set)
    for path in _modules(package):
        if path.name != "__init__.py":
            for _, name, _ in _imports(path, package):
                importers[name].add(_name_of(path, package))
    for path in _modules(package):
        name = _name_of(path, package)
        text = path.read_text(encoding="utf-8")
        if str(path.relative_to(package)).startswith(OWN_FILE) or path.name in DOOR:
            continue
        if "def main(" in text or '__name__ == "__main__"' in text:
            continue
        if len(text.splitlines()) <= SMALL_MODULE_LINES and len(importers[name]) == 1:
            (importer,) = importers[name]
            yield f"{path.relative_to(package.parent)}: so small, it belongs into {importer}"


def notebook_faults(folder: Path = ROOT / "notebooks") -> Iterator[str]:
    """Notebooks with outputs, without a twin, or that differ from it."""
    import jupytext

    notebooks = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    scripts = {path.stem: path for path in sorted(folder.glob("*.py"))}
    for stem in notebooks.keys() ^ scripts.keys():
        yield f"notebooks/{stem}: needs both .ipynb and .py (`jupytext --sync`)"
    for stem in notebooks.keys() & scripts.keys():
        cells = json.loads(notebooks[stem].read_text(encoding="utf-8"))["cells"]
        if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
            yield f"notebooks/{stem}.ipynb: has outputs; clear them before committing"
        ours = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
        twin = [(cell.cell_type, cell.source) for cell in jupytext.read(scripts[stem]).cells]
        if ours != twin:
            yield f"notebooks/{stem}: .ipynb and .py differ; run `jupytext --sync` on it"


def environment_faults(root: Path = ROOT) -> Iterator[str]:
    """Dependencies that environment.yml lacks, has beyond pyproject.toml, or bounds otherwise."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    expected = {}
    for requirement in [f"python{project['requires-python']}", *project["dependencies"]]:
        name, bounds = _split(requirement)
        expected[CONDA_NAMES.get(name, name)] = bounds
    text = (root / "environment.yml").read_text(encoding="utf-8")
    listed = text.partition("dependencies:")[2]
    lines = re.findall(r"^  - (?!pip\b)([^\s#:]+)", listed, re.MULTILINE)
    by_pip = dict(map(_split, re.findall(r"^      - (?!-)(\S+)", listed, re.MULTILINE)))
    for name in sorted(by_pip.keys() ^ (NOT_IN_CONDA & expected.keys())):
        yield f"environment.yml: pip installs {name}, or should: NOT_IN_CONDA says what it does"
    actual = dict(map(_split, lines)) | by_pip
    for name in sorted(expected.keys() | actual.keys()):
        if expected.get(name) != actual.get(name):
            yield (
                f"environment.yml: {name} is {actual.get(name, 'missing')!r}, "
                f"pyproject.toml says {expected.get(name, 'nothing')!r}"
            )


def _split(requirement: str) -> tuple[str, str]:
    actual = re.match(r"([A-Za-z0-9_.-]+)\s*(.*)", requirement)
    assert actual is not None, requirement
    return actual[1].lower(), actual[2].replace(" ", "")


def lock_faults(root: Path = ROOT) -> Iterator[str]:
    """Addresses in the lock, and requirements in it that are not pinned with a hash."""
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    if "://" in text:
        yield "requirements.lock: holds an address; make it with `make lock`"
    for block in re.split(r"\n(?=\S)", text.strip()):
        if "==" not in block or "--hash=sha256:" not in block:
            yield f"requirements.lock: not pinned with a hash: {block.splitlines()[0]}"


def main(paths: list[str]) -> int:
    """Print the faults, all of them or those under ``paths``; 1 if there is any."""
    if paths == ["--map"]:
        print(parts_table())
        return 0
    faults = [fault for check in CHECKS for fault in check()]
    if paths:
        faults = [fault for fault in faults if any(path in fault for path in paths)]
    print("\n".join(faults) or "the house is in order")
    return 1 if faults else 0


CHECKS: tuple[Callable[[], Iterator[str]], ...] = (
    wrong_imports,
    cyclic_imports,
    late_imports,
    placeholder_names,
    repeated_names,
    relative_docstrings,
    crumbs,
    architecture_faults,
    notebook_faults,
    environment_faults,
    lock_faults,
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
