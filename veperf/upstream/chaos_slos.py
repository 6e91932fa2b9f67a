"""VirtEngine's service levels, out of the Go source of pkg/chaos/slo.

They are composite literals of two structs, ``ResilienceBaseline`` and ``SLODefinition``, whose
fields are constants: numbers, texts, and products of numbers and units of ``time``. They become
what the structs' JSON tags would make of them, which ``veperf.formats.slo_file`` reads.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence

from veperf.core.errors import CorruptFileError
from veperf.core.escape import make_visible
from veperf.core.objectives import ServiceLevel
from veperf.formats.slo_file import read_slos
from veperf.formats.source import SourceFile
from veperf.upstream.clone import CommitTree
from veperf.upstream.go_source import go_tokens

SLO_FOLDER = "pkg/chaos/slo"
_STRUCTS = ("ResilienceBaseline", "SLODefinition")
_PROBES = "Probes"
_PROBE_FIELDS = {"Query": "query", "SuccessCriteria": "success_criteria"}
_NS = {
    "Nanosecond": 1, "Microsecond": 10**3, "Millisecond": 10**6, "Second": 10**9,
    "Minute": 60 * 10**9, "Hour": 3600 * 10**9,
}  # fmt: skip
_NUMBER = re.compile(r"[0-9][0-9_]{0,17}(?:\.[0-9]{1,12})?", re.ASCII)


def read_chaos_slos(tree: CommitTree) -> tuple[ServiceLevel, ...]:
    """Return the service levels that a tree declares, empty where there are none.

    Raises:
        CorruptFileError: a field is no constant that can be read, or a limit makes no sense.
    """
    paths = [path for path in tree.below(SLO_FOLDER) if path.endswith(".go")]
    entries: list[dict[str, object]] = []
    for path, text in tree.read_all([p for p in paths if not p.endswith("_test.go")]):
        entries += _literals(go_tokens(text), path)
    if not entries:
        return ()
    return read_slos(SourceFile(json.dumps(entries).encode(), SLO_FOLDER))


def _literals(tokens: Sequence[str], path: str) -> Iterator[dict[str, object]]:
    """Yield the fields of each literal of the structs that gives its name."""
    for at, token in enumerate(tokens[:-1]):
        is_declared = at > 0 and tokens[at - 1] in ("]", ")", "*", "type")
        if token in _STRUCTS and tokens[at + 1] == "{" and not is_declared:
            fields = dict(_fields(tokens, at + 2))
            if "Name" in fields:
                yield {
                    _tag(name): _probes(value) if name == _PROBES else _constant(value, name, path)
                    for name, value in fields.items()
                }


def _fields(tokens: Sequence[str], start: int) -> Iterator[tuple[str, list[str]]]:
    """Yield name and value of each field of the literal whose fields begin at ``start``."""
    depth, field = 0, list[str]()
    for token in tokens[start:]:
        depth += (token in ("(", "[", "{")) - (token in (")", "]", "}"))
        if depth < 0 or (token in (",", ";") and not depth):
            if field[1:2] == [":"]:
                yield field[0], field[2:]
            field = []
            if depth < 0:
                return
        else:
            field.append(token)


def _tag(name: str) -> str:
    """Return the JSON tag of a field: ``MTTR`` is ``mttr``, ``AvailabilityTarget`` has a ``_``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _probes(tokens: Sequence[str]) -> list[dict[str, str]]:
    """Return query and criterion of each probe; each criterion ends one."""
    probes: list[dict[str, str]] = [{}]
    for at, token in enumerate(tokens[:-2]):
        if token in _PROBE_FIELDS and tokens[at + 1] == ":":
            probes[-1][_PROBE_FIELDS[token]] = _text(tokens[at + 2]) or ""
            if token == "SuccessCriteria":
                probes.append({})
    return probes[:-1]


def _constant(tokens: Sequence[str], name: str, path: str) -> str | float:
    if len(tokens) == 1 and (text := _text(tokens[0])) is not None:
        return text
    product, rest = 1.0, list(tokens)
    while rest:
        if rest[:2] == ["time", "."] and rest[2:3] and rest[2] in _NS:
            product, rest = product * _NS[rest[2]], rest[3:]
        elif _NUMBER.fullmatch(rest[0]):
            product, rest = product * float(rest[0].replace("_", "")), rest[1:]
        else:
            break
        if rest and rest.pop(0) != "*":
            break
    else:
        if tokens and tokens[-1] != "*" and math.isfinite(product):
            return product
    raise CorruptFileError(
        f"{path}: {name} is no constant that can be read: {make_visible(' '.join(tokens))[:100]}"
    )


def _text(token: str) -> str | None:
    """Return the text of a string literal; None if it is none, or has escapes that JSON lacks."""
    if len(token) > 1 and token[0] == token[-1] == "`":
        return token[1:-1]
    if not token.startswith('"'):
        return None
    try:
        text = json.loads(token, strict=False)
    except ValueError:
        return None
    return text if isinstance(text, str) else None
