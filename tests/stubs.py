"""The stub of the package: its public names, and the full signatures of its keyword functions.

`keyword_options` gives a function the fields of its options as keywords, which no type checker and
no editor sees in the code. `python -m tests.stubs` writes `veperf/__init__.pyi` anew; a test holds
it against the code. A new public name is added there as `from module import name as name`, and
becomes a signature if it is that of a keyword function.
"""

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import veperf
from veperf.core.option_fields import OptionField, Options, option_fields

STUB = Path(veperf.__file__).with_suffix(".pyi")
MODULE_OF: dict[str, str] = vars(veperf)["_MODULE_OF"]
"""The module of each public name, as the package reads it from the stub."""
_BUILTINS = {"bool", "float", "int", "str"}
_STANDARD = ("collections.abc", "pathlib", "typing")


def expected() -> str:
    """The text that the stub should have."""
    imports: dict[str, set[str]] = defaultdict(set)
    functions: dict[str, str] = {}
    for name, module in sorted(MODULE_OF.items()):
        value = getattr(veperf, name)
        if _is_keyword_function(value):
            functions[name] = _signature(value, imports)
        else:
            imports[module].add(f"{name} as {name}")
    public = {name.split()[0] for names in imports.values() for name in names if " as " in name}
    for module in imports:
        imports[module] -= public
    blocks = ([module for module in imports if _block(module) == number] for number in range(3))
    lines = ("\n".join(_import_lines(sorted(block), imports)) for block in blocks)
    text = "\n\n".join(filter(None, lines))
    return f"{text}\n\n" + "".join(functions[name] for name in sorted(functions))


def keyword_functions() -> dict[str, Any]:
    """The public functions whose options are keywords, by name."""
    values = {name: getattr(veperf, name) for name in MODULE_OF}
    return {name: value for name, value in values.items() if _is_keyword_function(value)}


def _is_keyword_function(value: Any) -> bool:
    return inspect.isfunction(value) and "options" in getattr(
        getattr(value, "__wrapped__", None), "__annotations__", {}
    )


def _block(module: str) -> int:
    """The block of imports that ``module`` is in: the standard library, others, veperf."""
    return 0 if module in _STANDARD else 2 if module.split(".")[0] == "veperf" else 1


def _import_lines(modules: list[str], imports: dict[str, set[str]]) -> Iterator[str]:
    for module in modules:
        names = sorted(imports[module], key=_isort_key)
        plain = [name for name in names if " as " not in name]
        for name in names:
            if name not in plain:
                yield f"from {module} import {name}"
            elif name == plain[0]:
                yield f"from {module} import {', '.join(plain)}"


def _isort_key(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest."""
    plain = name.split()[0]
    return (0 if plain.isupper() else 1 if plain[0].isupper() else 2), plain


def _signature(function: Any, imports: dict[str, set[str]]) -> str:
    """The stub of a keyword function; the types in it join ``imports``."""
    inner = function.__wrapped__
    (node,) = ast.parse(inspect.getsource(inner)).body
    assert isinstance(node, ast.FunctionDef), f"{inner.__name__} is no plain function"
    kind: type[Options] = inner.__annotations__["options"]
    fields = {field.name: field for field in option_fields(kind)}
    types = {arg.arg: arg.annotation for arg in ast.walk(node) if isinstance(arg, ast.arg)}
    lines = [f"def {function.__name__}(  # {function.__module__}"]
    only_by_keyword = False
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        if parameter.kind is parameter.KEYWORD_ONLY and not only_by_keyword:
            lines.append("    *,")
        only_by_keyword |= parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        if name in fields:
            annotation = _field_type(fields[name], imports)
        else:
            annotation = _annotation(types[name], function.__module__, imports)
            annotation += " | None" * (name == "options")
        default = "" if parameter.default is parameter.empty else f" = {_literal(parameter)}"
        lines.append(f"    {star}{name}: {annotation}{default},")
    lines.append(f") -> {_annotation(node.returns, function.__module__, imports)}: ...\n")
    return "\n".join(lines)


def _field_type(field: OptionField, imports: dict[str, set[str]]) -> str:
    """The type of a keyword: with a unit it may be text, and a list may be any sequence."""
    if field.choices:
        imports["typing"].add("Literal")
        text = f"Literal[{', '.join(map(_quoted, field.choices))}]"
        if field.kind is tuple:
            imports["collections.abc"].add("Sequence")
            text = f"Sequence[{text}]"
    elif field.kind is tuple:
        imports["collections.abc"].add("Sequence")
        text = "Sequence[str]"
    else:
        assert field.kind.__name__ in _BUILTINS, f"{field.name} is of a type without a stub"
        text = field.kind.__name__ + " | str" * bool(field.unit)
    return text + " | None" * (NoneType in _all_parts(field.annotation))


def _all_parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _all_parts(part)


def _annotation(node: ast.expr | None, module: str, imports: dict[str, set[str]]) -> str:
    """The annotation as it stands in the code of ``module``; its names join ``imports``."""
    assert node is not None, f"a parameter in {module} has no type"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval").body
    for name in (part.id for part in ast.walk(node) if isinstance(part, ast.Name)):
        if name not in _BUILTINS and not _has_alias(name, module, imports):
            imports[_home(name, module)].add(name)
    return ast.unparse(node).replace("'", '"')


def _has_alias(name: str, module: str, imports: dict[str, set[str]]) -> bool:
    """Whether the same type goes by that name already, from another module."""
    places = [place for place, names in imports.items() if name in names]
    if not places:
        return False
    homes = _home(name, module), places[0]
    value, other = (getattr(import_module(place), name) for place in homes)
    assert value == other, f"{name} has two meanings, in {module} and {places[0]}"
    return True


def _home(name: str, module: str) -> str:
    """The module from which ``module`` has ``name``, or itself."""
    tree = ast.parse(inspect.getsource(import_module(module)))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            assert node.module is not None, "imports are absolute"
            return node.module
    return module


def _literal(parameter: inspect.Parameter) -> str:
    default = parameter.default
    return _quoted(default) if isinstance(default, str) else repr(default)


def _quoted(text: str) -> str:
    return f'"{text}"'


def main() -> None:
    """Write the stub."""
    STUB.write_text(expected(), encoding="utf-8")


if __name__ == "__main__":
    main()
