"""Several engine processes, and a batch of events for all of them."""

import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from veperf.core.errors import WorkerCrashedError
from veperf.workloads.bidding.parallel.protocol import (
    Batch,
    Done,
    Ended,
    Request,
    Start,
    receive,
    send,
)
from veperf.workloads.bidding.queue import Event

_MODULE = "veperf.workloads.bidding.parallel.worker"


class EnginePool:
    """Engine processes that end with this one, or when it is closed."""

    def __init__(self, engines: int, providers: int) -> None:
        """Start ``engines`` processes, each bidding for ``providers`` example providers.

        Raises:
            WorkerCrashedError: one does not start.
        """
        self._engines: list[_EngineProcess] = []
        try:
            for _ in range(engines):
                self._engines.append(_EngineProcess())
            for engine in self._engines:
                engine.send(Start(providers))
            for engine in self._engines:
                engine.receive()
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes."""
        return tuple(engine.pid for engine in self._engines)

    def bid(self, events: Sequence[Event]) -> dict[str, int]:
        """Have each event handled by one of the engines, in turn; how often which outcome came up.

        Raises:
            WorkerCrashedError: an engine is gone.
        """
        count = len(self._engines)
        for place, engine in enumerate(self._engines):
            engine.send(Batch(events[place::count]))
        outcomes: Counter[str] = Counter()
        for engine in self._engines:
            outcomes.update(engine.receive().outcomes)
        return dict(outcomes)

    def close(self) -> None:
        """End the processes. Safe to call twice."""
        for engine in self._engines:
            engine.stop()


class _EngineProcess:
    """A fresh Python process at the other end of a socket."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # fixed words, no shell
                [sys.executable, "-m", _MODULE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._stream = ours.makefile("rwb")
        ours.close()  # the stream keeps it open
        self._decoder = msgspec.msgpack.Decoder(Done)
        self.pid = self._process.pid

    def send(self, request: Request) -> None:
        try:
            send(self._stream, request)
        except Ended as end:
            raise self._gone() from end

    def receive(self) -> Done:
        try:
            return receive(self._stream, self._decoder)
        except Ended as end:
            raise self._gone() from end

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(ConnectionError):  # what could not be sent is nobody's loss
            self._stream.close()

    def _gone(self) -> WorkerCrashedError:
        return WorkerCrashedError(f"engine process {self.pid} ended on its own")
