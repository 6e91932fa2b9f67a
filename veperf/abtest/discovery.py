"""Discovery of the cases that both sides have, and of those that only one has."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veperf.abtest.pair import LETTERS, SideLetter
from veperf.abtest.sides import PreparedSide
from veperf.core.ab_records import ABConfig
from veperf.core.case import Case, Level
from veperf.core.errors import MeasureError, UnknownBenchmarkError, UsageError
from veperf.core.registry import SUITES
from veperf.core.selection import narrow_cases
from veperf.measure.protocol import PROTOCOL, CasesDiscovered, DiscoverCases
from veperf.measure.worker_client import describe_wrong_reply, start_worker

_TIMEOUT_S = 60.0
_NOT_COMPARED = "can't be measured in alternating samples; make two runs and use `veperf compare`"


@dataclass(frozen=True, slots=True)
class DiscoveredCases:
    """Cases of both sides, as the new code describes them, and ids of one side alone."""

    common: tuple[Case, ...]
    only: Mapping[str, SideLetter]
    modules: Mapping[SideLetter, tuple[str, ...]]


def discover_cases(sides: Mapping[SideLetter, PreparedSide], config: ABConfig) -> DiscoveredCases:
    """Find the cases that ``config`` selects in the built-in suites and modules of each side.

    Load cases and slow ones are left out unless they are named; what is read and not timed, such as
    a count, has no pairs. Levels and expression narrow what the sides found: the worker of another
    commit may not know them.

    Raises:
        UnknownBenchmarkError: a pattern matches nothing on either side, or nothing is left.
        UsageError: a module exists on neither side, nothing is left to compare, or it has no time.
        MeasureError: a side can't be run, or speaks another protocol.
    """
    if config.levels and {*config.levels} == {Level.LOAD}:
        raise UsageError(f"level load {_NOT_COMPARED}")
    request = DiscoverCases((*SUITES.values(), *config.modules), config.select)
    a, b = (_discover_side(sides[letter], request) for letter in LETTERS)
    for module in config.modules:
        if _is_missing(module, a) and _is_missing(module, b):
            raise UsageError(f"there is no module {module} on either side; is it installed?")
    for pattern in config.select:
        if pattern in a.unknown and pattern in b.unknown:
            raise UnknownBenchmarkError(b.unknown[pattern])
    of_a, of_b = ({case.id: case for case in side.cases} for side in (a, b))
    if not of_a and not of_b:
        raise UsageError("there is no benchmark to compare on either side")
    every = list({**of_a, **of_b}.values())
    chosen = {case.id: case for case in narrow_cases(every, config.levels, config.expression)}
    for case in chosen.values():
        if case.level is Level.LOAD:
            raise UsageError(f"{case.id} is a load, which {_NOT_COMPARED}")
    read = [case.id for case in chosen.values() if not case.is_timed]
    if read and len(read) == len(chosen):
        raise UsageError(f"{read[0]} is read, not timed, and {_NOT_COMPARED}")
    chosen = {id: case for id, case in chosen.items() if case.is_timed}
    only: dict[str, SideLetter] = {id: "a" for id in of_a if id in chosen and id not in of_b}
    only |= {id: "b" for id in of_b if id in chosen and id not in of_a}
    common = tuple(case for id, case in of_b.items() if id in chosen and id in of_a)
    return DiscoveredCases(common, only, {"a": a.modules, "b": b.modules})


def needed_modules(modules: Sequence[str], cases: Sequence[Case]) -> tuple[str, ...]:
    """Return those of ``modules`` that ``cases`` need: not the built-in suites of other cases."""
    other = {*SUITES.values()} - {SUITES.get(case.suite, "") for case in cases}
    return tuple(module for module in modules if module not in other)


def _is_missing(module: str, side: CasesDiscovered) -> bool:
    """Return whether ``side`` lacks ``module``; an earlier worker only tells what it measures."""
    return module not in side.modules if side.missing is None else module in side.missing


def _discover_side(side: PreparedSide, request: DiscoverCases) -> CasesDiscovered:
    name = side.description.name
    worker = None
    try:
        worker, ready = start_worker((), hash_seed=0, code=side.code)
        if not 1 <= ready.protocol <= PROTOCOL:
            raise MeasureError(
                f"the veperf of {name} measures by protocol {ready.protocol}, this one by "
                f"protocol {PROTOCOL}: compare with a commit nearer to this one, or use the "
                "veperf of that commit"
            )
        reply = worker.ask(request, deadline=time.monotonic() + _TIMEOUT_S)
        if not isinstance(reply, CasesDiscovered):
            raise MeasureError(
                f"the benchmarks of {name} can't be read: {describe_wrong_reply(reply)}"
            )
    except MeasureError as error:
        if name not in str(error):
            error.add_note(f"in {name}")
        raise
    finally:
        if worker is not None:
            worker.stop()
    return reply
