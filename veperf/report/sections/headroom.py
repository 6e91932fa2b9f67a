"""The headroom of each target, and the lower bounds that no implementation can beat."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from veperf.core.case import Case
from veperf.core.escape import as_html
from veperf.core.text import format_exact, format_limit_distance, format_multiple, format_quantity
from veperf.core.verdict import TargetVerdict, Verdict
from veperf.report.case_summary import MeasuredMetric
from veperf.report.html.fragment import Fragment
from veperf.stats.hodges_lehmann import Estimate
from veperf.verdicts.targets import beyond_limit, in_unit_of

NOTHING = "No target was measured."
_TIMES = ("ns", "us", "ms", "s")


def headroom_section(verdicts: Iterable[TargetVerdict]) -> Fragment:
    """Return a sentence for each target that was measured, the tightest first."""
    measured = sorted((v for v in verdicts if v.value is not None), key=lambda v: -(v.over or 0))
    sentences = [headroom_sentence(v) for v in measured] or [NOTHING]
    items = "".join(f"<li>{as_html(line)}</li>" for line in sentences)
    return Fragment(f"<ul>{items}</ul>", "\n".join(sentences))


def headroom_sentence(verdict: TargetVerdict) -> str:
    """Return a sentence with the measured value, the limit, and the distance between them."""
    target, value = verdict.target, format_quantity(verdict.value, verdict.target.unit)
    at = "at most" if target.better == "lower" else "at least"
    limit = format_exact(target.limit, target.unit)
    return f"{target.id}: {value} ({at} {limit}), {_headroom(verdict)}."


def _headroom(verdict: TargetVerdict) -> str:
    """Return the headroom as a multiple where that is 2 or more, else as a share of the limit."""
    target, value = verdict.target, verdict.value or 0.0
    small, large = sorted((value, target.limit))
    if (verdict.over or 0) > 0 or small <= 0 or large < 2 * small:
        return format_limit_distance(verdict.over, target.better)
    better = "faster" if target.better == "lower" and target.unit in _TIMES else "better"
    return f"{format_multiple(large / small)} {better} than required"


def lower_bounds(measured: Iterable[MeasuredMetric]) -> dict[tuple[str, str], Estimate]:
    """Return by case and metric the estimate of the benchmark that is the case's lower bound."""
    by_name = {(metric.case.id, metric.series.metric): metric for metric in measured}
    bounds: dict[tuple[str, str], Estimate] = {}
    for key, metric in by_name.items():
        bound = by_name.get((metric.case.lower_bound, metric.series.metric))
        if bound is not None and bound.estimate and bound.series.unit == metric.series.unit:
            bounds[key] = bound.estimate
    return bounds


def with_lower_bounds(
    verdict: Verdict, cases: Iterable[Case], bounds: Mapping[tuple[str, str], Estimate]
) -> Verdict:
    """Return ``verdict`` with the lower bound in the reason of each missed target."""
    known = {case.id: case for case in cases}
    return replace(
        verdict,
        targets=tuple(
            _with_lower_bound(v, known.get(v.case or ""), bounds) for v in verdict.targets
        ),
    )


def _with_lower_bound(
    verdict: TargetVerdict, case: Case | None, bounds: Mapping[tuple[str, str], Estimate]
) -> TargetVerdict:
    if case is None or not case.lower_bound or verdict.over is None or verdict.over <= 0:
        return verdict
    target = verdict.target
    for metric in case.metrics:
        bound = bounds.get((case.id, metric.name))
        if case.targets.get(metric.name) == target.id and bound is not None:
            value = in_unit_of(target, metric.name, metric.unit, bound.value)
            distance = format_limit_distance(beyond_limit(value, target), target.better)
            bound_text = (
                f"{case.lower_bound} alone, takes {format_quantity(value, target.unit)}: {distance}"
            )
            return replace(verdict, reason=f"{verdict.reason}; its lower bound, {bound_text}")
    return verdict
