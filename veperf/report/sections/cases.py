"""Each benchmark of a run by itself: its picture, its figures, and what they mean in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from veperf.core import number_format
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Change, ChangeStatus, TargetVerdict, Verdict
from veperf.report.case_history import History
from veperf.report.case_summary import Measured, estimate
from veperf.report.charts import strip
from veperf.report.charts.sparkline import sparkline
from veperf.report.charts.strip import Kind, Row
from veperf.report.html.links import anchor
from veperf.report.sections.card import Card
from veperf.report.tables import result_tables, status
from veperf.report.tables.status import Mark
from veperf.stats.hodges_lehmann import Estimate
from veperf.verdicts.baseline import matching


def cards(
    run: Run,
    verdict: Verdict,
    measured: Iterable[Measured],
    baselines: Sequence[Baseline],
    floors: Mapping[tuple[str, str], Estimate],
    history: History,
) -> list[Card]:
    """A card for each of ``measured``; ``floors`` are in the unit of each case's metric."""
    targets = {(v.case, v.target.id): v for v in verdict.targets}
    changes = {(c.case, c.metric): c for c in verdict.changes}
    recorded = _recorded(run, verdict, baselines)
    made: list[Card] = []
    for one in measured:
        key = one.series.case, one.series.metric
        target = targets.get((one.case.id, one.case.targets.get(one.series.metric, "")))
        change = changes.get(key)
        marks = _marks(target, change, failed=one.case.id in verdict.failures)
        card = _card(one, target, change, recorded.get(key, []), floors.get(key), marks)
        code = run.code.get(one.case.benchmark, "") if one.case.id == one.case.benchmark else ""
        made.append(replace(card, trend=_trend(one, history.get(key, ())), code=code))
    return made


def _trend(one: Measured, earlier: Sequence[float]) -> str:
    return sparkline(earlier, one.estimate.value) if one.estimate else ""


def _recorded(
    run: Run, verdict: Verdict, baselines: Sequence[Baseline]
) -> Mapping[tuple[str, str], list[float]]:
    """The baseline's values by case and metric, by the clock that the two were compared by."""
    best = matching(run, baselines)
    found: dict[tuple[str, str], list[float]] = {}
    for change in verdict.changes:
        key = change.case, change.metric, change.unit
        if key in best and change.status is not ChangeStatus.OTHER_MACHINE:
            series = best[key][1]
            values = series.cpu if change.clock == "cpu" else series.wall
            found[change.case, change.metric] = list(values)
    return found


def _marks(target: TargetVerdict | None, change: Change | None, *, failed: bool) -> list[Mark]:
    marks = [status.FAILED] if failed else []
    if target is not None:
        marks.append(result_tables.target_mark(target))
    if change is not None and change.base is not None:
        marks.append(status.of_change(change.status))
    return marks


def _card(
    one: Measured,
    target: TargetVerdict | None,
    change: Change | None,
    recorded: list[float],
    floor: Estimate | None,
    marks: Sequence[Mark],
) -> Card:
    unit, found = one.series.unit, one.estimate
    between = (
        f"{number_format.interval(found.low, found.high, unit)}, {number_format.share(found.confidence)} sure"
        if found
        else "no value"
    )
    said = _in_words(target, change)
    if floor is not None:
        between += f"; floor {number_format.quantity(floor.value, unit)}"
        said += _above_floor(one, floor)
    return Card(
        name=one.name,
        what=one.case.what,
        value=number_format.quantity(found.value if found else None, unit),
        between=between,
        marks=marks,
        picture=_picture(one, target, change, recorded),
        said=said,
        facts=_facts(one),
        anchor=anchor(one.name),
    )


def _above_floor(one: Measured, floor: Estimate) -> list[str]:
    if one.estimate is None or not one.estimate.value:
        return []
    share = number_format.share(floor.value / one.estimate.value)
    return [f"Its floor, {one.case.floor} alone, is {share} of that."]


def _picture(
    one: Measured, target: TargetVerdict | None, change: Change | None, recorded: list[float]
) -> str:
    clock = change.clock if change is not None and recorded else one.series.clock
    rows = [_row("baseline", "base", recorded)] if recorded else []
    rows.append(_row("this run", "new", one.series.on(clock).tolist()))
    alt = (
        f"{one.name}: a dot for each of {number_format.count(one.series.n, 'process', 'processes')}"
    )
    return strip.strip(rows, unit=one.series.unit, limit=_limit(one, target), alt=alt)


def _limit(one: Measured, target: TargetVerdict | None) -> float | None:
    """The target's limit in the unit of the series: the same value in both tells the factor."""
    if target is None or not target.value or not target.target.limit or one.estimate is None:
        return None
    share = target.value / target.target.limit
    per_second = target.target.better != one.series.better
    return one.estimate.value * share if per_second else one.estimate.value / share


def _row(label: str, kind: Kind, values: list[float]) -> Row:
    found = estimate(values)
    if found is None:
        return Row(label, kind, values, None, None, None)
    return Row(label, kind, values, found.value, found.low, found.high)


def _in_words(target: TargetVerdict | None, change: Change | None) -> list[str]:
    said: list[str] = []
    if target is not None and target.over is not None:
        limit = number_format.given(target.target.limit, target.target.unit)
        stands = number_format.beyond(target.over, target.target.better)
        said.append(f"{stands[0].upper()}{stands[1:]} of {limit}.")
    if change is not None and change.ratio is not None:
        between = number_format.change_interval(change.low, change.high)
        said.append(f"{_than_the_baseline(change)} ({between}).")
    return said


def _than_the_baseline(change: Change) -> str:
    found = number_format.effect(change.ratio, change.metric)
    return number_format.sentence(
        f"{found} {'from' if found == 'no different' else 'than'} the baseline"
    )[:-1]


def _facts(one: Measured) -> list[tuple[str, str]]:
    series, found = one.series, one.estimate
    facts = [("Processes", str(series.n) + (f" ({series.failed} failed)" if series.failed else ""))]
    if series.metric == "time":
        calls = f"{series.loops:,}"
        if series.operations > 1:
            calls += f" {number_format.TIMES} {series.operations:,}"
        facts += [
            ("Typical", number_format.quantity(series.wall_median, series.unit)),
            ("p99", number_format.quantity(series.wall_p99, series.unit)),
            ("Clock", "CPU time" if series.clock == "cpu" else "wall time"),
            ("Calls a sample", calls),
        ]
    if found is not None and found.value:
        values = series.values
        spread = float(values.max() - values.min()) / abs(found.value)
        facts.append(("Spread", number_format.share(spread)))
    return facts
