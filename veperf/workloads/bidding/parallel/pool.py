"""A pool of engine processes, which share batches of events."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from veperf.core.errors import WorkerCrashedError
from veperf.ipc.child_process import start_socket_process
from veperf.workloads.bidding.orders import OrderEvent
from veperf.workloads.bidding.parallel.protocol import (
    EngineDisconnected,
    EventsHandled,
    HandleEvents,
    Request,
    StartEngine,
    receive,
    send,
)

_MODULE = "veperf.workloads.bidding.parallel.worker"


class EnginePool:
    """Engine processes that end with this process, or when the pool is closed."""

    def __init__(self, engines: int, providers: int) -> None:
        """Start ``engines`` processes, each bidding for ``providers`` of the example market.

        Raises:
            WorkerCrashedError: a process does not start.
        """
        self._engines: list[_EngineProcess] = []
        try:
            for _ in range(engines):
                self._engines.append(_EngineProcess())
            for engine in self._engines:
                engine.send(StartEngine(providers))
            for engine in self._engines:
                engine.receive()
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the engines."""
        return tuple(engine.pid for engine in self._engines)

    def bid(self, events: Sequence[OrderEvent]) -> dict[str, int]:
        """Distribute ``events`` over the engines in turn; return how often each outcome occurred.

        Raises:
            WorkerCrashedError: an engine is gone.
        """
        count = len(self._engines)
        for index, engine in enumerate(self._engines):
            engine.send(HandleEvents(events[index::count]))
        outcomes: Counter[str] = Counter()
        for engine in self._engines:
            outcomes.update(engine.receive().outcomes)
        return dict(outcomes)

    def close(self) -> None:
        """Stop the processes. Safe to call twice."""
        for engine in self._engines:
            engine.stop()


class _EngineProcess:
    """A fresh Python process at the other end of a socket."""

    def __init__(self) -> None:
        self._process, peer = start_socket_process(_MODULE)
        self._stream = peer.makefile("rwb")
        peer.close()  # the stream keeps it open
        self._decoder = msgspec.msgpack.Decoder(EventsHandled)
        self.pid = self._process.pid

    def send(self, request: Request) -> None:
        try:
            send(self._stream, request)
        except EngineDisconnected as end:
            raise self._gone() from end

    def receive(self) -> EventsHandled:
        try:
            return receive(self._stream, self._decoder)
        except EngineDisconnected as end:
            raise self._gone() from end

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(ConnectionError):  # what could not be sent is nobody's loss
            self._stream.close()

    def _gone(self) -> WorkerCrashedError:
        return WorkerCrashedError(f"engine process {self.pid} ended on its own")
