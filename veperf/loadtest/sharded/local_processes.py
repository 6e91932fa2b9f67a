"""Target and shards as processes of this machine, each looked after by a thread.

The thread that starts a process stays until its end: the system ends a process with the thread
that started it, so that nothing is left behind when this process dies.
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
from veperf.loadtest.sharded.handles import Hand, Hear
from veperf.loadtest.sharded.messages import (
    Begun,
    Ended,
    Going,
    Gone,
    Order,
    Served,
    Serving,
    Waiting,
)
from veperf.loadtest.sharded.shard_report import ShardReport
from veperf.measure.machine import describe_machine
from veperf.measure.protocol import Failed, Join, Joined, Standing, Ticked
from veperf.measure.worker_client import Worker
from veperf.measure.worker_start import failure_of, started, what_went_wrong

# Some three weeks: poll takes no more than 2^31 ms.
_WEEKS_S = 2e6
# To come to an end, once it is told to.
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Here:
    """This machine."""

    listen: str

    def machine(self) -> Machine:
        """This machine."""
        return describe_machine()

    def start(self, order: Order, hear: Hear) -> Hand:
        """In a process of its own."""
        return TargetHand(order, hear) if order.shard is None else ShardHand(order, hear)


@contextlib.contextmanager
def here() -> Iterator[Here]:
    """This machine, with a socket that only this user can reach, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="veperf-load-", ignore_cleanup_errors=True) as folder:
        yield Here(f"unix://{Path(folder) / 'target'}")


class ShardHand:
    """A worker process that is one shard."""

    def __init__(self, order: Order, hear: Hear) -> None:
        self._order = order
        self._hear = hear
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._is_stopped = self._is_dropped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """By SIGINT; before it has a process, as soon as it has."""
        with self._lock:
            self._is_stopped = True
            if self._worker is not None:
                self._worker.interrupt()

    def drop(self) -> None:
        """By SIGKILL."""
        with self._lock:
            self._is_dropped = True
            if self._worker is not None:
                self._worker.kill()
        self._thread.join(_PATIENCE_S)

    def lost(self) -> str:
        """Never: the end of a process of this machine is heard of."""
        return ""

    def _run(self) -> None:
        load, shard = self._order.load, self._order.shard or 0
        try:
            worker, _ = started(load.modules, hash_seed=(load.seed + shard) % (1 << 32))
            with worker:
                last = self._followed(worker)
            self._hear(last)  # now that its process is gone
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits to hear of it
            self._hear(Gone(failure_of(error)))

    def _followed(self, worker: Worker) -> Ended | Gone:
        """Have ``worker`` do it, and pass on what it says; its last word."""
        timeout_s = self._order.load.timeout_s
        # To set up, and then as long again to find a target, which is set up meanwhile.
        allowed_s = 2 * timeout_s
        try:
            self._begin(worker)
            while True:
                reply = worker.receive(deadline=time.monotonic() + allowed_s)
                match reply:
                    case Standing():
                        self._hear(Waiting())
                        allowed_s = timeout_s + RENDEZVOUS_S
                    case Ticked():
                        self._hear(Going(reply.so_far))
                        allowed_s = timeout_s
                    case Joined():
                        return Ended(msgspec.json.decode(reply.report, type=ShardReport))
                    case Failed():
                        return Gone(reply.failure)
                    case _:
                        raise WorkerProtocolError(f"the worker {what_went_wrong(reply)}")
        except WorkerTimeoutError as error:
            words = f"no sign of life within {allowed_s:g} s"
            return Gone(failure_of(error, words, worker.output))
        except MeasureError as error:
            return Gone(failure_of(error, str(error), worker.output))

    def _begin(self, worker: Worker) -> None:
        load, shard = self._order.load, self._order.shard
        assert shard is not None, "a target is no shard"
        with self._lock:
            self._worker = worker
            if self._is_dropped:
                worker.kill()
            if self._is_stopped:
                worker.interrupt()
        self._hear(Begun(socket.gethostname()))
        worker.send(
            Join(
                load.benchmark,
                load.params,
                load.plan,
                load.seed,
                shard,
                self._order.address,
                load.token,
                load.timeout_s,
            )
        )


class TargetHand:
    """The target's process."""

    def __init__(self, order: Order, hear: Hear) -> None:
        self._order = order
        self._hear = hear
        self._lock = threading.Lock()
        self._process: TargetProcess | None = None
        self._is_dropped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Nothing: it ends when its shards have."""

    def drop(self) -> None:
        """By SIGTERM, so that it tidies up, and by SIGKILL if that does not help."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            with self._lock:
                self._is_dropped = True
                self._signal(how)
            self._thread.join(_PATIENCE_S)

    def lost(self) -> str:
        """Never, as a shard."""
        return ""

    def _run(self) -> None:
        try:
            self._serve()
            self._hear(Served())
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits to hear of it
            self._hear(Gone(failure_of(error)))

    def _signal(self, how: signal.Signals) -> None:
        """The process that is there; its end is heard of by the thread that waits for it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)

    def _serve(self) -> None:
        """To the end."""
        load, address = self._order.load, self._order.address
        shards = load.plan.shards
        spec = TargetSpec(load.benchmark, load.params, load.modules, shards, address)
        with TargetProcess(spec, load.token) as process:
            with self._lock:
                self._process = process
                if self._is_dropped:
                    self._signal(signal.SIGTERM)
            try:
                self._hear(Begun(socket.gethostname()))
                self._hear(Serving(str(process.listening(load.timeout_s))))
                process.served(_WEEKS_S)
            finally:
                with self._lock:
                    self._process = None
