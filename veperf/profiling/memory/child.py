"""The process in which a benchmark's memory is measured: ``python -m veperf.profiling.memory.child``."""

import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from veperf.core import registry
from veperf.ipc.isolated_process import answer
from veperf.profiling.memory.footprint import Footprint, measure_footprint
from veperf.profiling.memory.profile_callable import Weighed, weigh_checked
from veperf.profiling.memory.requests import Asked, HoldCase, LookIdle, WeighCase, WorkRounds
from veperf.profiling.memory.workload_process import Idle, Rounds, look_idle, set_up, work_rounds


def _weigh_case(asked: WeighCase) -> Weighed:
    flamegraph = Path(asked.flamegraph) if asked.flamegraph else None
    with ExitStack() as stack:
        known = registry.load(asked.modules)
        benchmark, task = set_up(known, asked.case, stack)
        return weigh_checked(task.call, task.operations, benchmark.multithreaded, flamegraph)


def _hold_case(asked: HoldCase) -> Footprint:
    with ExitStack() as stack:
        known = registry.load(asked.modules)
        benchmark, task = set_up(known, asked.case, stack)
        return measure_footprint(task.call, task.operations, multithreaded=benchmark.multithreaded)


def main() -> None:
    """Do what the first argument says, answer on the descriptor that the second names."""
    asked = msgspec.json.decode(sys.argv[1], type=Asked)
    answer(lambda: _do(asked), int(sys.argv[2]))


def _do(asked: Asked) -> Weighed | Footprint | Idle | Rounds:
    match asked:
        case WeighCase():
            return _weigh_case(asked)
        case HoldCase():
            return _hold_case(asked)
        case LookIdle():
            return look_idle(asked.modules)
        case WorkRounds():
            return work_rounds(asked.modules, asked.cases, asked.rounds)


if __name__ == "__main__":
    main()
