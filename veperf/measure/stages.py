"""Where the CPU time of an operation goes, stage by stage; never part of a sample."""

import time
from collections.abc import Callable, Mapping
from typing import Any

_ENOUGH_NS = 50_000_000
_ROUNDS = 200


def measure_stages(
    stages: Mapping[str, Callable[[Any], Any]], operations: int, *, multithreaded: bool = False
) -> dict[str, float]:
    """CPU time of one operation in µs by stage, as figures: ``cpu_decrypt`` for ``decrypt``.

    Goes through ``stages`` in order, each called with what the one before returned and the first
    with None, until they have taken 50 ms of CPU time, after one round that does not count. A
    stage's figure is its lowest: what a busy machine adds is no part of it.
    """
    clock = time.process_time_ns if multithreaded else time.thread_time_ns
    lowest: dict[str, int] = {}
    spent = 0
    for number in range(_ROUNDS):
        value: Any = None
        for name, stage in stages.items():
            began = clock()
            value = stage(value)
            took = clock() - began
            if number:
                lowest[name] = min(took, lowest.get(name, took))
                spent += took
        if spent >= _ENOUGH_NS:
            break
    return {f"cpu_{name}": ns / 1000 / operations for name, ns in lowest.items()}
