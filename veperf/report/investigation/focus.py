"""What to look at first: the metric of a case that a verdict says the worst of."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from veperf.core import number_format
from veperf.core.case import Case
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.run import Run
from veperf.core.verdict import Verdict
from veperf.report.case_summary import Measured, summarise
from veperf.report.tables import result_tables, status
from veperf.report.tables.status import Mark

_STEADY = Mark("nothing of note", "quiet", 9)


@dataclass(frozen=True, slots=True)
class Focus:
    """A metric of a case, and why it is worth a look."""

    case: Case
    metric: str
    mark: Mark
    why: str

    @property
    def is_calm(self) -> bool:
        """Whether nothing is said against it."""
        return self.mark.tone in ("pass", "quiet")


def ranked(run: Run, verdict: Verdict) -> tuple[Focus, ...]:
    """Each metric of each case, the worst first: what failed, then what was missed or slower.

    After these, what nothing is said against, in the order of how much its processes differ.
    """
    said: dict[tuple[str, str], Focus] = {}
    for one in sorted(_judged(run, verdict), key=lambda one: one.mark.urgency):
        said.setdefault((one.case.id, one.metric), one)
    urgent = [one for one in said.values() if not one.is_calm]
    calm = [
        (spread, _calm(said.get(key), m, spread))
        for m in summarise(run)
        if (key := (m.series.case, m.series.metric)) not in said or said[key].is_calm
        for spread in [_spread(m)]
    ]
    calm.sort(key=lambda pair: -pair[0])
    return (*urgent, *(one for _, one in calm))


def focus_on(run: Run, verdict: Verdict, benchmark: str = "", metric: str = "") -> Focus:
    """The worst of the case ``benchmark``, or of its ``metric``; of the whole run without either.

    Raises:
        UnknownBenchmarkError: the run has no such case.
        UsageError: the case has no such metric, or the run no case at all.
    """
    if not run.cases:
        raise UsageError(f"run {run.id} has no benchmark to look at")
    cases = {case.id: case for case in run.cases}
    if benchmark and benchmark not in cases:
        close = get_close_matches(benchmark, cases, n=3)
        hint = f"did you mean {number_format.listed(close)}?" if close else "see its summary()"
        raise UnknownBenchmarkError(f"run {run.id} has no benchmark {benchmark!r}; {hint}")
    fitting = [
        one
        for one in ranked(run, verdict)
        if benchmark in ("", one.case.id) and metric in ("", one.metric)
    ]
    if not fitting:
        names = (
            number_format.listed(m.name for m in cases[benchmark].metrics)
            if benchmark
            else "others"
        )
        raise UsageError(
            f"there is no metric {metric!r} of {benchmark or run.id}; there is {names}"
        )
    first = fitting[0]
    if benchmark and first.is_calm:
        main = _main(first.case)
        return next((one for one in fitting if one.metric == main), first)
    return first


def _judged(run: Run, verdict: Verdict) -> Iterator[Focus]:
    """Failures, then changes, then targets, each kind with the largest first.

    A slowdown is news, a target may have been missed for ever.
    """
    cases = {case.id: case for case in run.cases}
    for id, failure in verdict.failures.items():
        why = f"{status.failed(failure)}: {failure.message}"
        yield Focus(cases[id], _main(cases[id]), status.of_failure(failure), why)
    for change in sorted(verdict.changes, key=lambda change: -(change.ratio or 0.0)):
        if change.base is not None:
            mark = result_tables.change_mark(change)
            yield Focus(cases[change.case], change.metric, mark, change.reason)
    for target in sorted(verdict.targets, key=lambda target: -(target.over or 0.0)):
        if target.case is not None:
            case, mark = cases[target.case], result_tables.target_mark(target)
            metric = next((m for m, id in case.targets.items() if id == target.target.id), "")
            yield Focus(case, metric or _main(case), mark, target.reason)


def _calm(said: Focus | None, one: Measured, spread: float) -> Focus:
    differs = f"its processes differ by {number_format.share(spread)}" if spread else ""
    if said is None:
        return Focus(one.case, one.series.metric, _STEADY, differs)
    return replace(said, why="; ".join(filter(None, [said.why, differs])))


def _spread(one: Measured) -> float:
    values = one.series.values
    if one.estimate is None or not one.estimate.value:
        return 0.0
    spread = float(values.max() - values.min()) / abs(one.estimate.value)
    return spread if math.isfinite(spread) else 0.0


def _main(case: Case) -> str:
    """The metric that a case is judged by, else its first."""
    return next(iter(case.targets), case.metrics[0].name)
