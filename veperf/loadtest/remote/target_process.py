"""A handle on a target process, for whoever wants to put a load on it."""

import contextlib
import os
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
from veperf.core.errors import WorkerCrashedError, WorkerTimeoutError
from veperf.loadtest.remote.address import Address, parse_address
from veperf.loadtest.remote.auth import TOKEN_VARIABLE
from veperf.loadtest.remote.server import Served

_MODULE = "veperf.loadtest.remote.target"
_PATIENCE_S = 5.0
_CHUNK = 65_536
_TAIL_BYTES = 2_000


class TargetSpec(Struct, frozen=True):
    """What the process is to serve, once."""

    benchmark: str
    params: Params
    modules: tuple[str, ...]
    """All that have to be imported for the benchmark to be there."""
    shards: int
    address: str
    """Where to listen; port 0 is any free one."""


class TargetProcess:
    """The process; it ends with the load, when it is told to, and when we are gone."""

    def __init__(self, spec: TargetSpec, token: str) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        self._process = subprocess.Popen(  # noqa: S603 - fixed words, no shell
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=os.environ | {TOKEN_VARIABLE: token},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._lifeline = self._process.stdin
        self._answers = self._process.stdout
        self._buffer = b""
        with contextlib.suppress(BrokenPipeError):  # it is gone: its answer will say so
            self._lifeline.write(msgspec.json.encode(spec) + b"\n")
            self._lifeline.flush()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def listening(self, timeout_s: float) -> Address:
        """Its real address, as soon as it listens; the target itself is still being made then.

        Raises:
            MeasureError: it can't listen, or takes longer than that.
        """
        return parse_address(msgspec.json.decode(self._line(timeout_s), type=str))

    def served(self, timeout_s: float) -> Served:
        """Wait until the load is over.

        Raises:
            MeasureError: the process ended otherwise; it says how, with its last words. Or it
                takes longer than that.
        """
        return msgspec.json.decode(self._line(timeout_s), type=Served)

    def stop(self) -> None:
        """End it: by SIGTERM, and by SIGKILL if that does not help. Safe to call twice."""
        if not self._lifeline.closed:
            with contextlib.suppress(BrokenPipeError):
                self._lifeline.close()
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_PATIENCE_S)
        self._answers.close()
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _line(self, timeout_s: float) -> bytes:
        until = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise WorkerTimeoutError(
                        f"the target process said nothing for {timeout_s:g} s{self._last_words()}"
                    )
                chunk = os.read(self._answers.fileno(), _CHUNK)
                if not chunk:
                    code = self._process.wait()
                    raise WorkerCrashedError(
                        f"the target process ended with {code}{self._last_words()}"
                    )
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _last_words(self) -> str:
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _TAIL_BYTES))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1].strip()}" if lines else ""
