"""Many verifications at once, in processes of their own.

Processes, not threads: what a verification does in NumPy and libsodium is in pieces so short that
threads lose more by handing the interpreter lock to each other than they gain (measured: two
threads take 1.6 times as long as one, two processes 0.6 times).
"""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe, wait

from msgspec import Struct

from veperf.core.errors import WorkerCrashedError
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.verification.parallel.protocol import (
    MAX_MESSAGE_BYTES,
    Done,
    Job,
    Settings,
    decode_done,
    encode,
    state_for,
)
from veperf.workloads.verification.pipeline import Moment, Request, Result

# A process a core: BLAS threads beside them would only get in each other's way.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_MODULE = "veperf.workloads.verification.parallel.worker"


class Verified(Struct, frozen=True):
    """A request that is through."""

    tag: int
    """Under which it was submitted."""
    result: Result


class _Seat:
    """A verifier process, and what it works on.

    It gets one job at a time, when it waits for one: then sending never blocks for long.
    """

    def __init__(self, settings: Settings) -> None:
        self.pipe, theirs = Pipe()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(  # noqa: S603  # fixed words, no shell
                [sys.executable, "-m", _MODULE, str(number)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(number,),
                env=os.environ | _ONE_THREAD,
                start_new_session=True,
            )
        self.tag = 0
        self.account: bytes | None = None
        """Of the job; None where there is none."""
        self._send(settings)

    def give(self, tag: int, job: Job) -> None:
        self._send(job)
        self.tag, self.account = tag, job.account

    def take(self) -> Done:
        try:
            raw = self.pipe.recv_bytes(MAX_MESSAGE_BYTES)
        except (EOFError, ConnectionError) as error:
            raise self._gone() from error
        self.account = None
        return decode_done(raw)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self.pipe.close()

    def _send(self, message: Settings | Job) -> None:
        try:
            self.pipe.send_bytes(encode(message))
        except ConnectionError as error:
            raise self._gone() from error

    def _gone(self) -> WorkerCrashedError:
        return WorkerCrashedError(
            f"verifier process {self._process.pid} ended on its own; what it wrote to standard "
            "error says why"
        )


class Pool:
    """Some verifier processes. ``close`` ends them; so does the end of this process."""

    def __init__(self, processes: int, settings: Settings) -> None:
        """Start them; the first jobs wait until they have loaded their engine."""
        self._waiting: deque[tuple[int, Request]] = deque()
        self._seats: list[_Seat] = []
        self.verify_ns = 0
        """CPU time that the processes took for what is through."""
        self.transport_ns = 0
        """CPU time that passing on jobs and results took here."""
        try:
            for _ in range(processes):
                self._seats.append(_Seat(settings))
        except BaseException:
            self.close()
            raise

    @property
    def pending(self) -> int:
        """How many requests were submitted and are not through."""
        return len(self._waiting) + sum(seat.account is not None for seat in self._seats)

    def submit(self, tag: int, request: Request) -> None:
        """Queue ``request``."""
        self._waiting.append((tag, request))

    def step(self, state: KeyValueStore, moment: Moment, wait_s: float) -> list[Verified]:
        """Hand out what waits and write to ``state`` what got through; wait for that at most so.

        An account's requests are verified one after the other, in their order, since each may
        change what the next one finds; different accounts have no keys in common.

        Raises:
            WorkerCrashedError: a process has died.
        """
        self._hand_out(state, moment)
        busy: dict[object, _Seat] = {s.pipe: s for s in self._seats if s.account is not None}
        ready = wait([pipe for pipe in busy if isinstance(pipe, Connection)], wait_s)
        started = time.thread_time_ns()
        through = []
        for seat in [busy[pipe] for pipe in ready]:
            done = seat.take()
            state.apply(done.changes)
            self.verify_ns += done.cpu_ns
            through.append(Verified(seat.tag, done.result))
        self.transport_ns += time.thread_time_ns() - started
        if through:
            self._hand_out(state, moment)
        return through

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for seat in self._seats:
            seat.stop()
        self._seats.clear()

    def _hand_out(self, state: KeyValueStore, moment: Moment) -> None:
        free = [seat for seat in self._seats if seat.account is None]
        if not (free and self._waiting):
            return
        started = time.thread_time_ns()
        taken = {seat.account for seat in self._seats}
        kept: list[tuple[int, Request]] = []
        while free and self._waiting:
            tag, request = self._waiting.popleft()
            if request.account in taken:
                kept.append((tag, request))
            else:
                job = Job(request.account, request.envelopes, moment, state_for(state, request))
                free.pop().give(tag, job)
            taken.add(request.account)
        self._waiting.extendleft(reversed(kept))
        self.transport_ns += time.thread_time_ns() - started


def verify_many(
    pool: Pool, state: KeyValueStore, requests: Sequence[Request], moment: Moment
) -> list[Result]:
    """The results of ``requests``, in their order: those of verifying one after the other.

    Raises:
        WorkerCrashedError: a process has died.
    """
    for tag, request in enumerate(requests):
        pool.submit(tag, request)
    results: dict[int, Result] = {}
    while len(results) < len(requests):
        results |= {v.tag: v.result for v in pool.step(state, moment, wait_s=1.0)}
    return [results[tag] for tag in range(len(requests))]
