"""Runs made by hand, for tests of what is said about runs."""

from collections.abc import Mapping, Sequence

from veperf.core.case import TIME, Case, Level, Metric
from veperf.core.run import CaseResult, Config, Failure, Machine, Pass, Revision, Run, Sample

MACHINE = Machine("box-4c", "Box 9000", 4, None, "Linux", "CPython 3.11.7")
CRASH = Failure("crashed", "killed by signal 11")
LOOPS = 1000


def case(
    id: str, targets: Mapping[str, str] | None = None, metrics: tuple[Metric, ...] = (TIME,)
) -> Case:
    """A micro benchmark; its suite is what stands before the slash."""
    suite = id.partition("/")[0]
    return Case(id, id, suite, Level.MICRO, "Works.", metrics=metrics, targets=dict(targets or {}))


def timed(case_id: str, time_ns: float | Failure) -> CaseResult:
    """Four CPU-bound samples, all of ``time_ns`` an operation; or a failure."""
    if isinstance(time_ns, Failure):
        return CaseResult(case_id, failure=time_ns)
    whole = round(time_ns * LOOPS)
    return CaseResult(case_id, loops=LOOPS, samples=(Sample(whole, whole, 0),) * 4)


def one_pass(
    results: Sequence[CaseResult],
    index: int = 0,
    *,
    yardstick_ns: float | None = 1e6,
    load: float = 0.5,
    steal: float | None = 0.0,
) -> Pass:
    """A pass on a quiet machine, unless told otherwise."""
    return Pass(
        index=index,
        started="2026-11-20T10:00:00+00:00",
        seconds=1.0,
        load_before=load,
        load_after=load,
        frequency_mhz=None,
        steal_ratio=steal,
        yardstick_ns=yardstick_ns,
        results=tuple(results),
    )


def whole_run(
    cases: Sequence[Case],
    passes: Sequence[Pass],
    *,
    id: str = "run-1",
    created: str = "2026-11-20T10:00:00+00:00",
    machine: Machine = MACHINE,
    asked: int | None = None,
) -> Run:
    """A run of ``passes``, of which ``asked`` were asked for (default: as many as there are)."""
    expected = len(passes) if asked is None else asked
    return Run(
        id=id,
        created=created,
        config=Config("quick", expected, 4, 1, 5_000_000, 1, 60.0),
        machine=machine,
        revision=Revision("abc1234"),
        cases=tuple(cases),
        passes=tuple(passes),
    )


def timed_run(
    times_ns: Mapping[str, Sequence[float | Failure]],
    *,
    targets: Mapping[str, str] | None = None,
    id: str = "run-1",
    created: str = "2026-11-20T10:00:00+00:00",
    machine: Machine = MACHINE,
    yardstick_ns: float | None = 1e6,
    load: float = 0.5,
    steal: float | None = 0.0,
    asked: int | None = None,
) -> Run:
    """A run whose cases took ``times_ns`` an operation, one a pass; ``targets`` by case id."""
    expected = targets or {}
    cases = [case(c, {"time": expected[c]} if c in expected else None) for c in times_ns]
    columns = zip(*times_ns.values(), strict=True)
    passes = [
        one_pass(
            [timed(c, t) for c, t in zip(times_ns, column, strict=True)],
            index,
            yardstick_ns=yardstick_ns,
            load=load,
            steal=steal,
        )
        for index, column in enumerate(columns)
    ]
    return whole_run(cases, passes, id=id, created=created, machine=machine, asked=asked)
