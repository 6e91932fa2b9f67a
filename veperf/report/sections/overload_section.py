"""Parts of the load section for loads that are not plain: overload, and mixes of kinds of items."""

from collections.abc import Sequence

from veperf.core.escape import as_html
from veperf.core.mix import MIX
from veperf.core.text import format_percent, format_quantity, join_words
from veperf.report.charts.overload_chart import (
    achieved_chart,
    admitted_latency_chart,
    offered_rate,
)
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.load_summary import LoadSummary
from veperf.report.tables.load_tables import SHED, format_figure, kinds_table
from veperf.report.tables.table import text_table


def overload_sections(loads: Sequence[LoadSummary]) -> list[Fragment]:
    """Return a part for each benchmark of which several cases may shed what they are offered."""
    sections = []
    for benchmark in dict.fromkeys(load.case.benchmark for load in loads):
        curve = [load for load in loads if load.case.benchmark == benchmark and _may_shed(load)]
        if len(curve) > 1:
            sections.append(_overload_section(benchmark, sorted(curve, key=offered_rate)))
    return sections


def kinds_sections(loads: Sequence[LoadSummary]) -> list[Fragment]:
    """Return a part for each mix of a benchmark whose items have kinds: that of its first case."""
    firsts: dict[tuple[str, str], LoadSummary] = {}
    for load in loads:
        if load.kinds:
            firsts.setdefault((load.case.benchmark, str(load.case.params.get(MIX))), load)
    return [_kinds_section(load) for load in firsts.values()]


def _kinds_section(load: LoadSummary) -> Fragment:
    content = kinds_table(load)
    slowest = max(load.kinds, key=lambda kind: load.kinds[kind].p99)
    sentence = (
        f"The slowest of {len(load.kinds)} kinds are {slowest}: 99 % of them within "
        f"{format_quantity(load.kinds[slowest].p99, 'ms')}."
    )
    html = (
        f"<h3>Latency by kind: {as_html(load.case.id)}</h3>"
        + markup.paragraph(sentence)
        + markup.html_table(content)
    )
    return Fragment(html, f"{sentence}\n{text_table(content)}")


def _may_shed(load: LoadSummary) -> bool:
    return any(m.name == SHED for m in load.case.metrics) and offered_rate(load) > 0


def _overload_section(benchmark: str, curve: Sequence[LoadSummary]) -> Fragment:
    sentence = " ".join(_sentences(curve))
    rates = achieved_chart(curve, f"{benchmark}: achieved over offered rate. {sentence}")
    latency = admitted_latency_chart(curve, f"{benchmark}: latency of what was admitted")
    html = (
        f"<h3>Under overload: {as_html(benchmark)}</h3>"
        + markup.paragraph(sentence)
        + '<div class="vp-cards">'
        + markup.figure(rates, "What is committed of what is offered; the rest is shed.")
        + markup.figure(latency, "From the scheduled arrival to the commit.")
        + "</div>"
    )
    return Fragment(html, f"{benchmark}: {sentence}")


def _sentences(curve: Sequence[LoadSummary]) -> list[str]:
    """Return sentences on the most that was achieved, and on the largest load."""
    most, last = max(_achieved(load) for load in curve), curve[-1]
    offered = format_quantity(offered_rate(last), last.rate_unit)
    achieved = format_quantity(_achieved(last), last.rate_unit)
    share = f", {format_percent(_achieved(last) / most)} of the most at any rate" if most else ""
    sentences = [
        f"At {offered} offered, {achieved} are achieved{share}.",
        f"{format_figure(last, SHED)} are shed; 99 % of what is admitted and committed take no "
        f"longer than {format_figure(last, 'latency_p99')}.",
    ]
    void = [load.case.id for load in curve if load.counted and not load.valid]
    if void:
        sentences.append(f"Void, and shown all the same: {join_words(void)}.")
    return sentences


def _achieved(load: LoadSummary) -> float:
    figure = load.figure("achieved")
    return figure.value if figure else 0.0
