"""Work that lasts until the test says so, on hosts that share the folder $HELD.

``came``, ``begun``, ``ended`` and ``gave-up`` take down what happened where, a line each; a run
comes back once there is a file ``go``. It holds the host's lock, and gives up, as real work does.
"""

import json
import os
import secrets
import signal
import socket
import time
from pathlib import Path

from msgspec.json import encode

from tests.support.runs import timed_run
from veperf.cluster.host_lock import exclusive_host_lock
from veperf.cluster.task_worker import cancellation_check


def held(task_json: str) -> dict[str, object]:
    """Stand in for a measurement."""
    folder = Path(os.environ["HELD"])
    task = json.loads(task_json)
    host = socket.gethostname()
    stop = cancellation_check()
    place = {"task": task["repeat"], "host": host, "worker": os.getpid()}
    _take_down(folder / "came", place)
    with exclusive_host_lock(stop) as lock:
        if lock is None:
            return {"host": host, "run": None}
        _take_down(folder / "begun", place)
        if (folder / f"poison-{task['repeat']}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        while not (folder / "go").exists():
            if stop():
                _take_down(folder / "gave-up", place)
                return {"host": host, "run": None}
            time.sleep(0.05)
        _take_down(folder / "ended", place)
    run = timed_run({"a/x": [5.0, 6.0]}, id=f"run-{task['repeat']}-{host}-{secrets.token_hex(4)}")
    return {"host": host, "run": encode(run).decode()}


def lines(folder: Path, kind: str) -> list[dict[str, object]]:
    """What was taken down so far."""
    path = folder / kind
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _take_down(path: Path, place: dict[str, object]) -> None:
    line = json.dumps(place | {"at_ns": time.monotonic_ns()}) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)
