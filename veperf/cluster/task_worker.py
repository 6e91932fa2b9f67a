"""Run a task of a sweep on a dask worker: one job, by ``veperf`` in a process of its own.

In a process of its own a run that dies takes no worker along, can be ended when nobody waits for
it any more, and is made by the same code as a run without a cluster. Arguments and results are
plain text; no object of veperf is pickled.
"""

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from veperf.abtest import git
from veperf.archive.files import decode_json
from veperf.archive.manifest import is_run_id
from veperf.cluster.host_lock import exclusive_host_lock
from veperf.cluster.installation import (
    Installation,
    describe_installation,
    installation_differences,
)
from veperf.cluster.sweep_plan import ABJob, Job, SweepTask
from veperf.core import paths
from veperf.core.ab_records import AB_FORMAT, ABRun
from veperf.core.errors import (
    COULD_NOT_MEASURE,
    FAILED,
    OK,
    CorruptFileError,
    MeasureError,
    UsageError,
)
from veperf.core.option_fields import command_arguments
from veperf.core.run import RUN_FORMAT, Run
from veperf.ipc.child_process import end_process_group, start_veperf

TaskResult: TypeAlias = Run | ABRun
TaskWork = Callable[[str], dict[str, object]]

PROGRESS_TOPIC = "veperf-sweep"
"""Topic on which a task reports its progress: ``task``, ``host`` and ``message``."""
_POLL_S = 0.25
_TAIL_BYTES = 2000


class UnfitWorkerError(MeasureError):
    """The installation of a worker is not that of the client."""

    def __init__(self, address: str, *differences: str) -> None:
        super().__init__(address, *differences)  # as pickle makes it anew
        self.address = address
        self.differences = differences


def run_attempt(work: TaskWork, task_json: str, installation_json: str) -> dict[str, object]:
    """Do ``work`` on the dask worker that calls this, if it fits.

    Raises:
        UnfitWorkerError: what is installed here is not what the client has.
    """
    from distributed import get_worker

    client = msgspec.json.decode(installation_json, type=Installation)
    if differences := tuple(installation_differences(describe_installation(), client)):
        raise UnfitWorkerError(get_worker().address, *differences)
    return work(task_json)


def cancellation_check() -> Callable[[], bool]:
    """Return a function that is True once nobody waits for the calling thread's task any more.

    That is so when the client cancelled it or is gone, and when the worker closes, as it does once
    it has lost its scheduler: then a result could not be delivered.
    """
    from distributed import get_worker
    from distributed.core import Status

    worker = get_worker()
    key = worker.get_current_task()
    alive = (Status.running, Status.paused, Status.closing_gracefully)

    def is_cancelled() -> bool:
        state = worker.state.tasks.get(key)
        return worker.status not in alive or state is None or state.state == "cancelled"

    return is_cancelled


def task_command(task: SweepTask, archive: Path) -> list[str]:
    """Return the arguments of ``veperf`` that run ``task`` and save its result in ``archive``."""
    job = task.job
    if isinstance(job, ABJob):
        name, sides, operands = "ab", ["--head", job.head.commit], [job.base.commit, *job.patterns]
    else:
        name, sides, operands = "run", [], [job.pattern]
    settings = ["--seed", str(task.seed), *sides, *command_arguments(job.options)]
    return [name, *settings, "--archive", str(archive), "--", *operands]


def read_result(archive: Path, job: Job, code: int) -> str | None:
    """Read the result that the command for ``job`` left with exit ``code``; None if it failed."""
    if isinstance(job, ABJob):
        # A slowdown, or a benchmark that is broken on one side, is a result.
        files = list(archive.glob("ab-*/ab.json"))
        is_good = code in (OK, FAILED, COULD_NOT_MEASURE)
    else:
        files = [path.with_name("run.json") for path in archive.glob("*/complete.json")]
        is_good = code == OK
    return files[0].read_text(encoding="utf-8") if is_good and len(files) == 1 else None


def run_task(task_json: str) -> dict[str, object]:
    """Run a ``SweepTask`` on the dask worker that calls this.

    Returns:
        ``host``, and ``run``: the result as JSON, or None where the task was cancelled.

    Raises:
        MeasureError: it failed; the message has the last line of its output.
    """
    from distributed import get_worker

    worker, host = get_worker(), socket.gethostname()

    def notify(message: str) -> None:
        worker.log_event(PROGRESS_TOPIC, {"task": task.id, "host": host, "message": message})

    task = msgspec.json.decode(task_json, type=SweepTask)
    return {"host": host, "run": measure_task(task, cancellation_check(), notify)}


