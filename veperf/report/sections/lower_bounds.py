"""What a benchmark can't do without: how fast it could be at best."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from veperf.core import number_format
from veperf.core.case import Case
from veperf.core.verdict import TargetVerdict, Verdict
from veperf.report.case_summary import Measured
from veperf.stats.hodges_lehmann import Estimate
from veperf.verdicts.targets import beyond_limit, in_unit_of


def floors(measured: Iterable[Measured]) -> dict[tuple[str, str], Estimate]:
    """By case and metric what the case's floor has for the same metric, in the same unit."""
    by_name = {(one.case.id, one.series.metric): one for one in measured}
    found: dict[tuple[str, str], Estimate] = {}
    for key, one in by_name.items():
        floor = by_name.get((one.case.floor, one.series.metric))
        if floor is not None and floor.estimate and floor.series.unit == one.series.unit:
            found[key] = floor.estimate
    return found


def explained(
    verdict: Verdict, cases: Iterable[Case], found: Mapping[tuple[str, str], Estimate]
) -> Verdict:
    """``verdict`` with the floor in the reason of each target that is missed."""
    known = {case.id: case for case in cases}
    return replace(
        verdict,
        targets=tuple(_explained(v, known.get(v.case or ""), found) for v in verdict.targets),
    )


def _explained(
    verdict: TargetVerdict, case: Case | None, found: Mapping[tuple[str, str], Estimate]
) -> TargetVerdict:
    if case is None or not case.floor or verdict.over is None or verdict.over <= 0:
        return verdict
    target = verdict.target
    for metric in case.metrics:
        floor = found.get((case.id, metric.name))
        if case.targets.get(metric.name) == target.id and floor is not None:
            value = in_unit_of(target, metric.name, metric.unit, floor.value)
            shown = number_format.quantity(value, target.unit)
            stands = number_format.beyond(beyond_limit(value, target), target.better)
            reason = f"{verdict.reason}; its floor, {case.floor} alone, takes {shown}: {stands}"
            return replace(verdict, reason=reason)
    return verdict
