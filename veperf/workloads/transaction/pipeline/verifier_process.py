"""A pipeline's handle of a verifier process; no call ever waits for the process."""

from veperf._native.core import core_environment
from veperf.core.errors import WorkerCrashedError
from veperf.ipc.channel import Channel, PeerGoneError
from veperf.ipc.child_process import start_socket_process
from veperf.workloads.transaction.pipeline.protocol import (
    Reply,
    Request,
    encode_message,
    to_reply,
)

MODULE = "veperf.workloads.transaction.pipeline.verifier"


class VerifierProcess:
    """A fresh Python process that verifies, at the other end of a socket.

    It ends by itself when the socket is closed, so that a killed caller leaves no process behind.
    """

    def __init__(self) -> None:
        self._process, peer = start_socket_process(MODULE, core_environment())
        peer.setblocking(False)
        self._channel = Channel(peer, encode_message, to_reply)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def received_bytes(self) -> int:
        """Bytes received so far, parts of messages included."""
        return self._channel.received_bytes

    def fileno(self) -> int:
        """Return the socket's file descriptor, for a selector."""
        return self._channel.fileno()

    def send(self, request: Request) -> None:
        """Queue ``request`` and send what the socket accepts now.

        Raises:
            WorkerCrashedError: the process is gone.
        """
        try:
            self._channel.send(request)
        except PeerGoneError as error:
            raise self._gone() from error

    def flush(self) -> None:
        """Send as much of the queue as the socket accepts now.

        Raises:
            WorkerCrashedError: the process is gone.
        """
        try:
            self._channel.flush()
        except PeerGoneError as error:
            raise self._gone() from error

    def receive(self) -> list[Reply]:
        """Return the messages that have arrived.

        Raises:
            WorkerCrashedError: none has, and the process is gone.
        """
        try:
            return self._channel.receive()
        except PeerGoneError as error:
            raise self._gone() from error

    def stop(self) -> None:
        """Kill the process, which has no state to lose. Safe to call twice."""
        self._process.kill()
        self._process.wait()
        self._channel.close()

    def _gone(self) -> WorkerCrashedError:
        return WorkerCrashedError(f"verifier process {self.pid} ended on its own")
