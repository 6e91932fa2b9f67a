"""TensorFlow in a process of its own, which is asked over a pipe.

So nobody who scores with it pays its half a gigabyte in their own process, and what it does to
signals, threads and standard output stays there. A request is the bytes of an array [n, 768], the
answer those of [n], of the same type: float32 asks for points, float64 for logits in fixed point.
No objects travel, so none are unpickled.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, Pipe
from tempfile import TemporaryFile
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.verification.features import FEATURES
from veperf.workloads.verification.scoring.exact import Fixed
from veperf.workloads.verification.scoring.floating import Floats

_WORKER = "veperf.workloads.verification.scoring.tensorflow_worker"
_ROWS = 1_024  # a request: 6 MB of float64
_START_S = 120.0
_ANSWER_S = 60.0
_CLOSE_S = 10.0

_Float = TypeVar("_Float", np.float32, np.float64)


class EngineCrashedError(RuntimeError):
    """The process of an engine ended, or did not answer in time."""


class HostedTensorFlow:
    """A process with TensorFlow in it; both an ``Inference`` and a ``Network``."""

    def __init__(self) -> None:
        """Start the process and wait until it can answer, some ten seconds.

        Raises:
            EngineCrashedError: it can't.
        """
        self._pipe, theirs = Pipe()
        self._errors = TemporaryFile()  # noqa: SIM115  # closed by close()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter, a module of ours
                [sys.executable, "-m", _WORKER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""},
            )
        self._receive(_START_S)

    @property
    def process_id(self) -> int:
        """The process that TensorFlow runs in."""
        return self._process.pid

    def points(self, features: Floats) -> Floats:
        """As in ``Inference``.

        Raises:
            EngineCrashedError: no answer came.
        """
        return self._ask(features)

    def logits(self, inputs: Fixed) -> Fixed:
        """As in ``Network``.

        Raises:
            EngineCrashedError: no answer came.
        """
        return self._ask(inputs)

    def close(self) -> None:
        """End the process, which ends by itself when its pipe does; a second time does nothing."""
        self._pipe.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _ask(self, rows: NDArray[_Float]) -> NDArray[_Float]:
        answers = [self._ask_once(rows[i : i + _ROWS]) for i in range(0, len(rows), _ROWS)]
        return np.concatenate(answers) if answers else np.empty(0, rows.dtype)

    def _ask_once(self, rows: NDArray[_Float]) -> NDArray[_Float]:
        try:
            self._pipe.send_bytes(rows.dtype.char.encode() + rows.tobytes())
        except OSError:
            raise self._failed() from None
        answer = np.frombuffer(self._receive(_ANSWER_S), rows.dtype)
        if answer.shape != (len(rows),):
            raise EngineCrashedError(f"{len(rows)} scores were asked for, {answer.size} came")
        return answer

    def _receive(self, limit_s: float) -> bytes:
        try:
            if self._pipe.poll(limit_s):
                return self._pipe.recv_bytes()
        except (EOFError, OSError):
            pass
        raise self._failed()

    def _failed(self) -> EngineCrashedError:
        """End what is left of the process; the error to raise, with the last line that it wrote."""
        said = ""
        if not self._errors.closed:
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            said = f": {lines[-1]}" if lines else ""
        self.close()
        return EngineCrashedError(f"TensorFlow's process ended or did not answer{said}")


def serve(pipe: Connection, answers: Mapping[bytes, Callable[[Any], NDArray[Any]]]) -> None:
    """Answer requests until the pipe ends, each by the function for its type of number."""
    pipe.send_bytes(b"ready")
    while True:
        try:
            request = pipe.recv_bytes()
        except EOFError:
            return
        kind = request[:1]
        rows = np.frombuffer(request, kind.decode(), offset=1).reshape(-1, FEATURES)
        pipe.send_bytes(answers[kind](rows).tobytes())
