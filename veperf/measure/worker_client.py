"""Client of one worker process: starting it on some code, requests, answers and failures."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self, TypeVar

from veperf.core.errors import (
    MeasureError,
    WorkerCrashedError,
    WorkerProtocolError,
    WorkerTimeoutError,
)
from veperf.core.run import Failure, FailureKind
from veperf.ipc.child_process import OWN_FOLDER, describe_exit, importing_veperf
from veperf.measure import cpus, layout_randomization
from veperf.measure.protocol import (
    MAX_LINE_BYTES,
    NumberedRequest,
    Reply,
    Request,
    RequestFailed,
    StartWorker,
    WorkerReady,
    decode_reply,
    encode_line,
)

_WORKER = "veperf.runner.worker"
# The module's name in commits before it moved.
_EARLIER_WORKER = "veperf.measure.worker"


_Reply = TypeVar("_Reply", bound=Reply)


@dataclass(frozen=True, slots=True)
class CodeSource:
    """Interpreter and import path of the code that a worker runs."""

    interpreter: str = sys.executable
    folder: Path | None = None
    """Working folder, from which workers import first; None is the current one."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that differ from those of this process."""
    hidden: tuple[str, ...] = ()
    """Folders on the interpreter's path, resolved, that hold the other side's code."""
    launcher: tuple[str, ...] = ()
    """Program that runs the interpreter, with its options, such as valgrind."""
    veperf: Path | None = None
    """Folder that holds veperf's package; None where that is part of the code."""

    def command(self, layout_seed: int | None = None) -> list[str]:
        """Return the command line that starts a worker, without its arguments.

        With ``layout_seed``, the process draws its memory layout before it imports anything, also
        where its code is of a commit that doesn't know of layouts.
        """
        script = ""
        if layout_seed is not None:
            script = (
                f"layout = {{}}; exec(open({layout_randomization.__file__!r}).read(), layout)\n"
                f"layout = layout['LayoutRandomizer']({layout_seed})\n"
                f"layout.draw({layout_randomization.BLOCKS_OF_PROCESS})\n"
            )
        if self.veperf is not None:
            script += importing_veperf(self.veperf)
        if not self.hidden:
            # Not by -m, which would compile the module anew in every process.
            script += f"from {_WORKER} import main; main()"
        else:
            script += (
                f"import importlib.util\n{self._hiding()}"
                f"is_earlier = importlib.util.find_spec({_WORKER.rpartition('.')[0]!r}) is None\n"
                f"worker = {_EARLIER_WORKER!r} if is_earlier else {_WORKER!r}\n"
                "importlib.import_module(worker).main()\n"
            )
        return [*self.launcher, self.interpreter, "-c", script]

    def command_of_file(self, path: Path) -> list[str]:
        """Return the command line that runs a Python file with this interpreter and import path."""
        script = importing_veperf(self.veperf) if self.veperf is not None else ""
        script += self._hiding() if self.hidden else ""
        script += f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')"
        return [self.interpreter, "-c", script]

    def _hiding(self) -> str:
        """Return the lines of Python that take the other side's code off the import path."""
        return (
            f"import os, sys\nhidden = {self.hidden!r}\n"
            "sys.path[:] = [p for p in sys.path if os.path.realpath(p or '.') not in hidden]\n"
        )


CURRENT_CODE = CodeSource(veperf=OWN_FOLDER)
"""Code that this process runs itself."""

_MAX_OUTPUT_BYTES = 20_000
_CHUNK = 65_536


