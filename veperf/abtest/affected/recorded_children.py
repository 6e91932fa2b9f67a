"""Children of a recorded process that record themselves: how they are told to, and what they note.

A ``sitecustomize`` of its own starts the recorder of a child before anything else. Each thing is
written to a file before it happens, so that nothing is lost where the child is killed. Programs,
and interpreters whose options change how they start, are not seen.

Executed in one namespace with ``code_recorder``, in the interpreter of a side.
"""

import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FILES = ("watched_reads.py", "recorded_children.py", "code_recorder.py")
"""Files of the recorder, in the order in which they are executed."""
PATH = "PYTHONPATH"
CHILD = "VEPERF_RECORDED_CHILD"
"""Variable that tells a child what to record, and where to."""
SITE = "sitecustomize"
BEGUN = ["begun", ""]
"""First line of a log."""
_ENDING_S = 1.0
_LOOK_S = 0.01
STARTS_OTHERS = "starts_processes"
"""Kind of note that a process is started that is not seen."""


def can_be_recorded(args: Any, named: dict[str, Any]) -> bool:
    """Return whether a process runs this interpreter, and nothing before it or in its place."""
    if not isinstance(args, list | tuple) or len(args) < 2 or args[0] != sys.executable:
        return False
    if any(named.get(name) for name in ("shell", "executable", "preexec_fn")):
        return False
    return args[1] in ("-c", "-m") or not os.fsdecode(args[1]).startswith("-")


def have_ended(processes: Iterable[int]) -> bool:
    """Return whether none of ``processes`` goes on, after the time that those killed may take."""
    until = time.monotonic() + _ENDING_S
    for process in processes:
        while _is_running(process):
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_S)
    return True


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "XZ"


def read_log(path: Path) -> dict[str, set[Any]]:
    """Return what a child noted, by kind; that it is not seen where its log isn't whole."""
    noted: dict[str, set[Any]] = {}
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for kind, item in lines:
            noted.setdefault(kind, set()).add(tuple(item) if isinstance(item, list) else item)
    except (OSError, ValueError):
        lines = []
    if not lines or lines[0] != BEGUN:
        noted[STARTS_OTHERS] = {""}
    return noted


def write_site(folder: str) -> None:
    """Write the module that starts the recorder in children to ``folder``."""
    site = Path(folder, SITE)
    site.mkdir()
    lines = ["code = {'__name__': 'recorder'}"]
    for name in FILES:
        path = Path(__file__).with_name(name)
        lines.append(f"exec(compile({path.read_text()!r}, {str(path)!r}, 'exec'), code)")
    lines.append("code['record_child'](__file__)")
    Path(site, f"{SITE}.py").write_text("\n".join(lines))
