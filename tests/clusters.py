"""A dask cluster of processes on this machine, for tests that kill some of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from distributed import Client

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_S = 60.0


class Cluster:
    """A scheduler on a port that it keeps when it is started again, and workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.scheduler = self.start_scheduler()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        """On the cluster's port."""
        words = ("--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard")
        return self._start("scheduler", *words, "--no-show")

    def start_worker(self, name: str, machine_class: str) -> "subprocess.Popen[bytes]":
        """Of one thread, which measures for ``machine_class``."""
        words = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--name", name)
        resources = f"veperf=1 class:{machine_class}=1"
        place = str(self._folder / name)
        return self._start(
            "worker", self.address, *words, "--resources", resources, "--local-directory", place
        )

    def client(self) -> Client:
        """A connection."""
        return Client(self.address, timeout="5s", set_as_default=False)

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        log = self._stack.enter_context((self._folder / f"{words[0]}.log").open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            cwd=ROOT,
            env=os.environ | {"DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "false"},
            stdout=log,
            stderr=log,
        )
        self._stack.callback(end, process)
        return process


def end(process: "subprocess.Popen[bytes]") -> None:
    """At once, and wait until it is gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def until(what: Callable[[], bool]) -> None:
    """Wait for ``what``."""
    deadline = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def instant(task_json: str) -> dict[str, object]:
    """Work that is done at once: a run that was made by hand."""
    from msgspec.json import encode

    from tests.runs import timed_run

    task = json.loads(task_json)
    run = timed_run({"a/x": [5.0, 6.0]}, id=f"run-{task['id']}")
    return {"host": socket.gethostname(), "run": encode(run).decode()}
