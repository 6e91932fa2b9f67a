"""The rules of the house that no other tool checks; `make check` and the tests call them.

- imports run one way between the packages;
- notebooks carry no outputs, and each says the same as its .py twin;
- environment.yml names what pyproject.toml names;
- requirements.lock holds no addresses.
"""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each part of veperf may import of the rest, itself always included.
_BASE = {"errors", "model", "nesting", "version"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "version": set(),
    "model": set(),
    "nesting": set(),
    "paths": set(),
    "units": {"errors"},
    "registry": _BASE,
    "workloads": _BASE | {"registry"},
    "judge": _BASE | {"units"},
    "measure": _BASE | {"registry", "memory"},
    "memory": _BASE | {"registry", "units", "workloads"},
    "archive": _BASE | {"judge", "paths"},
    "opening": {"archive", "paths", "progress"},
    "interop": _BASE | {"paths"},
    "writers": _BASE | {"units", "judge", "report"},
    "estimate": _BASE,
    "progress": _BASE | {"estimate"},
    "lab": {"errors", "archive", "paths"},
    "gate": _BASE
    | {"workloads", "measure", "judge", "archive", "opening", "paths", "progress", "report"},
    "session": _BASE | {"registry", "workloads", "measure", "archive", "paths"},
    "report": _BASE | {"units", "judge", "measure", "archive", "paths", "registry", "workloads"},
}

CONDA_NAMES = {"duckdb": "python-duckdb", "lmdb": "python-lmdb", "matplotlib": "matplotlib-base"}


def wrong_imports(package: Path = ROOT / "veperf") -> Iterator[str]:
    """Imports that run against the direction. Parts that ``ALLOWED`` leaves out are on top."""
    for path in sorted(package.rglob("*.py")):
        part = path.relative_to(package).parts[0].removesuffix(".py")
        allowed = ALLOWED.get(part)
        if allowed is None:
            continue
        for line, name in _imports(path):
            other = name.split(".")[1] if "." in name else ""
            # Workloads know the registry in one file a suite, their benchmarks.
            strict = part == "workloads" and path.name != "benchmarks.py"
            if other not in (allowed - {"registry"} if strict else allowed) | {part}:
                yield f"{path.relative_to(package.parent)}:{line}: {part} must not import {name}"


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "veperf":
            found = [f"veperf.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found = [node.module]
        else:
            continue
        for name in found:
            if name == "veperf" or name.startswith("veperf."):
                yield node.lineno, name


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
    wanted = {}
    for requirement in [f"python{project['requires-python']}", *project["dependencies"]]:
        name, bounds = _split(requirement)
        wanted[CONDA_NAMES.get(name, name)] = bounds
    text = (root / "environment.yml").read_text(encoding="utf-8")
    listed = text.partition("dependencies:")[2]
    lines = re.findall(r"^  - (?!pip\b)([^\s#:]+)", listed, re.MULTILINE)
    found = dict(map(_split, lines))
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            yield (
                f"environment.yml: {name} is {found.get(name, 'missing')!r}, "
                f"pyproject.toml says {wanted.get(name, 'nothing')!r}"
            )


def _split(requirement: str) -> tuple[str, str]:
    found = re.match(r"([A-Za-z0-9_.-]+)\s*(.*)", requirement)
    assert found is not None, requirement
    return found[1].lower(), found[2].replace(" ", "")


def lock_faults(root: Path = ROOT) -> Iterator[str]:
    """Addresses in the lock, and requirements in it that are not pinned with a hash."""
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    if "://" in text:
        yield "requirements.lock: holds an address; make it with `make lock`"
    for block in re.split(r"\n(?=\S)", text.strip()):
        if "==" not in block or "--hash=sha256:" not in block:
            yield f"requirements.lock: not pinned with a hash: {block.splitlines()[0]}"


def main() -> int:
    """Print every fault; 1 if there is any."""
    checks = (wrong_imports, notebook_faults, environment_faults, lock_faults)
    faults = [fault for check in checks for fault in check()]
    print("\n".join(faults) or "the house is in order")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
