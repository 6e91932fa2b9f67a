"""A verifier process: decodes and verifies chunks of transactions. Started by ``process``.

``python -m veperf.workloads.transaction.pipeline.verifier`` with a stream socket as its standard
input. It ends when the other side closes, or is gone.
"""

import gc
import socket
import time
from collections import deque
from collections.abc import Sequence

from veperf.workloads.transaction.codec import Transaction
from veperf.workloads.transaction.pipeline.protocol import (
    Ask,
    Checked,
    Chunk,
    FrameReader,
    Reply,
    Request,
    to_frame,
    to_request,
)
from veperf.workloads.transaction.pipeline.verification import UNKNOWN, decode_all, verify_all

_RECEIVE_BYTES = 1 << 18
_KNOWN_NUMBERS = 1 << 17
"""Account numbers that are kept, about 25 MB; an account's number never changes."""


class Closed(Exception):  # noqa: N818  # how a verifier's work ends, not an error
    """The other side has closed the connection."""


class Connection:
    """Whole messages over a blocking socket."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._reader = FrameReader()
        self._requests: deque[Request] = deque()

    def receive(self) -> Request:
        """The next message.

        Raises:
            Closed: there is none.
        """
        while not self._requests:
            data = self._peer.recv(_RECEIVE_BYTES)
            if not data:
                raise Closed
            self._requests.extend(map(to_request, self._reader.feed(data)))
        return self._requests.popleft()

    def send(self, message: Reply) -> None:
        """Send ``message`` whole."""
        self._peer.sendall(to_frame(message))


class Verifier:
    """What the process knows between two chunks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ahead: deque[Chunk] = deque()
        self._numbers: dict[bytes, int] = {}
        self._reported_ns = time.thread_time_ns()

    def serve(self) -> None:
        """Answer chunks, for ever.

        Raises:
            Closed: the other side has enough.
        """
        while True:
            self._connection.send(self._check(self._next_chunk()))

    def _next_chunk(self) -> Chunk:
        if self._ahead:
            return self._ahead.popleft()
        request = self._connection.receive()
        assert isinstance(request, Chunk), "numbers come only when they are asked for"
        return request

    def _check(self, chunk: Chunk) -> Checked:
        started = time.thread_time_ns()
        decoded = decode_all(chunk.raws)
        decoded_by = time.thread_time_ns()
        numbers = self._numbers_for([t for t in decoded if isinstance(t, Transaction)])
        asked_by = time.thread_time_ns()
        outcomes = verify_all(decoded, numbers, chunk.chain_id)
        now = time.thread_time_ns()
        decode_ns, verify_ns = decoded_by - started, now - asked_by
        other_ns = now - self._reported_ns - decode_ns - verify_ns
        self._reported_ns = now
        return Checked(outcomes, decode_ns, verify_ns, other_ns)

    def _numbers_for(self, transactions: Sequence[Transaction]) -> dict[bytes, int]:
        """The account numbers of those who signed ``transactions``, as far as they have one."""
        known = self._numbers
        signers = dict.fromkeys([transaction.signer.data for transaction in transactions])
        missing = [signer for signer in signers if signer not in known]
        if not missing:
            return known
        found = {
            signer: number
            for signer, number in zip(missing, self._ask(missing), strict=True)
            if number != UNKNOWN
        }
        if len(known) + len(found) > _KNOWN_NUMBERS:
            known = {signer: known[signer] for signer in signers if signer in known}
        self._numbers = known | found
        return self._numbers

    def _ask(self, addresses: list[bytes]) -> list[int]:
        self._connection.send(Ask(addresses))
        while isinstance(request := self._connection.receive(), Chunk):
            self._ahead.append(request)
        return request.numbers


def main() -> None:
    """Serve on standard input until it is closed."""
    # What the imports made is not garbage.
    gc.freeze()
    with socket.socket(fileno=0) as peer:
        try:
            Verifier(Connection(peer)).serve()
        except (Closed, BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main()
