"""A process in which a benchmark is looked at: ``python -m veperf.cpu.child REQUEST ANSWER``."""

import sys

import msgspec

from veperf.cpu.look import LookAt, look_at
from veperf.memory.apart import answer

asked = msgspec.json.decode(sys.argv[1], type=LookAt)
answer(lambda: look_at(asked), int(sys.argv[2]))
