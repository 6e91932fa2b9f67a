"""Fingerprints of the code in a Python file: one of each function, and of what an import runs.

Two functions with the same fingerprint execute the same bytecode on the same constants and names.
Line numbers, comments and doc strings are not in it. Nor is the code of nested functions, which
have fingerprints of their own; class bodies are part of what defines them.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import TypeGuard

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_OPTIMIZED = 1
"""Flag of the code of a function, which that of a class body hasn't."""
_COMPUTED = frozenset({"globals", "locals", "vars", "exec", "eval", "*"})
_FILE_NAME = re.compile(r"[\w.+-]*[\w+-]\.[A-Za-z]\w{0,15}")
_BY_NAME = frozenset({"getattr", "hasattr", "setattr"})


@dataclass(frozen=True, slots=True)
class Function:
    """A function, lambda or comprehension."""

    line: int
    """Its first line."""
    fingerprint: str
    names: frozenset[str]
    """Names that it looks up, as variables of the module, attributes, or in texts."""
    files: frozenset[str]
    """Names of files, without folders, that its texts may have."""


@dataclass(frozen=True, slots=True)
class SourceCode:
    """Fingerprints of a file."""

    top_level: str
    """What an import runs: the file's statements, with class bodies, but without the definitions of
    plain functions."""
    top_level_names: frozenset[str]
    top_level_files: frozenset[str]
    plain: frozenset[str]
    """Names of the plain functions: at the top level, not decorated, with constants as defaults.
    Where nobody looks its name up, it makes no difference that there is one."""
    functions: dict[str, tuple[Function, ...]]
    """Functions by their qualified names, in order. Methods that are defined twice, lambdas and
    comprehensions share a name."""
    changes_others: bool
    """True if an import may change other modules, or the process: it calls something for its effect
    alone, or assigns to what is imported."""
    doc_strings: str
    """Fingerprint of all doc strings."""
    imports: tuple[str, ...]
    """Names that it may import anywhere, with a leading dot for each level if relative: modules,
    and what is taken from them, as that may be a module, too."""

    def fingerprint(self, name: str) -> str:
        """Return the fingerprint of all functions of that name; empty where there is none."""
        return "\n".join(function.fingerprint for function in self.functions.get(name, ()))


def read_source(path: Path) -> SourceCode | None:
    """Return the fingerprints of the file at ``path``; None where there is no such Python code."""
    try:
        return _analyze(path.read_bytes())
    except OSError:
        return None


@lru_cache(maxsize=2_000)  # most files of two trees are the same
def _analyze(text: bytes) -> SourceCode | None:
    try:
        tree = ast.parse(text)
        imports = tuple(_imports(tree))
        changes_others = any(map(_changes_others, _run_by_import(tree.body)))
        doc_strings = _hash(repr([*map(_doc_string, ast.walk(tree))]))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                _tell_constant_name(node)
            if isinstance(node, _Documented):
                _remove_doc_string(node)
            if isinstance(node, ast.ClassDef):
                # Since Python 3.13, a class body stores the number of its line.
                places: list[ast.stmt | ast.expr] = [node, *node.decorator_list[:1]]
                for first in places:
                    first.lineno = 1
        functions: dict[str, list[Function]] = defaultdict(list)
        _collect(_compile(tree.body), functions)
        plain = [statement for statement in tree.body if _is_plain(statement)]
        top_level = _compile([s for s in tree.body if s not in plain])
        # Of what the import itself uses or defines once more, the place counts, too.
        used = _variables(top_level)
        plain = [] if used & _COMPUTED else [f for f in plain if f.name not in used]
        top_level = _compile([s for s in tree.body if s not in plain])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = frozenset(function.name for function in plain)
    for function in plain:
        _add_definition(function, functions)
    return SourceCode(
        top_level=_fingerprint(top_level),
        top_level_names=_names(top_level),
        top_level_files=_files(top_level),
        plain=names,
        functions={name: tuple(of_name) for name, of_name in functions.items()},
        changes_others=changes_others,
        doc_strings=doc_strings,
        imports=imports,
    )


def _compile(statements: list[ast.stmt]) -> CodeType:
    module = ast.Module(statements, type_ignores=[])
    return compile(module, "", "exec", dont_inherit=True)


def _remove_doc_string(node: _Documented) -> None:
    if ast.get_docstring(node, clean=False) is not None:
        # Nothing may come before ``from __future__``, not even ``pass``.
        node.body[:1] = [] if node.body[1:] else [ast.copy_location(ast.Pass(), node.body[0])]


