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
from itertools import chain
from pathlib import Path

import msgspec

from veperf.cluster.checkout import checked_out, checkout_with
from veperf.cluster.host_lock import alone
from veperf.cluster.plan import Job, Pairs, Task
from veperf.cluster.task_context import unwanted
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, OK, MeasureError
from veperf.ipc.child_process import end, start


def command(task: Task, archive: Path) -> list[str]:
    """The words after ``veperf`` that do ``task`` and keep what it finds in ``archive``."""
    options = {
        "--seed": str(task.seed),
        "--timeout": str(task.timeout_s),
        "--archive": str(archive),
    }
    job = task.job
    if isinstance(job, Pairs):
        options |= {
            "--head": job.head.commit,
            "--max-pairs": str(job.max_pairs),
            "--threshold": str(job.fail_percent),
            "--among": str(job.among),
        }
        if job.time_budget_s is not None:
            options["--time-budget"] = f"{job.time_budget_s:f}"
        words, flags = ["ab"], []
        rest = [job.base.commit, *job.patterns]
    else:
        options["--profile"] = job.profile
        words, flags = ["run"], ["--memory"] if job.memory else []
        rest = [job.pattern]
    given = chain.from_iterable(options.items())
    modules = chain.from_iterable(("--module", module) for module in task.modules)
    return [*words, *given, *modules, *flags, "--", *rest]


def result_in(archive: Path, job: Job, code: int) -> str | None:
    """What the command for ``job``, which ended with ``code``, left; None where it failed."""
    if isinstance(job, Pairs):
        # A slowdown, or a benchmark that is broken on one side, is what it found.
        found = list(archive.glob("ab-*/ab.json"))
        good = code in (OK, FAILED, COULD_NOT_MEASURE)
    else:
        found = [path.with_name("run.json") for path in archive.glob("*/complete.json")]
        good = code == OK
    return found[0].read_text(encoding="utf-8") if good and len(found) == 1 else None


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
