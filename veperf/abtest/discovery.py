"""What the two sides have in common to measure, and what only one of them has."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veperf.abtest.checkouts import Prepared
from veperf.abtest.pair import LETTERS, Letter
from veperf.core.case import Case, Level
from veperf.core.errors import MeasureError, UnknownBenchmarkError, UsageError
from veperf.measure.protocol import PROTOCOL, Survey, Surveyed
from veperf.measure.worker_start import started, what_went_wrong
from veperf.workloads.suites import SUITES

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """Cases on both sides, as the new code describes them; and ids on one side alone."""

    common: tuple[Case, ...]
    only: Mapping[str, Letter]
    modules: Mapping[Letter, tuple[str, ...]]


def survey(
    sides: Mapping[Letter, Prepared], select: Sequence[str], modules: Sequence[str]
) -> Found:
    """What ``select`` means among the built-in suites and ``modules`` of each side.

    Load cases and slow ones are left out unless they are named.

    Raises:
        UnknownBenchmarkError: a pattern matches nothing on either side.
        UsageError: nothing is left to compare, or it is load.
        MeasureError: a side can't be run, or speaks another protocol.
    """
    asked = Survey((*SUITES.values(), *modules), tuple(select))
    a, b = (_ask(sides[letter], asked) for letter in LETTERS)
    for pattern in select:
        if pattern in a.unknown and pattern in b.unknown:
            raise UnknownBenchmarkError(b.unknown[pattern])
    of_a, of_b = ({case.id: case for case in side.cases} for side in (a, b))
    if not of_a and not of_b:
        raise UsageError("there is no benchmark to compare, on neither side")
    for case in {**of_a, **of_b}.values():
        if case.level is Level.LOAD:
            raise UsageError(
                f"{case.id} is a load, whose seconds can't be taken in turn with another's; "
                "make two runs, and use `veperf compare`"
            )
    only: dict[str, Letter] = {id: "a" for id in of_a if id not in of_b}
    only |= {id: "b" for id in of_b if id not in of_a}
    common = tuple(case for id, case in of_b.items() if id in of_a)
    return Found(common, only, {"a": a.modules, "b": b.modules})


def _ask(asked_of: Prepared, asked: Survey) -> Surveyed:
    name = asked_of.said.name
    worker = None
    try:
        worker, ready = started((), hash_seed=0, side=asked_of.side)
        if ready.protocol != PROTOCOL:
            raise MeasureError(
                f"the veperf of {name} takes its measurements by protocol {ready.protocol}, "
                f"this one by {PROTOCOL}: compare with a commit nearer to this one, or use the "
                "veperf of that time"
            )
        reply = worker.ask(asked, deadline=time.monotonic() + _TIMEOUT_S)
        if not isinstance(reply, Surveyed):
            raise MeasureError(f"the benchmarks of {name} can't be read: {what_went_wrong(reply)}")
    except MeasureError as error:
        if name not in str(error):
            error.add_note(f"that was in {name}")
        raise
    finally:
        if worker is not None:
            worker.stop()
    return reply
