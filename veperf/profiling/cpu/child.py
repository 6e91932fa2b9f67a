"""A fresh process that samples a benchmark: ``python -m veperf.profiling.cpu.child REQUEST FD``."""

import sys

import msgspec

from veperf.ipc.isolated_process import send_result
from veperf.profiling.cpu.sampler import CpuProfileRequest, sample_benchmark


def main() -> None:
    """Execute the request in the first argument, and answer on the descriptor in the second."""
    request = msgspec.json.decode(sys.argv[1], type=CpuProfileRequest)
    send_result(lambda: sample_benchmark(request), int(sys.argv[2]))


if __name__ == "__main__":
    main()
