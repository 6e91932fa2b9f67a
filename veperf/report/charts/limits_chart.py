"""A chart of how much of its limit each target uses, with the interval."""

from collections.abc import Sequence

from veperf.core.escape import one_line
from veperf.core.text import TIMES
from veperf.core.verdict import TargetVerdict
from veperf.report.charts.axes import Chart, log_axis, row_axis
from veperf.report.charts.changes import MARKS
from veperf.report.tables.status import target_mark

_LONGEST_NAME = 32
_LETTER, _ROW = 6.6, 14


def limits_chart(verdicts: Sequence[TargetVerdict], alt: str) -> str:
    """Return a chart with a row for each target, the tightest on top: left of the line is within.

    Shape and colour both show the status. Targets without a value, or with a limit or value that
    is not above zero, are left out; the chart is empty where none is left.
    """
    drawn = [(u, v) for v in verdicts if (u := used_share(v, v.value)) is not None and u > 0]
    drawn.sort(key=lambda pair: -pair[0])
    if not drawn:
        return ""
    names = [_short(v.target.id) for _, v in drawn]
    x = log_axis([1.0, *(used for used, _ in drawn)], lambda share: f"{share:g}{TIMES}")
    chart = Chart(
        x,
        row_axis(names),
        title="",
        height=_ROW * len(names),
        left=round(_LETTER * max(map(len, names))) + 10,
        right=16,
    )
    chart.vertical_line(1.0, "quiet", "limit")
    for row, (used, verdict) in zip(range(len(drawn) - 1, -1, -1), drawn, strict=True):
        kind, mark = MARKS[target_mark(verdict).tone]
        ends = [e for end in (verdict.low, verdict.high) if (e := used_share(verdict, end))]
        chart.line([(end, row) for end in ends], kind)
        chart.marks([(used, row)], kind, mark)
    return chart.svg(alt)


def used_share(verdict: TargetVerdict, value: float | None) -> float | None:
    """Return ``value`` as a share of the limit; over 1 is a miss in either direction."""
    limit = verdict.target.limit
    if value is None or limit <= 0:
        return None
    if verdict.target.better == "lower":
        return value / limit
    return limit / value if value > 0 else None


def _short(name: str) -> str:
    line = one_line(name)
    return line if len(line) <= _LONGEST_NAME else f"{line[: _LONGEST_NAME - 1]}…"
