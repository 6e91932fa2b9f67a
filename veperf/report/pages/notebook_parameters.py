"""What a notebook may be told: its typed parameters, checked before anything runs.

papermill itself only logs a parameter that the notebook does not have, and passes one of the
wrong type on; either way the notebook would run with something that nobody asked for.
"""

import ast
import math
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from veperf.core.errors import ParameterError
from veperf.core.logs import quiet

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]
"""What a parameter may hold: what JSON can say, without NaN and infinities."""

_TYPES: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
}


def check_parameters(notebook: Path, given: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return ``given`` as the notebook's ``parameters`` cell wants it, or refuse it.

    The cell's lines read ``name: type = default``; without an annotation the type is that of
    the default. An int is taken where a float is wanted, nothing else is converted.

    Raises:
        ParameterError: a parameter that the notebook does not have, one of another type, or a
            value that is not JSON.
    """
    if not given:
        return {}
    wanted = _types(notebook)
    return {name: _checked(notebook, name, value, wanted) for name, value in given.items()}


def brace(path: Path) -> str:
    """``path`` for papermill, which takes braces in it for the names of parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _types(notebook: Path) -> dict[str, str]:
    """The name of each parameter's type: that of the annotation, else of the default."""
    from papermill import inspect_notebook

    with quiet():
        found = inspect_notebook(brace(notebook))
    return {
        name: _type_of_default(p["default"])
        if p["inferred_type_name"] == "None"
        else p["inferred_type_name"].partition("[")[0].strip()
        for name, p in found.items()
    }


def _type_of_default(source: str) -> str:
    try:
        return type(ast.literal_eval(source)).__name__
    except (ValueError, SyntaxError):
        return "unknown"


def _checked(notebook: Path, name: str, value: JSON, wanted: Mapping[str, str]) -> JSON:
    if name not in wanted:
        close = get_close_matches(name, wanted, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        has = ", ".join(wanted) or "none"
        raise ParameterError(
            f"{notebook.name} has no parameter {name!r}: {hint}Its parameters are: {has}"
        )
    _refuse_what_json_cannot_say(name, value)
    kind = wanted[name]
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


def _refuse_what_json_cannot_say(name: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"parameter {name} holds {value}, which JSON can't say; leave it out")
    if type(value) is list:
        for item in value:
            _refuse_what_json_cannot_say(name, item)
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ParameterError(f"parameter {name} has the key {key!r}; keys are strings")
            _refuse_what_json_cannot_say(name, item)
    elif value is not None and type(value) not in (str, int, float, bool):
        raise ParameterError(
            f"parameter {name} holds a {type(value).__name__}; only text, numbers, booleans, "
            "lists and dicts of them reach a notebook unchanged"
        )
