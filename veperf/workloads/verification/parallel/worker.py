"""A verifier process; its argument is the file descriptor of its pipe."""

import sys
import time
from multiprocessing.connection import Connection

from nacl.public import PrivateKey

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.verification.parallel.protocol import (
    MAX_MESSAGE_BYTES,
    IdentityVerified,
    decode_request,
    decode_settings,
    encode,
)
from veperf.workloads.verification.pipeline import IdentityVerifier, verify_identity
from veperf.workloads.verification.scoring.registry import load_engine


def serve_verifications(pipe: Connection) -> None:
    """Answer requests until the pool closes the pipe."""
    settings = decode_settings(pipe.recv_bytes(MAX_MESSAGE_BYTES))
    verifier = IdentityVerifier(
        PrivateKey(settings.key), settings.clients, load_engine(settings.engine)
    )
    while True:
        raw = pipe.recv_bytes(MAX_MESSAGE_BYTES)
        started = time.thread_time_ns()
        request, block, items = decode_request(raw)
        tree = Tree()
        tree.apply([item for item in items if item[1] is not None])
        state = Cache(tree)
        result = verify_identity(state, request, verifier, block)
        changes = list(state.changes())
        cpu_ns = time.thread_time_ns() - started
        pipe.send_bytes(encode(IdentityVerified(result, changes, cpu_ns)))


def main() -> None:
    """Serve on the pipe whose file descriptor is the command line's argument."""
    with Connection(int(sys.argv[1])) as pipe:
        try:
            serve_verifications(pipe)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main()
