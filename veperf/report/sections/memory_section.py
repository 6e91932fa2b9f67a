"""The memory of a run's operations, where it was measured."""

import math
from collections.abc import Iterable, Sequence

from veperf.core import number_format
from veperf.core.case import MEMORY_METRICS, MEMORY_NAMES
from veperf.core.escape import as_html
from veperf.report import text
from veperf.report.case_summary import Measured
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.result_tables import Cell, Table

CAPTION = (
    "Memory of one operation, without what its set-up made. Held: how much the most that is held "
    "during a call exceeds what was held before, shared among its operations. Allocated: in all, "
    "freed or not."
)


def is_memory(one: Measured) -> bool:
    """Whether it is a figure of memory."""
    return one.series.metric in MEMORY_NAMES


def memory(measured: Iterable[Measured], caption: str) -> Table:
    """One row a case that has figures of memory, in the run's order."""
    by_case: dict[str, dict[str, Measured]] = {}
    for one in filter(is_memory, measured):
        by_case.setdefault(one.case.id, {})[one.series.metric] = one
    return Table(
        caption,
        (
            ("Memory", "left"),
            ("Held", "right"),
            ("Allocated", "right"),
            ("Allocations", "right"),
            ("Processes", "right"),
        ),
        tuple(
            _row(case, [found.get(m.name) for m in MEMORY_METRICS])
            for case, found in by_case.items()
        ),
        heads=0,
    )


def _row(case: str, figures: Sequence[Measured | None]) -> tuple[Cell, ...]:
    held, allocated, allocations = (one.estimate if one else None for one in figures)
    series = [one.series for one in figures if one]
    failed = max(one.failed for one in series)
    return (
        Cell(case, case=case),
        Cell(number_format.quantity(held.value if held else None, "B")),
        Cell(number_format.quantity(allocated.value if allocated else None, "B")),
        Cell(number_format.number(allocations.value if allocations else None)),
        Cell(str(max(one.n for one in series)), note=f"{failed} failed" if failed else ""),
    )


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
            f'<text x="{_WIDTH}" y="{y + 11}" text-anchor="end">{number_format.quantity(size, "B")}</text>'
            f'<path class="vp-meter" d="M0 {y + 19}H{_WIDTH}"/>'
            f'<path class="vp-meter vp-new" d="M0 {y + 19}H{length:.1f}"/>'
        )
    name, size = ordered[0]
    alt = f"Memory held by one operation of {len(ordered)} cases; most by {name}: "
    return (
        f'<svg class="vp-strip" viewBox="0 0 {_WIDTH} {_TOP + _ROW * len(ordered)}" role="img" '
        f'aria-label="{as_html(alt + number_format.quantity(size, "B"))}">{"".join(parts)}</svg>'
    )
