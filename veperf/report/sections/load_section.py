"""The load section: sustained rate, latency, shards and CPU time by stage."""

import re
from collections.abc import Iterable, Sequence

from veperf.core.escape import as_html
from veperf.core.load import GENERATOR
from veperf.core.sustained_rate import Confirmations
from veperf.core.target import Target
from veperf.core.text import (
    MISSING,
    as_sentence,
    format_exact,
    format_interval,
    format_limit_distance,
    format_percent,
    format_quantity,
    join_words,
    plural,
)
from veperf.core.verdict import TargetVerdict, Verdict
from veperf.report.case_summary import estimate_text
from veperf.report.charts import load_charts
from veperf.report.charts.stages import STAGES_KEY, describe_shares, waterfall_chart
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.load_summary import LoadSummary, default_cases
from veperf.report.sections.overload_section import kinds_sections, overload_sections
from veperf.report.tables import load_tables
from veperf.report.tables.load_tables import describe_shards, format_figure, shards_table
from veperf.report.tables.status import target_mark
from veperf.report.tables.table import text_table

SHARDS_KEY = (
    "Clock offset: the remote system's time of day minus the shard's; it enters no figure. Drift: "
    "how much the remote system's clock gained on the shard's during the load. Waited: the share "
    "of the time for which the shard's threads waited for a CPU that others had."
)


def shards_section(load: LoadSummary) -> Fragment:
    """Return the shards of a load in a sentence and a table."""
    content = shards_table(load)
    sentence = describe_shards(load)
    html = (
        f"<h3>Where the load came from: {as_html(load.case.id)}</h3>"
        + markup.paragraph(sentence)
        + markup.html_table(content)
        + markup.paragraph(SHARDS_KEY)
    )
    return Fragment(html, f"{sentence}\n{text_table(content)}")


NOTHING = "No case of this run is a load."
_TRIALS_KEY = (
    "A row for each process: ● met, ✕ missed, ○ void, │ the sustained rate: that at which two "
    "loads of full length held, each in a fresh process, of three at most."
)
_RATES_KEY = "Both axes are logarithmic; horizontal dashed lines are limits."
_LOADS = (
    "Load runs. Percentiles cover all processes together; a target is judged by the median of the "
    "processes' percentiles."
)
_JUDGED = ("latency_p50", "latency_p95", "latency_p99", "latency_p999")


def load_section(
    loads: Sequence[LoadSummary], verdict: Verdict, links: Links = NO_LINKS
) -> Fragment:
    """Return sustained rates, latency by rate, latency distributions, shards and stages."""
    if not loads:
        return markup.nothing_fragment(NOTHING)
    searches = [load for load in loads if load.is_search]
    fixed_rate = [load for load in loads if not load.is_search]
    defaults = default_cases(fixed_rate)
    parts = [
        *(sustained_rate_section(load, verdict) for load in searches),
        *([latency_by_rate_section(fixed_rate, verdict, links)] if fixed_rate else []),
        *overload_sections(fixed_rate),
        *(latency_section(load, verdict) for load in defaults if load.percentiles),
        *kinds_sections(fixed_rate),
        *(shards_section(load) for load in loads if load.shards),
        *(
            load_stages_section(load)
            for load in defaults or default_cases(searches)
            if load.stages()
        ),
    ]
    return markup.join_fragments(parts)


def sustained_rate_section(load: LoadSummary, verdict: Verdict) -> Fragment:
    """Return the sustained rate against its target, with the trials as a chart and a table."""
    rate, target_verdict = load.figure("throughput"), _target_verdict(load, "throughput", verdict)
    target = target_verdict.target if target_verdict else None
    value = estimate_text(rate, load.rate_unit)
    processes = plural(len(load.counted), "process", "processes")
    interval = "no process sustained a rate"
    if rate:
        sure = f"{format_percent(rate.confidence)} sure"
        interval = f"{format_interval(rate.low, rate.high, load.rate_unit)}, {sure}, {processes}"
    if confirmed := load.confirmations:
        interval = confirmed.describe(load.rate_unit)
    badge = (
        markup.badge(target_mark(target_verdict))
        if target_verdict and target_verdict.case == load.case.id
        else ""
    )
    sentences = " ".join(
        [
            *(_target_sentences(rate.value, target) if rate and target else ()),
            *(_limit_sentences(confirmed, load) if confirmed else ()),
        ]
    )
    content = load_tables.trials_table(load)
    picture = load_charts.trials_chart(
        load, target, f"Rates tried by {load.case.id}; it sustains {value}"
    )
    html = (
        "<h3>What rate does it sustain?</h3>"
        + _invalid_warning(load)
        + f'<p class="vp-value"><b>{as_html(value)}</b> '
        f"<span>{as_html(interval)}</span> {badge}</p>"
        + markup.paragraph(f"{load.case.what} {sentences}")
        + markup.figure(picture, _TRIALS_KEY)
        + markup.folded(plural(len(content.rows), "trial"), markup.compact_table(content))
    )
    lines = [f"{load.case.id} sustains {value} ({interval}). {sentences}", describe_invalid(load)]
    return Fragment(html, "\n".join([*filter(None, lines), text_table(content)]))


