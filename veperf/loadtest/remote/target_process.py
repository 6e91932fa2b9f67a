"""A target in a process of its own: the process, and the handle on it.

``python -m veperf.loadtest.remote.target_process`` serves one load. What to serve comes in one line
of JSON on standard input, the token in the environment; its address and the load's summary go to
standard output, a line each. It ends when the load is over, on SIGTERM, and when standard input is
closed.
"""

import contextlib
import os
import select
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from typing import Self

import msgspec
from msgspec import Struct

from veperf.core.case import Params
from veperf.core.errors import VeperfError, WorkerCrashedError, WorkerTimeoutError
from veperf.core.registry import load_registry
from veperf.ipc.child_process import module_command
from veperf.ipc.signals import catch_stop_signals
from veperf.loadtest.remote.auth import TOKEN_VARIABLE, token_from_environment
from veperf.loadtest.remote.benchmark import load_subject, set_up_remote_load
from veperf.loadtest.remote.server import ServedLoad, serve_load
from veperf.loadtest.remote.target_socket import Address, Listener, parse_target_address

_MODULE = "veperf.loadtest.remote.target_process"
_PATIENCE_S = 5.0
_CHUNK = 65_536
_TAIL_BYTES = 2_000


class TargetSpec(Struct, frozen=True):
    """The load that a target process is to serve, once."""

    benchmark: str
    params: Params
    modules: tuple[str, ...]
    """Modules to import so that the benchmark is registered."""
    shards: int
    address: str
    """Address to listen on; port 0 is any free one."""


class TargetProcess:
    """A target process; it ends with the load, when it is stopped, and with this process."""

    def __init__(self, spec: TargetSpec, token: str) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            module_command(_MODULE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=os.environ | {TOKEN_VARIABLE: token},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._lifeline = self._process.stdin
        self._answers = self._process.stdout
        self._buffer = b""
        with contextlib.suppress(BrokenPipeError):  # it is gone: reading its answer shows why
            self._lifeline.write(msgspec.json.encode(spec) + b"\n")
            self._lifeline.flush()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def wait_until_listening(self, timeout_s: float) -> Address:
        """Return its real address once it listens; the target itself is still being made then.

        Raises:
            MeasureError: it can't listen, or takes longer than that.
        """
        return parse_target_address(msgspec.json.decode(self._read_line(timeout_s), type=str))

    def wait_until_served(self, timeout_s: float) -> ServedLoad:
        """Wait until the load is over; return its summary.

        Raises:
            MeasureError: the process ended otherwise; the message has its exit code and last
                output. Or it takes longer than that.
        """
        return msgspec.json.decode(self._read_line(timeout_s), type=ServedLoad)

    def stop(self) -> None:
        """End it by SIGTERM, then by SIGKILL if that does not help. Safe to call twice."""
        if not self._lifeline.closed:
            with contextlib.suppress(BrokenPipeError):
                self._lifeline.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_PATIENCE_S)
        self._answers.close()
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _read_line(self, timeout_s: float) -> bytes:
        until = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise WorkerTimeoutError(
                        f"the target process said nothing for {timeout_s:g} s{self._last_output()}"
                    )
                chunk = os.read(self._answers.fileno(), _CHUNK)
                if not chunk:
                    code = self._process.wait()
                    raise WorkerCrashedError(
                        f"the target process ended with {code}{self._last_output()}"
                    )
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _last_output(self) -> str:
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1].strip()}" if lines else ""


def main() -> int:
    """Serve one load; return the exit code."""
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=TargetSpec)
    # Answers go to the real standard output; what a benchmark prints goes to standard error.
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lifeline = select.poll()
    lifeline.register(sys.stdin, select.POLLIN)

    def answer(value: str | ServedLoad) -> None:
        os.write(answers, msgspec.json.encode(value) + b"\n")

    try:
        load_registry(spec.modules)
        with (
            catch_stop_signals() as is_stopping,
            set_up_remote_load(spec.benchmark, spec.params) as remote_load,
            contextlib.closing(Listener(parse_target_address(spec.address))) as listener,
        ):
            answer(str(listener.address))
            served = serve_load(
                remote_load,
                listener,
                subject=load_subject(spec.benchmark, spec.params),
                token=token_from_environment(),
                shards=spec.shards,
                stop=lambda: is_stopping() or bool(lifeline.poll(0)),
            )
    except VeperfError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    answer(served)
    return 0


if __name__ == "__main__":
    sys.exit(main())
