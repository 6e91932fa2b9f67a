"""Work in a process of its own, whatever it does there: raise, exit, fork, hang or crash."""

import contextlib
import math
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn, TypeVar

import msgspec
from msgspec import Struct

from veperf.core.errors import (
    MeasureError,
    VeperfError,
    WorkerCrashedError,
    WorkerProtocolError,
    WorkerTimeoutError,
)

_CHUNK = 65_536
_MOST_BYTES = 64 << 20
_KEPT_OUTPUT_BYTES = 4_000

T = TypeVar("T")


class Went(Struct, frozen=True, tag="went"):
    """The work was done, and this is what it found."""

    found: msgspec.Raw


class Broke(Struct, frozen=True, tag="broke"):
    """The work raised."""

    words: str
    traceback: str


def in_fork(work: Callable[[], T], kind: type[T], *, timeout_s: float) -> T:
    """What ``work`` returns in a fork of this process: only so any callable gets there.

    The fork has this process's modules and data, and of its threads the calling one alone. What
    the work prints is shown only if it fails.

    Raises:
        MeasureError: the work raised, or called sys.exit; its traceback is in a note.
        WorkerCrashedError: the process ended before it answered.
        WorkerTimeoutError: it did not answer in time, and was ended.
        WorkerProtocolError: what it answered is no answer.
    """
    answers, theirs = os.pipe()
    with tempfile.TemporaryFile() as output, warnings.catch_warnings():
        # From 3.12 on Python warns of forks where there are threads, as there are in a notebook.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
        if child == 0:
            _be_a_fork(work, theirs, output.fileno())
        os.close(theirs)
        return _outcome(child, answers, output.fileno(), kind, timeout_s)


def in_fresh_process(module: str, request: Struct, kind: type[T], *, timeout_s: float) -> T:
    """What ``python -m module`` finds, by ``answer``: a new interpreter with nothing in it.

    It is given ``request`` as JSON and the number of an open descriptor, to answer on.

    Raises:
        MeasureError, WorkerCrashedError, WorkerTimeoutError, WorkerProtocolError: as ``in_fork``.
    """
    answers, theirs = os.pipe()
    with tempfile.TemporaryFile() as output:
        words = [sys.executable, "-m", module, msgspec.json.encode(request).decode(), str(theirs)]
        with subprocess.Popen(  # noqa: S603 - fixed words, no shell
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(theirs,),
            start_new_session=True,
            # Counts of allocations are to be the same every time, and hashing is part of them.
            env=os.environ | {"PYTHONHASHSEED": "0"},
        ) as process:
            os.close(theirs)
            return _outcome(process.pid, answers, output.fileno(), kind, timeout_s)


def answer(work: Callable[[], object], descriptor: int) -> NoReturn:
    """Do ``work``, write what came of it to ``descriptor``, and end the process."""
    said: Went | Broke
    try:
        said = Went(msgspec.Raw(msgspec.json.encode(work())))
    except BaseException as error:  # noqa: BLE001 - the work may raise anything, SystemExit too
        plain = "".join(traceback.format_exception_only(error)).strip()
        words = str(error) if isinstance(error, VeperfError) else plain
        said = Broke(words[:2_000], traceback.format_exc()[-20_000:])
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    left = memoryview(msgspec.json.encode(said) + b"\n")
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        # Neither other threads nor what the parent would do at its end are to run here.
        os._exit(0)


def _be_a_fork(work: Callable[[], object], theirs: int, output: int) -> NoReturn:
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = sys.stderr = os.fdopen(os.dup(output), "w", buffering=1)
        answer(work, theirs)
    finally:
        os._exit(1)


def _outcome(child: int, answers: int, output: int, kind: type[T], timeout_s: float) -> T:
    """What the process ``child`` says on ``answers``; it has ended afterwards."""
    try:
        line = read_line(answers, time.monotonic() + timeout_s)
    except TimeoutError:
        raise _noted(
            WorkerTimeoutError(f"it was not done within {timeout_s:g} s"), output
        ) from None
    finally:
        os.close(answers)
        # An answer is its last act; a process that closed its end is about to be no more.
        code = _end(child)
    try:
        return believed(line, code, kind)
    except MeasureError as error:
        raise _noted(error, output) from None


def read_line(descriptor: int, deadline: float = math.inf) -> bytes:
    """Up to the end of the line or of the file, or as much as is ever believed.

    Raises:
        TimeoutError: the deadline (``time.monotonic``) came first.
    """
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not data.endswith(b"\n") and len(data) < _MOST_BYTES:
            left_s = max(0.0, deadline - time.monotonic())
            if not selector.select(left_s if left_s < math.inf else None):
                raise TimeoutError
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            data += chunk
    return data


def _end(child: int) -> int:
    """End the process and all that it started; its exit code, negative for a signal."""
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


def believed(line: bytes, code: int, kind: type[T]) -> T:
    """What the line that ``answer`` wrote says, of a process that ended with ``code``.

    Raises:
        MeasureError: the work raised.
        WorkerCrashedError: there is no line, or not all of it.
        WorkerProtocolError: it is no answer.
    """
    if not line.endswith(b"\n"):
        how = f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
        raise WorkerCrashedError(f"the process ended before it was done: {how}")
    try:
        said = msgspec.json.decode(line, type=Went | Broke)
        if isinstance(said, Went):
            return msgspec.json.decode(said.found, type=kind)
    except msgspec.DecodeError as error:
        raise WorkerProtocolError(f"the process answered with no answer ({error})") from error
    broken = MeasureError(said.words)
    broken.add_note(said.traceback)
    raise broken


def _noted(error: MeasureError, output: int) -> MeasureError:
    """``error`` with the last that the process wrote."""
    start = max(0, os.fstat(output).st_size - _KEPT_OUTPUT_BYTES)
    if said := os.pread(output, _KEPT_OUTPUT_BYTES, start).decode(errors="replace").strip():
        error.add_note(f"it wrote:\n{said}")
    return error