def latency_by_rate_section(
    loads: Sequence[LoadSummary], verdict: Verdict, links: Links
) -> Fragment:
    """Return latency against offered rate: a chart for each benchmark, all cases in a table."""
    content = load_tables.loads_table(loads, _LOADS)
    figures = ""
    for benchmark in dict.fromkeys(load.case.benchmark for load in loads):
        curve = _curve([load for load in loads if load.case.benchmark == benchmark])
        if len(curve) > 1:
            limits = _limits(curve[0], verdict)
            picture = load_charts.latency_by_rate_chart(
                curve, limits, _describe_curve(benchmark, curve), links
            )
            rings = " ○ a void load." if any(load.invalid for load in curve) else ""
            figures += markup.figure(picture, f"{benchmark}. {_RATES_KEY}{rings}")
    html = (
        "<h3>Latency against offered rate</h3>"
        + "".join(_invalid_warning(load) for load in loads)
        + figures
        + markup.html_table(content)
    )
    lines = [*filter(None, map(describe_invalid, loads)), text_table(content)]
    return Fragment(html, "\n".join(lines))


def latency_section(load: LoadSummary, verdict: Verdict) -> Fragment:
    """Return the latency distribution of a load, in words and two charts."""
    limits = _limits(load, verdict)
    sentences = " ".join([*_latency_sentences(load), *_generator_sentences(load)])
    percentiles = {
        name: load_tables.load_percentile(load, m) for m, name in load_tables.PERCENTILES[:3]
    }
    curve = load_charts.percentiles_chart(
        load.latencies, limits, f"{load.case.id}: latency percentiles. {sentences}"
    )
    bins = load_charts.latency_histogram(
        load.latencies,
        {name: value for name, value in percentiles.items() if value},
        f"{load.case.id}: latency histogram",
    )
    html = (
        f"<h3>Latency: {as_html(load.case.id)}</h3>"
        + _invalid_warning(load)
        + markup.paragraph(sentences)
        + '<div class="vp-cards">'
        + markup.figure(curve, "The share of all items that took no longer.")
        + markup.figure(bins, "The distribution of latencies.")
        + "</div>"
    )
    return Fragment(html, f"{load.case.id}: {sentences}")


def load_stages_section(load: LoadSummary) -> Fragment:
    """Return the CPU time by stage, and the rate that it allows on one core."""
    times = load.stages()
    total = sum(times.values())
    item = load.rate_unit.partition("/")[0]
    most = format_quantity(1e6 / total, load.rate_unit) if total else MISSING
    sentence = (
        f"{format_quantity(total, 'us')} of CPU time for one {item} in all processes: a core that "
        f"does nothing else reaches {most} at most."
    )
    picture = waterfall_chart(times, f"{load.case.id}: CPU time by stage: {describe_shares(times)}")
    html = (
        f"<h3>Where the CPU time goes: {as_html(load.case.id)}</h3>"
        + ("" if load.valid else _invalid_warning(load))
        + markup.paragraph(sentence)
        + markup.figure(picture, STAGES_KEY)
    )
    return Fragment(html, f"{sentence} {describe_shares(times)}.")


def describe_invalid(load: LoadSummary) -> str:
    """Return a sentence on the processes that did not offer the load as planned, if any."""
    if not load.invalid:
        return ""
    reasons = _without_likes(r.failure.message for _, r in load.invalid if r.failure)
    if load.valid:
        which = f"process {join_words(str(number) for number, _ in load.invalid)}"
        which, consequence = f"{which} of {len(load.processes)}", "The others count."
    else:
        which = "every process"
        consequence = "These figures say nothing about the system."
    return f"{load.case.id}: void in {which}, because {join_words(reasons)}. {consequence}"


def _without_likes(reasons: Iterable[str]) -> list[str]:
    """Return ``reasons``, the first alone of those that differ in nothing but their numbers."""
    alike: dict[str, dict[str, None]] = {}
    for reason in reasons:
        alike.setdefault(re.sub(r"[\d.,]+", "", reason), {})[reason] = None
    return [f"{first} (elsewhere alike)" if others else first for first, *others in alike.values()]