class Worker:
    """Fresh Python process that answers one request at a time.

    It leads a process group of its own: Ctrl-C reaches only the parent, and ending the worker ends
    all processes that it started.
    """

    def __init__(
        self, *, hash_seed: int, layout_seed: int | None = None, code: CodeSource = CURRENT_CODE
    ) -> None:
        child_in, self._requests = os.pipe()
        self._answers, child_out = os.pipe()
        self._stderr, child_err = os.pipe()
        # String hashes and the memory layout vary between processes; drawn from seeds, a run can be
        # repeated.
        randomness = {"PYTHONHASHSEED": str(hash_seed)}
        if layout_seed is not None:
            randomness |= layout_randomization.random_layout(layout_seed)
        environment = os.environ | code.environment | randomness
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            [*code.command(layout_seed), str(child_in), str(child_out)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=child_err,
            pass_fds=(child_in, child_out),
            env=environment,
            cwd=code.folder,
            start_new_session=True,
        )
        for descriptor in (child_in, child_out, child_err):
            os.close(descriptor)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._answers, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)
        self._buffer = b""
        self._output = b""
        self._number = 0
        self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Last part of what the worker wrote to standard output and standard error."""
        return self._output.decode(errors="replace")

    def keep_to(self, usable: Sequence[int]) -> None:
        """Let the process, and what it starts from now on, run on ``usable`` CPUs only."""
        cpus.keep_to(self._process.pid, usable)

    def forget_output(self) -> None:
        """Clear ``output``, before another case."""
        self._output = b""

    def ask(self, request: Request, *, deadline: float) -> Reply:
        """Send ``request`` and return its answer; raises as ``send`` and ``receive`` do."""
        self.send(request)
        return self.receive(deadline=deadline)

    def send(self, request: Request) -> None:
        """Send ``request``.

        Raises:
            WorkerCrashedError: the process ended.
        """
        self._number += 1
        try:
            os.write(self._requests, encode_line(NumberedRequest(self._number, request)))
        except BrokenPipeError:
            raise self._crashed() from None

    def receive(self, *, deadline: float) -> Reply:
        """Return the next reply to the last request, until ``deadline`` (``time.monotonic``).

        Raises:
            WorkerCrashedError: the process ended.
            WorkerTimeoutError: no answer in time; the process has been ended, and its stack at
                that moment is in ``output``.
            WorkerProtocolError: the answer can't be read; the process has been ended.
        """
        try:
            return decode_reply(self._read_line(deadline), self._number)
        except WorkerProtocolError:
            self.stop()
            raise

    def interrupt(self) -> None:
        """End the current load early; its answer still comes."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the process, from any thread; a thread that waits for an answer gets an error."""
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the process and all processes that it started. Safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._drain(wait_s=0)
        self._selector.close()
        os.close(self._requests)
        os.close(self._answers)
        os.close(self._stderr)

    def _read_line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise WorkerProtocolError(
                    f"the worker sent {len(self._buffer)} bytes without an end of line"
                )
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._timed_out()
            for key, _ in self._selector.select(left):
                if key.fd == self._stderr:
                    self._read_output()
                else:
                    chunk = os.read(self._answers, _CHUNK)
                    if not chunk:
                        raise self._crashed()
                    self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _read_output(self) -> None:
        chunk = os.read(self._stderr, _CHUNK)
        if not chunk:
            self._selector.unregister(self._stderr)
        self._output = (self._output + chunk)[-_MAX_OUTPUT_BYTES:]

    def _drain(self, *, wait_s: float) -> None:
        """Read what is left on standard error, which usually has the traceback."""
        if self._answers in self._selector.get_map():
            self._selector.unregister(self._answers)
        until = time.monotonic() + wait_s
        while self._selector.get_map():
            if not self._selector.select(max(0.0, until - time.monotonic())):
                return
            self._read_output()

    def _crashed(self) -> WorkerCrashedError:
        self._drain(wait_s=1.0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)  # its own exit code, before stop() makes one
        self.stop()
        return WorkerCrashedError(
            f"the worker process ended: {describe_exit(self._process.returncode)}"
        )

    def _timed_out(self) -> WorkerTimeoutError:
        # faulthandler answers SIGABRT with the stack of every thread.
        self._signal(signal.SIGABRT)
        self._drain(wait_s=1.0)
        self.stop()
        return WorkerTimeoutError("the worker did not answer in time")

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


START_TIMEOUT_S = 60.0

_KINDS: Mapping[type[Exception], FailureKind] = MappingProxyType(
    {
        WorkerCrashedError: "crashed",
        WorkerTimeoutError: "timeout",
        WorkerProtocolError: "protocol",
    }
)


def start_worker(
    modules: tuple[str, ...],
    *,
    hash_seed: int,
    layout_seed: int | None = None,
    code: CodeSource = CURRENT_CODE,
    timeout_s: float = START_TIMEOUT_S,
) -> tuple[Worker, WorkerReady]:
    """Start a worker that has imported ``modules``, and return it with its first answer.

    Raises:
        MeasureError: it can't start, or can't import them; a note has its output.
    """
    worker = Worker(hash_seed=hash_seed, layout_seed=layout_seed, code=code)
    try:
        ready = worker.ask(StartWorker(modules), deadline=time.monotonic() + timeout_s)
        if not isinstance(ready, WorkerReady):
            raise MeasureError(f"a worker can't start: {describe_wrong_reply(ready)}")
    except BaseException as error:
        worker.stop()
        if isinstance(error, MeasureError) and worker.output:
            error.add_note(worker.output)
        raise
    return worker, ready


class RequestFailedError(Exception):
    """The worker answered that the request raised in it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def expect_reply(reply: Reply, expected: type[_Reply]) -> _Reply:
    """Return ``reply``, which must be of the type ``expected``.

    Raises:
        RequestFailedError: the request raised in the worker.
        WorkerProtocolError: it is something else.
    """
    if isinstance(reply, expected):
        return reply
    if isinstance(reply, RequestFailed):
        raise RequestFailedError(reply.failure)
    raise WorkerProtocolError(f"the worker {describe_wrong_reply(reply)}")


def as_failure(error: Exception, message: str = "", output: str = "") -> Failure:
    """Return ``error`` as a failure, with ``message`` or its own; ``output`` is the worker's."""
    return Failure(_KINDS.get(type(error), "raised"), message or str(error), output)


def describe_wrong_reply(reply: Reply) -> str:
    """Describe a reply that is not the expected one."""
    if isinstance(reply, RequestFailed):
        return reply.failure.message
    return f"answered with {type(reply).__name__} out of turn"
