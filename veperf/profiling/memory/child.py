"""A fresh process that measures memory: ``python -m veperf.profiling.memory.child REQUEST FD``."""

import sys

import msgspec

from veperf.ipc.isolated_process import send_result
from veperf.profiling.memory.measuring_process import MemoryRequest, execute_request


def main() -> None:
    """Execute the request in the first argument, and answer on the descriptor in the second."""
    request = msgspec.json.decode(sys.argv[1], type=MemoryRequest)
    send_result(lambda: execute_request(request), int(sys.argv[2]))


if __name__ == "__main__":
    main()