def measure_task(
    task: SweepTask,
    is_cancelled: Callable[[], bool],
    notify: Callable[[str], None],
) -> str | None:
    """Run ``task`` on this host, and return its result as JSON; None where it was cancelled.

    Args:
        task: what to measure.
        is_cancelled: called now and then; the job is ended once it returns True.
        notify: called with progress messages.

    Raises:
        MeasureError: it failed.
    """
    notify("waiting for the host")
    with (
        exclusive_host_lock(is_cancelled) as lock,
        tempfile.TemporaryDirectory(prefix="veperf-sweep-") as name,
    ):
        if lock is None:
            return None
        with _code_folder(task.job) as code:
            return _run_command(task, lock, code, Path(name), is_cancelled, notify)


@contextmanager
def _code_folder(job: Job) -> Iterator[Path | None]:
    """Yield the folder to run ``job`` in; None for any."""
    if isinstance(job, ABJob):
        yield _find_checkout(job.base.commit, job.head.commit)
    elif job.ref is not None:
        with _checked_out_commit(job.ref.commit) as folder:
            yield folder
    else:
        yield None


def _run_command(
    task: SweepTask,
    lock: int,
    code: Path | None,
    folder: Path,
    is_cancelled: Callable[[], bool],
    notify: Callable[[str], None],
) -> str | None:
    archive, output_file = folder / "archive", folder / "output"
    command = task_command(task, archive)
    with output_file.open("wb") as output:
        process = start_veperf(command, code, output, lock)
    try:
        last_line = ""
        while process.poll() is None and not is_cancelled():
            if (line := _last_line(output_file)) != last_line:
                last_line = line
                notify(line)
            time.sleep(_POLL_S)  # Popen.wait polls twenty times a second, beside a measurement
        if process.returncode is None:
            return None
    finally:
        end_process_group(process)
    result = read_result(archive, task.job, process.returncode)
    if result is None:
        reason = _last_line(output_file).removeprefix("veperf: ")
        raise MeasureError(f"`veperf {command[0]}` ended with {process.returncode}: {reason}")
    return result


def _last_line(output_file: Path) -> str:
    with output_file.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


@contextmanager
def _checked_out_commit(commit: str) -> Iterator[Path]:
    """Check ``commit`` out into a folder for the time of the block.

    Raises:
        MeasureError: there is no checkout on this host, or it has no such commit.
    """
    with git.temporary_worktree(_find_checkout(commit), commit) as folder:
        yield folder


def _find_checkout(*commits: str) -> Path:
    """Return the checkout of the current folder or of veperf: the first that has ``commits``.

    Raises:
        MeasureError: neither has them.
    """
    places = [root for root in (paths.checkout_folder(),) if root]
    with suppress(UsageError):
        places.insert(0, git.find_repository())
    for place in places:
        if all(git.find_commit(place, commit) for commit in commits):
            return place
    missing = " and ".join(dict.fromkeys(commit[:12] for commit in commits))
    searched = " and ".join(map(str, dict.fromkeys(places))) or f"{Path.cwd()}, which is none"
    raise MeasureError(
        f"no checkout on this host has commit {missing}: looked in {searched}; run `git fetch` in "
        "the one that the worker was started in"
    )


def decode_task_result(text: str, task: SweepTask, host: str) -> TaskResult:
    """Decode the result that ``host`` sent for ``task``.

    Raises:
        CorruptFileError: it is no valid result of the task.
        NewerFormatError: a later veperf made it.
    """
    source, data = f"the result from {host}", text.encode()
    result: TaskResult
    if isinstance(task.job, ABJob):
        run = decode_json(data, source, ABRun, newest_format=AB_FORMAT)
        result = _with_requested_names(run, task.job, task.machine_class, source)
    else:
        result = decode_json(data, source, Run, newest_format=RUN_FORMAT)
    if not is_run_id(result.id):
        raise CorruptFileError(f"{source} has an invalid id, {result.id!r}")
    return result


def _with_requested_names(run: ABRun, job: ABJob, machine_class: str, source: str) -> ABRun:
    """Return ``run`` with the names in the request; the worker was given commits only."""
    sides = [(run.base, job.base), (run.new, job.head)]
    for side, ref in sides:
        if side.revision.commit != ref.commit:
            raise CorruptFileError(
                f"{source} is of commit {side.revision.commit[:12]!r}, not of {ref.commit[:12]!r}"
            )
    base, new = (replace(side, name=ref.name) for side, ref in sides)
    machine = replace(run.machine, name=machine_class or run.machine.name)
    return replace(run, base=base, new=new, machine=machine)
