"""Recorded code of benchmarks: what each executes and reads, as found by running it once.

See ``recording_script``, which runs in the interpreter of the side. What could not be recorded is
not there, so that it is compared.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from veperf.abtest.affected import recording_script
from veperf.core.case import Case
from veperf.measure.cpus import usable_cpus
from veperf.measure.worker_client import CodeSource

WORKER = "veperf.runner.worker"
_MOST_S = 600.0


class RecordedCode(Struct, frozen=True):
    """Code that was executed, and files that were read; paths are relative to the tree."""

    executed: tuple[tuple[str, str, int], ...]
    """File, qualified name and first line of each function, module and class body."""
    data: tuple[str, ...]
    """Files that were read, but not as code."""
    folders: tuple[str, ...]
    """Folders whose contents were listed."""
    modules: dict[str, str]
    """File of each module by its name."""
    starts_processes: bool
    """True if it starts other processes, whose code is not seen."""
    threads: int
    """Number of threads before; those of earlier code could not be seen."""
    looked_in: tuple[str, ...]
    """Folders in which an installed package was looked up."""
    queried: tuple[str, ...]
    """Files and folders that were asked about: whether they are there."""
    sought: tuple[str, ...]
    """Where modules were sought, and not found; without an ending."""
    by_children: tuple[str, ...]
    """Files of which processes that it started executed anything."""
    outside: tuple[str, ...]
    """Files that are no part of the tree, nor of what is installed; paths from the root."""
    imported: tuple[tuple[str, str], ...]
    """File that imports, and name of the module, however the name was made."""
    run_files: tuple[tuple[str, str], ...]
    """File that imports or runs another one, and that, whether it is a module or not."""
    variables: tuple[str, ...]
    """Environment variables that were read; ``*`` is all."""
    lists_names: bool
    """True if names in modules may be found by listing them."""
    is_lost: bool
    """True if code may have run unseen, as another trace took the place of this one."""

    def __or__(self, other: "RecordedCode") -> "RecordedCode":
        return RecordedCode(
            tuple({*self.executed, *other.executed}),
            tuple({*self.data, *other.data}),
            tuple({*self.folders, *other.folders}),
            self.modules | other.modules,
            self.starts_processes or other.starts_processes,
            max(self.threads, other.threads),
            tuple({*self.looked_in, *other.looked_in}),
            tuple({*self.queried, *other.queried}),
            tuple({*self.sought, *other.sought}),
            tuple({*self.by_children, *other.by_children}),
            tuple({*self.outside, *other.outside}),
            tuple({*self.imported, *other.imported}),
            tuple({*self.run_files, *other.run_files}),
            tuple({*self.variables, *other.variables}),
            self.lists_names or other.lists_names,
            self.is_lost or other.is_lost,
        )


@dataclass(frozen=True, slots=True)
class Recordings:
    """The code of imports, if that could be recorded, and of those cases that could, by id."""

    imports: RecordedCode | None
    cases: dict[str, RecordedCode]
    is_cut_off: bool
    """True if there was no time for all of them."""


def record_code(
    code: CodeSource,
    tree: Path,
    modules: Sequence[str],
    cases: Sequence[Case],
    timeout_s: float,
    until: float | None = None,
) -> Recordings:
    """Run ``cases`` of ``modules`` on a side, and return what they execute.

    Args:
        code: the side's interpreter and import path.
        tree: folder of the side's code.
        modules: modules with benchmarks.
        cases: cases that the side has.
        timeout_s: limit of the CPU time of a case, in seconds.
        until: when to end, by ``time.monotonic``; after ten minutes in any case.
    """
    left_s = _MOST_S if until is None else min(_MOST_S, until - time.monotonic())
    if left_s <= 0:
        return Recordings(None, {}, is_cut_off=True)
    is_cut_off = False
    with tempfile.TemporaryDirectory() as folder:
        request = {
            "folder": folder,
            "tree": str(tree),
            "worker": WORKER,
            "modules": [*modules],
            "cases": [{"benchmark": case.benchmark, "params": case.params} for case in cases],
            "processes": len(usable_cpus()),
            "timeout_s": max(1, round(timeout_s)),
        }
        try:
            _run(code, json.dumps(request).encode(), left_s)
        except subprocess.TimeoutExpired:
            is_cut_off = True
        except (subprocess.SubprocessError, OSError):  # some may be recorded
            pass
        rounds = {c.id: _read_rounds(Path(folder), number) for number, c in enumerate(cases)}
        whole = {id: code for id, code in rounds.items() if code is not None}
        return Recordings(_read(Path(folder, "imports.json")), whole, is_cut_off)


def _run(code: CodeSource, request: bytes, limit_s: float) -> None:
    """Run the script in a group of its own, which ends with it, whatever it has started."""
    with subprocess.Popen(  # noqa: S603 - fixed words, no shell
        code.command_of_file(Path(recording_script.__file__)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | code.environment,
        cwd=code.folder,
        start_new_session=True,
    ) as process:
        try:
            process.communicate(request, timeout=limit_s)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _read_rounds(folder: Path, number: int) -> RecordedCode | None:
    rounds = [_read(path) for path in sorted(folder.glob(f"{number}-*.json"))]
    if not rounds or None in rounds or not Path(folder, f"{number}.whole").exists():
        return None
    first, *others = [code for code in rounds if code is not None]
    for code in others:
        first |= code
    return first


def _read(path: Path) -> RecordedCode | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=RecordedCode)
    except (OSError, msgspec.MsgspecError):
        return None
