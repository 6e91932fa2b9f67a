"""A verifier process: decodes and verifies chunks of transactions for a ``VerifierProcess``.

``python -m veperf.workloads.transaction.pipeline.verifier`` with a stream socket as its standard
input. It ends when the other side closes it, or is gone.
"""

import gc
import socket
import time
from collections import deque
from collections.abc import Sequence

from veperf.ipc.channel import FrameReader, make_frame
from veperf.workloads.transaction.codec import Transaction
from veperf.workloads.transaction.pipeline.checks import (
    NO_ACCOUNT,
    decode_transactions,
    verify_transactions,
)
from veperf.workloads.transaction.pipeline.protocol import (
    CheckChunk,
    ChunkChecked,
    GetAccountNumbers,
    Reply,
    Request,
    encode_message,
    to_request,
)

_RECEIVE_BYTES = 1 << 18
_CACHED_NUMBERS = 1 << 17
"""Cached account numbers, about 25 MB; an account's number never changes."""


class VerifierDisconnected(Exception):  # noqa: N818  # the normal end of a verifier, not an error
    """The other side has closed the connection."""


class VerifierConnection:
    """A verifier's end of the socket, which blocks."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._reader = FrameReader()
        self._requests: deque[Request] = deque()

    def receive(self) -> Request:
        """Return the next message.

        Raises:
            VerifierDisconnected: there is none.
        """
        while not self._requests:
            data = self._peer.recv(_RECEIVE_BYTES)
            if not data:
                raise VerifierDisconnected
            self._requests.extend(map(to_request, self._reader.feed(data)))
        return self._requests.popleft()

    def send(self, message: Reply) -> None:
        """Send the whole ``message``."""
        self._peer.sendall(make_frame(encode_message(message)))


class ChunkVerifier:
    """Verifies chunks, and caches account numbers between them."""

    def __init__(self, connection: VerifierConnection) -> None:
        self._connection = connection
        self._queued: deque[CheckChunk] = deque()
        self._numbers: dict[bytes, int] = {}
        self._reported_ns = time.thread_time_ns()

    def serve(self) -> None:
        """Answer chunks until the other side closes the connection.

        Raises:
            VerifierDisconnected: it has.
        """
        while True:
            self._connection.send(self._check(self._next_chunk()))

    def _next_chunk(self) -> CheckChunk:
        if self._queued:
            return self._queued.popleft()
        request = self._connection.receive()
        assert isinstance(request, CheckChunk), "account numbers come only on request"
        return request

    def _check(self, chunk: CheckChunk) -> ChunkChecked:
        started = time.thread_time_ns()
        decoded = decode_transactions(chunk.raws)
        decoded_ns = time.thread_time_ns()
        numbers = self._numbers_for([t for t in decoded if isinstance(t, Transaction)])
        looked_up_ns = time.thread_time_ns()
        results = verify_transactions(decoded, numbers, chunk.chain_id)
        now = time.thread_time_ns()
        decode_ns, verify_ns = decoded_ns - started, now - looked_up_ns
        other_ns = now - self._reported_ns - decode_ns - verify_ns
        self._reported_ns = now
        return ChunkChecked(results, decode_ns, verify_ns, other_ns)

    def _numbers_for(self, transactions: Sequence[Transaction]) -> dict[bytes, int]:
        """Return the account numbers of the signers of ``transactions`` that have an account."""
        known = self._numbers
        signers = dict.fromkeys([transaction.signer.data for transaction in transactions])
        missing = [signer for signer in signers if signer not in known]
        if not missing:
            return known
        new = {
            signer: number
            for signer, number in zip(missing, self._request_numbers(missing), strict=True)
            if number != NO_ACCOUNT
        }
        if len(known) + len(new) > _CACHED_NUMBERS:
            known = {signer: known[signer] for signer in signers if signer in known}
        self._numbers = known | new
        return self._numbers

    def _request_numbers(self, addresses: list[bytes]) -> list[int]:
        self._connection.send(GetAccountNumbers(addresses))
        while isinstance(request := self._connection.receive(), CheckChunk):
            self._queued.append(request)
        return request.numbers


def main() -> None:
    """Serve on standard input until it is closed."""
    # The objects of the imports never become garbage.
    gc.freeze()
    with socket.socket(fileno=0) as peer:
        try:
            ChunkVerifier(VerifierConnection(peer)).serve()
        except (VerifierDisconnected, BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main()
