"""Conditions in which the sides of a screen were made, and how much slower is a failure in them.

A calibration run shows whether the machine itself has changed, by 10 % or less. Without one nothing
is known of it, unless somebody says, or the file shows, that both sides had the same conditions.
"""

from msgspec import Struct

from veperf.core.options import EffectOptions
from veperf.core.policy import MOST_FAIL_OVER
from veperf.core.run import Run
from veperf.core.text import format_effect
from veperf.verdicts.baseline import DRIFT_LIMIT, machine_drift
from veperf.verdicts.counts import COUNT_FAIL_OVER
from veperf.verdicts.sides import ScreenRule, Sides

UNPAIRED_FAIL_OVER = MOST_FAIL_OVER
"""Slowdown that a screen calls ``slower`` where both sides were made at different times."""
PAIRED_FAIL_OVER = EffectOptions.fail_over
"""The same of sides that were made under the same conditions."""


class Conditions(Struct, frozen=True):
    """Knowledge about the machine on both sides, and the slowdown that fails with it."""

    fail_over: float
    usual_fail_over: float
    """The same where nobody has set it."""
    machine: str = ""
    doubt: str = ""
    """Reason why nothing can be ``slower``."""
    confirm: str = "confirm by measuring both versions side by side (A/B)"


def conditions_of(sides: Sides, run: Run, rule: ScreenRule) -> Conditions:
    """Return what is known of the machine of ``sides``, of which ``run`` is the new one."""
    if sides.is_count:
        limit = COUNT_FAIL_OVER if rule.fail_over is None else rule.fail_over
        return Conditions(limit, COUNT_FAIL_OVER, confirm="more values would tell")
    drifted = machine_drift(run, sides.baseline) if sides.baseline else None
    is_paired = drifted is None and (run.same_machine or sides.in_turn)
    usual = PAIRED_FAIL_OVER if is_paired else UNPAIRED_FAIL_OVER
    limits = (usual if rule.fail_over is None else rule.fail_over, usual)
    confirm = "confirm by measuring both in turn on one machine"
    if is_paired:
        how = "in turn" if sides.in_turn else "on the same machine, as was stated"
        return Conditions(*limits, f"; made {how}", confirm=confirm)
    if drifted is None and sides.made_elsewhere:
        elsewhere = "; made elsewhere: the machine is not known"
        return Conditions(*limits, elsewhere, confirm=confirm)
    if drifted is None:
        return Conditions(*limits, doubt="no calibration run shows whether the machine drifted")
    machine = f"the machine itself is {format_effect(1 + drifted)}"
    if abs(drifted) > DRIFT_LIMIT:
        return Conditions(*limits, doubt=f"{machine} than then")
    return Conditions(*limits, f", while {machine}")
