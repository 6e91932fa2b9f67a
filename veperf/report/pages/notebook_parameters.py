"""The typed parameters of a notebook, checked before anything runs.

papermill itself only logs a parameter that the notebook does not have, and passes on one of the
wrong type; either way the notebook would run with unintended values.
"""

import ast
import math
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from veperf.core.errors import ParameterError
from veperf.core.log_suppression import NOTEBOOK_LOGGERS, suppress_logging

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
"""The values of parameters: JSON, without NaN and infinities."""

_TYPES: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
}


def check_parameters(notebook: Path, parameters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return ``parameters`` in the types of the notebook's ``parameters`` cell.

    The cell's lines read ``name: type = default``; without an annotation the type is that of
    the default. An int is converted to a float where that is declared, nothing else is converted.

    Raises:
        ParameterError: a parameter that the notebook does not have, one of another type, or a
            value that is not JSON.
    """
    if not parameters:
        return {}
    types = _types(notebook)
    return {name: _checked(notebook, name, value, types) for name, value in parameters.items()}


def escape_braces(path: Path) -> str:
    """Return ``path`` for papermill, which reads braces in it as names of parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _types(notebook: Path) -> dict[str, str]:
    """Return the name of each parameter's type: the annotation, else the type of the default."""
    from papermill import inspect_notebook

    with suppress_logging(*NOTEBOOK_LOGGERS):
        inspected = inspect_notebook(escape_braces(notebook))
    return {
        name: _type_of_default(p["default"])
        if p["inferred_type_name"] == "None"
        else p["inferred_type_name"].partition("[")[0].strip()
        for name, p in inspected.items()
    }


def _type_of_default(source: str) -> str:
    try:
        return type(ast.literal_eval(source)).__name__
    except (ValueError, SyntaxError):
        return "unknown"


def _checked(notebook: Path, name: str, value: JsonValue, types: Mapping[str, str]) -> JsonValue:
    if name not in types:
        close = get_close_matches(name, types, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        has = ", ".join(types) or "none"
        raise ParameterError(
            f"{notebook.name} has no parameter {name!r}: {hint}Its parameters are: {has}"
        )
    _refuse_non_json(name, value)
    kind = types[name]
    if kind not in _TYPES:
        return value
    if kind == "float" and type(value) is int:
        return float(value)
    if type(value) is not _TYPES[kind]:
        raise ParameterError(
            f"parameter {name} of {notebook.name} is a {kind}, not "
            f"{type(value).__name__} ({value!r})"
        )
    return value


def _refuse_non_json(name: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"parameter {name} holds {value}, which JSON lacks; leave it out")
    if type(value) is list:
        for item in value:
            _refuse_non_json(name, item)
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ParameterError(f"parameter {name} has the key {key!r}; keys are strings")
            _refuse_non_json(name, item)
    elif value is not None and type(value) not in (str, int, float, bool):
        raise ParameterError(
            f"parameter {name} holds a {type(value).__name__}; only text, numbers, booleans, "
            "lists and dicts of them reach a notebook unchanged"
        )
