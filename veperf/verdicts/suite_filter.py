"""One suite of a run, and what the verdict on the whole says of it."""

from collections.abc import Sequence

from msgspec.structs import replace

from veperf.core.run import Run
from veperf.core.verdict import Baseline, TargetVerdict, Verdict
from veperf.verdicts.verdict import sum_up


def run_of(suite: str, run: Run) -> Run:
    """``run`` with nothing but the cases of ``suite``."""
    cases = tuple(case for case in run.cases if case.suite == suite)
    kept = {case.id for case in cases}
    return replace(
        run,
        cases=cases,
        passes=tuple(
            replace(made, results=tuple(r for r in made.results if r.case in kept))
            for made in run.passes
        ),
    )


def verdict_of(suite: str, run: Run, whole: Verdict, baselines: Sequence[Baseline]) -> Verdict:
    """What ``whole``, the verdict on ``run``, says of ``suite``.

    Nothing is judged again: p values stay corrected for all comparisons of the run.
    """
    part = run_of(suite, run)
    kept = {case.id for case in part.cases}
    return sum_up(
        part,
        tuple(v for v in whole.targets if _is_about(v, suite, kept)),
        tuple(change for change in whole.changes if change.case in kept),
        [baseline for baseline in baselines if baseline.suite == suite],
    )


def _is_about(found: TargetVerdict, suite: str, cases: set[str]) -> bool:
    """A target belongs to the suite that answers it, else to the one it is named after."""
    if found.case is not None:
        return found.case in cases
    return found.target.id.partition("/")[0] == suite
