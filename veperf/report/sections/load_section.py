"""The load part of a report, in the order in which people ask."""

from collections.abc import Iterable, Sequence

from veperf.core import number_format
from veperf.core.escape import as_html
from veperf.core.verdict import Target, TargetVerdict, Verdict
from veperf.report import text
from veperf.report.charts import load_charts
from veperf.report.charts.stages import shares, waterfall
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.load_summary import Loaded, defaults
from veperf.report.sections.shards import shards
from veperf.report.tables import load_tables
from veperf.report.tables.result_tables import target_mark

NOTHING = "No case of this run puts a load on the system."
_TRIALS_KEY = (
    "A row a process: ● met, ✕ too much, ○ invalid, │ the rate that was found. What misses is "
    "tried a second time."
)
_RATES_KEY = "Both axes are logarithmic; dashed across: the limits."
_LOADS = (
    "Load runs. Percentiles are those of all processes together; a target is judged by the median "
    "of the processes' own."
)
_JUDGED = ("latency_p50", "latency_p95", "latency_p99", "latency_p999")


def load(found: Sequence[Loaded], verdict: Verdict) -> Fragment:
    """The rate sustained, latency by rate and in full, and where the CPU time goes."""
    if not found:
        return Fragment(markup.paragraph(NOTHING), NOTHING)
    searches = [one for one in found if one.is_search]
    loads = [one for one in found if not one.is_search]
    shown = defaults(loads)
    parts = [
        *(sustained(one, verdict) for one in searches),
        *([by_rate(loads, verdict)] if loads else []),
        *(distribution(one, verdict) for one in shown if one.percentiles),
        *(shards(one) for one in found if one.shards),
        *(stages(one) for one in shown or defaults(searches) if one.stages()),
    ]
    return Fragment("".join(p.html for p in parts), "\n\n".join(p.text for p in parts))


def sustained(one: Loaded, verdict: Verdict) -> Fragment:
    """What a search found, against what is wanted; its way in a picture, and in a folded table."""
    rate, answer = one.figure("throughput"), _answer(one, "throughput", verdict)
    target = answer.target if answer else None
    value = number_format.quantity(rate.value if rate else None, one.rate_unit)
    processes = number_format.count(len(one.believed), "process", "processes")
    between = "no process found a rate"
    if rate:
        sure = f"{number_format.share(rate.confidence)} sure"
        between = (
            f"{number_format.interval(rate.low, rate.high, one.rate_unit)}, {sure}, {processes}"
        )
    badge = markup.badge(target_mark(answer)) if answer and answer.case == one.case.id else ""
    said = " ".join(_against(rate.value, target)) if rate and target else ""
    content = load_tables.trials(one)
    picture = load_charts.trials(one, target, f"Rates tried by {one.case.id}; it sustains {value}")
    html = (
        "<h3>What rate does it sustain?</h3>"
        + _loud(one)
        + f'<p class="vp-value"><b>{as_html(value)}</b> <span>{as_html(between)}</span> {badge}</p>'
        + markup.paragraph(f"{one.case.what} {said}")
        + markup.figure(picture, _TRIALS_KEY)
        + markup.folded(number_format.count(len(content.rows), "trial"), markup.compact(content))
    )
    lines = [f"{one.case.id} sustains {value} ({between}). {said}", invalid(one)]
    return Fragment(html, "\n".join([*filter(None, lines), text.table(content)]))


def by_rate(found: Sequence[Loaded], verdict: Verdict) -> Fragment:
    """Latency against the offered rate: a picture a benchmark, every case in a table."""
    content = load_tables.loads(found, _LOADS)
    pictured = ""
    for benchmark in dict.fromkeys(one.case.benchmark for one in found):
        curve = _curve([one for one in found if one.case.benchmark == benchmark])
        if len(curve) > 1:
            limits = _limits(curve[0], verdict)
            picture = load_charts.by_rate(curve, limits, _rates_in_words(benchmark, curve))
            rings = " ○ an invalid process." if any(one.invalid for one in curve) else ""
            pictured += markup.figure(picture, f"{benchmark}. {_RATES_KEY}{rings}")
    html = (
        "<h3>Latency against offered rate</h3>"
        + "".join(_loud(one) for one in found)
        + pictured
        + markup.table(content)
    )
    lines = [*filter(None, map(invalid, found)), text.table(content)]
    return Fragment(html, "\n".join(lines))


def distribution(one: Loaded, verdict: Verdict) -> Fragment:
    """How long how many had to wait, in two pictures and in words."""
    limits = _limits(one, verdict)
    said = " ".join([*_waits(one), *_conduct(one)])
    marked = {name: load_tables.percentile(one, m) for m, name in load_tables.PERCENTILES[:3]}
    curve = load_charts.percentiles(
        one.latencies, limits, f"{one.case.id}: latency that a share of all stays below. {said}"
    )
    bins = load_charts.histogram(
        one.latencies,
        {name: value for name, value in marked.items() if value},
        f"{one.case.id}: share of all by how long they took",
    )
    html = (
        f"<h3>How long it takes: {as_html(one.case.id)}</h3>"
        + _loud(one)
        + markup.paragraph(said)
        + '<div class="vp-cards">'
        + markup.figure(curve, "What share of all took no longer than that.")
        + markup.figure(bins, "How many took how long.")
        + "</div>"
    )
    return Fragment(html, f"{one.case.id}: {said}")


