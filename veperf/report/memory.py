"""The memory of a run's operations, where it was measured."""

from collections.abc import Iterable, Sequence

from veperf.model import MEMORY_METRICS, MEMORY_NAMES
from veperf.report import words
from veperf.report.summary import Measured
from veperf.report.tables import Cell, Table

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
        Cell(words.quantity(held.value if held else None, "B")),
        Cell(words.quantity(allocated.value if allocated else None, "B")),
        Cell(words.number(allocations.value if allocations else None)),
        Cell(str(max(one.n for one in series)), note=f"{failed} failed" if failed else ""),
    )
