"""Pairs as they would have been measured, for tests of what judges them."""

from veperf.abtest.pair import PairResult
from veperf.core.case import Case, Level, Metric
from veperf.core.run import CaseResult, Failure, Sample

CASE = Case("mine/work", "mine/work", "mine", Level.MICRO, "Work.")
RATE = Case("mine/rate", "mine/rate", "mine", Level.MICRO, "Work.", metrics=(
    Metric("rate", "1/s", "higher"),
))  # fmt: skip


def timed(base_ns: float, new_ns: float, *, busy: float = 1.0, loops: int = 10) -> PairResult:
    """Eight samples of each side; ``busy`` is the share of wall time that is CPU time."""
    a, b = (
        CaseResult(
            CASE.id,
            loops=loops,
            samples=(Sample(round(each * loops), round(each * loops * busy), 0),) * 8,
        )
        for each in (base_ns, new_ns)
    )
    return PairResult(CASE, a, b)


def figured(base: float, new: float) -> PairResult:
    """A figure of each side."""
    a, b = (CaseResult(RATE.id, figures={"rate": each}) for each in (base, new))
    return PairResult(RATE, a, b)


def broken(message: str = "no") -> PairResult:
    """The new side failed."""
    failure = Failure("raised", message, "Traceback")
    return PairResult(CASE, CaseResult(CASE.id), CaseResult(CASE.id, failure=failure))
