"""The measuring side's handle on one worker process."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import Self

from veperf.core.errors import WorkerCrashedError, WorkerProtocolError, WorkerTimeoutError
from veperf.measure import address_layout
from veperf.measure.code_source import HERE, Side
from veperf.measure.protocol import MAX_LINE_BYTES, NumberedRequest, Reply, Request, decode_reply
from veperf.measure.protocol import encode as encode_message

_KEPT_OUTPUT_BYTES = 20_000
_CHUNK = 65_536


class Worker:
    """A fresh Python process that answers one request at a time.

    It leads a process group of its own: Ctrl-C reaches only the parent, and ending the worker
    ends whatever it started.
    """

    def __init__(self, *, hash_seed: int, side: Side = HERE) -> None:
        theirs_in, self._requests = os.pipe()
        self._answers, theirs_out = os.pipe()
        self._stderr, theirs_err = os.pipe()
        # A seed of its own for every process: how strings hash and where things lie is part of
        # what varies between processes, and this way a run can be repeated.
        chance = {"PYTHONHASHSEED": str(hash_seed), **address_layout.drawn(hash_seed)}
        environment = os.environ | side.environment | chance
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            [*side.command(), str(theirs_in), str(theirs_out)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs_err,
            pass_fds=(theirs_in, theirs_out),
            env=environment,
            cwd=side.folder,
            start_new_session=True,
        )
        for theirs in (theirs_in, theirs_out, theirs_err):
            os.close(theirs)
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
    def output(self) -> str:
        """The last that the worker wrote to standard output and standard error."""
        return self._output.decode(errors="replace")

    def forget_output(self) -> None:
        """From here on, ``output`` is another case's."""
        self._output = b""

    def ask(self, request: Request, *, deadline: float) -> Reply:
        """Send ``request`` and wait for its answer, as ``send`` and ``receive`` do."""
        self.send(request)
        return self.receive(deadline=deadline)

    def send(self, request: Request) -> None:
        """Send ``request``.

        Raises:
            WorkerCrashedError: the process ended.
        """
        self._number += 1
        try:
            os.write(self._requests, encode_message(NumberedRequest(self._number, request)))
        except BrokenPipeError:
            raise self._crashed() from None

    def receive(self, *, deadline: float) -> Reply:
        """What the worker says next of the last request, until ``deadline`` (``time.monotonic``).

        Raises:
            WorkerCrashedError: the process ended.
            WorkerTimeoutError: no answer in time; the process has been ended, and its stack at
                that moment is in ``output``.
            WorkerProtocolError: the answer is none; the process has been ended.
        """
        try:
            return decode_reply(self._read_line(deadline), self._number)
        except WorkerProtocolError:
            self.stop()
            raise

    def interrupt(self) -> None:
        """Ask for the end of the load that is on; its answer comes all the same."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End the process, from any thread; the one that waits for an answer learns of it."""
        if self._process.poll() is None:
            self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the process and all that it started. Safe to call twice."""
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
                    self._keep_output()
                else:
                    chunk = os.read(self._answers, _CHUNK)
                    if not chunk:
                        raise self._crashed()
                    self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _keep_output(self) -> None:
        chunk = os.read(self._stderr, _CHUNK)
        if not chunk:
            self._selector.unregister(self._stderr)
        self._output = (self._output + chunk)[-_KEPT_OUTPUT_BYTES:]

    def _drain(self, *, wait_s: float) -> None:
        """Keep what is still to come on standard error: the traceback is usually there."""
        if self._answers in self._selector.get_map():
            self._selector.unregister(self._answers)
        until = time.monotonic() + wait_s
        while self._selector.get_map():
            if not self._selector.select(max(0.0, until - time.monotonic())):
                return
            self._keep_output()

    def _crashed(self) -> WorkerCrashedError:
        self._drain(wait_s=1.0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)  # its own exit code, before stop() makes one
        self.stop()
        return WorkerCrashedError(f"the worker process ended: {_how_it_ended(self._process)}")

    def _timed_out(self) -> WorkerTimeoutError:
        # faulthandler answers SIGABRT with the stack of every thread.
        self._signal(signal.SIGABRT)
        self._drain(wait_s=1.0)
        self.stop()
        return WorkerTimeoutError("the worker did not answer in time")

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _how_it_ended(process: "subprocess.Popen[bytes]") -> str:
    code = process.returncode
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # real-time signals have no name
        return f"killed by signal {-code}"
