"""What a worker of the cluster does: one run, by ``veperf run`` in a process of its own.

A process of its own, so that a run that dies takes no worker along, can be ended when nobody wants
it any more, and is made by the same code as a run without a cluster. Arguments and results are
plain text; nothing of ours is pickled.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import msgspec

from veperf.cluster.code import checked_out
from veperf.cluster.host import alone
from veperf.cluster.plan import Task
from veperf.errors import MeasureError

TOPIC = "veperf-sweep"
_POLL_S = 0.25
_PATIENCE_S = 5.0
_TAIL = 2000


def on_worker(task_json: str) -> dict[str, object]:
    """Measure ``task_json``, a ``Task``, on the dask worker that calls this.

    Returns:
        ``host``, and ``run``: the run as JSON, or None where the task was cancelled.

    Raises:
        MeasureError: the run failed; the message holds the end of what it said.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    host = socket.gethostname()

    def cancelled() -> bool:
        state = worker.state.tasks.get(key)
        return state is None or state.state == "cancelled"

    def tell(words: str) -> None:
        worker.log_event(TOPIC, {"task": task.id, "host": host, "words": words})

    task = msgspec.json.decode(task_json, type=Task)
    return {"host": host, "run": measure(task, cancelled, tell)}


def measure(
    task: Task,
    cancelled: Callable[[], bool],
    tell: Callable[[str], None],
) -> str | None:
    """Make the run of ``task`` on this host, and return it as JSON; None where it was cancelled.

    Args:
        task: what to measure.
        cancelled: asked now and then; once it says True the run is ended.
        tell: is told how far the run is.

    Raises:
        MeasureError: the run failed.
    """
    tell("waiting for the host")
    with alone(cancelled) as got_it, tempfile.TemporaryDirectory(prefix="veperf-sweep-") as name:
        if not got_it:
            return None
        folder = Path(name)
        with checked_out(task.commit) as code:
            return _run(task, code, folder, cancelled, tell)


def _run(
    task: Task,
    code: Path | None,
    folder: Path,
    cancelled: Callable[[], bool],
    tell: Callable[[str], None],
) -> str | None:
    archive, said = folder / "archive", folder / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - no shell
            _command(task, archive),
            cwd=code,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        told = ""
        while process.poll() is None and not cancelled():
            if (line := _last_line(said)) != told:
                told = line
                tell(line)
            time.sleep(_POLL_S)
        if process.returncode is None:
            return None
    finally:
        _end(process)
    runs = list(archive.glob("*/complete.json"))
    if process.returncode != 0 or len(runs) != 1:
        raise MeasureError(
            f"{task.words}: `veperf run` ended with {process.returncode}: {_last_line(said)}"
        )
    return (runs[0].parent / "run.json").read_text(encoding="utf-8")


def _command(task: Task, archive: Path) -> list[str]:
    options = {
        "--profile": task.profile,
        "--seed": str(task.seed),
        "--timeout": str(task.timeout_s),
        "--archive": str(archive),
    }
    command = [sys.executable, "-m", "veperf", "run", *chain.from_iterable(options.items())]
    command += [word for module in task.modules for word in ("--module", module)]
    return [*command, *(["--memory"] if task.memory else []), "--", task.pattern]


def _last_line(said: Path) -> str:
    with said.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the run and what it started, in so far as it has not ended."""
    for how in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
            return
