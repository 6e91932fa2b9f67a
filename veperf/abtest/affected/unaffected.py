"""Cases that can't differ between two sides, which need no comparison.

What a case executes is recorded once, on the old side, and kept on disk: a footprint is used again
as long as nothing in it has changed. Whatever can't be recorded is compared; it is not tried again
until any file has changed.
"""

import os
import platform
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import msgspec
from msgspec import Struct

from veperf.abtest.affected.footprint import Footprint, take_footprint
from veperf.abtest.affected.recorded_code import record_code
from veperf.abtest.affected.tree_prints import Part, TreePrints
from veperf.abtest.sides import PreparedSide
from veperf.archive.files import write_inside
from veperf.core.case import Case
from veperf.core.errors import StorageError
from veperf.core.paths import user_cache_folder
from veperf.core.text import plural
from veperf.measure.cpus import usable_cpus

_ALL_FILES: Part = ("tree", "", "")


class NotRecorded(Struct, frozen=True, tag="not_recorded"):
    """Reason why the code of a case can't be recorded, as long as no file has changed."""

    reason: str
    print: str
    """Print of all files."""


@dataclass(frozen=True, slots=True)
class EffectOfChange:
    """Cases by whether a change can affect them, each with the reason."""

    unaffected: dict[str, str] = field(default_factory=dict)
    affected: dict[str, str] = field(default_factory=dict)


def find_unaffected(
    old: PreparedSide,
    new: PreparedSide,
    modules: Sequence[str],
    cases: Sequence[Case],
    timeout_s: float,
    until: float | None = None,
    added: Sequence[str] = (),
) -> EffectOfChange:
    """Divide ``cases`` by whether what they execute or read differs between two sides.

    Args:
        old: the side on which they are recorded.
        new: the other side.
        modules: modules with benchmarks, of the old side.
        cases: cases that both sides have.
        timeout_s: limit of the CPU time for recording a case, in seconds.
        until: when recording ends (``time.monotonic``); what is not recorded by then is compared.
        added: modules with benchmarks that the new side alone has; its processes import them, too.
    """
    effect = EffectOfChange()
    if reason := _other_environment(old, new):
        effect.affected.update({case.id: reason for case in cases})
        return effect
    assert old.tree is not None
    assert new.tree is not None
    before, after = TreePrints(old.tree), TreePrints(new.tree)
    if changing := [name for name in added if _may_change_others(after, name)]:
        reason = f"the new module {changing[0]} may change any other"
        effect.affected.update({case.id: reason for case in cases})
        return effect
    recorded = _footprints(old, before, modules, cases, timeout_s, until)
    for case, footprint in recorded.items():
        if isinstance(footprint, str):
            effect.affected[case] = footprint
        elif difference := footprint.difference(after):
            effect.affected[case] = difference
        else:
            functions = plural(footprint.functions, "function")
            effect.unaffected[case] = f"none of the {functions} that it executes differs"
    return effect


def _may_change_others(tree: TreePrints, module: str) -> bool:
    """Return whether the import of ``module`` may; also where its file is not found."""
    path = module.replace(".", "/")
    source = tree.source(f"{path}.py") or tree.source(f"{path}/__init__.py")
    return source is None or source.changes_others


def _other_environment(old: PreparedSide, new: PreparedSide) -> str:
    if old.tree is None or new.tree is None:
        return "a side is no checkout"
    if old.description.environment != new.description.environment:
        return "other packages are installed"
    if old.code.interpreter != new.code.interpreter or old.code.interpreter != sys.executable:
        return "the interpreter is another one"
    return ""


def _footprints(
    side: PreparedSide,
    tree: TreePrints,
    modules: Sequence[str],
    cases: Sequence[Case],
    timeout_s: float,
    until: float | None,
) -> Mapping[str, Footprint | str]:
    """Return the footprint of each case, from disk where it still fits; or why there is none."""
    environment = _describe_environment(side, modules)
    footprints: dict[str, Footprint | str] = {}
    for case in cases:
        match _read(_file(case, environment)):
            case Footprint() as kept if kept.functions and not kept.difference(tree):
                footprints[case.id] = kept
            case NotRecorded(reason, print_) if print_ == tree.print_of(_ALL_FILES):
                footprints[case.id] = reason
    missing = [case for case in cases if case.id not in footprints]
    if not missing:
        return footprints
    recordings = record_code(side.code, tree.folder, modules, missing, timeout_s, until)
    for case in missing:
        recorded = recordings.cases.get(case.id)
        outcome: Footprint | str = "what it executes could not be recorded"
        if recordings.imports is not None and recorded is not None:
            outcome = take_footprint(tree, recordings.imports, recorded, modules)
        elif recordings.is_cut_off:
            footprints[case.id] = "there was no time to record what it executes"
            continue
        footprints[case.id] = outcome
        if isinstance(outcome, Footprint):
            _keep(_file(case, environment), outcome)
        elif print_ := tree.print_of(_ALL_FILES):
            _keep(_file(case, environment), NotRecorded(outcome, print_))
    return footprints


def _describe_environment(side: PreparedSide, modules: Sequence[str]) -> str:
    """Return what decides, beside the tree, which of its code runs, and how it is recorded."""
    libraries = sorted(f"{d.name} {d.version}" for d in metadata.distributions())
    settings = [f"{n}={v}" for n, v in sorted(os.environ.items()) if n.startswith("PYTHON")]
    path = side.code.environment.get("PYTHONPATH", "").replace(str(side.tree), "")
    own_code = [file.read_text() for file in sorted(Path(__file__).parent.glob("*.py"))]
    machine = f"{os.cpu_count()} {len(usable_cpus())} {platform.machine()}"
    interpreter = [sys.version, sys.executable, sys.prefix, machine]
    return "\n".join([*interpreter, *settings, path, *libraries, *modules, *own_code])


def _file(case: Case, environment: str) -> Path:
    name = sha256(f"{case.id}\n{environment}".encode()).hexdigest()[:32]
    return user_cache_folder() / "executed" / f"{name}.json"


def _read(path: Path) -> Footprint | NotRecorded | None:
    try:
        status = path.lstat()
        if status.st_uid != os.geteuid() or not stat.S_ISREG(status.st_mode):
            return None
        return msgspec.json.decode(path.read_bytes(), type=Footprint | NotRecorded)
    except (OSError, msgspec.MsgspecError):
        return None


def _keep(path: Path, footprint: Footprint | NotRecorded) -> None:
    """Write ``footprint`` for the next comparison, if that can be done."""
    try:
        write_inside(path.parent, path.name, msgspec.json.encode(footprint))
    except StorageError:
        return