def _invalid_warning(load: LoadSummary) -> str:
    warnings = [describe_invalid(load)]
    if load.unreadable:
        count = plural(load.unreadable, "process", "processes")
        warnings.append(f"{load.case.id}: the latencies of {count} can't be read and are left out.")
    body = "".join(markup.paragraph(line) for line in warnings if line)
    return (
        f'<div class="vp-failure">{markup.badge(load_tables.load_mark(load))}{body}</div>'
        if body
        else ""
    )


def _target_verdict(load: LoadSummary, metric: str, verdict: Verdict) -> TargetVerdict | None:
    """Return the verdict on the case's target for a metric, or else on its suite's."""
    id = load.case.targets.get(metric, f"{load.case.suite}/{metric}")
    verdicts = [v for v in verdict.targets if v.target.id == id]
    own_verdicts = [v for v in verdicts if v.case == load.case.id]
    return next(iter(own_verdicts or verdicts), None)


def _limits(load: LoadSummary, verdict: Verdict) -> dict[str, Target]:
    """Return the targets of latency percentiles in ms, by metric."""
    verdicts = {metric: _target_verdict(load, metric, verdict) for metric in _JUDGED}
    return {m: v.target for m, v in verdicts.items() if v is not None and v.target.unit == "ms"}


def _target_sentences(rate: float, target: Target) -> Iterable[str]:
    limit = format_exact(target.limit, target.unit)
    distance = format_limit_distance((target.limit - rate) / target.limit, "higher")
    yield as_sentence(f"{distance} of {limit}")
    if target.target:
        goal = format_exact(target.target, target.unit)
        yield f"{format_percent(rate / target.target)} of the goal of {goal}."


def _limit_sentences(confirmed: Confirmations, load: LoadSummary) -> Iterable[str]:
    """Yield sentences on what keeps the system from more."""
    if confirmed.capacities:
        capacity = format_figure(load, "capacity")
        where = f", where {_describe_culprit(confirmed.bottleneck)}" if confirmed.bottleneck else ""
        yield f"A backlog is drained at {capacity}{where}."
    if confirmed.gave_out:
        yield as_sentence(
            f"At the lowest rate that missed, {_describe_culprit(confirmed.gave_out)}"
        )


def _describe_culprit(stage: str) -> str:
    if stage == GENERATOR:
        return "the load generator gave out"
    return f"the stage {stage} has the largest share of the CPU time"


def _curve(cases: Sequence[LoadSummary]) -> list[LoadSummary]:
    """Return the cases that differ from the first in their rate only, by ascending rate."""
    others = [{k: v for k, v in case.case.params.items() if k != "rate"} for case in cases]
    chosen = [c for c, o in zip(cases, others, strict=True) if o == others[0] and c.rate]
    return sorted(chosen, key=lambda load: load.rate or 0.0)


def _describe_curve(benchmark: str, curve: Sequence[LoadSummary]) -> str:
    points = [
        f"{format_quantity(load_tables.load_percentile(load, 'latency_p99'), 'ms')} at "
        f"{format_exact(load.rate, load.rate_unit)}"
        for load in curve
    ]
    return f"{benchmark}: p99 by offered rate: {join_words(points)}"


def _latency_sentences(load: LoadSummary) -> Iterable[str]:
    latency = load.percentiles
    if latency is None:
        return
    processes = plural(len(load.counted), "process", "processes")
    yield (
        f"{load.latencies.count:,} items in {processes}: p50 {_ms(latency.p50)}, p95 "
        f"{_ms(latency.p95)}, p99 {_ms(latency.p99)}, maximum {_ms(latency.max)}."
    )


def _generator_sentences(load: LoadSummary) -> Iterable[str]:
    """Yield sentences on the rates, the generator's lag and the errors."""
    offered, achieved, lag = (
        load_tables.format_figure(load, metric) for metric in ("offered", "achieved", "lag_p99")
    )
    yield f"Offered {offered}, achieved {achieved}."
    yield f"The generator's lag (p99) was {lag}, which the latencies include."
    if (contention := load.contention) is not None:
        yield (
            f"Others had {format_percent(contention.others_ratio)} of the machine's CPU time, and "
            f"the system's threads waited {format_percent(contention.taken_ratio)} of the time for "
            "a CPU that others had."
        )
    errors = load.figure("error_rate")
    if errors is not None:
        rate = format_quantity(errors.value, load.unit("error_rate"))
        yield "No errors." if errors.value == 0 else f"Errors: {rate} of valid items."


def _ms(value: float) -> str:
    return format_quantity(value, "ms")
