"""All changes of a run in one picture: whether one benchmark moved, or the whole machine."""

from collections.abc import Sequence
from statistics import median

from veperf.core import number_format
from veperf.core.verdict import Change
from veperf.report.charts.axes import Axis, Chart, Kind, Mark, Point
from veperf.report.tables.result_tables import change_mark
from veperf.report.tables.status import Tone

_LEVELS = 7
_REACHES = (0.05, 0.1, 0.2, 0.5)
_LOOKS: dict[Tone, tuple[Kind, Mark]] = {
    "fail": ("ink", "crosses"),
    "warn": ("base", "rings"),
    "pass": ("new", "dots"),
    "quiet": ("quiet", "rings"),
}


def swarm(found: Sequence[Change]) -> str:
    """A mark for each of ``found`` where its ratio lies; empty where none has one.

    What lies beyond the axis stands at its end.
    """
    sized = sorted((c for c in found if c.ratio is not None), key=_size)
    if not sized:
        return ""
    furthest = max(abs(_size(change)) for change in sized)
    reach = next((r for r in _REACHES if r >= furthest), _REACHES[-1])
    chart = Chart(_axis(reach), Axis(-0.5, _LEVELS - 0.5, ()), title="", height=86, right=16)
    chart.down(0.0, "quiet", "")
    for tone, (kind, mark) in _LOOKS.items():
        points: list[Point] = [
            (_size(c), level % _LEVELS)
            for level, c in enumerate(sized)
            if change_mark(c).tone == tone
        ]
        chart.marks(points, kind, mark)
    return chart.svg(in_words(sized))


def in_words(found: Sequence[Change]) -> str:
    """Where the middle of all changes lies: far from zero, the machine has moved, not the code."""
    ratios = [c.ratio for c in found if c.ratio is not None]
    if not ratios:
        return ""
    worse = sum(ratio > 1 for ratio in ratios)
    return (
        f"{number_format.count(len(ratios), 'comparison')}: {worse} worse, {len(ratios) - worse} better, "
        f"the middle one at {number_format.change(median(ratios))}."
    )


def _size(change: Change) -> float:
    return (change.ratio or 1.0) - 1


def _axis(reach: float) -> Axis:
    step = reach / 2
    ticks = tuple((n * step, number_format.change(1 + n * step)) for n in range(-2, 3))
    return Axis(-reach * 1.05, reach * 1.05, ticks)
