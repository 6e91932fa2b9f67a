"""Benchmark cards: the value and picture first, details below."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from veperf.core.baseline import Baseline
from veperf.core.escape import as_html
from veperf.core.run import Run
from veperf.core.text import (
    TIMES,
    as_sentence,
    format_change_interval,
    format_interval,
    format_metric_effect,
    format_percent,
    format_quantity,
    plural,
)
from veperf.core.verdict import Change, ChangeStatus, TargetVerdict, Verdict
from veperf.report.case_history import History
from veperf.report.case_summary import MeasuredMetric, estimate_text, median_estimate
from veperf.report.charts import strip
from veperf.report.charts.sparkline import sparkline
from veperf.report.charts.strip import Kind, StripRow
from veperf.report.html import markup
from veperf.report.html.links import anchor
from veperf.report.load_summary import LoadSummary
from veperf.report.tables import status
from veperf.report.tables.load_tables import PERCENTILES, format_figure, load_mark
from veperf.report.tables.status import Mark, target_mark
from veperf.stats.hodges_lehmann import Estimate
from veperf.verdicts.baseline import match_baselines

_CALM = 9
_MOST_PICTURES = 60


@dataclass(frozen=True, slots=True)
class BenchmarkCard:
    """The content of a card, from top to bottom."""

    name: str
    what: str
    value: str
    interval: str
    """The interval of the value, in smaller print beside it."""
    marks: Sequence[Mark]
    picture: str
    """Trusted SVG."""
    sentences: Sequence[str]
    facts: Sequence[tuple[str, str]]
    anchor: str = ""
    """The element's id, unique on its page."""
    level: str = ""
    """The level of its case, to filter by."""
    trend: str = ""
    """Trusted SVG: the same benchmark in earlier runs."""
    code: str = ""
    """The benchmark's source."""

    @property
    def urgency(self) -> int:
        """The sort key: those that need attention come first."""
        return min((m.urgency for m in self.marks if m.tone in ("fail", "warn")), default=_CALM)


def card_grid(cards: Iterable[BenchmarkCard]) -> str:
    """Return the cards side by side, those that need attention first.

    Those beyond the first 60 have their values and verdicts alone, so that a page stays small.
    """
    ordered = sorted(cards, key=lambda card: card.urgency)
    brief = [
        replace(card, picture="", trend="", facts=(), code="") for card in ordered[_MOST_PICTURES:]
    ]
    html = "".join(map(_card_html, [*ordered[:_MOST_PICTURES], *brief]))
    note = f"Of {len(ordered)} benchmarks these {_MOST_PICTURES} have pictures: the most urgent."
    return f'<div class="vp-cards">{html}</div>' + (markup.paragraph(note) if brief else "")


def _card_html(card: BenchmarkCard) -> str:
    badges = " ".join(map(markup.badge, card.marks))
    id = f' id="{as_html(card.anchor)}"' if card.anchor else ""
    level = f" data-level={as_html(card.level)}" if card.level else ""
    return (
        f'<article class="vp-card"{id}{level}><h3>{as_html(card.name)}</h3>'
        f'<p class="vp-what">{as_html(card.what)}</p>'
        f'<p class="vp-value"><b>{as_html(card.value)}</b> '
        f"<span>{as_html(card.interval)}</span> {badges}</p>"
        + card.picture
        + (f'<p class="vp-trend">before {card.trend}</p>' if card.trend else "")
        + (markup.paragraph(" ".join(card.sentences)) if card.sentences else "")
        + markup.definitions(card.facts)
        + (markup.source_listing(card.code) if card.code else "")
        + "</article>"
    )


