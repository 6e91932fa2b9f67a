"""Work in a process of its own, whatever it does there: raise, exit, fork, hang or crash."""

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn, TypeVar

import msgspec
from msgspec import Struct

from veperf.core.errors import (
    MeasureError,
    UsageError,
    VeperfError,
    WorkerCrashedError,
    WorkerProtocolError,
    WorkerTimeoutError,
)
from veperf.core.text import abbreviate_names
from veperf.ipc.child_process import describe_exit, module_command

_CHUNK = 65_536
_MAX_RESULT_BYTES = 64 << 20
_OUTPUT_TAIL_BYTES = 4_000

T = TypeVar("T")


class WorkDone(Struct, frozen=True, tag="done"):
    """The result of work that succeeded."""

    result: msgspec.Raw


class WorkFailed(Struct, frozen=True, tag="failed"):
    """The error that the work raised."""

    message: str
    traceback: str
    """Empty for an error raised on purpose, whose message says it all."""
    is_usage: bool = False
    """True if it was a ``UsageError``."""


def run_in_fork(work: Callable[[], T], kind: type[T], *, timeout_s: float) -> T:
    """Return the result of ``work``, of type ``kind``, run in a fork of this process.

    Any callable can be run that way. The fork has this process's modules and data, and of its
    threads the calling one alone. The output of the work is shown only if it fails.

    Raises:
        UsageError: the work raised one.
        MeasureError: the work raised, or called sys.exit; its traceback is in a note, unless it is
            veperf's own error.
        WorkerCrashedError: the process ended before it answered.
        WorkerTimeoutError: it did not answer in time, and was killed; the threads that the fork
            lacks are named.
        WorkerProtocolError: its answer is invalid.
    """
    own = threading.current_thread()
    # The newest first: they are likelier to be waited for than what a library once started.
    others = [thread.name for thread in reversed(threading.enumerate()) if thread is not own]
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as output, warnings.catch_warnings():
        # From 3.12 on Python warns of forks where there are threads, as there are in a notebook.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
        if child == 0:
            _run_as_fork(work, writer, output.fileno())
        os.close(writer)
        try:
            return _wait_for_result(child, reader, output.fileno(), kind, timeout_s)
        except WorkerTimeoutError as error:
            if not others:
                raise
            names = abbreviate_names(others)
            lacking = WorkerTimeoutError(
                f"{error}, in a fork without this process's other threads ({names}): what waits "
                "for one of them, such as a pool that was made before, waits for ever; make it "
                "within the callable"
            )
            lacking.__notes__ = getattr(error, "__notes__", [])
            raise lacking from None


def run_in_fresh_process(module: str, request: Struct, kind: type[T], *, timeout_s: float) -> T:
    """Return the result, of type ``kind``, that ``python -m module`` sends by ``send_result``.

    The new interpreter gets ``request`` as JSON and the number of an open descriptor, to which it
    sends the result.

    Raises:
        UsageError, MeasureError, WorkerCrashedError, WorkerTimeoutError, WorkerProtocolError: as
            ``run_in_fork``.
    """
    reader, writer = os.pipe()
    request_json = msgspec.json.encode(request).decode()
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(  # noqa: S603 - fixed words, no shell
            [*module_command(module), request_json, str(writer)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writer,),
            start_new_session=True,
            # Counts of allocations must be the same every time, and hashing is part of them.
            env=os.environ | {"PYTHONHASHSEED": "0"},
        ) as process,
    ):
        os.close(writer)
        return _wait_for_result(process.pid, reader, output.fileno(), kind, timeout_s)


def send_result(work: Callable[[], object], descriptor: int) -> NoReturn:
    """Do ``work``, write its result or its error to ``descriptor``, and end the process."""
    outcome: WorkDone | WorkFailed
    try:
        outcome = WorkDone(msgspec.Raw(msgspec.json.encode(work())))
    except BaseException as error:  # noqa: BLE001 - the work may raise anything, SystemExit too
        if isinstance(error, VeperfError):
            outcome = WorkFailed(str(error)[:2_000], "", isinstance(error, UsageError))
        else:
            message = "".join(traceback.format_exception_only(error)).strip()
            outcome = WorkFailed(message[:2_000], traceback.format_exc()[-20_000:])
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    unsent = memoryview(msgspec.json.encode(outcome) + b"\n")
    try:
        while unsent:
            unsent = unsent[os.write(descriptor, unsent) :]
    finally:
        # Neither other threads nor the parent's exit handlers may run in this process.
        os._exit(0)


def _run_as_fork(work: Callable[[], object], descriptor: int, output: int) -> NoReturn:
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = sys.stderr = os.fdopen(os.dup(output), "w", buffering=1)
        send_result(work, descriptor)
    finally:
        os._exit(1)


def _wait_for_result(child: int, reader: int, output: int, kind: type[T], timeout_s: float) -> T:
    """Return the result that the process ``child`` sends to ``reader``, and end the process."""
    try:
        line = read_line(reader, time.monotonic() + timeout_s)
    except TimeoutError:
        raise _with_output(
            WorkerTimeoutError(f"it was not done within {timeout_s:g} s"), output
        ) from None
    finally:
        os.close(reader)
        # A result is the last thing that it sends; once its end is closed it is about to exit.
        code = _end_child(child)
    try:
        return decode_result(line, code, kind)
    except MeasureError as error:
        raise _with_output(error, output) from None


def read_line(descriptor: int, deadline: float = math.inf) -> bytes:
    """Return the bytes up to the end of the line or of the file, 64 MiB at most.

    Raises:
        TimeoutError: the deadline (``time.monotonic``) came first.
    """
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not data.endswith(b"\n") and len(data) < _MAX_RESULT_BYTES:
            left_s = max(0.0, deadline - time.monotonic())
            if not selector.select(left_s if left_s < math.inf else None):
                raise TimeoutError
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            data += chunk
    return data


def _end_child(child: int) -> int:
    """End the process and its group, and return its exit code, negative for a signal."""
    for _ in range(20):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def decode_result(line: bytes, code: int, kind: type[T]) -> T:
    """Return the result in a line of ``send_result``, of a process that ended with ``code``.

    Raises:
        UsageError, MeasureError: the work raised.
        WorkerCrashedError: the line is missing or incomplete.
        WorkerProtocolError: it is invalid.
    """
    if not line.endswith(b"\n"):
        raise WorkerCrashedError(f"the process ended before it was done: {describe_exit(code)}")
    try:
        outcome = msgspec.json.decode(line, type=WorkDone | WorkFailed)
        if isinstance(outcome, WorkDone):
            return msgspec.json.decode(outcome.result, type=kind)
    except msgspec.DecodeError as error:
        raise WorkerProtocolError(f"the process sent an invalid result ({error})") from error
    if outcome.is_usage:
        raise UsageError(outcome.message)
    failure = MeasureError(outcome.message)
    if outcome.traceback:
        failure.add_note(outcome.traceback)
    raise failure


def _with_output(error: MeasureError, output: int) -> MeasureError:
    """Return ``error`` with a note that has the end of the process's output."""
    start = max(0, os.fstat(output).st_size - _OUTPUT_TAIL_BYTES)
    if text := os.pread(output, _OUTPUT_TAIL_BYTES, start).decode(errors="replace").strip():
        error.add_note(f"its output:\n{text}")
    return error
