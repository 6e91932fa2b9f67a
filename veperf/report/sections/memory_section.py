"""The memory section: the memory of each operation, where it was measured."""

import math
from collections.abc import Iterable, Sequence

from veperf.core.case import MEMORY_METRICS
from veperf.core.escape import as_html
from veperf.core.text import format_quantity
from veperf.report.case_summary import MeasuredMetric
from veperf.report.charts.labels import GAP, data_attribute, fit_end, text_width
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.result_tables import memory_table
from veperf.report.tables.table import text_table

CAPTION = (
    "Memory of one operation, without its set-up. Held: the peak during a call above what was held "
    "before, divided by its operations. Allocated: in total, freed or not."
)


NOTHING = "This run did not measure memory; `veperf run --memory` does."
_WIDTH, _ROW, _TOP = 340, 30, 4
_HELD = MEMORY_METRICS[0].name


def memory_section(measured: Iterable[MeasuredMetric], links: Links = NO_LINKS) -> Fragment:
    """Return a bar chart of the memory held, the largest first, and a table of all figures."""
    metrics = [metric for metric in measured if metric.is_memory]
    if not metrics:
        return markup.paragraph_fragment(NOTHING)
    content = memory_table(metrics, CAPTION)
    held = [
        (m.case.id, m.estimate.value) for m in metrics if m.series.metric == _HELD and m.estimate
    ]
    html = (
        markup.figure(memory_chart(held), "Held by one operation, on a logarithmic scale.")
        if held
        else ""
    )
    return Fragment(html + markup.html_table(content, links), text_table(content))


def memory_chart(held: Sequence[tuple[str, float]]) -> str:
    """Return a bar for each name and its bytes on a logarithmic scale, the longest first."""
    ordered = sorted(held, key=lambda pair: -pair[1])
    most = max(1.0, math.log(max(2.0, ordered[0][1])))
    parts = []
    for row, (name, size) in enumerate(ordered):
        y = _TOP + _ROW * row
        quantity = format_quantity(size, "B")
        room = _WIDTH - text_width(quantity) - GAP
        description = data_attribute("marks", [f"{name}: {quantity}"])
        length = _WIDTH * max(0.0, math.log(max(1.0, size)) / most)
        parts.append(
            f'<text x="0" y="{y + 11}">{as_html(fit_end(name, room))}</text>'
            f'<text x="{_WIDTH}" y="{y + 11}" text-anchor="end">{quantity}</text>'
            f'<path class="vp-meter" d="M0 {y + 19}H{_WIDTH}"/>'
            f'<path class="vp-meter vp-new"{description} d="M0 {y + 19}H{length:.1f}"/>'
        )
    name, size = ordered[0]
    alt = f"Memory held by one operation of {len(ordered)} cases; most by {name}: "
    return (
        f'<svg class="vp-strip" viewBox="0 0 {_WIDTH} {_TOP + _ROW * len(ordered)}" role="img" '
        f'aria-label="{as_html(alt + format_quantity(size, "B"))}">{"".join(parts)}</svg>'
    )
