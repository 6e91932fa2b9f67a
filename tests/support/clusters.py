"""A dask cluster of processes on this machine, for tests that kill some of them."""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Self

from distributed import Client

ROOT = Path(__file__).resolve().parents[2]
AGAIN = 'while :; do "$@"; sleep 0.2; done'
"""For ``sh -c``: its arguments, as a command that is started again whenever it ends."""
_PATIENCE_S = 120.0


class Cluster:
    """A scheduler on a port that it keeps when it is started again, and workers."""

    def __init__(self, folder: Path, runs_in: Path = ROOT) -> None:
        self._folder = folder
        self._runs_in = runs_in
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
        # Connections that were broken off are collected while their warnings are expected.
        gc.collect()

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        """On the cluster's port."""
        words = ("--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard")
        return self._start("scheduler", *_dask("scheduler", *words, "--no-show"))

    def start_worker(
        self,
        name: str,
        machine_class: str,
        *,
        nanny: str = "--no-nanny",
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> "subprocess.Popen[bytes]":
        """Of one thread, which measures for ``machine_class``."""
        words = self._worker(name, machine_class)
        return self._start("worker", *_dask(*words, nanny), environment=environment)

    def keep_worker(
        self, name: str, machine_class: str, environment: Mapping[str, str]
    ) -> "subprocess.Popen[bytes]":
        """One that is started again whenever it ends, as an init system would."""
        words = _dask(*self._worker(name, machine_class), "--no-nanny")
        return self._start("worker", "sh", "-c", AGAIN, "sh", *words, environment=environment)

    def client(self) -> Client:
        """A connection, once the scheduler answers."""
        return Client(self.address, timeout=f"{_PATIENCE_S:g}s", set_as_default=False)

    def _worker(self, name: str, machine_class: str) -> tuple[str, ...]:
        resources = f"veperf=1 class:{machine_class}=1"
        words = ("worker", self.address, "--nthreads", "1", "--no-dashboard", "--name", name)
        place = str(self._folder / name)
        return (*words, "--resources", resources, "--local-directory", place)

    def _start(
        self, kind: str, *words: str, environment: Mapping[str, str] = MappingProxyType({})
    ) -> "subprocess.Popen[bytes]":
        log = self._stack.enter_context((self._folder / f"{kind}.log").open("ab"))
        process = subprocess.Popen(
            words,
            cwd=self._runs_in,
            env={
                **os.environ,
                "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "false",
                # As on a host of its own, which waits for nothing else that is measured here.
                "TMPDIR": str(self._folder),
                **environment,
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self._stack.callback(end, process)
        return process


def end(process: "subprocess.Popen[bytes]") -> None:
    """At once, with what it started, and wait until it is gone."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _dask(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "dask", *words)


def until(what: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
    """Wait for ``what``."""
    deadline = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def instant(task_json: str) -> dict[str, object]:
    """Work that is done at once: a run that was made by hand."""
    from msgspec.json import encode

    from tests.support.runs import timed_run

    task = json.loads(task_json)
    run = timed_run({"a/x": [5.0, 6.0]}, id=f"run-{task['id']}")
    return {"host": socket.gethostname(), "run": encode(run).decode()}
