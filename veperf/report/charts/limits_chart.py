"""A chart of how much of its limit each target uses, with the interval."""

from collections.abc import Sequence

from veperf.core.escape import one_line
from veperf.core.text import TIMES, format_exact, format_interval, format_quantity
from veperf.core.verdict import TargetVerdict
from veperf.report.charts.axes import Chart, log_axis, row_axis
from veperf.report.charts.changes import MARKS
from veperf.report.charts.labels import is_drawable
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.status import target_mark

_ROW = 14
_TITLE = "used share of the limit"


def limits_chart(verdicts: Sequence[TargetVerdict], alt: str, links: Links = NO_LINKS) -> str:
    """Return a chart with a row for each target, the tightest on top: left of the line is within.

    Shape and colour both show the status. Targets without a value, or with a limit or value that
    is not above zero, are left out; the chart is empty where none is left.
    """
    drawn = [(u, v) for v in verdicts if (u := used_share(v, v.value)) is not None and _is_share(u)]
    drawn.sort(key=lambda pair: -pair[0])
    if not drawn:
        return ""
    names = [one_line(v.target.id) for _, v in drawn]
    x = log_axis([1.0, *(used for used, _ in drawn)], lambda share: f"{share:g}{TIMES}")
    chart = Chart(x, row_axis(names), title=_TITLE, height=_ROW * len(names), right=16)
    chart.vertical_line(1.0, "quiet", "limit")
    for row, (used, verdict) in zip(range(len(drawn) - 1, -1, -1), drawn, strict=True):
        kind, mark = MARKS[target_mark(verdict).tone]
        low, high = used_share(verdict, verdict.low), used_share(verdict, verdict.high)
        if low is not None and high is not None:
            chart.horizontal_interval(row, min(low, high), max(low, high), kind)
        texts, addresses = [_describe(verdict, used)], [links.of(verdict.case or "")]
        chart.marks([(used, row)], kind, mark, texts=texts, links=addresses)
    return chart.svg(alt)


def used_share(verdict: TargetVerdict, value: float | None) -> float | None:
    """Return ``value`` as a share of the limit; over 1 is a miss in either direction."""
    limit = verdict.target.limit
    if value is None or limit <= 0:
        return None
    if verdict.target.better == "lower":
        return value / limit
    return limit / value if value > 0 else None


def _is_share(used: float) -> bool:
    return is_drawable(used) and used > 0


def _describe(verdict: TargetVerdict, used: float) -> str:
    """Return a target in a line: its value, interval, limit and status."""
    unit = verdict.target.unit
    interval = ""
    if verdict.low is not None and verdict.high is not None:
        interval = f" ({format_interval(verdict.low, verdict.high, unit)})"
    at = "at most" if verdict.target.better == "lower" else "at least"
    return (
        f"{verdict.target.id}: {format_quantity(verdict.value, unit)}{interval}, {at} "
        f"{format_exact(verdict.target.limit, unit)}: {used:.3g}{TIMES}; "
        f"{target_mark(verdict).word}"
    )