def stages(one: Loaded) -> Fragment:
    """CPU time by stage, and what its total means for one core."""
    times = one.stages()
    total = sum(times.values())
    item = one.rate_unit.partition("/")[0]
    most = number_format.quantity(1e6 / total, one.rate_unit) if total else number_format.MISSING
    said = (
        f"{number_format.quantity(total, 'us')} of CPU time for one {item}, all processes counted: a core "
        f"with nothing else to do manages {most} at most."
    )
    picture = waterfall(times, f"{one.case.id}: CPU time by stage: {shares(times)}")
    html = (
        f"<h3>Where the CPU time goes: {as_html(one.case.id)}</h3>"
        + ("" if one.valid else _loud(one))
        + markup.paragraph(said)
        + markup.figure(picture, "Each stage begins where the one before ends.")
    )
    return Fragment(html, f"{said} {shares(times)}.")


def invalid(one: Loaded) -> str:
    """Which processes did not offer the load as planned, and why; empty where all did."""
    if not one.invalid:
        return ""
    reasons = dict.fromkeys(r.failure.message for _, r in one.invalid if r.failure)
    if one.valid:
        which = f"process {number_format.listed(str(number) for number, _ in one.invalid)}"
        which, left = f"{which} of {len(one.processes)}", "The others count."
    else:
        which, left = "every process", "These figures do not say what the system can do."
    return f"{one.case.id}: invalid in {which}, because {number_format.listed(reasons)}. {left}"


def _loud(one: Loaded) -> str:
    said = [invalid(one)]
    if one.unreadable:
        count = number_format.count(one.unreadable, "process", "processes")
        said.append(f"{one.case.id}: the latencies of {count} can't be read and are left out.")
    body = "".join(markup.paragraph(line) for line in said if line)
    return (
        f'<div class="vp-failure">{markup.badge(load_tables.load_mark(one))}{body}</div>'
        if body
        else ""
    )


def _answer(one: Loaded, metric: str, verdict: Verdict) -> TargetVerdict | None:
    """The target that a case answers by a metric, or else its suite's of that name."""
    id = one.case.targets.get(metric, f"{one.case.suite}/{metric}")
    answers = [v for v in verdict.targets if v.target.id == id]
    own = [v for v in answers if v.case == one.case.id]
    return next(iter(own or answers), None)


def _limits(one: Loaded, verdict: Verdict) -> dict[str, Target]:
    """The targets of latency percentiles in ms, by metric."""
    found = {metric: _answer(one, metric, verdict) for metric in _JUDGED}
    return {m: v.target for m, v in found.items() if v is not None and v.target.unit == "ms"}


def _against(rate: float, target: Target) -> Iterable[str]:
    limit = number_format.given(target.limit, target.unit)
    yield number_format.sentence(
        f"{number_format.beyond((target.limit - rate) / target.limit, 'higher')} of {limit}"
    )
    if target.target:
        aim = number_format.given(target.target, target.unit)
        yield f"{number_format.share(rate / target.target)} of the {aim} aimed at."


def _curve(cases: Sequence[Loaded]) -> list[Loaded]:
    """The cases that differ in their rate only, ascending."""
    others = [{k: v for k, v in one.case.params.items() if k != "rate"} for one in cases]
    chosen = [c for c, o in zip(cases, others, strict=True) if o == others[0] and c.rate]
    return sorted(chosen, key=lambda one: one.rate or 0.0)


def _rates_in_words(benchmark: str, curve: Sequence[Loaded]) -> str:
    points = [
        f"{number_format.quantity(load_tables.percentile(one, 'latency_p99'), 'ms')} at "
        f"{number_format.given(one.rate, one.rate_unit)}"
        for one in curve
    ]
    return f"{benchmark}: p99 by offered rate: {number_format.listed(points)}"


def _waits(one: Loaded) -> Iterable[str]:
    found = one.percentiles
    if found is None:
        return
    processes = number_format.count(len(one.believed), "process", "processes")
    yield (
        f"{one.latencies.count:,} in {processes}: half took up to {_ms(found.p50)}, 95 of 100 "
        f"up to {_ms(found.p95)}, 99 of 100 up to {_ms(found.p99)}, the slowest {_ms(found.max)}."
    )


def _conduct(one: Loaded) -> Iterable[str]:
    """How the generator did, and what became of the load."""
    yield f"Offered {load_tables.shown(one, 'offered')}, achieved {load_tables.shown(one, 'achieved')}."
    late = load_tables.shown(one, "lag_p99")
    yield f"The generator handed 99 of 100 over at most {late} late, which is counted in."
    errors = one.figure("error_rate")
    if errors is not None:
        rate = number_format.quantity(errors.value, one.unit("error_rate"))
        yield "No errors." if errors.value == 0 else f"Errors: {rate} of what was valid."


def _ms(value: float) -> str:
    return number_format.quantity(value, "ms")
