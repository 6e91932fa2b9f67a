"""A target process: serves one load. Started by ``process``.

``python -m veperf.loadtest.remote.target``: what to serve comes in one line of JSON on standard
input, the token in the environment; where it listens and what the load was go to standard output,
a line each. It ends when the load is over, on SIGTERM, and when standard input is closed.
"""

import os
import select
import sys
from contextlib import closing

import msgspec

from veperf.core import registry
from veperf.core.errors import VeperfError
from veperf.ipc.signals import stopping
from veperf.loadtest.remote.address import Listener, parse_address
from veperf.loadtest.remote.auth import given_token
from veperf.loadtest.remote.benchmark import apart_of, subject_of
from veperf.loadtest.remote.server import Served, serve
from veperf.loadtest.remote.target_process import TargetSpec


def main() -> int:
    """Serve one load."""
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=TargetSpec)
    # What a benchmark prints is no answer.
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lifeline = select.poll()
    lifeline.register(sys.stdin, select.POLLIN)

    def tell(what: str | Served) -> None:
        os.write(answers, msgspec.json.encode(what) + b"\n")

    try:
        registry.load(spec.modules)
        with (
            stopping() as told,
            apart_of(spec.benchmark, spec.params) as apart,
            closing(Listener(parse_address(spec.address))) as door,
        ):
            tell(str(door.address))
            served = serve(
                apart,
                door,
                subject=subject_of(spec.benchmark, spec.params),
                token=given_token(),
                shards=spec.shards,
                stop=lambda: told() or bool(lifeline.poll(0)),
            )
    except VeperfError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    tell(served)
    return 0


if __name__ == "__main__":
    sys.exit(main())
