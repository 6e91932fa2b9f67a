"""Target and shards as processes of this machine, each with a thread that waits for it.

The thread that starts a process stays until its end: the system ends a process with the thread
that started it, so that no process is left behind when this one dies.
"""

import contextlib
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from veperf.core.errors import MeasureError, WorkerProtocolError, WorkerTimeoutError
from veperf.core.run import Machine
from veperf.loadtest.remote.server import RENDEZVOUS_S
from veperf.loadtest.remote.target_process import TargetProcess, TargetSpec
from veperf.loadtest.sharded.messages import (
    Assignment,
    OnEvent,
    ProcessFailed,
    ProcessHandle,
    ProcessStarted,
    ShardEnded,
    ShardProgress,
    ShardReady,
    TargetEnded,
    TargetListening,
)
from veperf.loadtest.sharded.shard import ShardReport
from veperf.measure.machine import describe_machine
from veperf.measure.protocol import (
    LoadTicked,
    RequestFailed,
    RunShard,
    ShardFinished,
    ShardPrepared,
)
from veperf.measure.worker_client import Worker, as_failure, describe_wrong_reply, start_worker

# Some three weeks: poll takes no more than 2^31 ms.
_WEEKS_S = 2e6
# For a process to end once it is told to.
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class LocalLauncher:
    """Starts the processes of a load on this machine."""

    listen_address: str

    def machine(self) -> Machine:
        """Return the description of this machine."""
        return describe_machine()

    def start(self, assignment: Assignment, on_event: OnEvent) -> ProcessHandle:
        """Start a process for ``assignment``."""
        kind = LocalTargetHandle if assignment.shard is None else LocalShardHandle
        return kind(assignment, on_event)


@contextlib.contextmanager
def local_launcher() -> Iterator[LocalLauncher]:
    """Yield a launcher for this machine, with a socket that only this user can reach."""
    with tempfile.TemporaryDirectory(prefix="veperf-load-", ignore_cleanup_errors=True) as folder:
        yield LocalLauncher(f"unix://{Path(folder) / 'target'}")


class LocalShardHandle:
    """A handle on a worker process that is a shard."""

    def __init__(self, assignment: Assignment, on_event: OnEvent) -> None:
        self._assignment = assignment
        self._on_event = on_event
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._is_stopped = self._is_killed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send SIGINT; if it has no process yet, as soon as it has."""
        with self._lock:
            self._is_stopped = True
            if self._worker is not None:
                self._worker.interrupt()

    def kill(self) -> None:
        """Send SIGKILL."""
        with self._lock:
            self._is_killed = True
            if self._worker is not None:
                self._worker.kill()
        self._thread.join(_PATIENCE_S)

    def lost_reason(self) -> str:
        """Return an empty text: the end of a process of this machine is always an event."""
        return ""

    def _run(self) -> None:
        load, shard = self._assignment.load, self._assignment.shard or 0
        try:
            seed = (load.seed + shard) % (1 << 32)
            worker, _ = start_worker(load.modules, hash_seed=seed, layout_seed=seed)
            with worker:
                last = self._follow(worker)
            self._on_event(last)  # now that its process is gone
        except Exception as error:  # noqa: BLE001 - whatever it is, the coordinator waits for it
            self._on_event(ProcessFailed(as_failure(error)))

    def _follow(self, worker: Worker) -> ShardEnded | ProcessFailed:
        """Have ``worker`` run the shard, and pass on its events; return the last one."""
        timeout_s = self._assignment.load.timeout_s
        # To set up, and then as long again to find a target, which is set up meanwhile.
        allowed_s = 2 * timeout_s
        try:
            self._begin(worker)
            while True:
                reply = worker.receive(deadline=time.monotonic() + allowed_s)
                match reply:
                    case ShardPrepared():
                        self._on_event(ShardReady())
                        allowed_s = timeout_s + RENDEZVOUS_S
                    case LoadTicked():
                        self._on_event(ShardProgress(reply.so_far))
                        allowed_s = timeout_s
                    case ShardFinished():
                        return ShardEnded(msgspec.json.decode(reply.report, type=ShardReport))
                    case RequestFailed():
                        return ProcessFailed(reply.failure)
                    case _:
                        raise WorkerProtocolError(f"the worker {describe_wrong_reply(reply)}")
        except WorkerTimeoutError as error:
            message = f"no sign of life within {allowed_s:g} s"
            return ProcessFailed(as_failure(error, message, worker.output))
        except MeasureError as error:
            return ProcessFailed(as_failure(error, str(error), worker.output))

    def _begin(self, worker: Worker) -> None:
        load, shard = self._assignment.load, self._assignment.shard
        assert shard is not None, "a target is no shard"
        with self._lock:
            self._worker = worker
            if self._is_killed:
                worker.kill()
            if self._is_stopped:
                worker.interrupt()
        self._on_event(ProcessStarted(socket.gethostname()))
        worker.send(
            RunShard(
                load.benchmark,
                load.params,
                load.plan,
                load.seed,
                shard,
                self._assignment.address,
                load.token,
                load.timeout_s,
            )
        )


class LocalTargetHandle:
    """A handle on the target's process."""

    def __init__(self, assignment: Assignment, on_event: OnEvent) -> None:
        self._assignment = assignment
        self._on_event = on_event
        self._lock = threading.Lock()
        self._process: TargetProcess | None = None
        self._is_killed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Do nothing: a target ends when its shards have."""

    def kill(self) -> None:
        """Send SIGTERM, so that it cleans up, then SIGKILL if that does not help."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self._lock:
                self._is_killed = True
                self._send_signal(number)
            self._thread.join(_PATIENCE_S)

    def lost_reason(self) -> str:
        """Return an empty text, as for a shard."""
        return ""

    def _run(self) -> None:
        try:
            self._serve()
            self._on_event(TargetEnded())
        except Exception as error:  # noqa: BLE001 - whatever it is, the coordinator waits for it
            self._on_event(ProcessFailed(as_failure(error)))

    def _send_signal(self, number: signal.Signals) -> None:
        """Signal the process, if there is one; the thread that waits for it notices its end."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _serve(self) -> None:
        """Start the process and wait for its end."""
        load, address = self._assignment.load, self._assignment.address
        shards = load.plan.shards
        spec = TargetSpec(load.benchmark, load.params, load.modules, shards, address)
        with TargetProcess(spec, load.token) as process:
            with self._lock:
                self._process = process
                if self._is_killed:
                    self._send_signal(signal.SIGTERM)
            try:
                self._on_event(ProcessStarted(socket.gethostname()))
                listening = process.wait_until_listening(load.timeout_s)
                self._on_event(TargetListening(str(listening)))
                process.wait_until_served(_WEEKS_S)
            finally:
                with self._lock:
                    self._process = None
