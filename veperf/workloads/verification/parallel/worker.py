"""A verifier process: ``python -m`` this with the number of its pipe."""

import sys
import time
from multiprocessing.connection import Connection

from nacl.public import PrivateKey

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.verification.parallel.protocol import (
    MAX_MESSAGE_BYTES,
    Done,
    decode_job,
    decode_settings,
    encode,
)
from veperf.workloads.verification.pipeline import Verifier, verify
from veperf.workloads.verification.scoring import load_engine


def serve(pipe: Connection) -> None:
    """Answer jobs until the other side has enough."""
    settings = decode_settings(pipe.recv_bytes(MAX_MESSAGE_BYTES))
    verifier = Verifier(PrivateKey(settings.key), settings.clients, load_engine(settings.engine))
    while True:
        raw = pipe.recv_bytes(MAX_MESSAGE_BYTES)
        started = time.thread_time_ns()
        request, moment, known = decode_job(raw)
        tree = Tree()
        tree.apply([item for item in known if item[1] is not None])
        state = Cache(tree)
        result = verify(state, request, verifier, moment)
        changes = list(state.changes())
        cpu_ns = time.thread_time_ns() - started
        pipe.send_bytes(encode(Done(result, changes, cpu_ns)))


def main() -> None:
    """Serve on the pipe that the command line names."""
    with Connection(int(sys.argv[1])) as pipe:
        try:
            serve(pipe)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main()
