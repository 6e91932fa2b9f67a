"""VirtEngine's ``BASELINE_METRICS.json``, the limits of its own comparator, as targets.

Each published target says in ``original_field`` which field of that file it was made of, such as
``zk_proof.nonce_generation_ns``; ``transaction.target_tps, min_acceptable_tps`` are what is aimed
at and what is judged. The fields' units are those of the targets, but for millions of objects.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from veperf.core import paths
from veperf.core.verdict import Target, TargetSet
from veperf.formats.source import Source, brief, load

_ABOUT = frozenset({"version", "generated_at", "platform", "go_version"})
_MILLIONS = "_millions"


class _Origin(Struct, frozen=True):
    id: str
    original_field: str = ""


class _Origins(Struct, frozen=True):
    targets: tuple[_Origin, ...]


class _Metrics(Struct, frozen=True):
    version: str = ""


def read_file(path: str | Path, published: Path | None = None) -> TargetSet:
    """The targets in the file ``path``; see ``read``.

    Raises:
        CorruptFileError: it can't be read, or as ``read``.
    """
    return read(load(Path(path)), published)


def read(source: Source, published: Path | None = None) -> TargetSet:
    """The published targets with the limits of ``source``; those that it has no field for drop out.

    Args:
        source: the file.
        published: ``targets.json``; veperf's own when not given.

    Raises:
        CorruptFileError: a field is unknown, no positive number, or half of a pair.
    """
    path = published or paths.targets(paths.baselines()) / "targets.json"
    document = load(path)
    known = {target.id: target for target in document.document_as(TargetSet).targets}
    given = _fields(source)
    found: list[Target] = []
    for origin in document.document_as(_Origins).targets:
        fields = _names(origin.original_field)
        values = [given.pop(name) for name in fields if name in given]
        if values and len(values) < len(fields):
            raise source.corrupt(f"{' and '.join(fields)} are wanted together")
        if values:
            aimed = values[0] if len(values) > 1 else None
            found.append(replace(known[origin.id], limit=values[-1], target=aimed))
    if given:
        raise source.corrupt(f"no published target is made of {brief(', '.join(given))}")
    if not found:
        raise source.corrupt("no baseline metrics in it")
    return replace(
        document.document_as(TargetSet),
        version=source.document_as(_Metrics).version,
        source=source.name,
        targets=tuple(found),
    )


def _names(original_field: str) -> list[str]:
    """``a.b`` and ``a.c`` of ``a.b, c``."""
    section, _, names = original_field.partition(".")
    return [f"{section}.{name.strip()}" for name in names.split(",") if name.strip()]


def _fields(source: Source) -> dict[str, float]:
    """Every figure in the file by its section and name, in the unit of its target."""
    document = source.document
    if not isinstance(document, Mapping):
        raise source.corrupt("no baseline metrics: an object is wanted")
    found: dict[str, float] = {}
    for section, fields in document.items():
        if section in _ABOUT:
            continue
        if not isinstance(fields, Mapping):
            raise source.corrupt(f"{brief(section)} is no section of baseline metrics")
        for name, value in fields.items():
            found[f"{section}.{name}"] = _number(source, f"{section}.{name}", value)
    return found


def _number(source: Source, field: str, value: object) -> float:
    # Whole numbers compare with floats at any size, where float() overflows.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e300:
        raise source.corrupt(f"{brief(field)} is no positive number")
    return value * 1e6 if field.endswith(_MILLIONS) else float(value)
