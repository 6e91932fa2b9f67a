"""A pipeline's handle on one verifier process; nothing here ever waits for it."""

import socket
import subprocess
import sys
from collections import deque

from veperf.core.errors import WorkerCrashedError
from veperf.workloads.transaction.pipeline.protocol import (
    FrameReader,
    Reply,
    Request,
    to_frame,
    to_reply,
)

MODULE = "veperf.workloads.transaction.pipeline.verifier"
_RECEIVE_BYTES = 1 << 18


class VerifierProcess:
    """A fresh Python process that verifies, at the other end of a socket.

    It ends by itself when that is closed, so that a caller who is killed leaves none behind. It
    leads a process group of its own: Ctrl-C reaches only the caller.
    """

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # fixed words, no shell
                [sys.executable, "-m", MODULE],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._reader = FrameReader()
        self._unsent: deque[memoryview] = deque()
        self.received_bytes = 0
        """So far, parts of messages included: a sign of life."""

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def fileno(self) -> int:
        """The socket, for a selector."""
        return self._socket.fileno()

    def send(self, request: Request) -> None:
        """Queue ``request`` and send what the socket takes now.

        Raises:
            WorkerCrashedError: the process is gone.
        """
        self._unsent.append(memoryview(to_frame(request)))
        self.flush()

    def flush(self) -> None:
        """Send as much of what is queued as the socket takes now.

        Raises:
            WorkerCrashedError: the process is gone.
        """
        while self._unsent:
            try:
                sent = self._socket.send(self._unsent[0])
            except BlockingIOError:
                return
            except ConnectionError as error:
                raise self._gone() from error
            rest = self._unsent.popleft()[sent:]
            if rest:
                self._unsent.appendleft(rest)

    def receive(self) -> list[Reply]:
        """What has arrived.

        Raises:
            WorkerCrashedError: nothing has, and the process is gone.
        """
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return []
        except ConnectionError as error:
            raise self._gone() from error
        if not data:
            raise self._gone()
        self.received_bytes += len(data)
        return [to_reply(frame) for frame in self._reader.feed(data)]

    def stop(self) -> None:
        """End the process, which has no state to lose. Safe to call twice."""
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def _gone(self) -> WorkerCrashedError:
        return WorkerCrashedError(f"verifier process {self.pid} ended on its own")
