"""Many verifications at once, in child processes.

Processes, not threads: the calls of a verification into NumPy and libsodium are so short that
threads lose more by handing the interpreter lock to each other than they gain (measured: two
threads take 1.6 times as long as one, two processes 0.6 times).
"""

import os
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe, wait

from msgspec import Struct

from veperf.core.errors import WorkerCrashedError
from veperf.ipc.child_process import module_command
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.verification.parallel.protocol import (
    MAX_MESSAGE_BYTES,
    IdentityVerified,
    VerifierSettings,
    VerifyIdentity,
    decode_result,
    encode,
    state_for,
)
from veperf.workloads.verification.pipeline import (
    BlockInfo,
    VerificationRequest,
    VerificationResult,
)

# There is a process a core: BLAS threads would only compete with each other.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_MODULE = "veperf.workloads.verification.parallel.worker"


class VerifiedRequest(Struct, frozen=True):
    """A verified request."""

    tag: int
    """The tag under which it was submitted."""
    result: VerificationResult


class _VerifierProcess:
    """A verifier process, and the request that it works on.

    It gets one request at a time, when it waits for one: then sending never blocks for long.
    """

    def __init__(self, settings: VerifierSettings) -> None:
        self.pipe, child_pipe = Pipe()
        with child_pipe:
            descriptor = child_pipe.fileno()
            self._process = subprocess.Popen(  # noqa: S603  # fixed words, no shell
                [*module_command(_MODULE), str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(descriptor,),
                env=os.environ | _ONE_THREAD,
                start_new_session=True,
            )
        self.tag = 0
        self.account: bytes | None = None
        """Account of the request in work; None if the process is free."""
        self._send(settings)

    def assign(self, tag: int, message: VerifyIdentity) -> None:
        self._send(message)
        self.tag, self.account = tag, message.account

    def receive(self) -> IdentityVerified:
        try:
            raw = self.pipe.recv_bytes(MAX_MESSAGE_BYTES)
        except (EOFError, ConnectionError) as error:
            raise self._crashed() from error
        self.account = None
        return decode_result(raw)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self.pipe.close()

    def _send(self, message: VerifierSettings | VerifyIdentity) -> None:
        try:
            self.pipe.send_bytes(encode(message))
        except ConnectionError as error:
            raise self._crashed() from error

    def _crashed(self) -> WorkerCrashedError:
        return WorkerCrashedError(
            f"verifier process {self._process.pid} ended unexpectedly; its standard error has the "
            "reason"
        )


class IdentityVerifierPool:
    """A pool of verifier processes. ``close`` ends them; so does the end of this process."""

    def __init__(self, processes: int, settings: VerifierSettings) -> None:
        """Start the processes; the first requests wait until they have loaded their engine."""
        self._waiting: deque[tuple[int, VerificationRequest]] = deque()
        self._processes: list[_VerifierProcess] = []
        self.verify_ns = 0
        """CPU time of the processes for verified requests, in ns."""
        self.transport_ns = 0
        """CPU time of this process for passing on requests and results, in ns."""
        try:
            for _ in range(processes):
                self._processes.append(_VerifierProcess(settings))
        except BaseException:
            self.close()
            raise

    @property
    def pending(self) -> int:
        """The number of requests that were submitted and are not verified."""
        return len(self._waiting) + sum(process.account is not None for process in self._processes)

    def submit(self, tag: int, request: VerificationRequest) -> None:
        """Queue ``request``."""
        self._waiting.append((tag, request))

    def step(self, state: KeyValueStore, block: BlockInfo, wait_s: float) -> list[VerifiedRequest]:
        """Hand out waiting requests and write verified ones to ``state``; wait at most ``wait_s``.

        An account's requests are verified one after the other, in their order, since each may
        change the state that the next one reads; different accounts have no keys in common.

        Raises:
            WorkerCrashedError: a process has died.
        """
        self._hand_out(state, block)
        busy: dict[object, _VerifierProcess] = {
            process.pipe: process for process in self._processes if process.account is not None
        }
        ready = wait([pipe for pipe in busy if isinstance(pipe, Connection)], wait_s)
        started = time.thread_time_ns()
        verified = []
        for process in [busy[pipe] for pipe in ready]:
            message = process.receive()
            state.apply(message.changes)
            self.verify_ns += message.cpu_ns
            verified.append(VerifiedRequest(process.tag, message.result))
        self.transport_ns += time.thread_time_ns() - started
        if verified:
            self._hand_out(state, block)
        return verified

    def close(self) -> None:
        """End the processes, busy or not."""
        for process in self._processes:
            process.stop()
        self._processes.clear()

    def _hand_out(self, state: KeyValueStore, block: BlockInfo) -> None:
        free = [process for process in self._processes if process.account is None]
        if not (free and self._waiting):
            return
        started = time.thread_time_ns()
        busy_accounts = {process.account for process in self._processes}
        postponed: list[tuple[int, VerificationRequest]] = []
        while free and self._waiting:
            tag, request = self._waiting.popleft()
            if request.account in busy_accounts:
                postponed.append((tag, request))
            else:
                message = VerifyIdentity(
                    request.account, request.envelopes, block, state_for(state, request)
                )
                free.pop().assign(tag, message)
            busy_accounts.add(request.account)
        self._waiting.extendleft(reversed(postponed))
        self.transport_ns += time.thread_time_ns() - started


def verify_many(
    pool: IdentityVerifierPool,
    state: KeyValueStore,
    requests: Sequence[VerificationRequest],
    block: BlockInfo,
) -> list[VerificationResult]:
    """Return the results of ``requests``, in their order, as if verified one after the other.

    Raises:
        WorkerCrashedError: a process has died.
    """
    for tag, request in enumerate(requests):
        pool.submit(tag, request)
    results: dict[int, VerificationResult] = {}
    while len(results) < len(requests):
        results |= {v.tag: v.result for v in pool.step(state, block, wait_s=1.0)}
    return [results[tag] for tag in range(len(requests))]
