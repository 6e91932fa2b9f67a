"""Edits of a module's source: shams, which change nothing that runs, and planted slowdowns.

Each sham edit is one that people make every day beside the code that they measure. It leaves the
bytecode of the functions that run as it was, yet moves what lies around them in memory.
"""

import ast
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

TURNS = "TURNS"
"""Name of the module's table of turns by function, which planted slowdowns change."""
KINDS = "KINDS"
"""Name of its list of functions, which stands below all of them."""
_UNUSED = "unused_"
_IMPORTS = (
    "bisect", "calendar", "cmd", "colorsys", "configparser", "difflib", "filecmp", "fileinput",
    "fractions", "getopt", "graphlib", "imaplib", "mailbox", "netrc", "optparse", "pickletools",
    "plistlib", "pprint", "sched", "shelve", "smtplib", "statistics", "stringprep", "symtable",
    "tabnanny", "timeit", "trace", "wave", "xmlrpc.client", "zipapp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """Source of a version of the library."""

    source: str
    others: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Sources of further modules, by name."""


ShamEdit = Callable[[Version, random.Random], Version]


def initial_version(source: str, generator: random.Random) -> Version:
    """Return ``source`` with 2 to 30 functions that nobody calls, at places drawn at random.

    Every base of a comparison begins with its own, so that the comparisons are independent.
    """
    return _with_unused(Version(source), generator, generator.randint(2, 30))


def plant_slowdown(version: Version, effect: float) -> Version:
    """Return ``version`` with more turns of every function, by a share of ``effect``."""
    tree = ast.parse(version.source)
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == TURNS:
            turns = ast.literal_eval(node.value)
            slower = {name: round(number * (1 + effect)) for name, number in turns.items()}
            node.value = ast.parse(repr(slower), mode="eval").body
    return _changed(version, tree)


def add_function(version: Version, generator: random.Random) -> Version:
    """Add a function that nobody calls."""
    return _with_unused(version, generator, 1)


def add_many_functions(version: Version, generator: random.Random) -> Version:
    """Add many functions that nobody calls."""
    return _with_unused(version, generator, generator.randint(20, 80))


def remove_functions(version: Version, generator: random.Random) -> Version:
    """Remove some of the functions that nobody calls."""
    tree = ast.parse(version.source)
    unused = [node for node in tree.body if _is_unused(node)]
    removed = generator.sample(unused, generator.randint(1, len(unused)))
    tree.body = [node for node in tree.body if node not in removed]
    return _changed(version, tree)


def change_constants(version: Version, generator: random.Random) -> Version:
    """Change the constants in the functions that nobody calls."""
    tree = ast.parse(version.source)
    for node in tree.body:
        if _is_unused(node):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, int):
                    inner.value = generator.randrange(1 << generator.choice((8, 40, 200)))
    return _changed(version, tree)


def add_dictionary(version: Version, generator: random.Random) -> Version:
    """Add a dictionary at module level."""
    size = generator.choice((10, 100, 1000))
    entries = {f"entry {_number(generator)}": _number(generator) for _ in range(size)}
    return _inserted(version, generator, f"ENTRIES = {entries!r}")


def add_class(version: Version, generator: random.Random) -> Version:
    """Add a class that nobody uses."""
    methods = "\n".join(
        f"    def method_{number}(self, value):\n        return self.state, value + {number}"
        for number in range(generator.randint(1, 30))
    )
    return _inserted(version, generator, f"class Unused:\n    state = {{}}\n{methods}")


def add_import(version: Version, generator: random.Random) -> Version:
    """Import a module of the standard library that nothing needs."""
    return _imported(version, f"import {generator.choice(_IMPORTS)}")


def add_module(version: Version, generator: random.Random) -> Version:
    """Add another module to the package, and import it."""
    body = "\n\n".join(_unused_function(generator) for _ in range(generator.randint(1, 40)))
    others = {**version.others, "extra": f'"""Further functions."""\n\n{body}\n'}
    return replace(_imported(version, "from . import extra"), others=others)


