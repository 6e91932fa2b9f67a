"""What a worker of the cluster does: one job, by ``veperf`` in a process of its own.

A process of its own, so that a run that dies takes no worker along, can be ended when nobody wants
it any more, and is made by the same code as a run without a cluster. Arguments and results are
plain text; nothing of ours is pickled.
"""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from veperf.cluster.attempt import unwanted
from veperf.cluster.code import checked_out, checkout_with
from veperf.cluster.command import command, result_in
from veperf.cluster.host import alone
from veperf.cluster.leash import end, start
from veperf.cluster.plan import Job, Pairs, Task
from veperf.errors import MeasureError

TOPIC = "veperf-sweep"
_POLL_S = 0.25
_TAIL = 2000


def on_worker(task_json: str) -> dict[str, object]:
    """Do ``task_json``, a ``Task``, on the dask worker that calls this.

    Returns:
        ``host``, and ``run``: what was found as JSON, or None where the task was cancelled.

    Raises:
        MeasureError: it failed; the message holds the end of what was said.
    """
    from distributed import get_worker

    worker, host = get_worker(), socket.gethostname()

    def tell(words: str) -> None:
        worker.log_event(TOPIC, {"task": task.id, "host": host, "words": words})

    task = msgspec.json.decode(task_json, type=Task)
    return {"host": host, "run": measure(task, unwanted(), tell)}


def measure(
    task: Task,
    cancelled: Callable[[], bool],
    tell: Callable[[str], None],
) -> str | None:
    """Do ``task`` on this host, and return what it found as JSON; None where it was cancelled.

    Args:
        task: what to measure.
        cancelled: asked now and then; once it says True the job is ended.
        tell: is told how far it is.

    Raises:
        MeasureError: it failed.
    """
    tell("waiting for the host")
    with alone(cancelled) as lock, tempfile.TemporaryDirectory(prefix="veperf-sweep-") as name:
        if lock is None:
            return None
        with _place(task.job) as code:
            return _done(task, lock, code, Path(name), cancelled, tell)


@contextmanager
def _place(job: Job) -> Iterator[Path | None]:
    """The folder that ``job`` is done in, for the time of the block; None for any."""
    if isinstance(job, Pairs):
        yield checkout_with(job.base.commit, job.head.commit)
    elif job.ref is not None:
        with checked_out(job.ref.commit) as folder:
            yield folder
    else:
        yield None


def _done(
    task: Task,
    lock: int,
    code: Path | None,
    folder: Path,
    cancelled: Callable[[], bool],
    tell: Callable[[str], None],
) -> str | None:
    archive, said = folder / "archive", folder / "said"
    words = command(task, archive)
    with said.open("wb") as output:
        process = start(words, code, output, lock)
    try:
        told = ""
        while process.poll() is None and not cancelled():
            if (line := _last_line(said)) != told:
                told = line
                tell(line)
            time.sleep(_POLL_S)  # Popen.wait looks twenty times a second, beside a measurement
        if process.returncode is None:
            return None
    finally:
        end(process)
    found = result_in(archive, task.job, process.returncode)
    if found is None:
        why = _last_line(said).removeprefix("veperf: ")
        raise MeasureError(f"`veperf {words[0]}` ended with {process.returncode}: {why}")
    return found


def _last_line(said: Path) -> str:
    with said.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
