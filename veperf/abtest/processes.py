"""Processes of a comparison, timed: commands and programs, with a time limit and their output."""

import contextlib
import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from veperf.core.run import Failure, Sample
from veperf.measure import layout_randomization
from veperf.measure.cpus import stay_off, stay_on
from veperf.stats.process_values import ONE_THREAD_RATIO

_MAX_ERROR_BYTES = 20_000
_MAX_OUTPUT_BYTES = 64 << 20
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class ProcessRun:
    """Result of a process; its output is there even where it failed."""

    sample: Sample
    output: str = ""
    """Standard output, if it was to be kept."""
    errors: str = ""
    """End of the standard error output."""
    failure: Failure | None = None

    @property
    def keeps_one_cpu(self) -> bool:
        """True where it kept no more than one CPU busy."""
        return (self.sample.cpu_ns or 0) <= ONE_THREAD_RATIO * self.sample.wall_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlan:
    """Settings of a process."""

    timeout_s: float
    """Time limit: in all, or since its last output where it ``may_go_on``."""
    keeps_output: bool = False
    may_go_on: bool = False
    """True where each output starts its time limit anew."""
    cpu: int | None = None
    """CPU that it is kept to."""
    folder: Path | None = None
    """Working folder; the current one when not given."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables beside those of this process."""


def run_process(command: str | Sequence[str], plan: ProcessPlan) -> ProcessRun:
    """Run a shell command, or a program with its arguments, in an environment of a random size.

    The processes that it starts are a group with it, so that a timeout ends them all. A program
    that can't be started fails as one that ends with an error.
    """
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        stay_off(plan.cpu),
    ):
        began = time.perf_counter_ns()
        try:
            with stay_on(plan.cpu):  # it inherits this thread's CPUs
                process = subprocess.Popen(  # noqa: S603 - the user's own command
                    command,
                    shell=isinstance(command, str),
                    stdin=subprocess.DEVNULL,
                    stdout=output if plan.keeps_output else subprocess.DEVNULL,
                    stderr=errors,
                    cwd=plan.folder,
                    env=os.environ
                    | plan.variables
                    | layout_randomization.random_layout(secrets.randbits(32)),
                    start_new_session=True,
                )
        except OSError as error:
            message = f"it can't be started: {error}"
            return ProcessRun(Sample(0, 0, None), failure=Failure("raised", message))
        with _time_limit(process.pid, plan, output) as timed_out:
            try:
                # Unlike Popen.wait, it returns the CPU time of the command and its children.
                _, status, usage = os.wait4(process.pid, 0)
                wall_ns = time.perf_counter_ns() - began
            except BaseException:
                _kill_group(process.pid)
                process.wait()
                raise
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_ns = round((usage.ru_utime + usage.ru_stime) * 1e9)
        failure: Failure | None = None
        if timed_out.is_set():
            waited = "without output" if plan.may_go_on else "not done"
            failure = Failure("timeout", f"{waited} within {plan.timeout_s:g} s")
        elif process.returncode != 0:
            message = f"exit code {process.returncode}"
            failure = Failure("raised", message, _tail(errors, _MAX_ERROR_BYTES))
        return ProcessRun(
            Sample(wall_ns, cpu_ns, usage.ru_nivcsw),
            _tail(output, _MAX_OUTPUT_BYTES),
            _tail(errors, _MAX_ERROR_BYTES),
            failure,
        )


@contextlib.contextmanager
def _time_limit(group: int, plan: ProcessPlan, output: IO[bytes]) -> Iterator[threading.Event]:
    """End the process group when its time is up; the event says that it was."""
    timed_out, done = threading.Event(), threading.Event()

    def watch() -> None:
        size, deadline = 0, time.monotonic() + plan.timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            if done.wait(min(left_s, _POLL_S) if plan.may_go_on else left_s):
                return
            if plan.may_go_on and (now := os.fstat(output.fileno()).st_size) != size:
                size, deadline = now, time.monotonic() + plan.timeout_s
        timed_out.set()
        _kill_group(group)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield timed_out
    finally:
        done.set()
        thread.join()


def _kill_group(group: int) -> None:
    """Kill the processes left of a group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _tail(file: IO[bytes], most: int) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - most))
    return file.read().decode(errors="replace")
