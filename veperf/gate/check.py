"""The gate with the same code on both sides: what it finds there is the machine's doing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from veperf.errors import COULD_NOT_MEASURE, FAILED, OK, UsageError
from veperf.gate.advice import advice
from veperf.gate.compare import SAMPLES, compare_sides
from veperf.gate.live import Silent, for_here
from veperf.gate.sides import Prepared
from veperf.gate.verdict import outcome
from veperf.gate.visible import smallest_visible
from veperf.judge.looks import LOOKS, Plan, looks_up_to, plan
from veperf.judge.pairs import PairRule
from veperf.measure.profiles import MIN_SAMPLE_NS
from veperf.measure.side import HERE
from veperf.measure.tuning import Tuning
from veperf.model import ABChange, ABConfig, ABRun, ABSide, ChangeStatus, Outcome

if TYPE_CHECKING:
    import pandas as pd

TYPICAL = ("transaction/hash_compute", "transaction/validation", "transaction/execution")
"""What is measured when nothing is named: a C library's inner loop, a signature, Python."""
# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826
_CHANGED = {ChangeStatus.SLOWER, ChangeStatus.FASTER}


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """What the trials say of one benchmark."""

    case: str
    trials: int
    """Those in which it could be measured."""
    false_alarms: int
    pairs: float
    """That it took to decide, on average over the trials."""
    spread: float
    """Standard deviation of the log ratios, robust: 0.01 is about 1 %."""
    smallest_visible: float | None
    """A slowdown of this share is found in 9 of 10 comparisons; None where none up to 100 % is."""


@dataclass(frozen=True, slots=True, repr=False)
class SelfCheckResult:
    """What the gate can see on this machine."""

    trials: tuple[ABRun, ...]
    cases: tuple[CaseCheck, ...]
    advice: tuple[str, ...]

    @property
    def false_alarms(self) -> int:
        """How often the same code was called slower or faster."""
        return sum(case.false_alarms for case in self.cases)

    def exit_code(self) -> int:
        """3 where something could not be measured, 1 after a false alarm, otherwise 0."""
        if any(outcome(trial) is Outcome.ERROR for trial in self.trials):
            return COULD_NOT_MEASURE
        return FAILED if self.false_alarms else OK

    @property
    def was_stopped(self) -> bool:
        """Whether somebody ended it before its time."""
        return self.trials[-1].stopped == "hand"

    def frame(self) -> "pd.DataFrame":
        """One row a benchmark."""
        import pandas as pd

        return pd.DataFrame(self.cases).set_index("case")

    def __repr__(self) -> str:
        from veperf.gate import check_shown

        return check_shown.as_text(self)

    def _repr_html_(self) -> str:
        from veperf.gate import check_shown

        return check_shown.as_page(self)


def selfcheck(
    *select: str,
    trials: int = 1,
    max_pairs: int = LOOKS[-1],
    modules: Sequence[str] = (),
    timeout_s: float = 60.0,
    progress: bool = True,
) -> SelfCheckResult:
    """Compare this code with itself, and say what that tells of the machine.

    Args:
        select: suites, benchmarks or globs; three typical benchmarks when there is none.
        trials: how many comparisons to make, each until all is decided.
        max_pairs: in each, and for which the smallest visible slowdown is worked out.
        modules: more modules with benchmarks.
        timeout_s: for one benchmark in one process.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.errors``.
    """
    if trials < 1:
        raise UsageError(f"it takes 1 trial or more, not {trials}")
    side = Prepared(ABSide("this code"), HERE)
    runs: list[ABRun] = []
    with for_here() if progress else Silent() as shown:
        for _ in range(trials):
            config = ABConfig(
                select=select or TYPICAL,
                modules=tuple(modules),
                samples=SAMPLES,
                min_sample_ns=MIN_SAMPLE_NS,
                seed=secrets.randbits(32),
                timeout_s=timeout_s,
                max_pairs=max_pairs,
                fail_effect=0.05,
            )
            runs.append(compare_sides(side, side, config, shown))
            if runs[-1].stopped:
                break
    changes = [change for run in runs for change in run.changes]
    rounds = [one for run in runs for one in run.rounds]
    return SelfCheckResult(
        tuple(runs),
        _checked(runs, max_pairs),
        tuple(advice(runs[0].machine, Tuning.now(), rounds, changes)),
    )


def _checked(runs: Sequence[ABRun], max_pairs: int) -> tuple[CaseCheck, ...]:
    found: dict[str, list[ABChange]] = {}
    for run in runs:
        for change in run.changes:
            if change.pairs:
                found.setdefault(change.case, []).append(change)
    rule, looks = PairRule(comparisons=max(1, len(found))), plan(looks_up_to(max_pairs))
    return tuple(_check(case, changes, rule, looks) for case, changes in found.items())


def _check(case: str, changes: Sequence[ABChange], rule: PairRule, looks: Plan) -> CaseCheck:
    ratios = np.log([pair.new / pair.base for change in changes for pair in change.pairs])
    return CaseCheck(
        case=case,
        trials=len(changes),
        false_alarms=sum(change.status in _CHANGED for change in changes),
        pairs=ratios.size / len(changes),
        spread=float(_MAD * np.median(np.abs(ratios - np.median(ratios)))),
        smallest_visible=smallest_visible(ratios.tolist(), rule, looks),
    )
