"""How much room each target leaves, in plain sentences."""

from collections.abc import Iterable

from veperf.core import number_format
from veperf.core.escape import as_html
from veperf.core.verdict import TargetVerdict
from veperf.report.html.fragment import Fragment

NOTHING = "No target was measured."
_TIMES = ("ns", "us", "ms", "s")


def section(verdicts: Iterable[TargetVerdict]) -> Fragment:
    """A sentence for each target that was measured, the tightest first."""
    measured = sorted((v for v in verdicts if v.value is not None), key=lambda v: -(v.over or 0))
    said = [sentence(v) for v in measured] or [NOTHING]
    items = "".join(f"<li>{as_html(line)}</li>" for line in said)
    return Fragment(f"<ul>{items}</ul>", "\n".join(said))


def sentence(verdict: TargetVerdict) -> str:
    """What was measured, what is asked for, and how far the one is from the other."""
    target, shown = verdict.target, number_format.quantity(verdict.value, verdict.target.unit)
    at = "at most" if target.better == "lower" else "at least"
    limit = number_format.given(target.limit, target.unit)
    return f"{target.id}: {shown} where {at} {limit} is asked for, {_room(verdict)}."


def _room(verdict: TargetVerdict) -> str:
    """As a multiple where it is twice as good as it must be, else as a share of the limit."""
    target, value = verdict.target, verdict.value or 0.0
    small, large = sorted((value, target.limit))
    if (verdict.over or 0) > 0 or small <= 0 or large < 2 * small:
        return number_format.beyond(verdict.over, target.better)
    better = "faster" if target.better == "lower" and target.unit in _TIMES else "better"
    return f"{number_format.times(large / small)} {better} than it must be"
