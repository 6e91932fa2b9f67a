"""A process in which a benchmark is looked at: ``python -m veperf.profiling.cpu.child REQUEST ANSWER``."""

import sys

import msgspec

from veperf.ipc.isolated_process import answer
from veperf.profiling.cpu.measure import LookAt, look_at

asked = msgspec.json.decode(sys.argv[1], type=LookAt)
answer(lambda: look_at(asked), int(sys.argv[2]))
