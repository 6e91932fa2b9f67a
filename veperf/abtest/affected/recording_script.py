"""Record which code each benchmark executes; run by file in the interpreter of a side.

Reads a request on standard input and writes JSON files into a folder: ``imports.json`` about what
imports execute, then ``<case>-<round>.json`` about each case, and ``<case>.whole`` once there is no
round to come. Every case runs in a process that is
forked after the imports, so that it executes all that a fresh process would: once without the cache
of set-ups, and where it asks for that, with an empty and with a filled one.

It may run on code of any commit: it imports the standard library, the recorder beside it, and of
the measured code only the worker and the registry of benchmarks.
"""

import importlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veperf.abtest.affected.code_recorder import CodeRecorder

_CALLS_S = 0.03
_MOST_CALLS = 1_000
_LEAST_CALLS = 2
_CACHE = "VEPERF_SETUP_CACHE"
_CACHE_FILE = "setup_cache.py"
_OFF = "off"
_MOST_WAITING = 4
"""Limit of the time that a case takes, in limits of its CPU time."""


def write_whole(path: Path, value: object) -> None:
    """Write ``value``, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value))
    part.rename(path)


def run_case(registry: Any, case: dict[str, Any]) -> None:
    """Set the case up and call it, for some time and more than once."""
    task = registry.REGISTRY.benchmarks[case["benchmark"]].setup(**case["params"])
    until, calls = time.monotonic() + _CALLS_S, 0
    while calls < _LEAST_CALLS or (time.monotonic() < until and calls < _MOST_CALLS):
        task.call()
        calls += 1
    if task.close is not None:
        task.close()


def record_case(
    recorder: "CodeRecorder", registry: Any, request: dict[str, Any], number: int
) -> bool:
    """Record a case with each state of the cache of set-ups that makes a difference."""
    folder, case = Path(request["folder"]), request["cases"][number]
    own_cache = str(folder / f"cache-{number}")
    for turn, cache in enumerate((_OFF, own_cache, own_cache)):
        path = folder / f"{number}-{turn}.json"
        child = os.fork()
        if not child:
            # On a busy machine it takes longer; its children's time doesn't count.
            signal.setitimer(signal.ITIMER_PROF, request["timeout_s"])
            signal.alarm(_MOST_WAITING * request["timeout_s"])
            os.environ[_CACHE] = cache
            threads = threading.active_count()
            recorder.clear()
            run_case(registry, case)
            write_whole(path, recorder.recorded(threads))
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            return False
        executed = json.loads(path.read_text())["executed"]
        if not any(place.endswith(_CACHE_FILE) for place, _, _ in executed):
            break
    Path(folder, f"{number}.whole").touch()
    return True


def load_recorder() -> dict[str, Any]:
    """Execute the recorder's files, which can't be imported: the measured code may lack them."""
    code: dict[str, Any] = {"__name__": "recorder", "__file__": __file__}
    for name in ("watched_reads.py", "recorded_children.py", "code_recorder.py"):
        path = Path(__file__).with_name(name)
        exec(compile(path.read_text(), path, "exec"), code)  # noqa: S102 - our own files
    return code


def main() -> None:
    """Record all cases of the request, as many at a time as it says."""
    request = json.load(sys.stdin)
    os.dup2(2, 1)  # what benchmarks print is no answer
    code = load_recorder()
    code["write_site"](request["folder"])
    recorder: CodeRecorder = code["CodeRecorder"](request["tree"], request["folder"])
    recorder.start()
    importlib.import_module(request["worker"])
    from veperf.core import registry  # only now, so that it is recorded

    registry.load_registry(request["modules"])
    threads = threading.active_count()
    write_whole(Path(request["folder"], "imports.json"), recorder.recorded(threads))
    running: set[int] = set()
    for number in range(len(request["cases"])):
        if len(running) >= request["processes"]:
            running.discard(os.wait()[0])
        child = os.fork()
        if not child:
            is_whole = False
            try:
                is_whole = record_case(recorder, registry, request, number)
            finally:
                os._exit(0 if is_whole else 1)
        running.add(child)
    while running:
        running.discard(os.wait()[0])


if __name__ == "__main__":
    main()