def benchmark_cards(
    run: Run,
    verdict: Verdict,
    measured: Iterable[MeasuredMetric],
    baselines: Sequence[Baseline],
    bounds: Mapping[tuple[str, str], Estimate],
    history: History,
) -> list[BenchmarkCard]:
    """Return a card for each of ``measured``.

    ``bounds`` are the lower bounds, in the unit of each case's metric.
    """
    targets = {(v.case, v.target.id): v for v in verdict.targets}
    changes = {(c.case, c.metric): c for c in verdict.changes}
    recorded = _recorded(run, verdict, baselines)
    cards: list[BenchmarkCard] = []
    for metric in measured:
        key = metric.series.case, metric.series.metric
        target = targets.get((metric.case.id, metric.case.targets.get(metric.series.metric, "")))
        change = changes.get(key)
        marks = _marks(target, change, failed=metric.case.id in verdict.failures)
        card = _card(metric, target, change, recorded.get(key, []), bounds.get(key), marks)
        earlier, unit = history.get(key, ()), metric.series.unit
        trend = sparkline(earlier, metric.estimate.value, unit) if metric.estimate else ""
        is_default = metric.case.id == metric.case.benchmark
        code = run.code.get(metric.case.benchmark, "") if is_default else ""
        cards.append(replace(card, trend=trend, code=code))
    return cards


def _recorded(
    run: Run, verdict: Verdict, baselines: Sequence[Baseline]
) -> Mapping[tuple[str, str], list[float]]:
    """Return the baseline's values by case and metric, in the clock used for comparing."""
    best = match_baselines(run, baselines)
    values_by_metric: dict[tuple[str, str], list[float]] = {}
    for change in verdict.changes:
        key = change.case, change.metric, change.unit
        if key in best and change.status is not ChangeStatus.OTHER_MACHINE:
            series = best[key][1]
            values = series.cpu if change.clock == "cpu" else series.wall
            values_by_metric[change.case, change.metric] = list(values)
    return values_by_metric


def _marks(target: TargetVerdict | None, change: Change | None, *, failed: bool) -> list[Mark]:
    marks = [status.FAILED] if failed else []
    if target is not None:
        marks.append(target_mark(target))
    if change is not None and change.base is not None:
        marks.append(status.change_mark(change))
    return marks


def _card(
    metric: MeasuredMetric,
    target: TargetVerdict | None,
    change: Change | None,
    recorded: list[float],
    bound: Estimate | None,
    marks: Sequence[Mark],
) -> BenchmarkCard:
    unit, estimate = metric.series.unit, metric.estimate
    interval = _interval(estimate, unit) if estimate else "no value"
    sentences = _sentences(target, change)
    if bound is not None:
        interval += f"; lower bound {format_quantity(bound.value, unit)}"
        if estimate is not None and estimate.value:
            share = format_percent(bound.value / estimate.value)
            sentences.append(f"The lower bound, {metric.case.lower_bound} alone, is {share} of it.")
    return BenchmarkCard(
        name=metric.name,
        what=metric.case.what,
        value=estimate_text(estimate, unit),
        interval=interval,
        marks=marks,
        picture=_picture(metric, target, change, recorded),
        sentences=sentences,
        facts=_facts(metric),
        anchor=anchor(metric.name),
        level=metric.case.level.value,
    )


def _interval(estimate: Estimate, unit: str) -> str:
    interval = format_interval(estimate.low, estimate.high, unit)
    return f"{interval}, {format_percent(estimate.confidence)} sure"


def _picture(
    metric: MeasuredMetric,
    target: TargetVerdict | None,
    change: Change | None,
    recorded: list[float],
) -> str:
    clock = change.clock if change is not None and recorded else metric.series.clock
    rows = [_strip_row("baseline", "base", recorded)] if recorded else []
    rows.append(_strip_row("this run", "new", metric.series.by_clock(clock).tolist()))
    alt = f"{metric.name}: a dot for each of {plural(metric.series.n, 'process', 'processes')}"
    return strip.strip_plot(
        rows,
        quantity=metric.series.metric,
        unit=metric.series.unit,
        limit=_limit(metric, target),
        alt=alt,
    )


def _limit(metric: MeasuredMetric, target: TargetVerdict | None) -> float | None:
    """Return the target's limit in the unit of the series, from the value in both units."""
    if target is None or not target.value or not target.target.limit or metric.estimate is None:
        return None
    share = target.value / target.target.limit
    per_second = metric.series.better not in (target.target.better, "unknown")
    return metric.estimate.value * share if per_second else metric.estimate.value / share


def _strip_row(label: str, kind: Kind, values: list[float]) -> StripRow:
    estimate = median_estimate(values)
    if estimate is None:
        return StripRow(label, kind, values, None, None, None)
    return StripRow(label, kind, values, estimate.value, estimate.low, estimate.high)


