"""A table of every case of a suite, with its value, target, change and earlier runs."""

from collections.abc import Iterable, Mapping, Sequence

from veperf.core.baseline import Baseline
from veperf.core.run import Run
from veperf.core.text import (
    as_sentence,
    format_change,
    format_interval,
    format_quantity,
)
from veperf.core.verdict import Change, ChangeStatus, TargetVerdict, Verdict
from veperf.report.case_history import History
from veperf.report.case_summary import MeasuredMetric, estimate_text
from veperf.report.charts.sparkline import sparkline
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import Links
from veperf.report.load_summary import LoadSummary
from veperf.report.sections.cards import LOAD_FIGURES
from veperf.report.sections.packages import PackageSection
from veperf.report.tables import status
from veperf.report.tables.load_tables import load_mark, load_percentile
from veperf.report.tables.status import target_mark
from veperf.report.tables.table import Cell, Table, columns, drop_columns, text_table
from veperf.verdicts.verdict import verdict_of_suite

_COLUMNS = columns("Benchmark", ">Value", "Target", "Change", "Earlier runs")


def overview_table(
    timed: Iterable[MeasuredMetric],
    loads: Iterable[LoadSummary],
    verdict: Verdict,
    history: History,
    caption: str,
) -> Table:
    """Return a row for each case, in the run's order; empty columns are left out."""
    changes = {(c.case, c.metric): c for c in verdict.changes}
    targets: dict[str, list[TargetVerdict]] = {}
    for target_verdict in verdict.targets:
        targets.setdefault(target_verdict.case or "", []).append(target_verdict)
    rows = [
        _case_row(m, targets, changes.get((m.case.id, m.series.metric)), history) for m in timed
    ]
    rows += [_load_row(load, targets) for load in loads]
    content = Table(caption, _COLUMNS, tuple(rows), row_header=0)
    filled = {i for row in rows for i, c in enumerate(row) if c.text or c.mark or c.picture}
    return drop_columns(
        content, *(name for i, (name, _) in enumerate(_COLUMNS) if i > 1 and i not in filled)
    )


def _case_row(
    metric: MeasuredMetric,
    targets: Mapping[str, Sequence[TargetVerdict]],
    change: Change | None,
    history: History,
) -> tuple[Cell, ...]:
    estimate, unit = metric.estimate, metric.series.unit
    id = metric.case.targets.get(metric.series.metric)
    value = Cell("", mark=status.FAILED)
    trend = ""
    if estimate is not None:
        interval = format_interval(estimate.low, estimate.high, unit)
        value = Cell(format_quantity(estimate.value, unit), interval)
        # A curve has many points, which change as their benchmark does.
        if metric.case.id == metric.case.benchmark:
            earlier = history.get((metric.case.id, metric.series.metric), ())
            trend = sparkline(earlier, estimate.value, unit)
    return (
        Cell(metric.name, case=metric.case.id, level=metric.case.level.value),
        value,
        _targets([v for v in targets.get(metric.case.id, ()) if v.target.id == id]),
        _change(change),
        Cell("", picture=trend),
    )


def _load_row(
    load: LoadSummary, targets: Mapping[str, Sequence[TargetVerdict]]
) -> tuple[Cell, ...]:
    verdicts = targets.get(load.case.id, ())
    offered = estimate_text(load.figure("offered"), load.unit("offered"))
    value = Cell(
        f"p99 {format_quantity(load_percentile(load, 'latency_p99'), 'ms')}",
        load.rate_unit and f"at {offered}",
    )
    if load.is_search:
        value = Cell(estimate_text(load.figure("throughput"), load.rate_unit), value.text)
    elif verdicts and (worst := _worst(verdicts)).value is not None:
        figure = format_quantity(worst.value, worst.target.unit)
        value = Cell(f"{LOAD_FIGURES.get(worst.metric, worst.metric)} {figure}", value.note)
    if load_mark(load).tone != "pass":
        value = Cell(value.text, value.note, load_mark(load))
    return (
        Cell(load.case.id, case=load.case.id, level=load.case.level.value),
        value,
        _targets(verdicts),
        Cell(""),
        Cell(""),
    )


def _targets(verdicts: Sequence[TargetVerdict]) -> Cell:
    """Return a cell about the worst of the targets."""
    if not verdicts:
        return Cell("")
    worst = _worst(verdicts)
    return Cell("", worst.distance if worst.over is not None else "", target_mark(worst))


def _worst(verdicts: Sequence[TargetVerdict]) -> TargetVerdict:
    return min(verdicts, key=lambda v: (target_mark(v).urgency, -(v.over or 0)))


def _change(change: Change | None) -> Cell:
    if change is None or change.status is ChangeStatus.NO_BASELINE:
        return Cell("")
    return Cell("", format_change(change.ratio), status.change_mark(change))


def suite_sections(
    run: Run,
    verdict: Verdict,
    baselines: Sequence[Baseline],
    *,
    timed: Sequence[MeasuredMetric],
    loads: Sequence[LoadSummary],
    history: History,
) -> list[PackageSection]:
    """Return the verdict and the table of each suite, in the run's order."""
    sections = []
    for suite in dict.fromkeys(case.suite for case in run.cases):
        suite_verdict = verdict_of_suite(suite, run, verdict, baselines)
        content = overview_table(
            [metric for metric in timed if metric.case.suite == suite],
            [load for load in loads if load.case.suite == suite],
            suite_verdict,
            history,
            f"Every case of {suite}",
        )
        mark = status.outcome_mark(suite_verdict.decision.outcome)
        sentence = as_sentence(suite_verdict.decision.headline)
        sections.append(PackageSection(suite, mark, sentence, content))
    return sections


def overview_section(sections: Sequence[PackageSection], links: Links) -> Fragment:
    """Return a heading, the outcome and the table of each suite, one after the other.

    What is wrong stands at the top of the page, of each suite at the top of its own.
    """
    html = "".join(
        f"<h3>{markup.hyperlink(s.suite, links.pages.get(s.suite, ''))} {markup.badge(s.mark)}</h3>"
        f"{markup.html_table(s.table, links)}"
        for s in sections
    )
    return Fragment(html, overview_text(sections))


def overview_text(sections: Sequence[PackageSection]) -> str:
    """Return the verdict and the table of each suite as plain text."""
    return "\n\n".join(
        f"{s.suite}: {s.mark.word}: {s.sentence}\n{text_table(s.table)}" for s in sections
    )