def lengthen_docstrings(version: Version, generator: random.Random) -> Version:
    """Make every docstring longer."""
    tree = ast.parse(version.source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            docstring = node.body[0]
            assert isinstance(docstring, ast.Expr), "it has a docstring"
            words = "more of it " * generator.randint(1, 60)
            docstring.value = ast.Constant(f"{ast.get_docstring(node)}\n\n{words}")
    return _changed(version, tree)


def reorder_functions(version: Version, generator: random.Random) -> Version:
    """Put the functions of the module into another order."""
    tree = ast.parse(version.source)
    places = [place for place, node in enumerate(tree.body) if isinstance(node, ast.FunctionDef)]
    functions = [tree.body[place] for place in places]
    generator.shuffle(functions)
    for place, function in zip(places, functions, strict=True):
        tree.body[place] = function
    return _changed(version, tree)


def rename_locals(version: Version, generator: random.Random) -> Version:
    """Rename the loop variables and other locals of half the functions."""
    tree = ast.parse(version.source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for function in generator.sample(functions, (len(functions) + 1) // 2):
        _Renaming(function, f"_{generator.randrange(1000)}").visit(function)
    return _changed(version, tree)


SHAM_EDITS: tuple[ShamEdit, ...] = (
    add_function,
    add_dictionary,
    reorder_functions,
    rename_locals,
    add_import,
    lengthen_docstrings,
    add_module,
    add_class,
    add_many_functions,
    change_constants,
    remove_functions,
)


def edit_name(edit: ShamEdit) -> str:
    """Return the edit in words: its first line of documentation, without the full stop."""
    return (edit.__doc__ or "").partition("\n")[0].rstrip(".")


class _Renaming(ast.NodeTransformer):
    """Gives the simple locals of ``function`` another end; closures and parameters keep theirs."""

    def __init__(self, function: ast.FunctionDef, end: str) -> None:
        shared = {
            name
            for node in ast.walk(function)
            if isinstance(node, ast.Nonlocal)
            for name in node.names
        }
        self._end = end
        self._names = {
            node.id
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        } - shared

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Rename it."""
        return ast.Name(node.id + self._end, node.ctx) if node.id in self._names else node


def _with_unused(version: Version, generator: random.Random, count: int) -> Version:
    return _inserted(version, generator, *(_unused_function(generator) for _ in range(count)))


def _unused_function(generator: random.Random) -> str:
    lines = "\n".join(
        f"    value = value * {_number(generator)} + {_number(generator)}"
        for _ in range(generator.randint(1, 25))
    )
    name = f"{_UNUSED}{_number(generator)}"
    return f'def {name}(value):\n    """Is never called."""\n{lines}\n    return value'


def _number(generator: random.Random) -> int:
    return generator.randrange(1 << 30)


def _is_unused(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith(_UNUSED)


def _inserted(version: Version, generator: random.Random, *statements: str) -> Version:
    """``version`` with more statements, at places between the imports and the list of kinds."""
    tree = ast.parse(version.source)
    first = max(place for place, node in enumerate(tree.body) if _is_import(node)) + 1
    for statement in statements:
        last = next(place for place, node in enumerate(tree.body) if _is_list_of_kinds(node))
        place = generator.randint(first, last)
        tree.body[place:place] = ast.parse(statement).body
    return _changed(version, tree)


def _imported(version: Version, statement: str) -> Version:
    """``version`` with an import more, before all others."""
    tree = ast.parse(version.source)
    place = min(place for place, node in enumerate(tree.body) if _is_import(node))
    tree.body[place:place] = ast.parse(statement).body
    return _changed(version, tree)


def _is_list_of_kinds(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == KINDS


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _changed(version: Version, tree: ast.Module) -> Version:
    return replace(version, source=ast.unparse(ast.fix_missing_locations(tree)) + "\n")