def _sentences(target: TargetVerdict | None, change: Change | None) -> list[str]:
    sentences: list[str] = []
    if target is not None and target.over is not None:
        sentences.append(as_sentence(target.distance))
    if change is not None and change.ratio is not None:
        effect = format_metric_effect(change.ratio, change.metric, change.better)
        than = "from" if effect == "no different" else "than"
        interval = format_change_interval(change.low, change.high)
        sentences.append(f"{as_sentence(f'{effect} {than} the baseline')[:-1]} ({interval}).")
    return sentences


def _facts(metric: MeasuredMetric) -> list[tuple[str, str]]:
    series = metric.series
    facts = [("Processes", str(series.n) + (f" ({series.failed} failed)" if series.failed else ""))]
    if series.metric == "time":
        calls = f"{series.loops:,}"
        if series.operations > 1:
            calls += f" {TIMES} {series.operations:,}"
        facts += [
            ("Typical", format_quantity(series.wall_median, series.unit)),
            ("p99", format_quantity(series.wall_p99, series.unit)),
            ("Clock", "CPU time" if series.clock == "cpu" else "wall time"),
            ("Calls a sample", calls),
        ]
    if metric.spread is not None:
        facts.append(("Spread", format_percent(metric.spread)))
    return facts


LOAD_FIGURES = {
    "offered": "Offered",
    "achieved": "Achieved",
    **dict(PERCENTILES),
    "error_rate": "Errors",
    "lag_p99": "Lag",
}
"""Figures of a load by metric, as cards and rows name them."""


def load_card(load: LoadSummary, verdict: Verdict) -> BenchmarkCard:
    """Return a card with the most important figure of a load case, the others below it."""
    verdicts = {
        metric: target_verdict
        for metric, id in load.case.targets.items()
        for target_verdict in verdict.targets
        if (target_verdict.case, target_verdict.target.id) == (load.case.id, id)
    }
    main = _main_metric(load)
    name = LOAD_FIGURES.get(main, main)
    estimate = load.figure(main)
    interval = _interval(estimate, load.unit(main)) if estimate else "no value"
    return BenchmarkCard(
        name=load.case.id,
        what=load.case.what,
        value=estimate_text(estimate, load.unit(main)),
        interval=f"{name}, {interval}",
        marks=_load_marks(load, verdicts),
        picture=_load_picture(load, main, verdicts.get(main)),
        sentences=[],
        facts=[
            *(
                (label, format_figure(load, metric))
                for metric, label in LOAD_FIGURES.items()
                if metric != main and load.figure(metric) is not None
            ),
            ("Processes", f"{load.valid} of {len(load.processes)} valid"),
        ],
        anchor=anchor(load.case.id),
        level=load.case.level.value,
    )


def _main_metric(load: LoadSummary) -> str:
    if load.is_search:
        return "throughput"
    metrics_with_target = [
        metric.name for metric in load.case.metrics if metric.name in load.case.targets
    ]
    return next(iter(metrics_with_target), "latency_p99")


def _load_marks(load: LoadSummary, verdicts: Mapping[str, TargetVerdict]) -> list[Mark]:
    """Return the validity unless all is valid, and a mark for each target."""
    marks = [target_mark(target_verdict) for target_verdict in verdicts.values()]
    if len(marks) > 1:
        names = [LOAD_FIGURES.get(metric, metric) for metric in verdicts]
        marks = [
            replace(mark, word=f"{name} {mark.word}")
            for name, mark in zip(names, marks, strict=True)
        ]
    validity = load_mark(load)
    return marks if validity.tone == "pass" else [validity, *marks]


def _load_picture(load: LoadSummary, metric: str, target_verdict: TargetVerdict | None) -> str:
    values = [r.figures[metric] for r in load.counted if metric in r.figures]
    if not (estimate := load.figure(metric)):
        return ""
    row = StripRow("this run", "new", values, estimate.value, estimate.low, estimate.high)
    limit = target_verdict.target.limit if target_verdict else None
    processes = plural(len(values), "process", "processes")
    alt = f"{load.case.id}, {LOAD_FIGURES.get(metric, metric)}: a dot for each of {processes}"
    return strip.strip_plot([row], quantity=metric, unit=load.unit(metric), limit=limit, alt=alt)