def _doc_string(node: ast.AST) -> str | None:
    return ast.get_docstring(node, clean=False) if isinstance(node, _Documented) else None


def _tell_constant_name(call: ast.Call) -> None:
    """Give ``getattr`` of a name that is written there another name: it finds no other one."""
    function, arguments = call.func, call.args
    if isinstance(function, ast.Name) and function.id in _BY_NAME and len(arguments) > 1:
        name = arguments[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            function.id = f"{function.id} of a constant"


def _run_by_import(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Return the statements at the top level of a file, also within ``if``, ``for`` and so on."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(statement, ast.If) and "__main__" in ast.dump(statement.test):
            continue
        yield statement
        for block in ("body", "orelse", "finalbody"):
            yield from _run_by_import(getattr(statement, block, []))
        for handler in getattr(statement, "handlers", []):
            yield from _run_by_import(handler.body)


def _changes_others(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call() | ast.Await()):
            return True
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return isinstance(target, ast.Attribute | ast.Subscript)
    return False


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            separator = "" if module.endswith(".") else "."
            yield from (f"{module}{separator}{alias.name}" for alias in node.names)


def _is_plain(statement: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    """Return whether ``statement`` defines a function, and does nothing else."""
    if not isinstance(statement, ast.FunctionDef) or statement.decorator_list:
        return False
    if statement.name.startswith("__"):  # Python itself looks for some of these
        return False
    arguments = statement.args
    defaults = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
    return all(isinstance(default, ast.Constant) for default in defaults)


def _add_definition(function: ast.FunctionDef, functions: dict[str, list[Function]]) -> None:
    """Let arguments, defaults and annotations count for a plain function's fingerprint."""
    annotation = ast.dump(function.returns) if function.returns else ""
    definition = f"{ast.dump(function.args)} {annotation}"
    functions[function.name] = [
        replace(code, fingerprint=_hash(f"{code.fingerprint} {definition}"))
        for code in functions[function.name]
    ]


def _collect(code: CodeType, functions: dict[str, list[Function]]) -> None:
    for nested in _nested(code):
        if not _is_class_body(nested):
            prints = _fingerprint(nested), _names(nested), _files(nested)
            functions[nested.co_qualname].append(Function(nested.co_firstlineno, *prints))
        _collect(nested, functions)


def _names(code: CodeType) -> frozenset[str]:
    """Return the names that code looks up; those of class bodies in it, too."""
    texts = (constant for constant in code.co_consts if isinstance(constant, str))
    names = {*code.co_names, *(text for text in texts if text.isidentifier())}
    for constant in code.co_consts:
        if isinstance(constant, tuple):
            names |= {item for item in constant if isinstance(item, str)}
        elif isinstance(constant, CodeType) and _is_class_body(constant):
            names |= _names(constant)
    return frozenset(names)


def _files(code: CodeType) -> frozenset[str]:
    """Return the names of files in the texts of code; those of class bodies in it, too."""
    files: set[str] = set()
    waiting: list[object] = [*code.co_consts]
    while waiting:
        match waiting.pop():
            case str() as text:
                files |= {*_FILE_NAME.findall(text)}
            case bytes() as data:
                files |= {*_FILE_NAME.findall(data.decode("latin-1"))}
            case tuple() | frozenset() as items:
                waiting += items
            case CodeType() as nested if _is_class_body(nested):
                waiting += nested.co_consts
    return frozenset(files)


def _variables(code: CodeType) -> frozenset[str]:
    """Return the names that the code of an import has, with its class bodies."""
    bodies = filter(_is_class_body, _nested(code))
    stars = {"*"} if ("*",) in code.co_consts else set()
    return frozenset({*code.co_names, *stars}).union(*map(_variables, bodies))


def _nested(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _is_class_body(code: CodeType) -> bool:
    return not code.co_flags & _OPTIMIZED


def _fingerprint(code: CodeType) -> str:
    parts = (
        code.co_code,
        tuple(map(_constant, code.co_consts)),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_flags,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_exceptiontable,
    )
    return _hash(repr(parts))


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _constant(value: object) -> str:
    """Return ``value`` in words that are the same in all processes."""
    if isinstance(value, CodeType):
        return f"<code {_fingerprint(value) if _is_class_body(value) else value.co_qualname}>"
    if isinstance(value, frozenset):
        return f"frozenset({sorted(map(_constant, value))})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    return f"{type(value).__name__} {value!r}"
