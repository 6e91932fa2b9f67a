"""The process in which a benchmark's memory is measured: ``python -m veperf.memory.child``."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from veperf import registry
from veperf.errors import MeasureError
from veperf.memory.apart import answer
from veperf.memory.footprint import Footprint, measure_footprint
from veperf.memory.rounds import Idle, Rounds, look_idle, set_up, work_rounds
from veperf.memory.weigh import Weighed, weigh


class WeighCase(Struct, frozen=True, tag="weigh"):
    """Set a case up and measure its memory; answered by ``Weighed``."""

    modules: tuple[str, ...]
    case: str
    flamegraph: str
    """The file to make; empty for none."""


class HoldCase(Struct, frozen=True, tag="hold"):
    """Set a case up and measure its footprint alone; answered by ``Footprint``."""

    modules: tuple[str, ...]
    case: str


class LookIdle(Struct, frozen=True, tag="idle"):
    """Load modules and do nothing; answered by ``Idle``."""

    modules: tuple[str, ...]


class WorkRounds(Struct, frozen=True, tag="rounds"):
    """Call each of some cases in every round; answered by ``Rounds``."""

    modules: tuple[str, ...]
    cases: tuple[str, ...]
    rounds: int


Asked = WeighCase | HoldCase | LookIdle | WorkRounds


def weigh_checked(
    call: Callable[[], object], operations: int, multithreaded: bool, flamegraph: Path | None
) -> Weighed:
    """As ``weigh``, after one call that shows whether it forks and lets its child go on.

    Raises:
        MeasureError: it does, or as ``weigh``.
        Whatever ``call`` does.
    """
    own = os.getpid()
    call()
    if os.getpid() != own:
        raise MeasureError("it forks, and its child returns; end the child with os._exit()")
    return weigh(call, operations, multithreaded=multithreaded, flamegraph=flamegraph)


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
