"""TensorFlow in a child process, behind a pipe.

So its half a gigabyte of memory, and its effects on signals, threads and standard output, are kept
out of the process that scores. A request is the bytes of an array [n, 768], the answer those of
[n], of the same type: float32 requests points, float64 logits in fixed point. Only numbers are
sent, so nothing is unpickled.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, Pipe
from tempfile import TemporaryFile
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from veperf.ipc.child_process import module_command
from veperf.workloads.verification.features.vector import FEATURES
from veperf.workloads.verification.scoring.exact import Fixed
from veperf.workloads.verification.scoring.floating import Floats

_WORKER = "veperf.workloads.verification.scoring.tensorflow_worker"
_ROWS = 1_024  # in a request: 6 MB of float64
_START_S = 120.0
_ANSWER_S = 60.0
_CLOSE_S = 10.0

_Float = TypeVar("_Float", np.float32, np.float64)


class EngineCrashedError(RuntimeError):
    """The process of an engine ended, or did not answer in time."""


class TensorFlowProcess:
    """A child process with TensorFlow; both a ``FloatNetwork`` and a ``FixedPointNetwork``."""

    def __init__(self) -> None:
        """Start the process and wait until it can answer, some ten seconds.

        Raises:
            EngineCrashedError: it ended or did not get ready in time.
        """
        self._pipe, child_pipe = Pipe()
        self._errors = TemporaryFile()  # noqa: SIM115  # closed by close()
        with child_pipe:
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter, a module of ours
                [*module_command(_WORKER), str(child_pipe.fileno())],
                pass_fds=[child_pipe.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""},
            )
        self._receive(_START_S)

    @property
    def process_id(self) -> int:
        """The id of the process in which TensorFlow runs."""
        return self._process.pid

    def points(self, features: Floats) -> Floats:
        """As in ``FloatNetwork``.

        Raises:
            EngineCrashedError: no answer came.
        """
        return self._request(features)

    def logits(self, inputs: Fixed) -> Fixed:
        """As in ``FixedPointNetwork``.

        Raises:
            EngineCrashedError: no answer came.
        """
        return self._request(inputs)

    def close(self) -> None:
        """End the process, which ends by itself when its pipe does; a second time does nothing."""
        self._pipe.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _request(self, rows: NDArray[_Float]) -> NDArray[_Float]:
        answers = [self._request_chunk(rows[i : i + _ROWS]) for i in range(0, len(rows), _ROWS)]
        return np.concatenate(answers) if answers else np.empty(0, rows.dtype)

    def _request_chunk(self, rows: NDArray[_Float]) -> NDArray[_Float]:
        try:
            self._pipe.send_bytes(rows.dtype.char.encode() + rows.tobytes())
        except OSError:
            raise self._failed() from None
        answer = np.frombuffer(self._receive(_ANSWER_S), rows.dtype)
        if answer.shape != (len(rows),):
            raise EngineCrashedError(f"{len(rows)} scores were requested, {answer.size} received")
        return answer

    def _receive(self, limit_s: float) -> bytes:
        try:
            if self._pipe.poll(limit_s):
                return self._pipe.recv_bytes()
        except (EOFError, OSError):
            pass
        raise self._failed()

    def _failed(self) -> EngineCrashedError:
        """End the process if it still runs; return the error, with the last line of its output."""
        output = ""
        if not self._errors.closed:
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            output = f": {lines[-1]}" if lines else ""
        self.close()
        return EngineCrashedError(f"TensorFlow's process ended or did not answer{output}")


def serve_inference(
    pipe: Connection, answers: Mapping[bytes, Callable[[Any], NDArray[Any]]]
) -> None:
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
