"""The metric of a case to look at first: the one with the worst verdict."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from veperf.core.case import Case
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.nearest_names import nearest_names
from veperf.core.run import Run
from veperf.core.text import format_percent, join_words
from veperf.core.verdict import Verdict
from veperf.report.case_summary import MeasuredMetric, summarise_cases
from veperf.report.tables import status
from veperf.report.tables.status import Mark, change_mark, target_mark

_STEADY = Mark("nothing of note", "quiet", 9)


@dataclass(frozen=True, slots=True)
class Focus:
    """A metric of a case, and the reason to look at it."""

    case: Case
    metric: str
    mark: Mark
    why: str

    @property
    def is_calm(self) -> bool:
        """Return whether it passes or was not judged."""
        return self.mark.tone in ("pass", "quiet")


def rank_focuses(run: Run, verdict: Verdict) -> tuple[Focus, ...]:
    """Return each metric of each case, the worst first: failures, then slower, then missed.

    Those that pass follow, ordered by the spread of their process values.
    """
    worst: dict[tuple[str, str], Focus] = {}
    for f in sorted(_judged(run, verdict), key=lambda focus: focus.mark.urgency):
        worst.setdefault((f.case.id, f.metric), f)
    urgent = [focus for focus in worst.values() if not focus.is_calm]
    calm = [
        (spread, _calm(worst.get(key), m, spread))
        for m in summarise_cases(run)
        if (key := (m.series.case, m.series.metric)) not in worst or worst[key].is_calm
        for spread in [_spread(m)]
    ]
    calm.sort(key=lambda pair: -pair[0])
    return (*urgent, *(focus for _, focus in calm))


def focus_on(run: Run, verdict: Verdict, benchmark: str = "", metric: str = "") -> Focus:
    """Return the worst metric of the case ``benchmark``, or of the whole run.

    ``metric`` selects a metric in place of the worst.

    Raises:
        UnknownBenchmarkError: the run has no such case.
        UsageError: the case has no such metric, or the run no case at all.
    """
    if not run.cases:
        raise UsageError(f"run {run.id} has no benchmark to investigate")
    cases = {case.id: case for case in run.cases}
    if benchmark and benchmark not in cases:
        close = nearest_names(benchmark, cases)
        hint = f"did you mean {join_words(close)}?" if close else "see its summary()"
        raise UnknownBenchmarkError(f"run {run.id} has no benchmark {benchmark!r}; {hint}")
    fitting = [
        focus
        for focus in rank_focuses(run, verdict)
        if benchmark in ("", focus.case.id) and metric in ("", focus.metric)
    ]
    if not fitting:
        names = join_words(m.name for m in cases[benchmark].metrics) if benchmark else "others"
        raise UsageError(
            f"there is no metric {metric!r} of {benchmark or run.id}; there is {names}"
        )
    first = fitting[0]
    if benchmark and first.is_calm:
        main = _main(first.case)
        return next((focus for focus in fitting if focus.metric == main), first)
    return first


def _judged(run: Run, verdict: Verdict) -> Iterator[Focus]:
    """Yield failures, then changes, then targets, each kind with the largest first.

    A slowdown is news, whereas a target may have been missed for long.
    """
    cases = {case.id: case for case in run.cases}
    for id, failure in verdict.failures.items():
        why = f"{status.describe_failure(failure)}: {failure.message}"
        yield Focus(cases[id], _main(cases[id]), status.failure_mark(failure), why)
    for change in sorted(verdict.changes, key=lambda change: -(change.ratio or 0.0)):
        if change.base is not None:
            mark = change_mark(change)
            yield Focus(cases[change.case], change.metric, mark, change.reason)
    for target in sorted(verdict.targets, key=lambda target: -(target.over or 0.0)):
        if target.case is not None:
            case, mark = cases[target.case], target_mark(target)
            answers = [m for m, id in case.targets.items() if id == target.target.id]
            yield Focus(case, _measured(case, answers), mark, target.reason)


def _calm(judged: Focus | None, metric: MeasuredMetric, spread: float) -> Focus:
    difference = f"its processes differ by {format_percent(spread)}" if spread else ""
    if judged is None:
        return Focus(metric.case, metric.series.metric, _STEADY, difference)
    return replace(judged, why="; ".join(filter(None, [judged.why, difference])))


def _spread(metric: MeasuredMetric) -> float:
    spread = metric.spread or 0.0
    return spread if math.isfinite(spread) else 0.0


def _main(case: Case) -> str:
    """Return the metric that a case is judged by, else its first."""
    return _measured(case, case.targets)


def _measured(case: Case, metrics: Iterable[str]) -> str:
    """Return the first of ``metrics`` that the case has, else its first."""
    names = [metric.name for metric in case.metrics]
    return next((metric for metric in metrics if metric in names), names[0])
