"""The memory part of a report: what an operation holds, as bars and as a table."""

import math
from collections.abc import Iterable, Sequence

from veperf.model import MEMORY_METRICS
from veperf.report import markup, text, words
from veperf.report.escape import as_html
from veperf.report.fragment import Fragment
from veperf.report.links import NO_LINKS, Links
from veperf.report.memory import CAPTION, is_memory, memory
from veperf.report.summary import Measured

NOTHING = "This run did not measure memory: `veperf run --memory` does."
_WIDTH, _ROW, _TOP = 340, 30, 4
_HELD = MEMORY_METRICS[0].name


def section(measured: Iterable[Measured], links: Links = NO_LINKS) -> Fragment:
    """What is held, the hungriest first, as bars on a logarithmic scale; then all figures."""
    found = [one for one in measured if is_memory(one)]
    if not found:
        return Fragment(markup.paragraph(NOTHING), NOTHING)
    content = memory(found, CAPTION)
    held = [(m.case.id, m.estimate.value) for m in found if m.series.metric == _HELD and m.estimate]
    html = (
        markup.figure(bars(held), "Held by one operation, on a logarithmic scale.") if held else ""
    )
    return Fragment(html + markup.table(content, links), text.table(content))


def bars(held: Sequence[tuple[str, float]]) -> str:
    """A bar for each name and its bytes, the longest first; a byte or less has no length."""
    ordered = sorted(held, key=lambda pair: -pair[1])
    most = max(1.0, math.log(max(2.0, ordered[0][1])))
    parts = []
    for row, (name, size) in enumerate(ordered):
        y = _TOP + _ROW * row
        length = _WIDTH * max(0.0, math.log(max(1.0, size)) / most)
        parts.append(
            f'<text x="0" y="{y + 11}">{as_html(name)}</text>'
            f'<text x="{_WIDTH}" y="{y + 11}" text-anchor="end">{words.quantity(size, "B")}</text>'
            f'<path class="vp-meter" d="M0 {y + 19}H{_WIDTH}"/>'
            f'<path class="vp-meter vp-new" d="M0 {y + 19}H{length:.1f}"/>'
        )
    name, size = ordered[0]
    alt = f"Memory held by one operation of {len(ordered)} cases; most by {name}: "
    return (
        f'<svg class="vp-strip" viewBox="0 0 {_WIDTH} {_TOP + _ROW * len(ordered)}" role="img" '
        f'aria-label="{as_html(alt + words.quantity(size, "B"))}">{"".join(parts)}</svg>'
    )
